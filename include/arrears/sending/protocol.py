"""The sending protocol as pure rules: what may follow what, so that nobody is contacted twice whoever dies when.

1. The intent to send is committed before the first byte that could make the provider act.
2. Right before that byte the claim's age is looked at, on the monotonic clock: past half its lease, nothing is written.
3. A claim whose holder is gone becomes ``unknown``, and nothing that is ``unknown`` is sent again by itself.
4. An ``unknown`` attempt is settled by the provider's word on our reference, twice where it says "never heard of", or
   by asking again with the same key and content within the time that the provider remembers it, or by a person.
   The provider is the one that was asked to deliver it: another has never heard of it, and that means nothing.

The dispatcher and the model that is searched exhaustively (``tests/sending/test_protocol_model.py``) both ask these
functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.errors import LeaseTooShortError
from arrears.sending.values import Found, Reply, Settles

if TYPE_CHECKING:
    from arrears.sending.values import Capabilities

CLAIMABLE = ("planned", "rejected_retryable")
MARGIN_SECONDS = 5.0
ABSENT_ONCE = "look_up_absent_once"
STATE_AFTER = {
    Reply.SENT: "sent",
    Reply.NOT_NOW: "rejected_retryable",
    Reply.NEVER: "rejected_final",
    Reply.UNKNOWN: "unknown",
    Reply.GIVEN_UP: "rejected_retryable",
}


def check_lease(lease_seconds: float, capabilities: Capabilities, channel: str) -> None:
    """Refuse a lease that a slow but living delivery could outlive.

    Half of the lease is for reaching the first byte, the other half for everything after it.

    Raises:
        LeaseTooShortError: The lease is not longer than twice all timeouts and a margin.
    """
    needed = 2 * (capabilities.seconds + MARGIN_SECONDS)
    if lease_seconds < needed:
        raise LeaseTooShortError(
            f"a lease of {lease_seconds:g} s for timeouts of {capabilities.seconds:g} s in all",
            f"{needed:g} s or more",
            channel,
        )


def may_write(age_seconds: float, lease_seconds: float) -> bool:
    """Whether a claim of that age, on the monotonic clock, may still cause something."""
    return age_seconds < lease_seconds / 2


def state_after(reply: Reply, attempt_no: int, max_attempts: int, *, has_other_way: bool = False) -> str:
    """State of the row after an attempt.

    The provider's last definite rejection is final, unless the step has another way (channel or point) left: nobody
    was reached, so it is tried there, as the same row. What may have been sent blocks every way.
    """
    is_last = reply is Reply.NEVER or (reply is Reply.NOT_NOW and attempt_no >= max_attempts)
    if is_last:
        return "rejected_retryable" if has_other_way else "rejected_final"
    return STATE_AFTER[reply]


def takes_other_way(reply: Reply, attempt_no: int, max_attempts: int) -> bool:
    """Whether a row goes on by its next way, where it has one: on its own it would be final."""
    return state_after(reply, attempt_no, max_attempts) == "rejected_final"


def recordable(reply: Reply) -> tuple[str, ...]:
    """States in which a claim's row still takes what its holder has learned.

    A row that was declared unknown meanwhile may have been asked about again under the same key: only that the provider
    has the message is still news. "It has it not" is true of this holder's attempt alone, so it comes too late.
    """
    return ("claimed", "unknown") if reply is Reply.SENT else ("claimed",)


def state_of_abandoned_claim() -> str:
    """State of a claim whose holder is gone: it may have sent, or not."""
    return "unknown"


def can_tell(provider: str, asked: str | None) -> bool:
    """Whether a provider's word on an attempt means anything: only of its own, whoever delivers today.

    Args:
        provider: Who would be asked about it.
        asked: Who was asked to deliver it.
    """
    return provider == asked


def may_look_up(settles: Settles, seconds_since_expiry: float, seconds_since_last: float, lag_seconds: float) -> bool:
    """Whether a look-up's "never heard of it" would mean anything yet.

    Args:
        settles: How the channel settles.
        seconds_since_expiry: Since the claim surely ended; negative before.
        seconds_since_last: Since the attempt became unknown, or since the last look.
        lag_seconds: How long the provider may not see what it has accepted.
    """
    return settles is Settles.BY_LOOK_UP and seconds_since_expiry >= 0 and seconds_since_last >= lag_seconds


def state_after_look_up(found: Found, *, was_absent_before: bool) -> tuple[str, str]:
    """State and reason after a look-up of an unknown attempt."""
    if found is Found.ACCEPTED:
        return "sent", "look_up_found"
    if found is Found.ABSENT:
        return ("rejected_retryable", "look_up_absent_twice") if was_absent_before else ("unknown", ABSENT_ONCE)
    return "unknown", "look_up_without_answer"


def may_ask_again(capabilities: Capabilities, seconds_since_first: float, lease_seconds: float) -> bool:
    """Whether the provider surely still knows the key, so that asking again cannot deliver twice.

    Whoever asks again writes within half the lease, so a whole one is kept clear of the end of the provider's window.
    """
    left = capabilities.window_seconds - seconds_since_first
    return capabilities.settles is Settles.BY_ASKING_AGAIN and left > lease_seconds
