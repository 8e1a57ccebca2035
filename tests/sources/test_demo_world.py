"""The world is the same whenever it is asked for, hangs together, and tells the arranged stories."""

import hashlib
from collections import Counter
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrears.errors import ConfigurationError
from arrears.sources.demo import make_demo, world
from arrears.sources.demo.calendar import Calendar, number_of
from arrears.sources.demo.load import make_chunk
from arrears.sources.demo.schema import TABLES
from arrears.sources.demo.stories import STORIES
from arrears.sources.demo.truth import truth

AS_OF = date(2026, 3, 16)
LOANS = 3_000


@pytest.fixture(scope="module")
def plan():
    return world.make(number_of(AS_OF), 7, 0, 1, LOANS)


@pytest.fixture(scope="module")
def chunk():
    return make_chunk(number_of(AS_OF), 7, 0, 1, LOANS)


def content_of(folder):
    """SHA-256 of every file."""
    files = sorted(folder.glob("*.parquet"))
    assert files
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_ledger_is_the_same_for_the_same_seed(tmp_path):
    folders = [tmp_path / name for name in ("once", "again", "other")]
    for folder, seed in zip(folders, (7, 7, 8), strict=True):
        make_demo(1_000, AS_OF, seed, folder, None)

    once, again, other = (content_of(folder) for folder in folders)

    assert once == again
    assert {name for name in once if once[name] == other[name]} <= {"queue.parquet", "planted.parquet"}


def test_ledger_files_are_one_per_table_and_the_truth(tmp_path):
    result = make_demo(1_000, AS_OF, 7, tmp_path, None)

    names = {path.stem for path in tmp_path.iterdir()}
    assert names == {*result["rows"], "truth", "planted"}
    assert result["rows"]["loan"] == 1_000
    assert sum(result["planted"].values()) == pq.read_metadata(tmp_path / "planted.parquet").num_rows > 0


def test_ledger_grows_by_chunks_without_sharing_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr(world, "CHUNK", 400)
    make_demo(1_000, AS_OF, 7, tmp_path, None)

    for noun, key in (("loan", "loan_id"), ("transaction", "transaction_id"), ("party", "party_id")):
        keys = pq.read_table(tmp_path / f"{noun}.parquet")[key]
        assert len(keys) == len(keys.unique())
    assert pq.read_metadata(tmp_path / "loan.parquet").num_rows == 1_000


@pytest.mark.parametrize("loans", [1, 10, 199])
def test_ledger_may_be_small(tmp_path, loans):
    result = make_demo(loans, AS_OF, 7, tmp_path, None)

    assert result["rows"]["loan"] == loans
    assert result["planted"] == {}


def test_ledger_of_no_loans_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="0 loans"):
        make_demo(0, AS_OF, 7, tmp_path, None)


