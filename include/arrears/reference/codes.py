"""The page of error codes, from their classes; each links its runbook."""

from __future__ import annotations

from arrears import errors
from arrears.errors import ArrearsError
from arrears.reference.docstrings import one_line


def pages() -> dict[str, str]:
    """``errors.md``."""
    lines = [
        "# Errors",
        "",
        "Every code links its runbook: what you see, who is hurt and by when, what to check, whether a rerun is safe.",
        "",
        "| code | what it means | what did not happen | retried by itself | safe to rerun |",
        "|---|---|---|---|---|",
    ]
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, ArrearsError)]
    for cls in classes:
        if cls is ArrearsError:
            continue
        meaning = one_line((cls.__doc__ or "").strip().splitlines()[0])
        retried, safe = ("yes" if value else "no" for value in (cls.retryable, cls.rerun_safe))
        link = f"[{cls.code}](../runbooks/{cls.code}.md)"
        lines.append(f"| {link} | {meaning} | {cls.consequence} | {retried} | {safe} |")
    return {"errors.md": "\n".join(lines) + "\n"}
