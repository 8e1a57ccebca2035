"""An inbox: a delivery is read as its control file declares it, or refused by a code and kept as it is."""

import gzip
import hashlib
import json
import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrears.errors import (
    ArrearsError,
    ConfigurationError,
    ControlFileError,
    ControlTotalError,
    DeliveryConflictError,
    SourceColumnsError,
    SourceFileError,
    SourceNotReadyError,
    SourceTypeError,
)
from arrears.jobs.extract import extract, source_is_ready
from arrears.portfolio import load_folder
from support.books import FIRST
from support.deliveries import CLOSE, SOUND, extract_all, failure, manifests, spoiled
from support.drops import NEXT, Drops, packed

LOAN, TRANSACTION, CONTROL = f"loan_{CLOSE}.csv.gz", f"transaction_{CLOSE}.parquet", f"control_{CLOSE}.json"
SECRET = "138-0013-8000"  # noqa: S105  a value that no message may show


@pytest.fixture
def drops(tmp_path):
    return Drops(tmp_path)


def is_ready(drops, business_date=FIRST):
    return source_is_ready("book", business_date, settings=drops.settings)


def refused(drops):
    """The error of the first table that is not extracted; nothing was moved, and its kind is in no lake."""
    before = drops.lying()

    error = failure(lambda: extract_all(drops.settings))

    assert drops.lying() == before
    assert drops.kept() == {}
    assert SECRET not in str(error)
    return error


def in_control(change):
    """A change of the entry of the loan file."""
    return lambda said: said["files"][0].update(change)


# ------------------------------------------------------------------------------------------------- what is waited for
def test_complete_delivery_is_ready_and_extracted(drops):
    before = is_ready(drops)
    drops.drop()

    summaries = extract_all(drops.settings)

    assert (before, is_ready(drops)) == (False, True)
    assert {noun: summary["rows"] for noun, summary in summaries.items()} == {
        "loan": 4,
        "instalment": 6,
        "transaction": 4,
    }


def test_every_extract_names_the_delivery(drops):
    drops.drop()
    control = hashlib.sha256(drops.lying()[CONTROL]).hexdigest()

    extract_all(drops.settings)

    found = manifests(drops.settings, "extract")
    assert len(found) == 3
    assert {manifest.inputs["delivery"] for manifest in found.values()} == {control}


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        pytest.param(lambda drops: drops.take(CONTROL), f"no control file beside .*{LOAN}", id="no control file"),
        pytest.param(lambda drops: drops.take(LOAN), f"{LOAN}|not there", id="a control file without its file"),
        pytest.param(
            lambda drops: drops.put(LOAN, drops.take(LOAN)[:-20]), "still growing", id="a file that is still growing"
        ),
        pytest.param(lambda drops: drops.put(LOAN, b""), "still growing", id="a file that has only been begun"),
        *(
            pytest.param(
                lambda drops, share=share: drops.put(CONTROL, (text := drops.take(CONTROL))[: int(len(text) * share)]),
                "ends in the middle",
                id=f"a control file written to {share:.0%}",
            )
            for share in (0, 0.01, 0.3, 0.5, 0.77, 0.999)
        ),
    ],
)
def test_unfinished_delivery_is_waited_for(drops, caplog, spoil, found):
    drops.drop()
    spoil(drops)

    with caplog.at_level("INFO"):
        ready = is_ready(drops)
    error = refused(drops)

    assert not ready
    assert "ARR-EXT-001" in caplog.text
    assert isinstance(error, SourceNotReadyError)
    assert error.retryable
    assert re.search(found, str(error))
    assert "loan" not in manifests(drops.settings, "extract")


def test_rest_of_a_growing_delivery_makes_it_ready(drops):
    drops.drop()
    whole = drops.take(TRANSACTION)
    drops.put(TRANSACTION, whole[:100])
    growing = is_ready(drops)

    drops.put(TRANSACTION, whole)

    assert (growing, is_ready(drops)) == (False, True)


