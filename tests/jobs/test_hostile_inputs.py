"""The hostile list: each bad row is named by file, line, column and rule, and no loan gets a wrong age for it."""

from dataclasses import dataclass

import pytest
from arrears.jobs.age import age
from arrears.jobs.validate import validate
from support.books import FIRST, rows_of
from support.deliveries import HEADERS, SOUND, deliver, extract_all, make_file_book

AGES = ("past_due_days", "delinquent_days", "past_due_minor", "bucket")
SOUND_AGES = {
    "L1": (1, 1, 10500, "1-30"),
    "L2": (29, 29, 21000, "1-30"),
    "L3": (0, 0, 0, "0"),
    "L4": (0, 0, 0, "0"),
}
HUGE = 2**63 - 2  # more digits than a delivered amount may have
LARGE = 10**18 - 1  # readable; ten of them are more than 64 bits hold


@dataclass(frozen=True)
class Hostile:
    """One bad delivery: what is added to the sound one, what is said of it, and which ages it changes.

    Attributes:
        rows: By noun, added at the end.
        named: Table, line in its file, column, rule and severity of each quarantined row.
        subject: Loan that the quarantine names, for rows that were rejected.
        ages: Loans that appear only here, or not at all (None), beside ``SOUND_AGES``.
    """

    rows: dict[str, list[str]]
    named: set[tuple[str, int, str, str, str]]
    subject: str | None = None
    ages: dict[str, tuple[int, int, int, str] | None] | None = None


