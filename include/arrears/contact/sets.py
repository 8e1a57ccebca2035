"""Values of ``rules.contact`` as the relations that ``set_policy`` reads, and its answers as values again.

Belongs here: the way there and back, for what is small enough to be held as values: worked cases, tests, one question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contact.set_policy import SetPolicy
from arrears.rules.contact_values import Decision, Fired

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import duckdb

    from arrears.rules.contact_values import Facts, Planned, RuleBook

Row = dict[str, Any]

RENAMED = {"at": "started_at", "start": "start_minute", "end": "end_minute"}

TEXT, YES, AT, LIST = pa.string(), pa.bool_(), pa.timestamp("us", tz="UTC"), pa.list_(pa.string())

CANDIDATE = pa.schema(
    [
        ("candidate_id", pa.int64()),
        ("book", TEXT),
        ("person_id", TEXT),
        ("zones", LIST),
        ("calendar", TEXT),
        ("channel", TEXT),
        ("party", TEXT),
        ("party_id", TEXT),
        ("place", TEXT),
        ("purpose", TEXT),
        ("content", LIST),
        ("days_past_due", pa.int32()),
        ("contact_point_id", TEXT),
        ("collector", TEXT),
        ("debts", LIST),
        ("is_party_known", YES),
        ("are_flags_known", YES),
        ("is_history_known", YES),
        ("are_consents_known", YES),
        ("are_times_known", YES),
        ("planned_at", AT),
        ("until_at", AT),
        ("known_until_at", AT),
    ]
)
PRIOR = pa.schema(
    [
        ("person_id", TEXT),
        ("started_at", AT),
        ("channel", TEXT),
        ("outcome", TEXT),
        ("direction", TEXT),
        ("party", TEXT),
        ("party_id", TEXT),
        ("place", TEXT),
        ("purpose", TEXT),
        ("contact_point_id", TEXT),
        ("collector", TEXT),
        ("debts", LIST),
    ]
)
FLAG = pa.schema(
    [
        ("person_id", TEXT),
        ("code", TEXT),
        ("starts_at", AT),
        ("ends_at", AT),
        ("loan_id", TEXT),
        ("contact_point_id", TEXT),
    ]
)
CONSENT = pa.schema(
    [
        ("person_id", TEXT),
        ("channel", TEXT),
        ("purpose", TEXT),
        ("given_at", AT),
        ("ends_at", AT),
        ("scope", TEXT),
        ("contact_point_id", TEXT),
        ("debts", LIST),
    ]
)
INCONVENIENT = pa.schema(
    [
        ("person_id", TEXT),
        ("weekdays", pa.list_(pa.int32())),
        ("start_minute", pa.int32()),
        ("end_minute", pa.int32()),
        ("channels", LIST),
    ]
)

Question = tuple["Facts", "Planned"]


def decide(connection: duckdb.DuckDBPyConnection, book: RuleBook, asked: Sequence[Question]) -> list[Decision]:
    """What the scalar form says to each question, in order, by the set-based one.

    Args:
        connection: Its session's time zone is UTC.
        book: Rules that bind.
        asked: What is known, and what is planned: at an instant as ``may_contact`` is asked, or with ``until`` for a
            day as ``contact_window`` is.
    """
    calendars = {holidays: str(number) for number, holidays in enumerate({facts.holidays for facts, _ in asked})}
    relations = {
        "contact_candidate": (CANDIDATE, [_candidate(n, *one, calendars) for n, one in enumerate(asked)]),
        "contact_prior": (PRIOR, _of_each(asked, "history")),
        "contact_flag": (FLAG, _of_each(asked, "flags")),
        "contact_consent": (CONSENT, _of_each(asked, "consents")),
        "contact_inconvenient": (INCONVENIENT, _of_each(asked, "inconvenient")),
    }
    for name, (schema, rows) in relations.items():
        connection.register(name, pa.Table.from_pylist(rows, schema))
    SetPolicy(connection, {"": book}, {name: days for days, name in calendars.items()}).decide()
    return decisions(connection, len(asked))


def decisions(connection: duckdb.DuckDBPyConnection, number: int) -> list[Decision]:
    """The answers to candidates ``0 .. number - 1``."""
    fired: list[list[Fired]] = [[] for _ in range(number)]
    found: Any = connection.sql("FROM contact_fired_rule ORDER BY candidate_id, rule_no").to_arrow_table()
    for row in found.to_pylist():
        fired[row["candidate_id"]].append(Fired(row["rule_id"], row["citation"], row["effect"]))
    times = ("earliest_at", "not_before_at", "not_after_at")
    zoned = ", ".join(f"timezone('UTC', {name}) AS {name}" for name in times)
    answers: Any = connection.sql(f"SELECT {zoned} FROM contact_answer ORDER BY candidate_id").to_arrow_table()
    return [
        Decision(tuple(rules), *(row[name] for name in times))
        for rules, row in zip(fired, answers.to_pylist(), strict=True)
    ]


def _candidate(number: int, facts: Facts, planned: Planned, calendars: Mapping[frozenset[date], str]) -> Row:
    return {
        **{name: getattr(planned, name) for name in CANDIDATE.names if hasattr(planned, name)},
        "candidate_id": number,
        "book": "",
        "person_id": str(number),
        "zones": list(facts.zones),
        "calendar": calendars[facts.holidays],
        "content": sorted(planned.content),
        "debts": sorted(planned.debts),
        "is_party_known": facts.is_party_known,
        "are_flags_known": facts.flags is not None,
        "is_history_known": facts.history is not None,
        "are_consents_known": facts.consents is not None,
        "are_times_known": facts.inconvenient is not None,
        "planned_at": planned.at,
        "until_at": planned.until,
    }


def _of_each(asked: Sequence[Question], name: str) -> list[Row]:
    """Rows of one kind of fact; persons are told apart by the number of their question."""
    return [
        {"person_id": str(number), **row_of(value)}
        for number, (facts, _) in enumerate(asked)
        for value in getattr(facts, name) or ()
    ]


def row_of(value: object) -> Row:
    """A fact's value as a row of its relation, its person apart."""
    return {
        RENAMED.get(name, name): sorted(item) if isinstance(item, frozenset) else item
        for name, item in vars(value).items()
    }
