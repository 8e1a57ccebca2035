"""Oracle files of a folder, read by what stands in them and not by their names.

Belongs here: which case is of which shape. What a case means stands in ``cases``.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

KEPT = Path(__file__).with_name("kept")  # facts of other systems' tests, see its README


@cache
def cases_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Cases of all files of a folder by shape: ``fineract`` (days), ``allocated``, ``frappe`` and ``contagion``.

    Raises:
        ValueError: A file holds something else: nothing is passed over.
    """
    found = defaultdict(list)
    paths = sorted({*folder.glob("*.json"), *folder.glob("*.json.gz")})
    for path in paths:
        content = json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
        if not isinstance(content, dict) or not content.get("cases", content.get("contagion_cases")):
            raise ValueError(f"{path.name} holds no cases")
        for case in content.get("cases", []):
            found[shape_of(case, path.name)].append(case)
        found["contagion"] += content.get("contagion_cases", [])
    if not paths:
        raise ValueError(f"{folder} has no JSON file")
    return dict(found)


def shape_of(case: dict[str, Any], name: str) -> str:
    """What a case is a case of.

    Raises:
        ValueError: Of nothing known.
    """
    if "day_count" in case:
        return "frappe"
    if {"config", "events", "checks"} <= {*case}:
        return "allocated" if all("kind" in check for check in case["checks"]) else "fineract"
    raise ValueError(f"{name}: case {case.get('id')!r} is of no known shape")