NOT_SCHEDULED = ("raw__loan", 4, "principal_minor", "loan.principal_is_scheduled", "hold")
LOAN_5 = "L5,B5,tour,CNY,20000,2026-01-01,2026-03-01,active,20000"
SCHEDULE_5 = ["L5,1,2026-02-01,10000,0,0,0", "L5,2,2026-03-01,10000,0,0,0"]
CASES = {
    "loan without schedule": Hostile(
        {"loan": [LOAN_5]}, {("raw__loan", 6, "loan_id", "loan.has_schedule", "fail")}, ages={"L5": None}
    ),
    "negative instalment": Hostile(
        {"instalment": ["L3,2,2026-04-01,-5,0,0,0"]},
        {("raw__instalment", 8, "principal_minor", "instalment.amounts_not_negative", "fail"), NOT_SCHEDULED},
        "L3",
    ),
    "negative payment": Hostile(
        {"transaction": ["T5,L2,repayment,2026-02-20,2026-02-20T10:00:00Z,-21000,"]},
        {("raw__transaction", 6, "amount_minor", "transaction.amount_positive", "fail")},
        "L2",
    ),
    "payment before disbursement": Hostile(
        {"transaction": ["T5,L2,repayment,2025-12-31,2025-12-31T10:00:00Z,10500,"]},
        {("raw__transaction", 6, "effective_on", "transaction.after_disbursement", "warn")},
        ages={"L2": (1, 1, 10500, "1-30")},
    ),
    "reversal of an unknown transaction": Hostile(
        {"transaction": ["T5,L1,reversal,2026-02-20,2026-02-20T10:00:00Z,10500,T99"]},
        {("raw__transaction", 6, "reverses_id", "reference", "fail")},
        "L1",
    ),
    "reversal of another loan's transaction": Hostile(
        {"transaction": ["T5,L3,reversal,2026-02-20,2026-02-20T10:00:00Z,10500,T1"]},
        {("raw__transaction", 6, "reverses_id", "transaction.same_loan", "fail")},
        "L3",
    ),
    "reversal twice": Hostile(
        {"transaction": ["T5,L2,reversal,2026-02-06,2026-02-06T10:00:00Z,10500,T2"]},
        {("raw__transaction", 6, "reverses_id", "transaction.reversed_once", "fail")},
        "L2",
    ),
    "reversal of itself": Hostile(
        {"transaction": ["T5,L2,reversal,2026-02-20,2026-02-20T10:00:00Z,10500,T5"]},
        {("raw__transaction", 6, "reverses_id", "transaction.reversal_undoes_an_entry", "fail")},
        "L2",
    ),
    "reversals of each other beyond the third": Hostile(
        {
            "transaction": [
                f"T{number},L2,reversal,2026-02-0{number + 1},2026-02-0{number + 1}T10:00:00Z,10500,{reverses}"
                for number, reverses in ((5, "T3"), (6, "T5"), (7, "T6"))
            ]
        },
        {("raw__transaction", 8, "reverses_id", "transaction.reversal_undoes_an_entry", "fail")},
        "L2",
    ),
    "due dates out of order": Hostile(
        {"loan": [LOAN_5], "instalment": ["L5,1,2026-02-20,10000,0,0,0", "L5,2,2026-02-10,10000,0,0,0"]},
        {("raw__instalment", 9, "due_on", "instalment.due_in_order", "warn")},
        ages={"L5": (20, 20, 20000, "1-30")},
    ),
    "due on the day that stands for none": Hostile(
        {"instalment": ["L3,2,0001-01-01,100,0,0,0"]},
        {
            ("raw__instalment", 8, "due_on", "instalment.due_on_of_our_time", "fail"),
            ("raw__instalment", 8, "due_on", "instalment.due_in_order", "warn"),
            NOT_SCHEDULED,
        },
        "L3",
    ),
    "never due": Hostile(
        {"instalment": ["L3,2,9999-12-31,100,0,0,0"]},
        {("raw__instalment", 8, "due_on", "instalment.due_on_of_our_time", "fail"), NOT_SCHEDULED},
        "L3",
    ),
    "last due date slipped to years before": Hostile(
        {"loan": [LOAN_5], "instalment": ["L5,1,2026-02-01,10000,0,0,0", "L5,2,2025-03-01,10000,0,0,0"]},
        {
            ("raw__instalment", 9, "due_on", "instalment.due_after_disbursal", "hold"),
            ("raw__instalment", 9, "due_on", "instalment.due_in_order", "warn"),
            ("raw__loan", 6, "maturity_on", "loan.matures_with_last_due", "hold"),
        },
        "L5",
        ages={"L5": (366, 366, 20000, "91+")},
    ),
    "due dates slipped by a year": Hostile(
        {"loan": [LOAN_5], "instalment": ["L5,1,2027-02-01,10000,0,0,0", "L5,2,2027-03-01,10000,0,0,0"]},
        {("raw__instalment", line, "due_on", "instalment.due_by_maturity", "hold") for line in (8, 9)},
        "L5",
        ages={"L5": (0, 0, 0, "0")},
    ),
    "maturity slipped to the year 9999": Hostile(
        {"loan": [LOAN_5.replace("2026-03-01", "9999-03-01")], "instalment": ["L5,1,2026-03-01,20000,0,0,0"]},
        {("raw__loan", 6, "maturity_on", "loan.matures_with_last_due", "hold")},
        "L5",
        ages={"L5": (1, 1, 20000, "1-30")},
    ),
    "disbursed after the first due date": Hostile(
        {"loan": [LOAN_5.replace("2026-01-01", "2026-02-10")], "instalment": SCHEDULE_5},
        {("raw__instalment", 8, "due_on", "instalment.due_after_disbursal", "hold")},
        "L5",
        ages={"L5": (29, 29, 20000, "1-30")},
    ),
    "maturity before a weekend, charge after it, repaid ahead of the schedule": Hostile(
        {
            "loan": [LOAN_5.replace("2026-03-01,active,20000", "2026-02-20,active,10000")],
            "instalment": [*SCHEDULE_5, "L5,3,2026-04-20,0,0,100,0"],
            "transaction": ["T5,L5,repayment,2026-02-20,2026-02-20T10:00:00Z,20000,"],
        },
        set(),
        ages={"L5": (0, 0, 0, "0")},
    ),
    "payment a hundredfold": Hostile(
        {"transaction": ["T5,L2,repayment,2026-02-20,2026-02-20T10:00:00Z,1050000,"]},
        {("raw__loan", 3, "outstanding_principal_minor", "loan.received_was_owed", "hold")},
        "L2",
        ages={"L2": (0, 0, 0, "0")},
    ),
    "reversal of another amount": Hostile(
        {"transaction": ["T5,L1,reversal,2026-02-20,2026-02-20T10:00:00Z,99999999,T1"]},
        {("raw__transaction", 6, "amount_minor", "transaction.reversal_amount_is_originals", "hold")},
        "L1",
        ages={"L1": (29, 29, 21000, "1-30")},
    ),
    "payment booked years later": Hostile(
        {"transaction": ["T5,L2,repayment,2026-02-20,2031-02-20T10:00:00Z,500,"]},
        {("raw__transaction", 6, "booked_at", "transaction.booked_near_close", "warn")},
        ages={"L2": (29, 29, 20500, "1-30")},
    ),
    "identifier that no index holds": Hostile(
        {"loan": [LOAN_5.replace("L5", "L" * 129)]}, {("raw__loan", 6, "loan_id", "type", "fail")}
    ),
    "payment near 2^63": Hostile(
        {"transaction": [f"T5,L2,repayment,2026-02-20,2026-02-20T10:00:00Z,{HUGE},"]},
        {("raw__transaction", 6, "amount_minor", "type", "fail")},
        "L2",
    ),
    "payment that cannot be summed": Hostile(
        {"transaction": [f"T5,L2,repayment,2026-02-20,2026-02-20T10:00:00Z,{LARGE},"]},
        {("raw__transaction", 6, "amount_minor", "transaction.amounts_in_range", "fail")},
        "L2",
    ),
    "instalment that cannot be summed": Hostile(
        {"instalment": [f"L3,2,2026-04-01,100,{LARGE},{LARGE},{LARGE}"]},
        {("raw__instalment", 8, "principal_minor", "instalment.amounts_in_range", "fail"), NOT_SCHEDULED},
        "L3",
    ),
    "loan that cannot be summed": Hostile(
        {"loan": [LOAN_5.replace(",20000", f",{LARGE}")], "instalment": ["L5,1,2026-02-20,100,0,0,0"]},
        {
            ("raw__loan", 6, "principal_minor", "loan.amounts_in_range", "fail"),
            ("raw__instalment", 8, "loan_id", "reference", "fail"),
        },
        ages={"L5": None},
    ),
    "overlapping pauses": Hostile(
        {"pause": ["L2,2026-02-10,2026-02-20,illness", "L2,2026-02-15,2026-02-25,disaster"]},
        {("raw__pause", line, "starts_on", "pause.overlaps_another", "warn") for line in (2, 3)},
        ages={"L2": (29, 14, 21000, "1-30")},
    ),
    "the same pause twice": Hostile(
        {"pause": ["L2,2026-02-10,2026-02-20,illness"] * 2},
        {
            ("raw__pause", 3, "loan_id,starts_on,reason_code", "unique", "fail"),
            *(("raw__pause", line, "starts_on", "pause.overlaps_another", "warn") for line in (2, 3)),
        },
        ages={"L2": (29, 19, 21000, "1-30")},
    ),
    "pause without end": Hostile(
        {"pause": ["L2,2026-02-20,,illness"]},
        {("raw__pause", 2, "ends_on", "pause.has_end", "warn")},
        ages={"L2": (29, 19, 21000, "1-30")},
    ),
}