# ------------------------------------------------------------------------------------------------- wrong control files
@pytest.mark.parametrize(
    ("control", "found"),
    [
        pytest.param(in_control({"name": "../loan.csv.gz"}), "files.0.name", id="a path above the inbox"),
        pytest.param(in_control({"name": "/etc/passwd"}), "files.0.name", id="an absolute path"),
        pytest.param(in_control({"name": f"..%2f{LOAN}"}), "files.0.name", id="an encoded path"),
        pytest.param(in_control({"name": f"old/{LOAN}"}), "files.0.name", id="a folder"),
        pytest.param(in_control({"name": f".{LOAN}"}), "files.0.name", id="a hidden file"),
        pytest.param(in_control({"name": f"{LOAN}\0"}), "files.0.name", id="a NUL in a name"),
        pytest.param(in_control({"name": "l" * 300}), "files.0.name", id="a name of 300 letters"),
        pytest.param(in_control({"name": f"loan_{NEXT}.csv.gz"}), "no name of a loan of that day", id="another day"),
        pytest.param(in_control({"kind": "pause"}), "kind that the portfolio does not declare", id="an unknown kind"),
        pytest.param(in_control({"rows": "4"}), "files.0.rows", id="rows as text"),
        pytest.param(in_control({"rows": -1}), "files.0.rows", id="fewer than no rows"),
        pytest.param(in_control({"sums": {"principal_minor": 110000.0}}), "principal_minor", id="a sum as a float"),
        pytest.param(in_control({"sha256": "0" * 63}), "files.0.sha256", id="no SHA-256"),
        pytest.param(in_control({"note": SECRET}), "files.0.note", id="an unknown key"),
        pytest.param(in_control({SECRET: 1}), "files.0.?", id="an unknown key that may be a value"),
        pytest.param(in_control({"name": SECRET}), "files.0 has no name of a loan", id="a name that may be a value"),
        pytest.param(lambda said: said["files"][0].pop("sums"), "files.0.sums: Field required", id="no sums"),
        pytest.param(lambda said: said.pop("closing_date"), "closing_date: Field required", id="no closing date"),
        pytest.param(lambda said: said.update(files=[]), "files", id="no files"),
        pytest.param(lambda said: said["files"].append(said["files"][0]), "is listed 2 times", id="a file twice"),
        pytest.param(lambda said: said["files"].pop(0), "no file of kind loan", id="a kind without a file"),
        pytest.param(
            lambda said: said.update(closing_date=str(NEXT)),
            f"closing_date {NEXT}",
            id="the closing date of another day",
        ),
    ],
)
def test_wrong_control_file_is_refused_at_once_and_kept(drops, control, found):
    drops.drop(control=control)

    early = failure(lambda: is_ready(drops))
    error = refused(drops)

    assert type(early) is type(error) is ControlFileError
    assert found in error.found
    assert CONTROL in error.where
    assert manifests(drops.settings, "extract") == {}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"<control/>", id="another format"),
        pytest.param(f'{{"closing_date": {SECRET}}}'.encode(), id="broken in the middle"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="nothing"),
        pytest.param(b"\xff\xfe{}", id="no UTF-8"),
        pytest.param(b'{"closing_date": "2026-03-01", "files": []}' + b" " * (1 << 20), id="too large"),
        pytest.param(b"[" * 100_000, id="too deep"),
    ],
)
def test_control_file_that_is_no_json_is_refused(drops, content):
    drops.drop()
    drops.put(CONTROL, content)

    assert isinstance(refused(drops), ControlFileError | SourceNotReadyError)


@pytest.mark.parametrize("name", [LOAN, CONTROL])
def test_link_is_never_followed(drops, tmp_path, name):
    drops.drop()
    (tmp_path / "elsewhere").write_bytes(drops.take(name))
    Path(drops.inbox, name).symlink_to(tmp_path / "elsewhere")

    assert isinstance(failure(lambda: is_ready(drops)), ControlFileError)
    assert isinstance(refused(drops), ControlFileError)


def test_folder_under_a_listed_name_is_refused(drops):
    drops.drop()
    drops.take(LOAN)
    Path(drops.inbox, LOAN).mkdir()

    assert isinstance(refused(drops), ControlFileError)


# -------------------------------------------------------------------------------------------------------- wrong content
def test_sum_that_is_wrong_by_one_minor_unit_is_refused_and_nothing_of_the_table_is_extracted(drops):
    drops.drop(sums={"loan": {"principal_minor": 110001}})

    error = refused(drops)

    assert isinstance(error, ControlTotalError)
    assert error.found == f"{LOAN} principal_minor 110000"
    assert error.expected == "principal_minor 110001"
    assert error.where == CONTROL
    assert manifests(drops.settings, "extract") == {}


def test_sum_of_a_parquet_file_is_checked_as_well(drops):
    drops.drop(sums={"transaction": {"amount_minor": 1}})

    error = failure(lambda: extract("book", FIRST, "transaction", settings=drops.settings))

    assert isinstance(error, ControlTotalError)
    assert f"{TRANSACTION} amount_minor 72400" in error.found


@pytest.mark.parametrize("rows", [3, 5])
def test_other_number_of_rows_is_refused(drops, rows):
    drops.drop(control=in_control({"rows": rows}))

    error = refused(drops)

    assert isinstance(error, ControlTotalError)
    assert (error.found, error.expected) == (f"{LOAN} rows 4", f"rows {rows}")


def test_line_that_is_no_row_counts_as_a_row_and_is_in_no_sum(drops):
    drops.drop()
    short = packed("loan", [*SOUND["loan"][:3], SECRET])
    drops.put(LOAN, short)
    said = json.loads(drops.take(CONTROL))
    said["files"][0]["sha256"] = hashlib.sha256(short).hexdigest()
    drops.put(CONTROL, json.dumps(said).encode())

    error = refused(drops)

    assert isinstance(error, ControlTotalError)
    assert error.found == f"{LOAN} principal_minor 70000 (lines that are no rows: 1)"


