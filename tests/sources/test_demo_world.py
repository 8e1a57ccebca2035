"""The world is the same whenever it is asked for, hangs together, and tells the arranged stories."""

import hashlib
from collections import Counter, defaultdict
from datetime import date, timedelta
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrears.errors import ConfigurationError
from arrears.sources.demo import Order, last_days, world, write_demo
from arrears.sources.demo.calendar import Calendar, number_of
from arrears.sources.demo.lender import LENDERS, LOAN_US, TRAVEL_CN
from arrears.sources.demo.load import make_chunk
from arrears.sources.demo.schema import TABLES
from arrears.sources.demo.staff import staff
from arrears.sources.demo.truth import truth

AS_OF = date(2026, 3, 16)
LOANS = 3_000


def order_of(loans, portfolio="demo_travel_cn", seed=7):
    return Order.of(portfolio, loans=loans, seed=seed, dates=last_days(AS_OF))


@pytest.fixture(params=sorted(LENDERS))
def lender(request):
    return LENDERS[request.param]


@cache
def plan_of(portfolio):
    return world.make(order_of(LOANS, portfolio), 0, 1, LOANS)


@cache
def chunk_of(portfolio):
    return make_chunk(order_of(LOANS, portfolio), 0, 1, LOANS)


@cache
def rows_around_stories(portfolio):
    """Rows around the stories' borrowers, by table."""
    chunk = chunk_of(portfolio)
    accounts = chunk.tables["loan_account"].slice(0, len(chunk.stories)).to_pydict()
    owners, loans = set(accounts["customer_no"]), set(accounts["loan_no"])
    return {
        name: [
            row for row in chunk.tables[name].to_pylist() if row["customer_no"] in owners or row.get("loan_no") in loans
        ]
        for name in ("account_flag", "contact_point", "contact_log", "loan_role")
    }


@pytest.fixture
def plan(lender):
    return plan_of(lender.portfolio)


@pytest.fixture
def chunk(lender):
    return chunk_of(lender.portfolio)


def content_of(folder):
    """SHA-256 of every file."""
    files = sorted(folder.glob("*.parquet"))
    assert files
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_ledger_is_the_same_for_the_same_seed(tmp_path):
    folders = [tmp_path / name for name in ("once", "again", "other")]
    for folder, seed in zip(folders, (7, 7, 8), strict=True):
        write_demo(order_of(1_000, seed=seed), folder)

    once, again, other = (content_of(folder) for folder in folders)

    assert once == again
    assert {name for name in once if once[name] == other[name]} <= {"queue.parquet", "planted.parquet"}


def test_ledger_files_are_one_per_table_and_the_truth(tmp_path):
    result = write_demo(order_of(1_000), tmp_path)

    names = {path.stem for path in tmp_path.iterdir()}
    assert names == {*result["rows"], "truth", "planted", "stories"}
    assert result["rows"]["loan"] == 1_000
    assert sum(result["planted"].values()) == pq.read_metadata(tmp_path / "planted.parquet").num_rows > 0


def test_ledger_grows_by_chunks_without_sharing_a_number(tmp_path, monkeypatch):
    monkeypatch.setattr(world, "CHUNK", 400)
    write_demo(order_of(1_000), tmp_path)

    for noun, key in (("loan", "loan_id"), ("transaction", "transaction_id"), ("party", "party_id")):
        keys = pq.read_table(tmp_path / f"{noun}.parquet")[key]
        assert len(keys) == len(keys.unique())
    assert pq.read_metadata(tmp_path / "loan.parquet").num_rows == 1_000


@pytest.mark.parametrize("loans", [1, 10, 199])
def test_ledger_may_be_small(tmp_path, loans):
    result = write_demo(order_of(loans), tmp_path)

    assert result["rows"]["loan"] == loans
    assert result["planted"] == {}


@pytest.mark.parametrize(
    ("portfolio", "loans", "dates", "found"),
    [
        pytest.param("demo_travel_cn", 0, last_days(AS_OF), "0 loans", id="no-loans"),
        pytest.param("demo_travel_cn", 10, (), "no business date", id="no-date"),
        pytest.param("superlender", 10, last_days(AS_OF), "no demo of that name", id="no-demo"),
    ],
)
def test_ledger_of_nothing_is_refused(portfolio, loans, dates, found):
    with pytest.raises(ConfigurationError, match=found):
        Order.of(portfolio, loans=loans, seed=7, dates=dates)