@pytest.fixture
def book(tmp_path):
    settings = make_file_book(tmp_path)
    folder = settings.portfolios / "book"
    path = folder / "portfolio.yaml"
    pause = "pause: {pattern: 'pause_{closing_date}.csv', columns: [loan_id,starts_on,ends_on,reason_code]}, "
    path.write_text(path.read_text().replace("files: {", "files: {" + pause, 1))
    (folder / "pause.sql").write_text("SELECT * FROM pause\n")
    return settings


def run(settings, case):
    """Deliver, validate and age; the ages by loan."""
    pauses = ["loan_id,starts_on,ends_on,reason_code", *case.rows.get("pause", [])]
    (settings.portfolios.parent / "landing" / "pause_2026-03-01.csv").write_text("\n".join(pauses) + "\n")
    deliver(settings, **{noun: [*SOUND[noun], *case.rows.get(noun, [])] for noun in HEADERS})
    extract_all(settings)
    validate("book", FIRST, settings=settings)
    age("book", FIRST, settings=settings)
    rows = rows_of(settings, "core__loan_delinquency_daily", FIRST)
    return {row["loan_id"]: tuple(row[name] for name in AGES) for row in rows}


def test_sound_book_has_nothing_in_quarantine(book):
    ages = run(book, Hostile({}, set()))

    assert ages == SOUND_AGES
    assert rows_of(book, "out__quarantine", FIRST) == []


@pytest.mark.parametrize("name", CASES)
def test_hostile_row_is_named_and_no_loan_gets_a_wrong_age(book, name):
    case = CASES[name]

    ages = run(book, case)

    kept = rows_of(book, "out__quarantine", FIRST)
    figures = ("table_name", "source_line", "column_name", "rule_id", "severity_code")
    assert {tuple(row[figure] for figure in figures) for row in kept} == case.named
    assert all(row["source_file"].startswith(row["table_name"].removeprefix("raw__")) for row in kept)
    if case.subject:
        assert {row["loan_id"] for row in kept} == {case.subject}
    expected = {**SOUND_AGES, **(case.ages or {})}
    assert ages == {loan_id: figures for loan_id, figures in expected.items() if figures is not None}


def test_reversal_after_its_first_reversal_was_reversed_is_sound(book):
    again = [
        "T5,L2,reversal,2026-02-06,2026-02-06T10:00:00Z,10500,T3",
        "T6,L2,reversal,2026-02-07,2026-02-07T10:00:00Z,10500,T2",
    ]

    ages = run(book, Hostile({"transaction": again}, set()))

    assert rows_of(book, "out__quarantine", FIRST) == []
    assert ages == SOUND_AGES
