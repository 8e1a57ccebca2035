"""A day made from an inbox: one delivery for all tables, picked up once, archived, refreshed only when asked."""

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest
from arrears.errors import DeliveryConflictError, SourceNotReadyError
from arrears.jobs.day import Day
from arrears.jobs.extract import extract, source_is_ready
from arrears.jobs.validate import validate
from support.books import FIRST, rows_of
from support.deliveries import (
    CLOSE,
    HEADERS,
    SOUND,
    deliver,
    extract_all,
    failure,
    judge,
    make_file_book,
    manifests,
    spoiled,
)
from support.drops import NEXT, Drops

LOAN, CONTROL = f"loan_{CLOSE}.csv.gz", f"control_{CLOSE}.json"
OTHER = spoiled("loan", 1, "active,10000", "active,9999")
SECOND = FIRST + (NEXT - CLOSE)
ORDER = ("loan", "instalment", "transaction")


@pytest.fixture
def drops(tmp_path):
    return Drops(tmp_path)


@pytest.fixture(params=["a local folder", "another file system"])
def anywhere(request, tmp_path):
    if request.param == "a local folder":
        yield Drops(tmp_path)
        return
    there = Drops(tmp_path, url=f"memory://{tmp_path.name}")
    yield there
    there.files.rm(f"/{tmp_path.name}", recursive=True)


def in_archive(delivery, number=1):
    """What the archive holds of a delivery that lay in the inbox."""
    identity = hashlib.sha256(delivery[CONTROL]).hexdigest()[:16]
    return {f"{CLOSE}/{number:03d}-{identity}/{name}": content for name, content in delivery.items()}


def hashes(drops, layer="raw"):
    return {noun: manifest.content_hash for noun, manifest in manifests(drops.settings, layer).items()}


def forget(drops, noun):
    """Lose the file of an extract."""
    day = Day.open("book", FIRST, settings=drops.settings)
    (part,) = (drops.settings.portfolios.parent / "lake" / day.key(f"extract__{noun}").path).glob("part-*.parquet")
    part.unlink()


# ---------------------------------------------------------------------------------------------------------- picked up
def test_inbox_delivers_the_ledger_that_a_folder_delivers(drops, tmp_path):
    plain = make_file_book(tmp_path / "plain")
    deliver(plain)
    drops.drop()

    judge(plain)
    judge(drops.settings)

    lineage = {"source_file", "source_line"}
    ledgers = [
        {
            noun: [
                {name: value for name, value in row.items() if name not in lineage}
                for row in rows_of(settings, f"raw__{noun}", FIRST)
            ]
            for noun in HEADERS
        }
        for settings in (plain, drops.settings)
    ]
    assert all(ledgers[0].values())
    assert ledgers[1] == ledgers[0]


def test_validated_delivery_is_moved_to_the_archive_once(anywhere):
    anywhere.drop()
    delivery = anywhere.lying()

    first = judge(anywhere.settings)
    again = validate("book", FIRST, settings=anywhere.settings)

    assert sorted(first["picked_up"]) == sorted(delivery)
    assert again["picked_up"] == []
    assert anywhere.lying() == {}
    assert anywhere.kept() == in_archive(delivery)
    assert again["content_hashes"] == first["content_hashes"]


def test_delivery_of_a_day_that_is_not_validated_stays_in_the_inbox(drops):
    drops.drop(instalment=[])
    before = drops.lying()

    error = failure(lambda: judge(drops.settings))

    assert error.code == "ARR-VAL-004"
    assert drops.lying() == before
    assert drops.kept() == {}


def test_table_that_is_still_to_be_read_is_read_from_the_archive(anywhere):
    anywhere.drop()
    judge(anywhere.settings)
    before = hashes(anywhere, "extract")
    forget(anywhere, "loan")

    again = extract("book", FIRST, "loan", settings=anywhere.settings)

    assert not again["kept"]
    assert hashes(anywhere, "extract") == before


def test_refresh_without_a_new_delivery_reads_the_archive(drops):
    drops.drop()
    judge(drops.settings)
    before = hashes(drops)

    ready = source_is_ready("book", FIRST, settings=drops.settings)
    summaries = extract_all(drops.settings, refresh_source=True)
    validate("book", FIRST, settings=drops.settings)

    assert ready
    assert [summary["kept"] for summary in summaries.values()] == [False] * 3
    assert hashes(drops) == before


def test_extract_is_kept_when_its_delivery_is_nowhere_any_more(drops):
    drops.drop()
    judge(drops.settings)
    drops.files.rm(drops.archive, recursive=True)

    summaries = extract_all(drops.settings)
    error = failure(lambda: extract_all(drops.settings, refresh_source=True))

    assert all(summary["kept"] for summary in summaries.values())
    assert isinstance(error, SourceNotReadyError)


