"""The reliability report: each suite leaves its figures as one JSON part, and this script makes the page of them.

``python tests/reliability/report.py`` writes ``docs/reliability-report.md`` from ``docs/reliability/*.json``;
``--check`` fails when the page is not what the parts say, a part is missing, or a figure is not what it must be.
``make reliability`` runs every suite that writes a part (``tests/reliability/chaos_*.py`` and ``suite_*.py``, scripts
that end with ``Part.write``), and then this.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = REPOSITORY / "docs" / "reliability"
PAGE = REPOSITORY / "docs" / "reliability-report.md"
SO_FAR = REPOSITORY / "var" / "reliability"
HEAD = """\
<!-- made by `make reliability` of docs/reliability/*.json; do not edit -->
# What survives, in figures

What the README promises of crashes, reruns, bad input and secrets, as counted by the suites named below. Every suite
runs against real parts: processes killed by SIGKILL, a real PostgreSQL, real files. Regenerate all with
`make reliability`, one part with the command beside it. A figure that misses what it must be stands out as **no**.
"""


@dataclass
class Part:
    """The figures of one suite.

    Attributes:
        name: File name of the part, without ending; parts stand in the order of ``order``, then of their names.
        title: Heading.
        command: What makes the part again.
        order: Place on the page.
        about: What was done, in a sentence or two.
        rows: ``what``, ``found``, ``must`` and ``holds`` of each figure.
        seconds: How long the suite took by the clock.
        notes: Residual risks and limits of the figures, one a line.
    """

    name: str
    title: str
    command: str
    order: int = 50
    about: str = ""
    rows: list[dict[str, object]] = field(default_factory=list)
    seconds: float = 0
    notes: list[str] = field(default_factory=list)

    def figure(self, what: str, found: object, must: object = "", *, holds: bool | None = None) -> None:
        """Add one figure.

        Args:
            what: What was counted.
            found: The count.
            must: What it must be; empty for a figure that only tells how much was tried.
            holds: Whether it is that; without it, whether both are equal.
        """
        verdict = True if must == "" else (str(found) == str(must) if holds is None else holds)
        self.rows.append({"what": what, "found": str(found), "must": str(must), "holds": verdict})

    def write(self) -> Path:
        """Leave the part for the page."""
        PARTS.mkdir(parents=True, exist_ok=True)
        path = PARTS / f"{self.name}.json"
        made = {"on": datetime.now(UTC).date().isoformat(), "cores": os.cpu_count(), "system": platform.system()}
        path.write_text(json.dumps({**asdict(self), "made": made}, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return path


class Tally(Counter[str]):
    """Counts of a long suite, kept after every step: a suite that was stopped goes on where it was.

    Counts of other code than that of today are forgotten. A suite that is done forgets its own.

    Args:
        name: Of the part.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._path = SO_FAR / f"{name}.json"
        ask = ["git", "rev-parse", "HEAD:include", "HEAD:tests/reliability", "HEAD:tests/support"]
        self._of = subprocess.run(ask, cwd=REPOSITORY, capture_output=True, text=True, check=False).stdout.split()
        kept = json.loads(self._path.read_text("utf-8")) if self._path.exists() else {}
        if kept.get("of") == self._of:
            self.update(kept["counts"])

    def keep(self, **seconds: float) -> None:
        """Leave the counts on disk; times are added up over the runs."""
        self.update({name: round(value) for name, value in seconds.items()})
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(".tmp")
        unfinished.write_text(json.dumps({"of": self._of, "counts": dict(self)}), "utf-8")
        unfinished.replace(self._path)

    def forget(self) -> None:
        """The suite is done."""
        self._path.unlink(missing_ok=True)


def page() -> str:
    """The page, from the parts that are there."""
    return "\n".join([HEAD, *(_section(part) for part in _parts())])


def missed() -> list[str]:
    """Figures that are not what they must be."""
    return [f"{part['name']}: {row['what']}" for part in _parts() for row in part["rows"] if not row["holds"]]


def absent() -> list[str]:
    """Suites that have left no figures: each beside this script leaves a part of its own name."""
    scripts = [path.stem for path in Path(__file__).parent.glob("*.py")]
    suites = {name.partition("_")[2] for name in scripts if name.startswith(("chaos_", "suite_"))}
    return [f"{name}: no figures" for name in sorted(suites - {part["name"] for part in _parts()})]


def _parts() -> list[dict]:
    found = [json.loads(path.read_text("utf-8")) for path in sorted(PARTS.glob("*.json"))]
    return sorted(found, key=lambda part: (part["order"], part["name"]))


def _section(part: dict) -> str:
    made = part["made"]
    told = f"`{part['command']}`, {made['on']}, {made['cores']} cores, {part['seconds']:.0f} s."
    rows = [
        f"| {row['what']} | {row['found']} | {row['must'] or '-'} | {'yes' if row['holds'] else '**no**'} |"
        for row in part["rows"]
    ]
    notes = [f"- {note}" for note in part["notes"]]
    lines = [f"## {part['title']}", "", *([part["about"], ""] if part["about"] else []), told, ""]
    lines += ["| what | found | must be | holds |", "|---|---|---|---|", *rows, ""]
    return "\n".join([*lines, *([*notes, ""] if notes else [])])


def main() -> int:
    """Write or check the page."""
    if "--check" in sys.argv:
        wrong = missed() + absent()
        if PAGE.read_text("utf-8") != page():
            wrong.append("docs/reliability-report.md is not what the parts say: python tests/reliability/report.py")
        sys.stderr.writelines(f"{line}\n" for line in wrong)
        return int(bool(wrong))
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