def test_ledger_that_fails_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("arrears.sources.demo.load.contact_log", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        make_demo(1_000, AS_OF, 7, tmp_path, None)

    assert list(tmp_path.glob("*.parquet")) == []


def test_tables_have_the_source_schema(chunk):
    assert chunk.tables.keys() < TABLES.keys()
    for name, table in chunk.tables.items():
        assert table.schema == TABLES[name].arrow
        assert table.num_rows > 0


def test_schedules_add_up_to_the_loan(plan):
    cells = plan.cells
    slot = np.arange(cells.due.shape[1])
    contractual = slot < plan.count[:, None]

    assert (np.where(contractual, cells.principal, 0).sum(axis=1) == plan.principal).all()
    assert (cells.scheduled[contractual] > 0).all()
    assert (np.diff(cells.due, axis=1)[:, :-1][contractual[:, 1:-1]] >= 28).all()
    assert set(plan.count.tolist()) == {3, 6, 9, 12}


def test_money_never_comes_before_the_instalment_to_its_left_is_cleared(plan):
    cells = plan.cells
    before = cells.visible[:, :-1]

    for money in (cells.visible, cells.part_on, cells.bounce_on):
        assert (money[:, 1:][cells.exists[:, 1:]] >= before[cells.exists[:, 1:]]).all()


def test_borrowers_have_one_to_four_loans(plan):
    loans_each = np.bincount(np.bincount(plan.borrower))

    assert len(loans_each) == 5
    assert (loans_each[1:] > 0).all()


def test_every_behaviour_occurs(plan):
    cells = plan.cells
    end = plan.calendar.end
    known = {
        "part": (cells.part_on <= end).sum(),
        "bounced": (cells.bounced_on <= end).sum(),
        "booked late": ((cells.booked > cells.effective) & (cells.booked <= end)).sum(),
        "booked the evening before": ((cells.booked < cells.effective) & (cells.booked <= end)).sum(),
        "penalty": (cells.penalty_on <= end).sum(),
        "waived": (cells.is_waived & (cells.visible <= end)).sum(),
        "charge": (cells.charge_visible <= end).sum(),
        "chargeback": (cells.chargeback_on <= end).sum(),
        "short": ((cells.short_minor > 0) & (cells.visible <= end)).sum(),
        "prepaid": ((cells.visible < cells.due - 30) & cells.exists).sum(),
        "paused": (plan.pauses.known_on <= end).sum(),
        "charged off": (plan.charged_off <= end).sum(),
        "cancelled": (plan.ended_code == "cancelled").sum(),
    }

    assert min(known.values()) > 0, known


STORY_DAYS = {  # past-due days on the last two business dates
    "newly_overdue": (0, 1),
    "paid_the_day_before": (3, 0),
    "debit_returned": (0, 5),
    "late_booked_transfer": (5, 0),
    "paid_in_part": (20, 21),
    "disputed": (12, 13),
    "in_hardship": (40, 41),
    "opted_out": (6, 7),
    "deceased": (25, 26),
    "represented": (17, 18),
    "insolvent": (70, 71),
    "at_risk": (9, 10),
}


@pytest.mark.parametrize("number", range(len(STORIES)), ids=[story.name for story in STORIES])
def test_story_is_told(plan, chunk, number):
    story = STORIES[number]
    loan_id = f"L{number + 1:08d}"
    rows = [truth(plan, number_of(AS_OF) - back).to_pylist()[number] for back in (1, 0)]
    flags = chunk.tables["account_flag"].to_pylist()

    owner = chunk.tables["loan_account"]["customer_no"][number].as_py()
    held = {flag["flag"] for flag in flags if owner == flag["customer_no"] or loan_id == flag["loan_no"]}

    assert [each["loan_id"] for each in rows] == [loan_id, loan_id]
    assert tuple(each["past_due_days"] for each in rows) == STORY_DAYS[story.name]
    assert not story.flag or story.flag in held


def test_mistakes_hang_on_no_good_loan(chunk):
    planted = chunk.planted.to_pylist()
    accounts = {row["loan_no"]: row for row in chunk.tables["loan_account"].to_pylist()}
    status = dict(zip(*(chunk.tables["loan_state"][name].to_pylist() for name in ("loan_no", "status")), strict=True))
    hosts = {row["loan_id"] for row in planted} - {None}

    assert Counter(row["table_name"] for row in planted).keys() == {
        "loan",
        "instalment",
        "transaction",
        "contact",
        "consent",
    }
    assert hosts <= accounts.keys()
    assert {status[loan] for loan in hosts} == {"cancelled"}
    assert not hosts & set(chunk.truth["loan_id"].to_pylist())


def test_agents_are_numbers_and_nobody_has_a_name(chunk):
    texts = {
        name
        for table in chunk.tables.values()
        for name, column in zip(table.column_names, table.columns, strict=True)
        if pa.types.is_string(column.type)
    }

    assert not {name for name in texts if "name" in name or "phone" in name or "value" in name}


def test_calendar_knows_spring_festival_and_paydays():
    calendar = Calendar(number_of(AS_OF))
    days = np.array([number_of(date(2026, 2, day)) for day in (15, 16, 23, 24)], dtype=np.int32)

    assert calendar.is_festival(days).tolist() == [False, True, True, False]
    assert calendar.is_weekend(days).tolist() == [True, False, False, False]