# ------------------------------------------------------------------------------------------------------- dropped again
def test_same_delivery_again_is_moved_away_by_name_and_changes_nothing(anywhere):
    anywhere.drop()
    delivery = anywhere.lying()
    judge(anywhere.settings)
    before, kept = hashes(anywhere), anywhere.kept()

    anywhere.drop()
    summaries = extract_all(anywhere.settings)
    moved = validate("book", FIRST, settings=anywhere.settings)["picked_up"]

    assert all(summary["kept"] for summary in summaries.values())
    assert sorted(moved) == sorted(delivery)
    assert anywhere.lying() == {}
    assert anywhere.kept() == kept
    assert hashes(anywhere) == before


def test_same_delivery_again_on_a_later_day_is_moved_away_with_that_day(drops, caplog):
    drops.drop()
    judge(drops.settings)
    drops.drop()
    again = sorted(drops.lying())
    drops.drop(NEXT, loan=SOUND["loan"][:3], transaction=SOUND["transaction"][:3], instalment=SOUND["instalment"][:5])

    with caplog.at_level("INFO"):
        judge(drops.settings, SECOND)

    assert drops.lying() == {}
    assert len(again) == 4
    assert all(name in caplog.text for name in again)


# ------------------------------------------------------------------------------------------- other content, same names
def test_other_content_under_a_taken_name_is_refused_kept_and_changes_nothing(drops):
    drops.drop()
    judge(drops.settings)
    before, kept = (hashes(drops), hashes(drops, "extract")), drops.kept()
    drops.drop(**OTHER)
    other = drops.lying()

    errors = [failure(lambda noun=noun: extract("book", FIRST, noun, settings=drops.settings)) for noun in ORDER]

    assert [type(error) for error in errors] == [DeliveryConflictError] * 3
    assert "other content under names that were picked up" in errors[0].found
    assert (hashes(drops), hashes(drops, "extract")) == before
    assert drops.lying() == other
    assert drops.kept() == kept


def test_other_file_under_a_taken_name_is_refused_even_beside_the_same_control_file(drops):
    drops.drop()
    judge(drops.settings)
    control = next(content for name, content in drops.kept().items() if name.endswith(CONTROL))
    drops.put(LOAN, b"other")

    alone = failure(lambda: extract_all(drops.settings))
    drops.put(CONTROL, control)
    beside = failure(lambda: extract_all(drops.settings))

    assert isinstance(alone, DeliveryConflictError)
    assert isinstance(beside, DeliveryConflictError)
    assert LOAN in beside.found
    assert drops.lying()[LOAN] == b"other"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: Path(path).symlink_to("/dev/zero")])
def test_what_is_no_file_under_a_taken_name_is_refused_and_never_opened(drops, make):
    drops.drop()
    extract_all(drops.settings)
    validate("book", FIRST, settings=drops.settings)
    (Path(drops.archive) / "2026-02-31").mkdir()
    make(f"{drops.inbox}/{LOAN}")

    with pytest.raises(DeliveryConflictError, match=LOAN):
        extract("book", FIRST, "loan", settings=drops.settings)

    assert not stat.S_ISREG(os.lstat(f"{drops.inbox}/{LOAN}").st_mode)


def test_other_content_for_an_earlier_day_is_told_kept_and_not_read(drops, caplog):
    drops.drop()
    judge(drops.settings)
    before = hashes(drops)
    drops.drop(**OTHER)
    other = drops.lying()
    drops.drop(NEXT, loan=SOUND["loan"][:3], transaction=SOUND["transaction"][:3], instalment=SOUND["instalment"][:5])

    judge(drops.settings, SECOND)

    assert "ARR-EXT-008" in caplog.text
    assert CONTROL in caplog.text
    assert drops.lying() == other
    assert hashes(drops) == before


def test_other_file_beside_an_earlier_control_file_is_told_and_never_removed(drops, caplog):
    drops.drop()
    judge(drops.settings)
    drops.drop()
    drops.put(LOAN, b"other")
    drops.drop(NEXT, loan=SOUND["loan"][:3], transaction=SOUND["transaction"][:3], instalment=SOUND["instalment"][:5])

    judge(drops.settings, SECOND)

    assert drops.lying() == {LOAN: b"other"}
    assert f"ARR-EXT-008: other content under the name {LOAN}" in caplog.text


