"""A rejected row stops contact about exactly the case or with exactly the person it speaks of; the rest goes on."""

import csv
from datetime import date

import pytest
from arrears.contracts import CONTRACTS
from arrears.jobs import job
from arrears.jobs.extract import extract, tables_to_extract
from support.books import FIRST, rows_of
from support.floor import make_floor

STEPS = ("validate", "age", "transitions", "cases", "assign", "plan")
RULE = "insufficient_facts.rejected_row"
DUE = date(2026, 2, 25)
AT = "2026-01-10T10:00:00+08:00"
LOAN = {
    "product_code": "tour",
    "currency": "CNY",
    "principal_minor": 20000,
    "disbursed_on": "2026-01-01",
    "maturity_on": "2026-03-25",
    "status_code": "active",
    "outstanding_principal_minor": 20000,
}
BORROWERS = {"L1": "B1", "L2": "B1", "L3": "B2", "L4": "B3", "L5": "B4"}
BOOK = {
    "loan": [{"loan_id": loan, "borrower_id": borrower, **LOAN} for loan, borrower in BORROWERS.items()],
    "instalment": [
        {
            "loan_id": loan,
            "seq": seq,
            "due_on": due,
            "principal_minor": 10000,
            "interest_minor": 500,
            "fee_minor": 0,
            "penalty_minor": 0,
        }
        for loan in BORROWERS
        for seq, due in enumerate((DUE, date(2026, 3, 25)), start=1)
    ],
    "transaction": [
        {
            "transaction_id": f"T-{loan}",
            "loan_id": loan,
            "kind_code": "repayment",
            "effective_on": "2026-02-20",
            "booked_at": AT,
            "amount_minor": 3000 if loan == "L5" else 2000,
        }
        for loan in BORROWERS
    ],
    # B2 and B4 are one human under two records.
    "party": [
        {"party_id": party, "person_id": person, "is_minor": "false", "language": "zh-CN"}
        for party, person in (("B1", "P1"), ("B2", "P2"), ("B3", "P3"), ("B4", "P2"))
    ],
    "contact_point": [
        {
            "contact_point_id": f"M-{party}",
            "party_id": party,
            "kind_code": "mobile",
            "place_code": "personal",
            "timezone": "Asia/Shanghai",
        }
        for party in ("B1", "B2", "B3", "B4")
    ],
    "flag": [],
    "consent": [],
    "contact": [],
    "agent_shift": [],
    "queue": [{"queue_id": "bot", "work_mode_code": "bot", "avg_handle_seconds": 60, "attempts_per_case": 1}],
}
FLAG = {"flag_id": "F1", "flag_code": "opt_out", "starts_at": "soon"}
CONTACT = {
    "contact_id": "C1",
    "channel_code": "call",
    "direction_code": "out",
    "purpose_code": "collection",
    "started_at": AT,
    "outcome_code": "unreached",
}


def columns_of(noun):
    """Header of a table's file; where a row came from is added by the reader."""
    names = [column.name for column in CONTRACTS[f"raw__{noun}"].columns]
    return [name for name in names if not name.startswith("source_")]


@pytest.fixture
def settings(tmp_path):
    """A deployment whose portfolio ``book`` reads one CSV file per ledger table."""
    made = make_floor(tmp_path)
    folder = made.portfolios / "book"
    files = [f"{noun}: {{pattern: {noun}.csv, columns: [{', '.join(columns_of(noun))}]}}" for noun in BOOK]
    source = f"source: {{kind: files, directory: '{tmp_path / 'landing'}', files: {{{', '.join(files)}}}}}\n"
    kept = [line for line in (folder / "portfolio.yaml").read_text().splitlines(keepends=True) if "source:" not in line]
    (folder / "portfolio.yaml").write_text("".join([*kept, "reject_limit_pct: 100\n", source]))
    for noun in BOOK:
        (folder / f"{noun}.sql").write_text(f"SELECT * FROM {noun}\n")
    (tmp_path / "landing").mkdir()
    return made


