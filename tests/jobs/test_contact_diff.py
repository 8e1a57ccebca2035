"""The dry run of a change of rules: which contacts of a date it would allow, stop or move, and nothing written."""

import shutil

import pytest
from arrears.errors import ConfigurationError, PartitionMissingError
from arrears.jobs.contact_diff import contact_diff
from arrears.settings import INCLUDE
from support.books import FIRST, rows_of
from support.floor import NEXT, aged, make_floor, put_ledger, work

SHIPPED = INCLUDE / "policies"
MONDAY = 'mon: ["09:00", "20:00"]'


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = make_floor(tmp_path_factory.mktemp("floor"))
    put_ledger(settings, FIRST, [aged("l1", 5), aged("l2", 0)])
    work(settings, FIRST)
    return settings


def changed(tmp_path, old, new):
    """The shipped packs with one line of the house's otherwise."""
    folder = tmp_path / "policies"
    shutil.copytree(SHIPPED, folder)
    text = (folder / "house_humane.yaml").read_text()
    assert old in text
    (folder / "house_humane.yaml").write_text(text.replace(old, new))
    return folder


def counts(found):
    return {name: found[name] for name in ("cases_due", "allowed", "stopped", "moved")}


def test_same_packs_change_nothing(settings):
    found = contact_diff("book", FIRST, SHIPPED, SHIPPED, settings=settings)

    assert counts(found) == {"cases_due": 1, "allowed": 0, "stopped": 0, "moved": 0}
    assert found["contacts"] == []


def test_closed_day_stops_a_contact_and_says_by_which_rule_and_nothing_is_written(settings, tmp_path):
    before = rows_of(settings, "out__contact_plan_daily", FIRST)

    found = contact_diff("book", FIRST, SHIPPED, changed(tmp_path, MONDAY, "mon: null"), settings=settings)

    assert counts(found) == {"cases_due": 1, "allowed": 0, "stopped": 1, "moved": 0}
    (row,) = found["contacts"]
    assert (row["case_id"], row["step_id"], row["change"]) == (before[0]["case_id"], "hello", "stopped")
    assert "house_humane.hours" in row["new"]
    assert rows_of(settings, "out__contact_plan_daily", FIRST) == before


def test_the_other_way_round_it_allows(settings, tmp_path):
    found = contact_diff("book", FIRST, changed(tmp_path, MONDAY, "mon: null"), SHIPPED, settings=settings)

    assert counts(found) == {"cases_due": 1, "allowed": 1, "stopped": 0, "moved": 0}
    assert "house_humane.hours" in found["contacts"][0]["old"]


def test_later_opening_moves(settings, tmp_path):
    later = changed(tmp_path, MONDAY, 'mon: ["11:00", "20:00"]')

    found = contact_diff("book", FIRST, SHIPPED, later, settings=settings)

    assert counts(found) == {"cases_due": 1, "allowed": 0, "stopped": 0, "moved": 1}


def test_wrong_pack_is_refused(settings, tmp_path):
    with pytest.raises(ConfigurationError, match="house_humane"):
        contact_diff("book", FIRST, SHIPPED, changed(tmp_path, MONDAY, 'mon: ["09:00", "25:00"]'), settings=settings)


def test_day_that_is_not_made_is_refused(settings):
    put_ledger(settings, NEXT, [aged("l1", 6), aged("l2", 0)])

    with pytest.raises(PartitionMissingError):
        contact_diff("book", NEXT, SHIPPED, SHIPPED, settings=settings)
