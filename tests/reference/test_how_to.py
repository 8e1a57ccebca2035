"""What a reader is told to type exists, and every link of the pages leads somewhere."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer
from arrears.cli import app

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
COMMAND = re.compile(r"python -m arrears(?P<arguments>(?: [^`|#\n;&]+)?)")
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)(?:#[^)\s]*)?\)")
PLACES = {"D": "2026-03-02", "A": "2026-03-02", "B": "2026-03-03", "P": "my_book", "NAME": "my_book", "DIR": "."}


def commands():
    """Every command line by page, without options in brackets and with the pages' placeholders filled in."""
    for page in PAGES:
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            for found in COMMAND.finditer(line):
                arguments = re.sub(r"\[[^]]*\]", "", found["arguments"]).replace("...", "").rstrip(" .,:")
                yield (
                    f"{page.relative_to(REPOSITORY)}:{number}",
                    [PLACES.get(word, word) for word in shlex.split(arguments)],
                )


COMMANDS = list(commands())


@pytest.mark.parametrize(("place", "arguments"), COMMANDS, ids=[f"{place} {' '.join(a)}" for place, a in COMMANDS])
def test_command_line_of_a_page_is_understood(place, arguments):
    command, words, parents = typer.main.get_command(app), list(arguments), []
    while isinstance(command, click.Group) and words:
        assert words[0] in command.commands, f"{place}: there is no command {words[0]!r}"
        parents.append(words[0])
        command = command.commands[words.pop(0)]
    if words:
        command.make_context(" ".join(parents), words)


def test_pages_hold_commands_at_all():
    assert len(COMMANDS) > 20
    assert {page.name for page in PAGES} > {"README.md", "add-a-portfolio.md", "retention.md", "upgrade.md"}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(REPOSITORY)) for page in PAGES])
def test_relative_links_of_a_page_lead_somewhere(page):
    targets = [found["target"] for found in LINK.finditer(page.read_text(encoding="utf-8"))]

    dead = [t for t in targets if "://" not in t and not t.startswith("mailto:") and not (page.parent / t).exists()]

    assert dead == []
