"""Figures of Airflow's own processes killed: ``python tests/reliability/suite_components.py`` (several minutes)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from reliability.from_tests import ran
from reliability.report import Part


def main() -> int:
    """Run the tests, read what they counted, and leave the part."""
    done = ran("airflow", "tests/airflow/test_killed_components.py")
    part = Part(
        "components",
        "Airflow's own processes killed",
        "python tests/reliability/suite_components.py",
        order=6,
        about="On a real Airflow with LocalExecutor, every process of a component gets SIGKILL in the middle of a day; "
        "the component is started again, and nothing else is done. A task gets SIGKILL at each of its tries.",
        seconds=done.seconds,
    )
    for killed in done.all("killed"):
        part.figure(f"killed: {killed}", "day equal to an undisturbed one", "day equal to an undisturbed one")
    part.figure("components killed", len(" and ".join(done.all("killed")).split(" and ")), 4)
    part.figure("tries of one task killed; then whoever is on call was told once, by the DAG", done.last("tries"), 4)
    part.figure("tests that failed", done.failed, 0)
    part.write()
    return done.status


if __name__ == "__main__":
    raise SystemExit(main())