def test_ledger_that_fails_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("arrears.sources.demo.load.contact_log", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        write_demo(order_of(1_000), tmp_path)

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
    assert set(plan.count.tolist()) == {6, *(count for count, _ in plan.lender.lending.instalments)}


def test_money_never_comes_before_the_instalment_to_its_left_is_cleared(plan):
    cells = plan.cells
    before = cells.visible[:, :-1]

    for money in (cells.visible, cells.part_on, cells.bounce_on):
        assert (money[:, 1:][cells.exists[:, 1:]] >= before[cells.exists[:, 1:]]).all()


def test_borrowers_have_one_to_four_loans(plan):
    loans_each = np.bincount(np.bincount(plan.borrower))

    assert len(loans_each) == 5
    assert (np.diff(plan.borrower) >= 0).all()
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
    "debit_returned": (0, 5),
    "late_booked_transfer": (5, 0),
    "paid_in_part": (20, 21),
    "disputed": (12, 13),
    "undisputed": (12, 13),
    "in_hardship": (22, 23),
    "wrong_number": (18, 19),
    "restructured": (0, 0),
    "late_again": (5, 6),
    "charged_off_and_paying": (200, 201),
    "deceased": (25, 26),
    "represented": (17, 18),
    "insolvent": (70, 71),
    "at_risk": (9, 10),
    "opted_out_and_called": (6, 7),
    "paid_before_the_bot": (3, 0),
    "paid_before_the_call": (3, 0),
    "refund_in_flight": (8, 9),
    "called_at_night": (13, 14),
    "between_two_zones": (11, 12),
    "seven_dials": (10, 11),
    "asked_to_cease": (24, 25),
}


@pytest.mark.parametrize(
    ("lender", "number"),
    [
        pytest.param(lender.portfolio, number, id=f"{lender.portfolio}-{story.name}")
        for lender in (TRAVEL_CN, LOAN_US)
        for number, story in enumerate(lender.stories)
    ],
    indirect=["lender"],
)
def test_story_is_told(plan, chunk, lender, number):
    story = lender.stories[number]
    loan_id = f"L{number + 1:08d}"
    rows = [truth(plan, number_of(AS_OF) - back).slice(number, 1).to_pylist()[0] for back in (1, 0)]
    around = rows_around_stories(lender.portfolio)
    flags, points, log, roles = (around[name] for name in ("account_flag", "contact_point", "contact_log", "loan_role"))

    owner = chunk.tables["loan_account"]["customer_no"][number].as_py()
    held = {flag["flag"] for flag in flags if owner == flag["customer_no"] or loan_id == flag["loan_no"]}
    loans = {role["loan_no"] for role in roles if role["customer_no"] == owner and role["role"] == "borrower"}
    zones = {point["kind"]: point["timezone"] for point in points if point["customer_no"] == owner}
    wrong = {point["kind"] for point in points if point["customer_no"] == owner and point["invalid_from"]}
    tried = Counter(row["channel"] for row in log if row["customer_no"] == owner)

    assert [each["loan_id"] for each in rows] == [loan_id, loan_id]
    assert tuple(each["past_due_days"] for each in rows) == STORY_DAYS[story.name]
    assert held == ({story.flag} - {""} or (held & {"dispute"} if story.name == "undisputed" else set()))
    assert (f"L{number:08d}" in loans) == story.is_same_borrower
    assert (wrong == {"mobile"}) == story.has_wrong_number
    assert tried == Counter(each.channel for each in story.tried)
    assert not story.zones or (zones["mobile"], zones["postal"]) == story.zones
    assert chunk.stories[number] == {"loan_id": loan_id, "story": story.name, "look_at": story.look_at}


def test_stories_cover_what_the_demo_must_show():
    names = {lender.portfolio: {story.name for story in lender.stories} for lender in (TRAVEL_CN, LOAN_US)}
    both = {"debit_returned", "late_booked_transfer", "disputed", "undisputed", "in_hardship", "wrong_number"}
    both |= {"restructured", "late_again", "charged_off_and_paying"}

    assert both <= names["demo_travel_cn"] & names["demo_loan_us"]
    assert {"paid_before_the_bot", "refund_in_flight"} <= names["demo_travel_cn"]
    assert {"paid_before_the_call", "between_two_zones", "seven_dials"} <= names["demo_loan_us"]


def test_seven_dials_are_made_in_the_seven_days_before_today():
    seven = next(story for story in LOAN_US.stories if story.name == "seven_dials")

    for as_of in range(number_of(AS_OF), number_of(AS_OF) + 7):
        days = [tried.day(as_of - 1) for tried in seven.tried]

        assert len(days) == 7
        assert all(as_of - 7 <= day < as_of for day in days)
        assert all((day + 3) % 7 != 6 for day in days)  # no Sunday


