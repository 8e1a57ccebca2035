"""May these people be contacted: ``rules.contact`` over sets, for every candidate at once.

Belongs here: the order of the SELECTs ``sql/contact__*.sql`` and the small relations they read beside candidates and
facts. What has few distinct values (kinds of contact, rules, zones, days) is asked of the rule's own functions, once
for each; what has many (candidates, history, flags, consents) is joined. A twin test holds both shapes equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from arrears.contact.clock import clock_changes
from arrears.contact.coding import PRIOR_SCOPE, SCOPE, TEXT, WHOLE, RuleCoding, table_of
from arrears.engine.duckdb import select_text
from arrears.rules.contact import zones_of
from arrears.rules.contact_kinds import TIMING
from arrears.rules.hours import HORIZON_DAYS, BarredTime, free_spans, longest, open_spans

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    import duckdb

    from arrears.rules.contact_values import Rule, RuleBook
    from arrears.rules.hours import Span

KINDS = ("hours", "inconvenient", "cap", "rest", "block", "freshness", "consent")  # a SELECT each
LONGEST_RULE_DAYS = 366
SOMEWHEN = datetime(2000, 1, 1, tzinfo=UTC)  # where nothing is asked
BEGINNING = "TIMESTAMPTZ '0001-01-01 00:00:00+00'"  # of what began nobody knows when

AT, ON = pa.timestamp("us"), pa.date32()
BARRED_TIME = pa.struct([("weekdays", pa.list_(WHOLE)), ("start", WHOLE), ("end", WHOLE)])
OPEN_DAY = pa.schema(
    [
        ("rule_nos", pa.list_(WHOLE)),
        ("times", pa.list_(BARRED_TIME)),
        ("zones_id", WHOLE),
        ("calendar", TEXT),
        ("asked_at", AT),
        ("until_at", AT),
    ]
)
OPEN_SPAN = pa.schema([*OPEN_DAY, ("opens_at", AT), ("closes_at", AT), ("shut_rule_nos", pa.list_(WHOLE))])


@dataclass
class SetPolicy:
    """The policy over sets, on a connection that holds what is asked and what is known.

    The connection has these relations; instants with a time zone, nothing NULL unless said, [] for none or unknown:

    * ``contact_candidate``: candidate_id BIGINT, book, person_id, zones VARCHAR[], calendar, channel, party, party_id,
      place, purpose, content VARCHAR[], days_past_due INTEGER (may be NULL), contact_point_id (may be NULL), collector,
      debts VARCHAR[], is_party_known, are_flags_known, is_history_known, are_consents_known, are_times_known,
      planned_at, until_at (NULL: an instant is asked about, else a day), known_until_at (NULL: all history counts, else
      what began before it)
    * ``contact_prior``: person_id, started_at, channel, outcome, direction, party, party_id, place, purpose,
      contact_point_id (may be NULL), collector, debts VARCHAR[]
    * ``contact_flag``: person_id, code, starts_at, ends_at, loan_id, contact_point_id (the last three may be NULL)
    * ``contact_consent``: person_id, channel, purpose, given_at, ends_at (may be NULL), scope, contact_point_id (may be
      NULL), debts VARCHAR[]
    * ``contact_inconvenient``: person_id, weekdays INTEGER[] (Monday is 0), start_minute, end_minute,
      channels VARCHAR[]

    Attributes:
        connection: Its session's time zone is UTC.
        books: Rule book by the name candidates have in ``book``.
        holidays: Public holidays by the name candidates have in ``calendar``.
    """

    connection: duckdb.DuckDBPyConnection
    books: Mapping[str, RuleBook]
    holidays: Mapping[str, frozenset[date]]
    _rules: RuleCoding = field(init=False, repr=False)
    _scopes: list[dict[str, Any]] = field(init=False, repr=False)
    _zones: list[tuple[str, ...]] = field(init=False, repr=False)
    _first_at: datetime = field(init=False, repr=False)

    def decide(self) -> None:
        """Answer every candidate.

        Makes ``contact_fired_rule`` (candidate_id, rule_no: their order, rule_id, citation, effect) and
        ``contact_answer`` (candidate_id, is_allowed, earliest_at, not_before_at, not_after_at).
        """
        self._code_candidates()
        self._lay_out_calendar()
        self._code_history()
        for name in ("flag_concerning", "consent_known", "barred_time", "frequency", "later_inbound", "missing"):
            self._make(name)
        self._ask_first()
        self._make("fired_rule")
        self._search_earliest()
        self._make("answer")

    # ------------------------------------------------------------------------------------------------------- coding
    def _code_candidates(self) -> None:
        """Number every distinct kind of contact and list of zones, and the rules that mind each kind."""
        self._rules = RuleCoding(self.books)
        dpd = "days_past_due" if self._rules.asks_days_past_due else "NULL::INTEGER AS days_past_due"
        names = ", ".join(name for name in SCOPE.names if name != "days_past_due")
        self._scopes = self._rows(f"SELECT DISTINCT {names}, {dpd} FROM contact_candidate ORDER BY ALL")
        self._put("scope", _numbered(self._scopes, "scope_id", SCOPE))
        self._put("minding", self._rules.minding_table(self._scopes))
        self._put("rule_word", self._rules.word_table(self._scopes))
        self._put("rule", self._rules.rule_table())
        self._put("fact", self._rules.fact_table())
        self._put("book", self._rules.book_table())
        self._put("timetable", self._rules.timetable_table())
        listed = [
            tuple(row["zones"]) for row in self._rows("SELECT DISTINCT zones FROM contact_candidate ORDER BY ALL")
        ]
        self._zones = [tuple(zone.key for zone in zones_of(names)) for names in listed]
        numbered = [
            (number, list(names), read[0] if read else None)
            for number, (names, read) in enumerate(zip(listed, self._zones, strict=True))
        ]
        schema = pa.schema([("zones_id", WHOLE), ("zones", pa.list_(TEXT)), ("first_zone", TEXT)])
        self._put("zones", table_of(schema, numbered))
        members = [(number, name) for number, names in enumerate(self._zones) for name in dict.fromkeys(names)]
        self._put("zone_member", table_of(pa.schema([("zones_id", WHOLE), ("zone", TEXT)]), members))
        self._make("candidate", "candidate_coded", {"asks_dpd": self._rules.asks_days_past_due})

    def _lay_out_calendar(self) -> None:
        """Clock changes, local dates and timetables, as far as any answer may lie."""
        [asked] = self._rows(
            "SELECT min(planned_at) AS first_at, max(coalesce(until_at, planned_at)) AS last_at FROM contact_candidate"
        )
        first, last = asked["first_at"] or SOMEWHEN, asked["last_at"] or SOMEWHEN
        self._first_at = first
        final = last + timedelta(days=2 * HORIZON_DAYS + LONGEST_RULE_DAYS)
        known = self._known_since()
        changes = [
            (name, at.replace(tzinfo=None) if index else None, offset)
            for name in sorted({name for names in self._zones for name in names})
            for index, (at, offset) in enumerate(clock_changes(name, known, final))
        ]
        schema = pa.schema([("zone", TEXT), ("starts_at", AT), ("utc_offset", pa.duration("us"))])
        self._put("clock_change", table_of(schema, changes))
        start = first.date() - timedelta(days=2)
        days = [(start + timedelta(days=number),) for number in range((final.date() - start).days)]
        self._put("day", table_of(pa.schema([("local_on", ON)]), days))
        holidays = [(name, day) for name, days in self.holidays.items() for day in sorted(days)]
        self._put("holiday", table_of(pa.schema([("calendar", TEXT), ("local_on", ON)]), holidays))
        for name in ("zone_segment", "zone_day", "timetable_day", "opening", "later_opening"):
            self._make(name)

    def _counted_since(self) -> datetime:
        """Instant before which no rule counts anything."""
        days = self._rules.counted_days
        if days is not None:
            return self._first_at - timedelta(days=days + 1)
        [prior] = self._rows("SELECT min(started_at) AS started_at FROM contact_prior")
        return min(self._first_at, prior["started_at"] or self._first_at) - timedelta(days=1)

    def _known_since(self) -> datetime:
        """Instant before which no local date matters."""
        [known] = self._rows(
            f"SELECT least((SELECT min(starts_at) FROM contact_flag WHERE starts_at > {BEGINNING}), "
            f"(SELECT min(ends_at) FROM contact_flag WHERE ends_at > {BEGINNING}), "
            "(SELECT min(given_at) FROM contact_consent)) AS known_at"
        )
        since = self._counted_since()
        return min(since, known["known_at"] or since)

    def _code_history(self) -> None:
        """Number every distinct kind of contact so far, and the rules that count each kind."""
        found = self._rows(f"SELECT DISTINCT {', '.join(PRIOR_SCOPE.names)} FROM contact_prior ORDER BY ALL")
        self._put("prior_scope", _numbered(found, "prior_scope_id", PRIOR_SCOPE))
        self._put("counting", self._rules.counting_table(self._scopes, found))
        self._make("prior_day", parameters={"first_at": self._first_at})

    # ------------------------------------------------------------------------------------------------------- asking
    def _ask_first(self) -> None:
        """Narrow days to their open hours, then ask of each candidate at the time it is planned for."""
        planned = "SELECT candidate_id, planned_at AS asked_at, until_at, NULL::DATE AS valid_on FROM"
        self._ask(f"{planned} contact_candidate_coded WHERE until_at IS NOT NULL")
        self._make("lift")
        self._make("hours_in_force")
        self._put("open_span", self._open_spans())
        self._make("span")
        self._make("shut_day", "fired_first")
        self._ask(select_text("contact__day_ask"))
        self._fire(set(KINDS) - set(TIMING))
        self._run("INSERT INTO contact_fired_first SELECT candidate_id, rule_no, clears_at FROM contact_fired")
        self._ask(f"{planned} contact_candidate_coded WHERE until_at IS NULL")
        self._fire(KINDS)
        self._run("INSERT INTO contact_fired_first SELECT candidate_id, rule_no, clears_at FROM contact_fired")

    def _search_earliest(self) -> None:
        """First quarter hour at which nothing fires: step to the latest instant a rule clears at, and ask again."""
        self._make("search")
        self._run(
            "CREATE OR REPLACE TEMP TABLE contact_found AS SELECT candidate_id, asked_at FROM contact_search LIMIT 0"
        )
        select = (
            "SELECT candidate_id, asked_at, NULL::TIMESTAMP AS until_at, NULL::DATE AS valid_on FROM contact_search"
        )
        while self._ask(select):
            self._fire(KINDS)
            self._run(
                "INSERT INTO contact_found SELECT candidate_id, asked_at FROM contact_ask "
                "WHERE candidate_id NOT IN (SELECT candidate_id FROM contact_fired)"
            )
            select = select_text("contact__next_ask")

    def _ask(self, select: str) -> int:
        """Make ``contact_ask`` of candidates and times; how many they are."""
        self._run(f"CREATE OR REPLACE TEMP TABLE contact_asked AS {select}")
        self._make("ask")
        return self._count("contact_ask")

    def _fire(self, kinds: Collection[str]) -> None:
        """Make ``contact_fired``: the rules of these kinds that fire for what is asked."""
        self._make("lift")
        self._run_kinds(kinds)
        self._run("CREATE OR REPLACE TEMP TABLE contact_replied (candidate_id BIGINT, rule_no INTEGER)")
        if self._rules.tolerates_reply:
            self._tolerate_replies(kinds)
        self._make("fired")

    def _tolerate_replies(self, kinds: Collection[str]) -> None:
        """Make ``contact_replied``: what fires, but already did when the person wrote, and nobody has answered."""
        self._make("reply")
        if not self._count("contact_reply"):
            return
        kept = ("contact_ask", "contact_firing")
        for name in kept:
            self._run(f"CREATE OR REPLACE TEMP TABLE {name}_kept AS FROM {name}")
        for kind, asked in (("block", {"block"}), ("timing", set(TIMING))):
            self._ask(
                f"SELECT DISTINCT candidate_id, asked_at, until_at, valid_on FROM contact_reply WHERE kind = '{kind}'"
            )
            self._run_kinds(asked & set(kinds))
            self._run(f"INSERT INTO contact_replied {select_text('contact__replied')}")
        for name in kept:
            self._run(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM {name}_kept")

    def _run_kinds(self, kinds: Collection[str]) -> None:
        """Make ``contact_firing`` by the SELECTs of the kinds that any rule has."""
        self._run(
            "CREATE OR REPLACE TEMP TABLE contact_firing (candidate_id BIGINT, rule_no INTEGER, clears_at TIMESTAMP)"
        )
        for kind in KINDS:
            if kind in kinds and kind in self._rules.kinds:
                self._run(f"INSERT INTO contact_firing {select_text(f'contact__{kind}')}")

    def _open_spans(self) -> pa.Table:
        """The longest open span of every distinct day, or the rules that shut it."""
        rules = dict(self._rules.rules)
        found = []
        for day in self._rows(f"SELECT DISTINCT {', '.join(OPEN_DAY.names)} FROM contact_hours_in_force"):
            timing = {number: rules[number] for number in day["rule_nos"]}
            spans = self._spans(list(timing.values()), day)
            shut = [] if spans else [number for number, rule in timing.items() if not self._spans([rule], day)]
            opening, closing = longest(spans) if spans else (None, None)
            found.append(
                {
                    **day,
                    "opens_at": opening and opening.replace(tzinfo=None),
                    "closes_at": closing and closing.replace(tzinfo=None),
                    "shut_rule_nos": [] if spans else shut or day["rule_nos"],
                }
            )
        return pa.Table.from_pylist(found, OPEN_SPAN)

    def _spans(self, timing: list[Rule], day: Mapping[str, Any]) -> tuple[Span, ...]:
        zones = self._zones[day["zones_id"]]
        bounds = (day["asked_at"].replace(tzinfo=UTC), day["until_at"].replace(tzinfo=UTC))
        timetables = tuple(rule.timetable for rule in timing if rule.timetable is not None)
        spans = open_spans(timetables, zones, bounds, self.holidays[day["calendar"]])
        if all(rule.kind != "inconvenient" for rule in timing):
            return spans
        times = [BarredTime(frozenset(time["weekdays"]), time["start"], time["end"]) for time in day["times"]]
        return free_spans(spans, times, zones)

    # ---------------------------------------------------------------------------------------------------- connection
    def _make(self, name: str, table: str = "", parameters: Mapping[str, Any] | None = None) -> None:
        """Make the table ``contact_<name>`` from ``sql/contact__<name>.sql``."""
        select = select_text(f"contact__{name}")
        self._run(f"CREATE OR REPLACE TEMP TABLE contact_{table or name} AS {select}", parameters)

    def _put(self, name: str, rows: pa.Table) -> None:
        """Make the table ``contact_<name>`` from a small Arrow table."""
        self.connection.register("put_row", rows)
        self._run(f"CREATE OR REPLACE TEMP TABLE contact_{name} AS SELECT * FROM put_row")
        self.connection.unregister("put_row")

    def _run(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        self.connection.execute(statement, dict(parameters or {}))

    def _rows(self, select: str) -> list[dict[str, Any]]:
        table: Any = self.connection.sql(select).to_arrow_table()
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows

    def _count(self, table: str) -> int:
        return int(self._rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def _numbered(rows: list[dict[str, Any]], name: str, schema: pa.Schema) -> pa.Table:
    numbers = pa.array(range(len(rows)), WHOLE)
    return pa.Table.from_pylist(rows, schema).append_column(name, numbers)
