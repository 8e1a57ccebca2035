"""A small share of ``make chaos``: a few named places, a few random kills, a few restarts and cuts, some reruns."""

import random
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from arrears.warehouse.migrate import upgrade
from reliability import chaos_database, chaos_kills, chaos_reruns
from support.day_book import quick_folder

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]
PLACES = ("lake.part_stored/extract__loan", "lake.text_written/core__case_daily", "publish.before_commit")


@pytest.fixture
def folder():
    """Where PostgreSQL, which may run as another user, can look."""
    with tempfile.TemporaryDirectory(prefix="arrears-chaos-", dir=quick_folder(), ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def server(folder):
    found = chaos_kills.EmbeddedPostgres(folder / "pg")
    found.start()
    try:
        upgrade(found.url("arrears"))
        yield found
    finally:
        found.stop()


def test_killed_days_are_whole_after_a_plain_rerun(server, folder):
    found = Counter()
    harm = chaos_kills.Harm(folder / "book", server.url("arrears"), found)

    reached = [harm.at(place) for place in PLACES]
    harm.at_random(random.Random(1))
    harm.zygote.close()

    assert reached == [True] * len(PLACES)
    assert [found[fault] for fault in ("wrong", "failed", "lost", "doubled", "orphans")] == [0] * 5


def test_reader_sees_whole_dates_while_the_database_dies(server, folder):
    harm = chaos_database.Harm(server, folder)

    for number in range(4):
        harm.strike(number, is_restart=number < 2)
    harm.end()

    assert harm.reader.reads > 50
    assert (harm.torn, harm.failed, harm.differs, harm.after[1]) == (0, 0, 0, 0)


def test_tasks_cleared_again_change_nothing(server, folder):
    reruns = chaos_reruns.Reruns(folder / "book", server.url("arrears"))

    for task in chaos_reruns.TASKS:
        reruns.again(chaos_reruns.DAYS[-1], [task])
    for zygote in (reruns.zygote, reruns.other):
        zygote.close()

    assert reruns.made == len(chaos_reruns.TASKS)
    assert (reruns.changed, reruns.failed, reruns.more) == (0, 0, 0)