def test_bot_calls_an_hour_after_the_money_came(chunk, lender):
    number = next(row for row, story in enumerate(lender.stories) if story.name.startswith("paid_before"))
    loan_id, owner = (chunk.tables["loan_account"][name][number].as_py() for name in ("loan_no", "customer_no"))
    paid = max(row["booked_at"] for row in chunk.tables["posting"].to_pylist() if row["loan_no"] == loan_id)

    (called,) = (row for row in chunk.tables["contact_log"].to_pylist() if row["customer_no"] == owner)

    assert called["channel"] == "voice_bot"
    if AS_OF.weekday() != 0:  # nobody is called on a Sunday
        assert called["started_at"] - paid == timedelta(hours=1)


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


def test_promises_are_made_in_conversations_to_agents_on_shift(chunk, lender):
    made = chunk.tables["promise"].to_pylist()
    contacts = {row["contact_no"]: row for row in chunk.tables["contact_log"].to_pylist()}
    shifts = {
        (row["agent_no"], row["shift_on"])
        for row in staff(order_of(LOANS, lender.portfolio))["agent_roster"].to_pylist()
    }

    assert len(made) > 5
    assert len({row["promise_no"] for row in made}) == len(made)
    for row in made:
        contact = contacts[row["contact_no"]]
        assert contact["outcome"] == "conversation"
        assert row["made_at"] > contact["started_at"]
        assert row["due_on"] >= row["known_on"] == contact["known_on"]
        assert row["amount_minor"] > 0
        assert (row["agent_no"] is None) == (contact["channel"] == "voice_bot")
    assert {(row["agent_no"], row["known_on"]) for row in made if row["agent_no"]} <= shifts


def test_kept_promises_are_those_that_the_postings_keep(lender):
    dates = [AS_OF - timedelta(days=back) for back in range(0, 200, 20)]
    order = Order.of(lender.portfolio, loans=LOANS, seed=7, dates=dates)
    chunk = make_chunk(order, 0, 1, LOANS)
    paid = defaultdict(list)
    for row in chunk.tables["posting"].to_pylist():
        if row["kind"] == "repayment":
            paid[row["loan_no"]].append(row)
    returned = {row["reverses_no"] for row in chunk.tables["posting"].to_pylist()}
    closed = AS_OF - timedelta(days=1)

    due, kept = Counter(), Counter()
    for row in chunk.tables["promise"].to_pylist():
        money = sum(
            each["amount_minor"]
            for each in paid[row["loan_no"]]
            if row["known_on"] <= each["effective_on"] <= row["due_on"] and each["posting_no"] not in returned
        )
        due[row["loan_no"]] += row["due_on"] <= closed
        kept[row["loan_no"]] += row["due_on"] <= closed and money >= row["amount_minor"]
    told = {
        row["loan_id"]: (row["promises_due"], row["promises_kept"])
        for row in chunk.truth.to_pylist()
        if row["business_date"] == AS_OF and row["promises_due"]
    }

    assert len(told) > 20
    assert told == {loan: (due[loan], kept[loan]) for loan in told}
    assert sum(due.values()) == sum(count for count, _ in told.values())


def test_world_begins_fourteen_months_before_the_first_date():
    dates = [AS_OF - timedelta(days=395), AS_OF]
    order = Order.of("demo_loan_us", loans=LOANS, seed=7, dates=dates)
    plan = world.make(order, 0, 1, LOANS)

    assert number_of(dates[0]) - plan.disbursed.min() >= 425
    assert plan.disbursed.max() == plan.calendar.end
    assert sorted(set(make_chunk(order, 0, 1, LOANS).truth["business_date"].to_pylist())) == dates


def test_calendar_knows_spring_festival_and_paydays():
    calendar = Calendar(TRAVEL_CN.rhythm, number_of(AS_OF) - 2, number_of(AS_OF))
    days = np.array([number_of(date(2026, 2, day)) for day in (15, 16, 23, 24)], dtype=np.int32)

    assert calendar.is_rest(days).tolist() == [False, True, True, False]
    assert calendar.is_weekend(days).tolist() == [True, False, False, False]


def test_calendar_knows_when_clocks_are_set():
    calendar = Calendar(LOAN_US.rhythm, number_of(AS_OF) - 2, number_of(AS_OF))
    days = np.array([number_of(date(2026, 3, day)) for day in (7, 8)], dtype=np.int32)

    assert (calendar.utc_offset(days) / 3600).tolist() == [-5, -4]
    assert calendar.is_rest(np.array([number_of(date(2025, 12, 25))], dtype=np.int32)).all()
