"""What a strategy may know of a case besides bucket, amount and product: behaviour, promises, risk, contactability.

Belongs here: the readable definition of ``sql/core__case_trait_daily.sql``. Nothing about who somebody is (age, sex,
family, origin, belief, region) is an input, and nothing here may become one: a segment steers how often people are
called.
"""

from __future__ import annotations

BEHAVIOURS = ("cured_and_back", "first_payment_default", "habitual_late", "new", "regular")
RISK_BANDS = ("low", "medium", "high")
NEUTRAL_BAND = "medium"  # a score may lower the pressure of this band's path, never raise it
CONTACTABILITIES = ("reached", "unreached", "no_point")
PROMISES = ("none", "recently_broken")
NEUTRAL_PROMISE = "none"  # a broken promise may change channel and words, never raise the pressure
BROKEN_WINDOW_DAYS = 14
HABITUAL_SPELLS = 3
SPELL_WINDOW_DAYS = 365
REACHED_WINDOW_DAYS = 90
LOW_RISK_DAYS = 15
HIGH_RISK_DAYS = 60


def behaviour_of(*, is_watched: bool, is_first_payment: bool, earlier_spells: int) -> str:
    """How the borrower has paid so far; the first that fits.

    Args:
        is_watched: Late again while a cure or a new schedule is watched.
        is_first_payment: The oldest past-due instalment of a worked loan is its first.
        earlier_spells: Spells past due, over all loans of the borrower, that ended within the last year.

    Source:
        ARR-STR-02.
    """
    if is_watched:
        return "cured_and_back"
    if is_first_payment:
        return "first_payment_default"
    if earlier_spells >= HABITUAL_SPELLS:
        return "habitual_late"
    return "new" if earlier_spells == 0 else "regular"


def promise_of(days_since_broken: int | None) -> str:
    """Whether a promise was broken, or kept in part only, within the last 14 days.

    Args:
        days_since_broken: Since the last one of the borrower was; None where none ever was.

    Source:
        ARR-STR-06.
    """
    is_recent = days_since_broken is not None and days_since_broken < BROKEN_WINDOW_DAYS
    return "recently_broken" if is_recent else "none"


def risk_band_of(behaviour: str, past_due_days: int, score_band: str | None) -> str:
    """The band of a score that the source delivers; without one, a rule over what is past due.

    Args:
        behaviour: Answer of ``behaviour_of``.
        past_due_days: Of the oldest worked loan.
        score_band: Latest band of ``raw__score`` that has not expired; None without one.

    Source:
        ARR-STR-03.
    """
    if score_band in RISK_BANDS:
        return str(score_band)
    if past_due_days >= HIGH_RISK_DAYS or behaviour == "first_payment_default":
        return "high"
    is_low = past_due_days <= LOW_RISK_DAYS and behaviour in ("new", "regular", "habitual_late")
    return "low" if is_low else "medium"


def contactability_of(*, has_point: bool, is_reached: bool) -> str:
    """Whether the borrower was spoken to, or wrote, within the last 90 days; has a usable point at all.

    Source:
        ARR-STR-04.
    """
    if is_reached:
        return "reached"
    return "unreached" if has_point else "no_point"
