"""A fresh reader's path: the how-to pages' commands, typed in order in a copy of the checkout, publish a portfolio."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ORDER = ("add-a-portfolio", "rerun-backfill-restate", "upgrade", "retention")


@pytest.fixture(scope="module")
def typed(tmp_path_factory, warehouse_url):
    """What the shell answered, page by page."""
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copytree(
        REPOSITORY / "include", copy / "include", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ARREARS_")},
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONPATH": str(copy / "include"),
        "ARREARS_WAREHOUSE_URL": warehouse_url,
        "COLUMNS": "250",
    }
    answers = {}
    for page in ORDER:
        blocks = BLOCK.findall((REPOSITORY / "docs/how-to" / f"{page}.md").read_text(encoding="utf-8"))
        assert blocks, page
        done = subprocess.run(
            ["bash", "-e"],
            input="\n".join(blocks),
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{page}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        answers[page] = done.stdout + done.stderr
    return answers


@pytest.mark.docs
@pytest.mark.timeout(900)
def test_reader_publishes_a_portfolio_of_their_own(typed):
    answer = typed["add-a-portfolio"]

    assert "nothing wrong" in answer
    assert "3 days past due: instalment 1 of 2026-02-28 lacks 100.00 EUR" in answer
    assert re.search(r"last published\s*│ 2026-03-03", answer)


@pytest.mark.docs
@pytest.mark.timeout(900)
def test_reader_reruns_restates_upgrades_and_lists_what_may_go(typed):
    assert "already published" in typed["rerun-backfill-restate"]
    assert "at this version" in typed["upgrade"]
    assert re.search(r"newest: 1", typed["retention"])
