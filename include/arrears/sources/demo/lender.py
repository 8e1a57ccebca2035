"""The two lenders of the demo: everything in which they differ, and nothing else.

Belongs here: values. What is made of them, the same way for both, stands in the other modules. Rates, shares and
amounts are our judgement of such books, no statistic; ``tests/sources/test_demo_bands.py`` says in which bands the
results must lie. Nobody in them exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from arrears.sources.demo.calendar import Rhythm
from arrears.sources.demo.stories import LOAN_STORIES, TRAVEL_STORIES, Story

Weighted = tuple[tuple[str, float], ...]
WeightedNumbers = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Lending:
    """What is lent.

    Attributes:
        products: Product codes with their weights.
        principal: Mean and deviation of the logarithm of the principal in major units, its least and its most.
        instalments: How many, with weights; at most twelve.
        due_days: Days of the month on which instalments fall due, with weights; 0: any day.
        monthly_rate_bps: Interest of a month on the whole principal, with weights.
    """

    products: Weighted
    principal: tuple[float, float, int, int]
    instalments: WeightedNumbers
    due_days: WeightedNumbers
    monthly_rate_bps: WeightedNumbers


@dataclass(frozen=True)
class Paying:
    """How it is paid, or not.

    Attributes:
        entry_rate: Share of instalments of an average payer that are still unpaid on the day after they fell due.
        survival: Days after the due day, and the share of those instalments still unpaid then; the rest never is.
        penalty_bps: Penalty on what is more than ten days late.
    """

    entry_rate: float
    survival: tuple[tuple[int, float], ...]
    penalty_bps: int


@dataclass(frozen=True)
class Reaching:
    """Who can be reached, how, and what forbids it.

    Attributes:
        languages: Of the parties, with weights; the first is the book's.
        zones: Zones parties live in, with weights; "": not known.
        moved: Share of parties whose mobile is still of another zone than their address.
        points: Prefix, kind, place and share of borrowers, beside the mobile that everybody has.
        consents: Channel and share of borrowers who agreed to it.
        flags: Codes of flags with weights.
        dialled: First and last second of a local day at which anybody is called: lawful in every zone of the book.
        mix: Channels with weights, up to so many days late.
    """

    languages: Weighted
    zones: Weighted
    moved: float
    points: tuple[tuple[str, str, str, float], ...]
    consents: Weighted
    flags: Weighted
    dialled: tuple[int, int]
    mix: tuple[tuple[int, Weighted], ...]


@dataclass(frozen=True)
class Floor:
    """Who works there.

    Attributes:
        queues: Queue, work mode, seconds an attempt, attempts a case.
        teams: Queues of a team, comma separated, with the team's share of the agents.
        languages: Languages of an agent, comma separated, with weights.
        sure: Languages that one agent at least speaks: of the first agent, and of one in the middle.
    """

    queues: tuple[tuple[str, str, int, int], ...]
    teams: Weighted
    languages: Weighted
    sure: tuple[str, str]


@dataclass(frozen=True)
class Lender:
    """One demo book.

    Attributes:
        portfolio: Its folder below ``include/portfolios``.
        delivers: How the portfolio gets it: out of a database, or as files in an inbox.
        rhythm: How days differ.
        currency: ISO 4217.
        foreign: A currency that is not the book's, for a planted mistake.
        tolerance_minor: As in the portfolio's file.
        grace_days: As in the portfolio's file.
        lending: What is lent.
        paying: How it is paid.
        reaching: Who can be reached.
        floor: Who works there.
        stories: The arranged loans.
    """

    portfolio: str
    delivers: Literal["database", "inbox"]
    rhythm: Rhythm
    currency: str
    foreign: str
    tolerance_minor: int
    grace_days: int
    lending: Lending
    paying: Paying
    reaching: Reaching
    floor: Floor
    stories: tuple[Story, ...]


TRAVEL_CN = Lender(
    portfolio="demo_travel_cn",
    delivers="database",
    rhythm=Rhythm(
        zone="Asia/Shanghai",
        country="CN",
        rest_from="Chinese New Year's Eve",
        rest_days=8,
        busy_months=(7, 8),
        paydays=(10, 15, 25),
    ),
    currency="CNY",
    foreign="USD",
    tolerance_minor=100,
    grace_days=0,
    lending=Lending(
        products=(("trip_package", 0.5), ("trip_flight", 0.3), ("trip_hotel", 0.2)),
        principal=(8.6, 0.5, 500, 50_000),
        instalments=((3, 0.15), (6, 0.25), (9, 0.20), (12, 0.40)),
        due_days=((1, 0.13), (10, 0.20), (15, 0.20), (25, 0.27), (0, 0.20)),
        monthly_rate_bps=((75, 0.2), (100, 0.4), (120, 0.3), (150, 0.1)),
    ),
    paying=Paying(
        entry_rate=0.0545,
        survival=(
            *((0, 1.0), (1, 0.64), (3, 0.62), (7, 0.56), (15, 0.45), (20, 0.33), (26, 0.13), (30, 0.056)),
            *((52, 0.054), (60, 0.006), (75, 0.004), (90, 0.004), (120, 0.004), (180, 0.004), (360, 0.004)),
        ),
        penalty_bps=50,
    ),
    reaching=Reaching(
        languages=(("zh-CN", 0.945), ("en", 0.035), ("ug", 0.015), ("bo", 0.005)),
        zones=(  # travellers roam
            *(("Asia/Shanghai", 0.93), ("Asia/Urumqi", 0.02), ("Asia/Bangkok", 0.01), ("Asia/Tokyo", 0.01)),
            *(("Europe/Paris", 0.01), ("", 0.02)),
        ),
        moved=0.0,
        points=(
            ("U", "push", "personal", 0.35),
            ("X", "email", "personal", 0.45),
            ("H", "postal", "home", 0.70),
            ("W", "landline", "workplace", 0.03),
        ),
        consents=(("sms", 0.96), ("call", 0.97), ("voice_bot", 0.80)),
        flags=(
            *(("dispute", 30), ("hardship", 22), ("opt_out", 14), ("opt_out_sms", 8), ("attorney_known", 7)),
            *(("deceased", 5), ("bankruptcy_stay", 4), ("disaster_area", 4), ("identity_theft", 4)),
            ("self_harm_risk", 2),
        ),
        dialled=(9 * 3600, 20 * 3600),
        mix=(
            (10, (("sms", 0.45), ("voice_bot", 0.40), ("call", 0.15))),
            (30, (("sms", 0.30), ("voice_bot", 0.30), ("call", 0.40))),
            (10_000, (("sms", 0.20), ("call", 0.80))),
        ),
    ),
    floor=Floor(
        queues=(
            ("m1_bot", "bot", 90, 2),
            ("m2_dialler", "pooled_dialler", 300, 2),
            ("m3_named", "named", 540, 2),
            ("late_field", "field", 3600, 1),
        ),
        teams=(("m2_dialler", 0.35), ("m2_dialler,m3_named", 0.25), ("m3_named", 0.20), ("late_field", 0.20)),
        languages=(("zh-CN", 0.78), ("zh-CN,en", 0.15), ("zh-CN,ug", 0.05), ("zh-CN,bo", 0.02)),
        sure=("zh-CN,en", "zh-CN,ug"),
    ),
    stories=TRAVEL_STORIES,
)

LOAN_US = Lender(
    portfolio="demo_loan_us",
    delivers="inbox",
    rhythm=Rhythm(
        zone="America/New_York",
        country="US",
        rest_from="Christmas Day",
        rest_days=8,
        busy_months=(11, 12),
        paydays=(1, 15),
    ),
    currency="USD",
    foreign="CAD",
    tolerance_minor=100,
    grace_days=0,
    lending=Lending(
        products=(("personal_loan", 0.7), ("debt_consolidation", 0.3)),
        principal=(7.7, 0.5, 500, 15_000),
        instalments=((6, 0.20), (9, 0.20), (12, 0.60)),
        due_days=((1, 0.30), (15, 0.30), (10, 0.10), (25, 0.10), (0, 0.20)),
        monthly_rate_bps=((120, 0.3), (180, 0.4), (240, 0.3)),
    ),
    paying=Paying(
        entry_rate=0.0580,
        survival=(
            *((0, 1.0), (1, 0.64), (3, 0.62), (7, 0.57), (15, 0.48), (20, 0.34), (26, 0.13), (30, 0.052)),
            *((45, 0.048), (60, 0.018), (75, 0.015), (90, 0.014), (120, 0.013), (180, 0.012), (360, 0.010)),
        ),
        penalty_bps=500,
    ),
    reaching=Reaching(
        languages=(("en", 0.86), ("es", 0.135), ("zh-CN", 0.005)),
        zones=(
            *(("America/New_York", 0.46), ("America/Chicago", 0.28), ("America/Denver", 0.06)),
            *(("America/Phoenix", 0.03), ("America/Los_Angeles", 0.16), ("", 0.01)),
        ),
        moved=0.03,
        points=(
            ("X", "email", "personal", 0.75),
            ("H", "postal", "home", 0.90),
            ("N", "landline", "home", 0.15),
            ("W", "landline", "workplace", 0.04),
        ),
        consents=(("sms", 0.62), ("call", 0.80), ("voice_bot", 0.35), ("email", 0.70)),
        flags=(
            *(("dispute", 18), ("hardship", 18), ("attorney_known", 12), ("bankruptcy_stay", 10), ("written_cease", 9)),
            *(("written_dispute_in_validation_period", 9), ("opt_out", 8), ("opt_out_sms", 8), ("deceased", 4)),
            *(("identity_theft", 5), ("disaster_area", 4), ("employer_prohibits", 4), ("military_active_duty", 4)),
            ("self_harm_risk", 2),
        ),
        dialled=(12 * 3600, 20 * 3600),  # nine in the morning on the Pacific, eight in the evening on the Atlantic
        mix=(
            (10, (("sms", 0.35), ("voice_bot", 0.20), ("call", 0.45))),
            (29, (("sms", 0.25), ("voice_bot", 0.15), ("call", 0.60))),
            (10_000, (("sms", 0.15), ("call", 0.85))),
        ),
    ),
    floor=Floor(
        queues=(
            ("early_dialler", "pooled_dialler", 240, 2),
            ("named", "named", 480, 2),
            ("agency", "agency", 600, 1),
            ("recovery", "legal", 900, 1),
        ),
        teams=(("early_dialler", 0.40), ("early_dialler,named", 0.25), ("named", 0.25), ("recovery", 0.10)),
        languages=(("en", 0.75), ("en,es", 0.24), ("en,zh-CN", 0.01)),
        sure=("en,es", "en,zh-CN"),
    ),
    stories=LOAN_STORIES,
)

LENDERS = {lender.portfolio: lender for lender in (TRAVEL_CN, LOAN_US)}