def test_text_that_is_no_integer_is_in_no_sum_and_left_to_the_validation(drops):
    rows = spoiled("loan", 2, "CNY,20000", "CNY,2e4")["loan"]
    drops.drop(loan=[row.replace("2e4", "0") for row in rows])
    said = json.loads(drops.take(CONTROL))
    drops.put(LOAN, packed("loan", rows))
    said["files"][0]["sha256"] = hashlib.sha256(packed("loan", rows)).hexdigest()
    drops.put(CONTROL, json.dumps(said).encode())

    summary = extract("book", FIRST, "loan", settings=drops.settings)

    assert (summary["rows"], summary["unreadable"], summary["principal_minor"]) == (4, 1, 90000)


def test_sum_of_a_column_that_is_not_there_is_refused(drops):
    drops.drop(sums={"loan": {"outstanding": 1}})

    error = refused(drops)

    assert isinstance(error, ControlFileError)
    assert "outstanding" in error.found


def test_sum_of_texts_is_refused_and_not_taken_for_nothing(drops):
    drops.drop(sums={"loan": {"loan_id": 0}})

    error = refused(drops)

    assert isinstance(error, SourceTypeError)
    assert "loan_id" in error.found


def test_sum_of_a_float_is_refused(drops):
    drops.drop()
    table = pq.read_table(f"{drops.inbox}/{TRANSACTION}")
    index = table.column_names.index("amount_minor")
    pq.write_table(
        table.set_column(index, "amount_minor", table["amount_minor"].cast(pa.float64())),
        f"{drops.inbox}/{TRANSACTION}",
    )
    said = json.loads(drops.take(CONTROL))
    said["files"][2]["sha256"] = hashlib.sha256(drops.lying()[TRANSACTION]).hexdigest()
    drops.put(CONTROL, json.dumps(said).encode())

    with pytest.raises(SourceTypeError, match="amount_minor"):
        extract("book", FIRST, "transaction", settings=drops.settings)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(packed("loan", SOUND["loan"])[:-12], SourceFileError, id="a truncated gzip"),
        pytest.param(b"no gzip at all", SourceFileError, id="no gzip"),
        pytest.param(gzip.compress(f"{SECRET},x\n1,2\n".encode()), SourceColumnsError, id="no header"),
    ],
)
def test_file_that_is_as_declared_and_cannot_be_read_is_set_aside(drops, content, expected):
    drops.drop(control=in_control({"sha256": hashlib.sha256(content).hexdigest()}))
    drops.put(LOAN, content)

    error = refused(drops)

    assert type(error) is expected
    assert LOAN in error.where
    assert "loan" not in manifests(drops.settings, "extract")


# -------------------------------------------------------------------------------------------------- yesterday's content
def test_delivery_with_the_content_of_the_day_before_is_refused(drops):
    drops.drop()
    drops.drop(NEXT)

    error = failure(lambda: is_ready(drops, date(2026, 3, 3)))

    assert isinstance(error, DeliveryConflictError)
    assert error.found == f"every file with the content of {CLOSE}"


def test_sender_may_vouch_that_nothing_changed(drops):
    drops.drop()
    drops.drop(NEXT, control=lambda said: said.update(unchanged=True))

    assert is_ready(drops, date(2026, 3, 3))


def test_kind_that_changes_daily_may_not_repeat_the_day_before(tmp_path):
    drops = Drops(tmp_path, changes_daily=["transaction"])
    drops.drop()
    drops.drop(NEXT, loan=SOUND["loan"][:3], control=lambda said: said.update(unchanged=True))

    error = failure(lambda: is_ready(drops, date(2026, 3, 3)))

    assert isinstance(error, DeliveryConflictError)
    assert error.found == f"transaction with the content of {CLOSE}"


def test_other_kinds_may_repeat_the_day_before(drops):
    drops.drop()
    drops.drop(NEXT, loan=SOUND["loan"][:3])

    assert is_ready(drops, date(2026, 3, 3))


# ----------------------------------------------------------------------------------------------------- what is declared
@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(("/archive", "/inbox"), "another folder than the inbox", id="the archive is the inbox"),
        pytest.param(
            ("  files:", "  control: control.json\n  files:"), "{closing_date} in it", id="no date in control"
        ),
        pytest.param(("'loan_", "'sub/loan_"), "no / in loan", id="a folder in a pattern"),
        pytest.param(("'loan_{closing_date}", "'loan_{month}"), "the only names in braces", id="another date"),
    ],
)
def test_inbox_that_cannot_work_is_a_configuration_error(drops, change, says):
    path = drops.settings.portfolios / "book" / "portfolio.yaml"
    path.write_text(path.read_text().replace(*change))

    with pytest.raises(ConfigurationError) as wrong:
        load_folder("book", drops.settings)

    assert says in str(wrong.value)


def test_every_refusal_has_a_code_and_a_page(drops):
    drops.drop(control=in_control({"kind": "pause"}))

    error = refused(drops)

    assert isinstance(error, ArrearsError)
    assert error.runbook == "docs/runbooks/ARR-EXT-007.md"