def test_refresh_takes_a_new_delivery_and_keeps_the_old_one(anywhere):
    anywhere.drop()
    first = anywhere.lying()
    judge(anywhere.settings)
    anywhere.drop(**OTHER)
    second = anywhere.lying()

    summaries = extract_all(anywhere.settings, refresh_source=True)
    validate("book", FIRST, settings=anywhere.settings)
    again = extract_all(anywhere.settings)
    from_archive = extract_all(anywhere.settings, refresh_source=True)

    assert summaries["loan"]["outstanding_principal_minor"] == 59999
    assert all(summary["kept"] for summary in again.values())
    assert from_archive["loan"]["content_hash"] == summaries["loan"]["content_hash"]
    assert anywhere.lying() == {}
    assert anywhere.kept() == in_archive(first) | in_archive(second, 2)


def test_refresh_that_breaks_off_ends_with_all_tables_of_one_delivery(drops):
    drops.drop()
    judge(drops.settings)
    before = hashes(drops)
    drops.drop(**OTHER)
    extract("book", FIRST, "loan", refresh_source=True, settings=drops.settings)

    mixed = failure(lambda: validate("book", FIRST, settings=drops.settings))
    without = failure(lambda: extract_all(drops.settings))
    for name in drops.lying():
        drops.take(name)
    judge(drops.settings)

    assert isinstance(mixed, DeliveryConflictError)
    assert "raw__instalment, raw__transaction of" in mixed.found
    assert isinstance(without, DeliveryConflictError)
    assert hashes(drops) == before


# ------------------------------------------------------------------------------------------------ replaced on the way
def test_delivery_replaced_between_two_tables_never_becomes_one_day(anywhere):
    anywhere.drop()
    extract("book", FIRST, "loan", settings=anywhere.settings)
    anywhere.drop(**OTHER)
    second = anywhere.lying()
    for noun in ORDER[1:]:
        extract("book", FIRST, noun, settings=anywhere.settings)

    mixed = failure(lambda: validate("book", FIRST, settings=anywhere.settings))
    nothing = hashes(anywhere)
    summary = judge(anywhere.settings)

    assert isinstance(mixed, DeliveryConflictError)
    assert nothing == {}
    assert len(summary["picked_up"]) == 4
    assert {manifest.inputs["delivery"] for manifest in manifests(anywhere.settings, "extract").values()} == {
        hashlib.sha256(second[CONTROL]).hexdigest()
    }
    assert sum(row["outstanding_principal_minor"] for row in rows_of(anywhere.settings, "raw__loan", FIRST)) == 59999


def test_delivery_replaced_after_the_last_table_is_not_archived_as_the_one_extracted(drops):
    drops.drop()
    extract_all(drops.settings)
    drops.drop(**OTHER)
    second = drops.lying()

    error = failure(lambda: validate("book", FIRST, settings=drops.settings))
    kept = drops.kept()
    judge(drops.settings)

    assert isinstance(error, DeliveryConflictError)
    assert kept == {}
    assert drops.kept() == in_archive(second)


def test_file_replaced_after_the_last_table_is_neither_archived_nor_removed(drops):
    drops.drop()
    extract_all(drops.settings)
    drops.put(LOAN, b"another one")
    before = drops.lying()

    error = failure(lambda: validate("book", FIRST, settings=drops.settings))

    assert isinstance(error, SourceNotReadyError)
    assert error.retryable
    assert drops.lying() == before
    assert not any(name.endswith(CONTROL) for name in drops.kept())


@pytest.mark.parametrize(
    "spoil", [lambda content: content[:50], lambda content: content + b" "], ids=["is not whole", "was changed"]
)
def test_control_file_of_the_archive_that_is_not_the_one_picked_up_counts_as_none(drops, spoil):
    drops.drop()
    delivery = drops.lying()
    judge(drops.settings)
    (control,) = [name for name in drops.kept() if name.endswith(CONTROL)]
    drops.files.pipe_file(f"{drops.archive}/{control}", spoil(delivery[CONTROL]))
    lost = failure(lambda: extract_all(drops.settings, refresh_source=True))
    for name, content in delivery.items():
        drops.put(name, content)

    judge(drops.settings)

    assert isinstance(lost, SourceNotReadyError)
    assert drops.lying() == {}
    assert drops.kept() == in_archive(delivery)


def test_kind_declared_later_leaves_earlier_days_alone(drops):
    drops.drop()
    judge(drops.settings)
    path = drops.settings.portfolios / "book" / "portfolio.yaml"
    path.write_text(f"{path.read_text()}    pause: {{pattern: 'pause_{{closing_date}}.csv', columns: [loan_id]}}\n")

    summaries = extract_all(drops.settings)

    assert json.dumps(summaries)
    assert all(summary["kept"] for summary in summaries.values())
