"""The page of DAGs, from the docstrings that Airflow shows too."""

from __future__ import annotations

from arrears.reference.docstrings import module_docstring
from arrears.settings import REPOSITORY


def pages() -> dict[str, str]:
    """``dags.md``."""
    files = sorted((REPOSITORY / "dags").glob("*.py"))
    return {"dags.md": "\n".join(["# DAGs\n", *(f"## {path.stem}\n\n{module_docstring(path)}\n" for path in files)])}
