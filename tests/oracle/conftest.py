"""Counts how the oracle files agree (``--oracle-dir``), by figure and by reason, and says so at the end."""

from collections import Counter

import pytest

TALLY = pytest.StashKey[dict]()
OF_CASE = "oracle"


class Tally:
    """What one test compared: kept with its report, so that parallel processes add up."""

    def __init__(self):
        self.rows = []

    def agree(self, file, figure, is_equal, explained=""):
        """A compared figure; ``explained`` where it may differ, and why."""
        outcome = "agree" if is_equal else "explained" if explained else "disagree"
        self.rows.append((file, outcome, explained if outcome == "explained" else figure))

    def left_out(self, file, reason):
        """A check that was not compared."""
        self.rows.append((file, "unsupported", reason))


@pytest.fixture
def tally(request):
    """Counts of figures and checks by file."""
    made = Tally()
    yield made
    request.node.user_properties.append((OF_CASE, made.rows))


def pytest_runtest_logreport(report):
    if report.when == "teardown":
        for name, rows in report.user_properties:
            if name == OF_CASE:
                COUNTS.update(tuple(row) for row in rows)


COUNTS = Counter()


def pytest_terminal_summary(terminalreporter):
    if not COUNTS:
        return
    line = terminalreporter.write_line
    for file in sorted({file for file, _, _ in COUNTS}):
        totals = Counter()
        for (each, outcome, _), count in COUNTS.items():
            totals[outcome] += count if each == file else 0
        words = ", ".join(f"{outcome} {totals[outcome]}" for outcome in ("agree", "disagree", "explained"))
        line(f"oracle {file}: figures {words}; checks unsupported {totals['unsupported']}")
        for outcome in ("agree", "disagree", "explained", "unsupported"):
            for (each, what, name), count in sorted(COUNTS.items()):
                if (each, what) == (file, outcome):
                    line(f"  {outcome:11} {count:6}  {name}")
