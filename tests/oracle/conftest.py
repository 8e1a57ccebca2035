"""Counts how many figures of the oracle files agree (``--oracle-dir``), and says so at the end."""

import pytest

TALLY = pytest.StashKey[dict]()


@pytest.fixture
def tally(request):
    """Counts of compared checks and figures by file, printed at the end."""
    return request.config.stash.setdefault(TALLY, {})


def pytest_terminal_summary(terminalreporter, config):
    for name, counts in sorted(config.stash.get(TALLY, {}).items()):
        terminalreporter.write_line(
            f"oracle {name}: {counts['agreeing']} of {counts['figures']} figures agree "
            f"({counts['checks']} checks; {counts['left_out']} checks left out)"
        )