def run(settings, **changed):
    """Deliver the book, some tables changed, and work the day; decisions by borrower."""
    for noun, rows in {**BOOK, **changed}.items():
        with (settings.portfolios.parent / "landing" / f"{noun}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, columns_of(noun))
            writer.writeheader()
            writer.writerows(rows)
    for noun in tables_to_extract("book", settings=settings):
        extract("book", FIRST, noun, settings=settings)
    done = {step: job(step)("book", FIRST, settings=settings) for step in STEPS}
    return done, {row["borrower_id"]: row for row in rows_of(settings, "out__contact_plan_daily", FIRST)}


def changed_row(noun, position, **change):
    rows = [dict(row) for row in BOOK[noun]]
    rows[position] |= change
    return {noun: rows}


def denied_by(settings, rule):
    """Borrowers whose every answer names the rule."""
    owner = {row["case_id"]: row["borrower_id"] for row in rows_of(settings, "core__case_daily", FIRST)}
    found = rows_of(settings, "core__contact_decision_daily", FIRST)
    return {owner[row["case_id"]] for row in found if row["rule_id"] == rule and row["effect_code"] == "deny"}


def test_sound_book_contacts_every_person_once(settings):
    done, plan = run(settings)

    assert {name: row["state_code"] for name, row in plan.items()} == {
        "B1": "planned",
        "B2": "planned",
        "B3": "planned",
        "B4": "blocked",
    }
    assert done["plan"]["blocked_by_rule"] == {
        "house_humane.one_per_day": 1,
        "insufficient_facts.contact_point": 1,
    }


@pytest.mark.parametrize(
    ("changed", "stopped", "planned"),
    [
        pytest.param(
            {"flag": [{**FLAG, "party_id": "B4"}]}, {"B2", "B4"}, {"B1", "B3"}, id="a flag of one of a person's records"
        ),
        pytest.param(
            changed_row("instalment", 3, fee_minor=-1), {"B1"}, {"B2", "B3"}, id="an instalment of one loan of a case"
        ),
        pytest.param(
            changed_row("transaction", 2, booked_at="noon"), {"B2"}, {"B1", "B3", "B4"}, id="a transaction of one case"
        ),
        pytest.param(
            changed_row("loan", 3, principal_minor=20001),
            {"B3"},
            {"B1", "B2"},
            id="a loan whose rows contradict one another, all of them kept",
        ),
    ],
)
def test_rejected_row_stops_whom_it_speaks_of_and_nobody_else(settings, changed, stopped, planned):
    done, plan = run(settings, **changed)

    assert set(plan) == {"B1", "B2", "B3", "B4"}
    assert {name for name, row in plan.items() if row["state_code"] == "planned"} == planned
    assert denied_by(settings, RULE) == stopped
    assert done["plan"]["blocked_by_rule"][RULE] == len(stopped)
    quarantined = rows_of(settings, "out__quarantine", FIRST)
    owners = {**BORROWERS, **{party: party for party in BORROWERS.values()}}
    listed = {owners[row[name]] for row in quarantined for name in ("loan_id", "party_id") if row[name]}
    assert listed <= stopped, "whom contact stops about is listed, and nobody else"


def test_party_row_that_was_rejected_leaves_nobody_to_contact_and_stops_nobody_else(settings):
    twice = [*BOOK["party"], {**BOOK["party"][2], "person_id": "P9"}]

    _, plan = run(settings, party=twice)

    assert {name for name, row in plan.items() if row["state_code"] == "planned"} == {"B1", "B2"}
    assert denied_by(settings, "insufficient_facts.party") == {"B3"}


def test_rows_delivered_twice_word_for_word_stop_nobody(settings):
    twice = {noun: [*BOOK[noun], BOOK[noun][0]] for noun in ("transaction", "instalment", "party", "contact_point")}

    done, _ = run(settings, **twice)

    assert done["validate"]["quarantined"] == len(twice)
    assert RULE not in done["plan"]["blocked_by_rule"]
    assert done["plan"]["planned"] == 3
