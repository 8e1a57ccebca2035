"""Each naive rule of ageing, put back into either twin, is noticed by a small set of worked loans.

A mutant is a text replaced in a SELECT, or a function of the scalar rule replaced. Both twins must give the expected
figures untouched, and at least one other figure with the mutant: a check that no mutant can fail is no check.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import duckdb
import pytest
from arrears.engine import tables
from arrears.rules import ageing, allocation
from arrears.rules.account import Instalment, Receiver, Transaction, receivers, standing_transactions
from arrears.rules.ageing import Terms
from arrears.rules.allocation import Waterfall, Waterfalls
from arrears.rules.materiality import Materiality
from arrears.rules.pauses import Pause, classified_on, paused_days
from support.ageing import Loan, by_rule, by_sql

INSTALMENTS = "core__instalment_delinquency_daily"
LOANS = "core__loan_delinquency_daily"
AS_OF = date(2026, 3, 1)


def on(ago):
    return AS_OF - timedelta(days=ago)


def instalments(*given):
    return tuple(Instalment(seq, on(ago), **amounts) for seq, (ago, amounts) in enumerate(given, 1))


def entry(number, kind, ago, amount, **more):
    return Transaction(f"t{number}", kind, on(ago), amount, **more)


@dataclass(frozen=True)
class Check:
    """A loan, how it is counted, and figures of it as of ``AS_OF``."""

    loan: Loan
    terms: Terms
    expected: dict[str, object]


HUNDRED = {"principal_minor": 100}
VERTICAL = Terms(waterfalls=Waterfalls(replace(Waterfall(), processing="vertical")))
LAST = Terms(waterfalls=Waterfalls(replace(Waterfall(), prepays="last")))
NEXT = Terms(waterfalls=Waterfalls(replace(Waterfall(), in_advance=("principal", "interest", "fee", "penalty"))))
PLAIN = Terms()
TWO = instalments((40, HUNDRED), (10, HUNDRED))

CHECKS = {
    "due_today": Check(Loan("a", instalments((0, HUNDRED))), PLAIN, {"past_due_days": 0, "past_due_minor": 0}),
    "grace": Check(Loan("a", TWO), Terms(grace_days=10), {"delinquent_days": 30, "bucket": "1-30"}),
    "within_grace": Check(
        Loan("a", instalments((5, HUNDRED))),
        Terms(grace_days=10),
        {"past_due_days": 5, "past_due_minor": 100, "delinquent_days": 0},
    ),
    "grace_and_instalments": Check(
        Loan("a", instalments((35, HUNDRED))), Terms(grace_days=10), {"bucket": "1-30", "instalment_buckets": ["31-60"]}
    ),
    "pause": Check(
        Loan("a", instalments((40, HUNDRED)), pauses=(Pause(on(20), on(10)),)), PLAIN, {"delinquent_days": 30}
    ),
    "pause_before_due": Check(
        Loan("a", instalments((40, HUNDRED)), pauses=(Pause(on(60), on(45)),)), PLAIN, {"delinquent_days": 40}
    ),
    "pauses_overlap": Check(
        Loan("a", instalments((40, HUNDRED)), pauses=(Pause(on(30), on(10)), Pause(on(25), on(15)))),
        PLAIN,
        {"delinquent_days": 20},
    ),
    "pause_resumed": Check(
        Loan("a", instalments((40, HUNDRED)), pauses=(Pause(on(30), on(25)),)), PLAIN, {"delinquent_days": 35}
    ),
    "oldest": Check(Loan("a", TWO), PLAIN, {"past_due_days": 40, "past_due_on": on(40), "past_due_minor": 200}),
    "partial": Check(
        Loan("a", TWO, (entry(1, "repayment", 5, 99),)), PLAIN, {"past_due_days": 40, "past_due_minor": 101}
    ),
    "reversal": Check(
        Loan("a", TWO, (entry(1, "repayment", 40, 200), entry(2, "reversal", 2, 200, reverses_id="t1"))),
        PLAIN,
        {"past_due_days": 40, "past_due_minor": 200},
    ),
    "chargeback": Check(
        Loan(
            "a",
            instalments((40, HUNDRED), (-20, HUNDRED)),
            (
                entry(1, "repayment", 40, 100),
                entry(2, "chargeback", 14, 60),
            ),
        ),
        PLAIN,
        {"past_due_days": 14, "past_due_minor": 60},
    ),
    "late_charge": Check(
        Loan("a", TWO, (entry(1, "repayment", 9, 200), entry(2, "charge", 3, 7))),
        PLAIN,
        {"past_due_days": 3, "past_due_fee_minor": 7, "past_due_instalments": 1},
    ),
    "prepaid_last": Check(
        Loan("a", instalments((10, HUNDRED), (5, HUNDRED)), (entry(1, "repayment", 20, 100),)),
        LAST,
        {"past_due_days": 10, "past_due_minor": 100},
    ),
    "vertical": Check(
        Loan(
            "a",
            instalments(*((ago, {"principal_minor": 50, "interest_minor": 50}) for ago in (40, 10))),
            (entry(1, "repayment", 5, 100),),
        ),
        VERTICAL,
        {"past_due_days": 40, "past_due_interest_minor": 0, "past_due_principal_minor": 100},
    ),
    "order": Check(
        Loan("a", instalments((40, {"principal_minor": 50, "penalty_minor": 50})), (entry(1, "repayment", 5, 60),)),
        PLAIN,
        {"past_due_penalty_minor": 0, "past_due_principal_minor": 40},
    ),
    "prepaid_next": Check(
        Loan("a", instalments((10, HUNDRED), (5, HUNDRED)), (entry(1, "repayment", 20, 100),)),
        NEXT,
        {"past_due_days": 5, "past_due_minor": 100},
    ),
    "frozen": Check(
        Loan("a", instalments((31, HUNDRED)), pauses=(Pause(on(0), on(-5)),)),
        PLAIN,
        {"delinquent_days": 31, "bucket": "1-30"},
    ),
    "frozen_and_paid": Check(
        Loan("a", instalments((31, HUNDRED)), (entry(1, "repayment", 0, 1),), (Pause(on(0), on(-5)),)),
        PLAIN,
        {"bucket": "31-60"},
    ),
    "months": Check(Loan("a", instalments((35, HUNDRED))), Terms(convention="months_ots"), {"past_due_days": 30}),
    "nearly_paid": Check(
        Loan("a", TWO, (entry(1, "repayment", 5, 95),)),
        Terms(full_payment_pct=90),
        {"past_due_days": 10, "past_due_minor": 105},
    ),
    "material": Check(
        Loan("a", TWO, (entry(1, "repayment", 5, 100),)),
        Terms(materiality=Materiality(50)),
        {"past_due_days": 10, "material_days": 40},
    ),
    "deferral": Check(
        Loan("a", instalments((40, HUNDRED)), pauses=(Pause(on(45), on(25), "deferral"),)),
        PLAIN,
        {"past_due_days": 20, "delinquent_days": 20},
    ),
    "contact_hold": Check(
        Loan("a", instalments((40, HUNDRED)), pauses=(Pause(on(20), on(10), "contact_hold"),)),
        PLAIN,
        {"delinquent_days": 40},
    ),
    "threshold": Check(
        Loan("a", instalments((40, HUNDRED))),
        Terms(grace_days=10, grace_code="threshold"),
        {"delinquent_days": 40},
    ),
    "ended": Check(Loan("a", TWO, status_code="settled"), PLAIN, {"past_due_days": 0, "past_due_minor": 0}),
}

# Naive rule: the checks that must notice it, the SELECT and what is replaced in it.
IN_SQL = {
    "overdue on the due date itself": (
        {"due_today"},
        INSTALMENTS,
        [("due_on < $counted_until", "due_on <= $counted_until")],
    ),
    "grace ignored": ({"grace"}, LOANS, [("COALESCE(l.grace_days, $grace_days) AS grace_days", "0 AS grace_days")]),
    "grace applied to instalment buckets too": (
        {"grace_and_instalments"},
        INSTALMENTS,
        [("GREATEST(0, u.past_due_days - COALESCE(p.paused_days, 0)) AS", "GREATEST(0, u.past_due_days - 10) AS")],
    ),
    "nothing past due while within grace": (
        {"within_grace"},
        LOANS,
        [
            (
                "FROM core__instalment_delinquency_daily",
                "FROM core__instalment_delinquency_daily WHERE past_due_days > $grace_days",
            )
        ],
    ),
    "pauses ignored": ({"pause"}, INSTALMENTS, [("COALESCE(p.paused_days, 0) AS paused_days", "0 AS paused_days")]),
    "pause counted with both ends": (
        {"pause"},
        INSTALMENTS,
        [("GREATEST(s.starts_on, u.overdue_on), s.ends_on)", "GREATEST(s.starts_on, u.overdue_on), s.ends_on) + 1")],
    ),
    "pause days taken off before the debt was overdue": (
        {"pause_before_due"},
        INSTALMENTS,
        [("GREATEST(s.starts_on, u.overdue_on)", "s.starts_on")],
    ),
    "overlapping pauses counted twice": (
        {"pauses_overlap"},
        INSTALMENTS,
        [("INNER JOIN paused_span AS s", "INNER JOIN pause AS s")],
    ),
    "resume ignored": (
        {"pause_resumed"},
        INSTALMENTS,
        [("LEAST(COALESCE(p.ends_on, $counted_until), $counted_until)", "$counted_until")],
    ),
    "days from the latest overdue instalment": (
        {"oldest"},
        LOANS,
        [
            ("MIN(CASE WHEN is_beyond_tolerance THEN overdue_on", "MAX(CASE WHEN is_beyond_tolerance THEN overdue_on"),
            (
                "MAX(CASE WHEN is_beyond_tolerance THEN past_due_days END)",
                "MIN(CASE WHEN is_beyond_tolerance THEN past_due_days END)",
            ),
        ],
    ),
    "a partial payment resets the count": (
        {"partial"},
        INSTALMENTS,
        [("WHERE shortfall_minor > 0 AND", "WHERE shortfall_minor >= total_minor AND")],
    ),
    "reversals ignored": ({"reversal"}, "account__annulled", [("WHERE u.loan_id IS NULL", "WHERE FALSE")]),
    "chargeback as ordinary debt of the next instalment": (
        {"chargeback"},
        "account__overdue",
        [("s.credited_on < $counted_until", "FALSE")],
    ),
    "charge after maturity put on the last instalment": (
        {"late_charge"},
        "account__entry",
        [
            ("COALESCE(t.seq, n.seq + 1, 1)", "COALESCE(t.seq, n.seq, 1)"),
            ("(s.is_adding AND t.seq IS NULL)::BOOLEAN", "FALSE"),
        ],
    ),
    "prepayment always to the next instalment": (
        {"prepaid_last"},
        "account__step",
        [("w.prepays = 'last' AS is_backwards", "FALSE AS is_backwards")],
    ),
    "prepayment always to the last instalment": (
        {"prepaid_next"},
        "account__step",
        [("w.prepays = 'last' AS is_backwards", "TRUE AS is_backwards")],
    ),
    "bucket goes on while a freeze holds it": (
        {"frozen"},
        "account__frozen",
        [("WHERE ends_on >= $as_of", "WHERE FALSE")],
    ),
    "bucket refreshed only at night, not by payments": (
        {"frozen_and_paid"},
        "account__frozen",
        [("COALESCE(e.entered_on, f.starts_on - 1)", "f.starts_on - 1")],
    ),
    "months counted in days": ({"months"}, INSTALMENTS, [("$month_lag::INTEGER IS NULL", "TRUE")]),
    "nearly paid is unpaid": ({"nearly_paid"}, INSTALMENTS, [("owed_minor * (100 - $full_payment_pct)", "0")]),
    "material only since the oldest unpaid instalment": (
        {"material"},
        LOANS,
        [("COALESCE(m.material_on, a.past_due_on)", "a.past_due_on")],
    ),
    "deferral moves no due date": ({"deferral"}, "account__schedule", [("COALESCE(m.moved_days, 0)", "0")]),
    "contact hold counted as a pause": (
        {"contact_hold"},
        INSTALMENTS,
        [("COALESCE(p.effect_code, 'classification_freeze') = 'classification_freeze'", "TRUE")],
    ),
    "grace subtracted past its threshold": ({"threshold"}, LOANS, [("= 'threshold' AS", "= 'never' AS")]),
    "vertical poured horizontally": (
        {"vertical"},
        "account__step",
        [("CASE WHEN is_vertical THEN component_rank ELSE 0 END", "0")],
    ),
    "principal before interest, fee, penalty": (
        {"order"},
        INSTALMENTS,
        [("$penalty_rank < $principal_rank", "FALSE"), ("$principal_rank < $penalty_rank", "TRUE")],
    ),
    "ended loans aged": (
        {"ended"},
        INSTALMENTS,
        [("WHERE status_code NOT IN ('active', 'charged_off')", "WHERE FALSE")],
    ),
}


def found(check, *, engine):
    """The figures a check names, of one twin."""
    if engine == "rule":
        row = by_rule(check.loan, AS_OF, check.terms)
    else:
        with duckdb.connect(config={"threads": 1}) as connection:
            row = by_sql(connection, [check.loan], AS_OF, check.terms)[check.loan.loan_id]
    row = row | {"instalment_buckets": [each["bucket"] for each in row["instalments"]]}
    return {name: row[name] for name in check.expected}


def noticing(engine, names=tuple(CHECKS)):
    """Names of the checks that fail."""
    return {name for name in names if found(CHECKS[name], engine=engine) != CHECKS[name].expected}


@pytest.mark.parametrize("engine", ["rule", "select"])
def test_engine_as_it_is_meets_every_check(engine):
    assert noticing(engine) == set()


@pytest.mark.parametrize("name", IN_SQL)
def test_naive_rule_in_a_select_is_noticed(name, monkeypatch):
    expected, table, changes = IN_SQL[name]
    honest = tables.select_text

    def naive(asked):
        text = honest(asked)
        if asked != table:
            return text
        for old, new in changes:
            assert old in text, f"{table} no longer holds the text that this mutant replaces"
            text = text.replace(old, new)
        return text

    monkeypatch.setattr(tables, "select_text", naive)

    assert noticing("select", expected) == expected


def no_reversals(transactions, as_of):
    return standing_transactions([each for each in transactions if each.kind_code != "reversal"], as_of)


def on_the_last(schedule, standing):
    last = max(schedule, key=lambda each: each.due_on)
    known = {each.seq for each in schedule}
    return {
        name: each if each.seq in known else Receiver(last.seq, last.due_on, each.component)
        for name, each in receivers(schedule, standing).items()
    }


def latest_first(account, until):
    rows = list(HONEST_OVERDUE(account, until))
    return [max(rows, key=lambda each: each[1])] if rows else []


def only_untouched(account, until):
    return [each for each in HONEST_OVERDUE(account, until) if not each[0].paid_total_minor]


def counted_with_both_ends(pauses, since, until):
    return sum(paused_days([each], since, until) + 1 for each in pauses)


def from_any_day(pauses, since, until):
    return paused_days(pauses, min([since, *(each.starts_on for each in pauses)]), until)


def one_by_one(pauses, since, until):
    return sum(paused_days([each], since, until) for each in pauses)


def never_resumed(pauses, since, until):
    return paused_days([Pause(each.starts_on) for each in pauses], since, until)


HONEST_OVERDUE = ageing._overdue  # noqa: SLF001  what is naive differs from it in one thing
HONEST_TERMS = ageing.age_of_account


def without_grace(account, pauses, *, terms, **more):
    return HONEST_TERMS(account, pauses, terms=replace(terms, grace_days=0), **more)


def nothing_within_grace(account, pauses, *, terms, **more):
    age = HONEST_TERMS(account, pauses, terms=terms, **more)
    return age if age.delinquent_days else ageing.NOT_PAST_DUE


def grace_everywhere(account, pauses, *, terms, **more):
    age = HONEST_TERMS(account, pauses, terms=terms, **more)
    less = [replace(each, delinquent_days=max(0, each.delinquent_days - terms.grace_days)) for each in age.unpaid]
    return replace(age, unpaid=tuple(less))


IN_RULE = {
    "overdue on the due date itself": (
        {"due_today"},
        ageing,
        "counted_until",
        lambda as_of, convention: as_of + timedelta(days=1),  # noqa: ARG005
    ),
    "grace ignored": ({"grace"}, ageing, "age_of_account", without_grace),
    "grace applied to instalment buckets too": (
        {"grace_and_instalments"},
        ageing,
        "age_of_account",
        grace_everywhere,
    ),
    "nothing past due while within grace": ({"within_grace"}, ageing, "age_of_account", nothing_within_grace),
    "pauses ignored": ({"pause"}, ageing, "paused_days", lambda *_: 0),
    "pause counted with both ends": ({"pause"}, ageing, "paused_days", counted_with_both_ends),
    "pause days taken off before the debt was overdue": ({"pause_before_due"}, ageing, "paused_days", from_any_day),
    "overlapping pauses counted twice": ({"pauses_overlap"}, ageing, "paused_days", one_by_one),
    "resume ignored": ({"pause_resumed"}, ageing, "paused_days", never_resumed),
    "days from the latest overdue instalment": ({"oldest"}, ageing, "_overdue", latest_first),
    "a partial payment resets the count": ({"partial"}, ageing, "_overdue", only_untouched),
    "reversals ignored": ({"reversal"}, allocation, "standing_transactions", no_reversals),
    "chargeback as ordinary debt of the next instalment": (
        {"chargeback"},
        allocation.Obligation,
        "shortfall",
        property(lambda _: None),
    ),
    "charge after maturity put on the last instalment": ({"late_charge"}, allocation, "receivers", on_the_last),
    "prepayment always to the next instalment": (
        {"prepaid_last"},
        allocation.Waterfalls,
        "of",
        lambda self, _: replace(self.default, prepays="next"),
    ),
    "prepayment always to the last instalment": (
        {"prepaid_next"},
        allocation.Waterfalls,
        "of",
        lambda self, _: replace(self.default, prepays="last"),
    ),
    "bucket goes on while a freeze holds it": (
        {"frozen"},
        ageing,
        "classified_on",
        lambda pauses, entries, as_of: as_of,  # noqa: ARG005
    ),
    "bucket refreshed only at night, not by payments": (
        {"frozen_and_paid"},
        ageing,
        "classified_on",
        lambda pauses, entries, as_of: classified_on(pauses, (), as_of),  # noqa: ARG005
    ),
    "months counted in days": ({"months"}, ageing, "past_due_count", lambda since, until, _: (until - since).days),
    "nearly paid is unpaid": ({"nearly_paid"}, ageing, "counts_as_late", lambda *_: True),
    "material only since the oldest unpaid instalment": (
        {"material"},
        ageing,
        "material_since",
        lambda *_, past_due_on, **__: past_due_on,
    ),
    "deferral moves no due date": ({"deferral"}, ageing, "deferred", lambda schedule, *_: list(schedule)),
    "contact hold counted as a pause": ({"contact_hold"}, ageing, "with_effect", lambda pauses, _: list(pauses)),
    "grace subtracted past its threshold": (
        {"threshold"},
        ageing,
        "after_grace",
        lambda days, grace_days, _: max(0, days - grace_days),
    ),
    "vertical poured horizontally": (
        {"vertical"},
        allocation.Waterfalls,
        "of",
        lambda self, _: replace(self.default, processing="horizontal"),
    ),
    "principal before interest, fee, penalty": (
        {"order"},
        allocation.Waterfalls,
        "of",
        lambda *_: Waterfall.of(("principal", "interest", "fee", "penalty")),
    ),
    "ended loans aged": ({"ended"}, ageing, "OPEN_STATUS_CODES", ("active", "charged_off", "settled")),
}


@pytest.mark.parametrize("name", IN_RULE)
def test_naive_rule_in_the_scalar_twin_is_noticed(name, monkeypatch):
    expected, where, what, naive = IN_RULE[name]
    monkeypatch.setattr(where, what, naive)

    assert noticing("rule", expected) == expected


def test_both_twins_have_the_same_mutants_and_every_check_notices_one():
    notices = set().union(*(expected for expected, *_ in IN_SQL.values()))

    assert set(IN_SQL) == set(IN_RULE)
    assert notices == set(CHECKS)
