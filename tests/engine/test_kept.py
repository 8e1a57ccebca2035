"""What a process keeps: opened once, closed at the end, and as if new for every use."""

from contextlib import contextmanager

import duckdb
import pytest
from arrears.engine.duckdb import connect
from arrears.kept import kept, kept_value, one_process
from arrears.settings import Settings

SETTINGS = Settings(memory_limit="300MB", threads=1)


class Opened:
    """Counts openings and closings."""

    def __init__(self):
        self.log = []

    @contextmanager
    def __call__(self):
        self.log.append("opened")
        yield len(self.log)
        self.log.append("closed")


def test_without_keeping_every_use_opens_its_own():
    opened = Opened()

    for _ in range(2):
        with kept("key", opened):
            pass

    assert opened.log == ["opened", "closed"] * 2
    assert kept_value("key", object) is not kept_value("key", object)


def test_kept_thing_is_opened_once_and_closed_at_the_end():
    opened = Opened()

    with one_process():
        with kept("key", opened) as first:
            pass
        with one_process(), kept("key", opened) as second:  # an inner one keeps with the outer
            pass
        before_the_end = list(opened.log)
        same = kept_value("value", object) is kept_value("value", object)

    assert first == second
    assert before_the_end == ["opened"]
    assert opened.log == ["opened", "closed"]
    assert same


def test_things_are_kept_by_key():
    with one_process():
        assert kept_value("one", lambda: 1) == 1
        assert kept_value("other", lambda: 2) == 2


def test_use_of_a_kept_engine_leaves_nothing_for_the_next():
    with one_process():
        with connect(SETTINGS) as first:
            first.execute("CREATE TABLE t AS SELECT 1 AS a")
            first.execute("CREATE TEMP TABLE u AS SELECT 1 AS a")
            first.register("r", first.sql("SELECT 1 AS a").to_arrow_table())
            first.execute("SET memory_limit = '100MB'")
        with connect(SETTINGS) as second:
            limit = second.execute("SELECT current_setting('memory_limit')").fetchall()[0][0]
            zone = second.execute("SELECT current_setting('TimeZone')").fetchall()[0][0]
            for name in "tur":
                with pytest.raises(duckdb.CatalogException):
                    second.execute(f"FROM {name}")

    assert limit == "286.1 MiB"
    assert zone == "UTC"


def test_two_uses_at_once_do_not_see_each_other():
    with one_process(), connect(SETTINGS) as one, connect(SETTINGS) as other:
        one.execute("CREATE TABLE t AS SELECT 1 AS a")
        other.execute("CREATE TABLE t AS SELECT 2 AS a")

        assert one.execute("FROM t").fetchall() == [(1,)]
        assert other.execute("FROM t").fetchall() == [(2,)]
