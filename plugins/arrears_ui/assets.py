"""Styles and scripts, ours and Plotly's from its wheel, served by ourselves; browsers keep them until they change."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

STATIC = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript"}
STYLE_ID = re.compile(r"""getElementById\("([0-9a-f]{64})"\)""")
FOREVER = "private, max-age=31536000, immutable"

routes = APIRouter()


@cache
def catalogue() -> dict[str, Path]:
    """File by name."""
    ours = {path.name: path for path in sorted(STATIC.iterdir()) if path.suffix in TYPES}
    return {**ours, "plotly.min.js": Path(str(files("plotly").joinpath("package_data/plotly.min.js")))}


@cache
def address(name: str) -> str:
    """Where a page finds it; the address changes with the content."""
    return f"static/{name}?v={hashlib.sha256(catalogue()[name].read_bytes()).hexdigest()[:12]}"


@cache
def plotly_style() -> str:
    """Id by which Plotly knows that its maps' style sheet is in the page; empty when it asks for none."""
    found = STYLE_ID.search(catalogue()["plotly.min.js"].read_text(encoding="utf-8"))
    return found[1] if found else ""


@routes.get("/static/{name}")
def static(name: str) -> FileResponse:
    """One file."""
    path = catalogue().get(name)
    if path is None:
        raise HTTPException(404, "no such file")
    return FileResponse(path, media_type=TYPES[path.suffix], headers={"Cache-Control": FOREVER})
