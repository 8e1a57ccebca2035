"""The contact policy over few candidates: each asked of the scalar form, from the relations that ``set_policy`` reads.

Belongs here: which of the two forms answers, and the way from relations to values. The set-based form runs about a
hundred statements whatever it is asked; below ``FEW`` candidates asking one by one is quicker. Both make the same
relations, and a test holds their answers equal.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contact.coding import TEXT, WHOLE, YES
from arrears.contact.set_policy import SetPolicy
from arrears.contact.sets import RENAMED
from arrears.rules.contact import contact_window, may_contact
from arrears.rules.contact_values import Consent, Decision, Facts, Flag, Planned, PriorContact
from arrears.rules.hours import BarredTime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    import duckdb

    from arrears.rules.contact_values import RuleBook

FEW = 1200  # candidates; measured on two cores: one by one 0.2 ms each, the set-based form 0.3 s for any few
AT = pa.timestamp("us")
FIRED_RULE = pa.schema(
    [("candidate_id", pa.int64()), ("rule_no", WHOLE), ("rule_id", TEXT), ("citation", TEXT), ("effect", TEXT)]
)
TIMES = ("earliest_at", "not_before_at", "not_after_at")
ANSWER = pa.schema([("candidate_id", pa.int64()), ("is_allowed", YES), *((name, AT) for name in TIMES)])
SETS = frozenset({"debts", "channels", "weekdays", "content"})
COLUMNS = {column: name for name, column in RENAMED.items()}

Row = dict[str, Any]


def answer_candidates(
    connection: duckdb.DuckDBPyConnection,
    books: Mapping[str, RuleBook],
    holidays: Mapping[str, frozenset[date]],
    *,
    few: int = FEW,
) -> None:
    """Make ``contact_fired_rule`` and ``contact_answer`` as ``SetPolicy.decide`` does, by the quicker of the two forms.

    Args:
        connection: With the relations that ``SetPolicy`` reads.
        books: Rule book by the name candidates have in ``book``.
        holidays: Public holidays by the name candidates have in ``calendar``.
        few: Candidates up to which the scalar form answers.
    """
    [[number]] = connection.execute("SELECT count(*) FROM contact_candidate").fetchall()
    if number > few:
        SetPolicy(connection, books, holidays).decide()
    else:
        _answer_each(connection, books, holidays)


def _answer_each(
    connection: duckdb.DuckDBPyConnection,
    books: Mapping[str, RuleBook],
    holidays: Mapping[str, frozenset[date]],
) -> None:
    fired, answers = [], []
    for row, facts, planned in questions(connection, holidays):
        decision = _decide(books[row["book"]], facts, planned, row["until_at"])
        fired += [
            {"candidate_id": row["candidate_id"], "rule_no": number, **vars(rule)}
            for number, rule in enumerate(decision.fired)
        ]
        times = {name: _naive(getattr(decision, name)) for name in TIMES}
        answers.append({"candidate_id": row["candidate_id"], "is_allowed": decision.is_allowed, **times})
    _put(connection, "contact_fired_rule", pa.Table.from_pylist(fired, FIRED_RULE))
    _put(connection, "contact_answer", pa.Table.from_pylist(answers, ANSWER))


def questions(
    connection: duckdb.DuckDBPyConnection, holidays: Mapping[str, frozenset[date]]
) -> Iterator[tuple[Row, Facts, Planned]]:
    """Every row of ``contact_candidate``, what is known, and what is planned, as the scalar form is asked.

    Args:
        connection: With the relations that ``SetPolicy`` reads.
        holidays: Public holidays by the name candidates have in ``calendar``.
    """
    known: dict[str, dict[str, list[Any]]] = {
        "flags": _values(connection, "contact_flag", Flag),
        "history": _values(connection, "contact_prior", PriorContact),
        "consents": _values(connection, "contact_consent", Consent),
        "inconvenient": _values(connection, "contact_inconvenient", BarredTime),
    }
    for row in _rows(connection, "FROM contact_candidate ORDER BY candidate_id"):
        of_person = {kind: values.get(row["person_id"], []) for kind, values in known.items()}
        yield row, _facts(row, of_person, holidays), _planned(row)


def _decide(book: RuleBook, facts: Facts, planned: Planned, until: datetime | None) -> Decision:
    return may_contact(book, facts, planned) if until is None else contact_window(book, facts, planned, until)


def _planned(row: Row) -> Planned:
    return Planned(
        row["planned_at"],
        row["channel"],
        row["contact_point_id"],
        **{name: row[name] for name in ("party", "party_id", "place", "purpose", "collector", "days_past_due")},
        debts=frozenset(row["debts"]),
        content=frozenset(row["content"]),
    )


def _facts(row: Row, known: Mapping[str, list[Any]], holidays: Mapping[str, frozenset[date]]) -> Facts:
    until = row["known_until_at"]
    history = [contact for contact in known["history"] if until is None or contact.at < until]
    return Facts(
        tuple(row["zones"]),
        flags=known["flags"] if row["are_flags_known"] else None,
        history=history if row["is_history_known"] else None,
        consents=known["consents"] if row["are_consents_known"] else None,
        inconvenient=known["inconvenient"] if row["are_times_known"] else None,
        holidays=holidays[row["calendar"]],
        is_party_known=row["is_party_known"],
    )


def _values(connection: duckdb.DuckDBPyConnection, relation: str, kind: type) -> dict[str, list[Any]]:
    """Facts of one kind by person, of those asked about alone."""
    found = defaultdict(list)
    for row in _rows(connection, f"FROM {relation} SEMI JOIN contact_candidate USING (person_id)"):
        person = row.pop("person_id")
        fields = {COLUMNS.get(name, name): frozenset(value) if name in SETS else value for name, value in row.items()}
        found[person].append(kind(**fields))
    return found


def _rows(connection: duckdb.DuckDBPyConnection, select: str) -> list[Row]:
    table: Any = connection.sql(select).to_arrow_table()
    rows: list[Row] = table.to_pylist()
    return rows


def _put(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("put_row", rows)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM put_row")
    connection.unregister("put_row")


def _naive(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None)
