"""Shared by the drills: somebody who types commands."""

import pytest
from arrears.cli import main
from arrears.sending.templates import cached_library


@pytest.fixture
def typed(monkeypatch, capsys):
    """Types a command, as a process of its own would take it: its exit code, and all that was said."""

    def do(words):
        cached_library.cache_clear()
        monkeypatch.setenv("COLUMNS", "240")  # a wide window: no word is broken
        monkeypatch.setattr("sys.argv", ["arrears", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, "".join(capsys.readouterr())

    return do


@pytest.fixture
def followed(typed):
    """Types a page's commands, each of which must go through; what was said by each."""

    def do(lines):
        said = []
        for words in lines:
            status, told = typed(words)
            assert status == 0, f"{words}: {told}"
            said.append(told)
        return said

    return do
