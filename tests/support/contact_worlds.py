"""Made-up contact policies and people, dense with what may go wrong: clock changes, full windows, facts that end.

A world is drawn from one seeded generator: the same number makes the same world. Its instants lie around one night, so
that contacts, flags and consents meet.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from arrears.rules.contact_values import ALWAYS, Consent, Facts, Flag, Planned, PriorContact, Rule, RuleBook
from arrears.rules.hours import BarredTime, Timetable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

# Nights on which the clock of one of these zones changes in 2026, both ways, and one that is like any other.
ZONES = ("America/New_York", "Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca")
NIGHTS = tuple(
    date(2026, *day) for day in ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1), (2, 15), (3, 22), (7, 1))
)
CHANNELS = ("call", "sms", "voice_bot", "letter")
PARTIES = ("consumer", "relative", "unknown")
PLACES = ("personal", "workplace")
PURPOSES = ("collection", "service")
OUTCOMES = ("conversation", "conversation", "no_answer", "busy", "handed_over")
CONTENT = ("debt_words", "opt_out_notice")
CODES = ("opt_out_call", "opt_out_sms", "inconvenient_place_workplace", "dispute", "agreed")
NAMED = (*CODES, "opt_out_{channel}", "inconvenient_place_{place}")
CONSENTS = ("collection", "hours", "frequency", "frequency")
MANNERS = ("", "manual", "ai_voice")
POINTS = ("n1", "n2")
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # how some sources say that there is no end
DEBTS = ("D1", "D2", "D3")
WINDOWS = ("calendar_day", "rolling_days", "calendar_week", "calendar_month", "ever")
KEYS = ("party", "collector", "contact_point", "debt")
KINDS = ("hours", "inconvenient", "cap", "cap", "cap", "cooldown", "rest", "block", "require", "freshness", "consent")


class World:
    """One night, and whatever may be asked around it."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.night = random.choice(NIGHTS)

    def book(self) -> RuleBook:
        """Up to five rules."""
        return RuleBook(tuple(self.rule(f"t.rule_{number}") for number in range(self.random.randint(0, 5))))

    def question(self) -> tuple[Facts, Planned]:
        """What is known of somebody, and what is planned."""
        return self.facts(), self.planned()

    # -------------------------------------------------------------------------------------------------------- rules
    def rule(self, rule_id: str) -> Rule:
        kind = self.random.choice(KINDS)
        own = {
            "hours": lambda: {"timetable": self.timetable(), "one_reply": self.chance(0.5)},
            "inconvenient": lambda: {"one_reply": self.chance(0.5)},
            "cap": lambda: {
                "limit": self.random.choice((0, 1, 1, 2, 2, 3)),
                "window": self.random.choice(WINDOWS),
                "days": self.random.randint(1, 9),
                "count_key": self.some(KEYS, 0.3),
                "count_outcomes": frozenset(self.some(OUTCOMES, 0.1)),
                "exclude_outcomes": frozenset(self.some(OUTCOMES, 0.1)),
                "frequency_consent": self.chance(0.4),
            },
            "cooldown": lambda: {
                "days": self.random.randint(1, 9),
                "count_key": self.some(KEYS, 0.3),
                "frequency_consent": self.chance(0.4),
            },
            "rest": lambda: {
                "kind": "cooldown",
                "days": self.random.randint(1, 9),
                "after_flags": self.codes() or CODES,
            },
            "block": lambda: {"when_flags": self.codes(), "one_reply": self.chance(0.5)},
            "require": lambda: {"require_content": self.random.choice(CONTENT)},
            "freshness": lambda: {"days": self.random.randint(1, 9), "evidence": self.codes()},
            "consent": lambda: {
                "consent_purpose": self.random.choice(CONSENTS),
                "consent_scopes": frozenset(self.some(MANNERS, 0.2)),
                "same_contact_point": self.chance(0.3),
            },
        }[kind]()
        effect = self.random.choice(("deny", "soft"))
        return Rule(**{"id": rule_id, "citation": "somewhere", "effect": effect, "kind": kind, **self.scope(), **own})

    def scope(self) -> dict[str, Any]:
        """What a rule minds: mostly everything."""
        near = self.night + timedelta(days=self.random.randint(-2, 3))
        narrow = {
            "channels": lambda: frozenset(self.some(CHANNELS, 0.6)),
            "exempt_channels": lambda: frozenset(self.some(CHANNELS, 0.3)),
            "parties": lambda: frozenset(self.some(PARTIES, 0.5)),
            "exempt_parties": lambda: frozenset(self.some(PARTIES, 0.2)),
            "places": lambda: frozenset(self.some(PLACES, 0.5)),
            "exempt_places": lambda: frozenset(self.some(PLACES, 0.2)),
            "unless_purposes": lambda: frozenset(self.some(PURPOSES, 0.3)),
            "unless_content": lambda: frozenset(self.some(CONTENT, 0.3)),
            "when_content": lambda: frozenset(self.some(CONTENT, 0.5)),
            "unless_dpd_over": lambda: self.random.choice((None, 5, 15)),
            "unless_dpd_under": lambda: self.random.choice((None, 5, 15)),
            "unless_flags": self.codes,
            "unless_consents": lambda: self.some(CONSENTS, 0.3),
            "valid_from": lambda: near,
            "valid_to": lambda: near + timedelta(days=2),
        }
        return {name: draw() for name, draw in narrow.items() if self.chance(0.12)}

    def timetable(self) -> Timetable:
        alike = self.hours()
        weekdays = (alike,) * 7 if self.chance(0.5) else tuple(self.hours() for _ in range(7))
        return Timetable(weekdays, self.hours(), minds_holidays=self.chance(0.5))

    def hours(self) -> tuple[int, int] | None:
        if self.chance(0.2):
            return None
        first, last = sorted(self.random.sample(range(97), 2))
        return self.random.choice(((480, 1260), (90, 150), (120, 1200), (15 * first, 15 * last)))

    # -------------------------------------------------------------------------------------------------------- facts
    def facts(self) -> Facts:
        random = self.random
        zones = random.sample(ZONES, random.choice((1, 1, 2)))
        return Facts(
            zones=("Nowhere/Bad", *zones) if self.chance(0.02) else () if self.chance(0.02) else tuple(zones),
            flags=self.known(self.flag, 4),
            history=self.known(self.prior, 9),
            consents=self.known(self.consent, 4),
            inconvenient=self.known(self.barred, 2),
            holidays=frozenset(self.some((self.night, self.night + timedelta(days=1)), 0.3)),
            is_party_known=not self.chance(0.02),
        )

    def known(self, draw: Callable[[], Any], most: int) -> list[Any] | None:
        """A list of facts; now and then nobody can say."""
        return None if self.chance(0.02) else [draw() for _ in range(self.random.randint(0, most))]

    def flag(self) -> Flag:
        starts_at = ALWAYS if self.chance(0.3) else self.instant()
        return Flag(
            self.random.choice(CODES),
            starts_at,
            FOREVER if self.chance(0.05) else self.random.choice((None, self.later(starts_at))),
            self.random.choice((None, None, *DEBTS)),
            self.random.choice((None, None, *POINTS)),
        )

    def consent(self) -> Consent:
        given_at = self.instant()
        return Consent(
            channel=self.random.choice(CHANNELS),
            purpose=self.random.choice(CONSENTS),
            given_at=given_at,
            ends_at=self.random.choice((None, self.later(given_at))),
            scope=self.random.choice(MANNERS),
            contact_point_id=self.random.choice((None, *POINTS)),
            debts=frozenset(self.some(DEBTS, 0.5)),
        )

    def prior(self) -> PriorContact:
        return PriorContact(
            at=self.instant() + timedelta(microseconds=self.random.randrange(1_000_000)),  # no two at once
            outcome=self.random.choice(OUTCOMES),
            direction=self.random.choice(("out", "out", "in")),
            contact_point_id=self.random.choice((*POINTS, None)),
            **self.contact(),
        )

    def planned(self) -> Planned:
        return Planned(
            at=self.instant(),
            contact_point_id=None if self.chance(0.02) else self.random.choice(POINTS),
            content=frozenset(self.some(CONTENT, 0.4)),
            days_past_due=self.random.choice((None, 3, 5, 15, 40)),
            **self.contact(),
        )

    def barred(self) -> BarredTime:
        start, end = (15 * self.random.randrange(97) for _ in range(2))
        weekdays = frozenset(self.some(range(7), 0.5)) or frozenset(range(7))
        return BarredTime(weekdays, start % 1440, end, frozenset(self.some(CHANNELS, 0.1)))

    def contact(self) -> dict[str, Any]:
        return {
            "channel": "fax" if self.chance(0.02) else self.random.choice(CHANNELS),
            "party": self.random.choice((*PARTIES[:2] * 9, PARTIES[2])),
            "party_id": self.random.choice(("p", "p", "p", "q", "")),
            "place": self.random.choice(PLACES),
            "purpose": self.random.choice(PURPOSES),
            "collector": self.random.choice(("A", "A", "A", "B", "")),
            "debts": frozenset(self.some(DEBTS, 0.5)),
        }

    # ------------------------------------------------------------------------------------------------------- little
    def instant(self) -> datetime:
        """Mostly a quarter hour within two days of the night."""
        midnight = datetime(self.night.year, self.night.month, self.night.day, tzinfo=UTC)
        quarters = timedelta(minutes=15 * self.random.randint(-200, 200))
        return midnight + quarters + timedelta(seconds=self.random.choice((0, 0, 0, 59, 400)))

    def later(self, start: datetime) -> datetime:
        return max(start, self.instant()) + timedelta(minutes=15 * self.random.randint(1, 300))

    def codes(self) -> tuple[str, ...]:
        return tuple(self.some(NAMED, 0.3))

    def some(self, values: Sequence[Any], share: float) -> tuple[Any, ...]:
        """About that share of the values, in their order, each once."""
        return tuple(value for value in dict.fromkeys(values) if self.chance(share))

    def chance(self, share: float) -> bool:
        return self.random.random() < share
