"""The jobs ``due_work``, ``dispatch`` and ``hand_over``: what there is to send, sending it, and what others act on."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

from arrears.errors import ProviderFailingError, WarehouseUnreachableError
from arrears.jobs.receipts import flag_refused_addresses, work_off
from arrears.jobs.recheck import Recheck
from arrears.sending.channels.gateway import Gateway
from arrears.sending.channels.spool import Spool
from arrears.sending.claims import Shard, unknown_by_channel, work_by_channel
from arrears.sending.dispatch import ACTOR, Dispatcher
from arrears.sending.handover import mark_printed, take_back, write_batches, write_stop_delta
from arrears.sending.ways import CHANNELS, HANDED_OVER, load_sending
from arrears.settings import ENVIRONMENT_FILE, load_settings
from arrears.warehouse import outbox
from arrears.warehouse.connection import coded, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from arrears.sending.claims import Row
    from arrears.sending.ways import Sending
    from arrears.settings import Settings

MUCH = 1000  # rows of a shard that are worth a task of their own, which takes Airflow seconds to start


def due_work(settings: Settings | None = None) -> list[dict[str, Any]]:
    """End what has passed, work off early receipts and dead addresses; say which channels and shards have work.

    A shard with much to do is a task of its own; the others of its channel share one.

    Returns:
        Arguments of ``dispatch``, one entry for each.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer.
    """
    settings = settings or load_settings()
    sending = load_ways(settings)
    work_off(settings)
    flag_refused_addresses(settings)
    with transaction(settings.warehouse) as connection:
        outbox.expire(connection, actor=ACTOR)
        found = work_by_channel(connection, is_early=sending.rehearse)
    work: list[dict[str, Any]] = []
    for channel in CHANNELS:
        rows = found.get(channel, {})
        shares = [[shard] for shard, count in rows.items() if count >= MUCH]
        shares += [few] if (few := [shard for shard, count in rows.items() if count < MUCH]) else []
        work += [{"channel": channel, "shards": shards, "of": len(shares)} for shards in shares]
    by_provider = Counter(sending.provider(one["channel"]) for one in work)
    return [one | {"of_provider": by_provider[sending.provider(one["channel"])]} for one in work]


def dispatch(
    channel: str, shards: Sequence[int], of: int = 1, of_provider: int = 1, settings: Settings | None = None
) -> dict[str, Any]:
    """Settle and send what is due of a channel.

    Args:
        channel: Channel code.
        shards: Which of its shards.
        of: Among how many dispatchers the channel's pace is divided.
        of_provider: Among how many the pace of its provider is, over all channels that go by it.
        settings: This deployment, unless a test brings its own.

    Returns:
        Rows by what became of them.

    Raises:
        LeaseTooShortError: The lease does not outlast the channel's timeouts.
        EndpointRefusedError: The channel's server is not allowed.
        ConfigurationError: The sending configuration, a portfolio's sender or a pack is wrong.
        PackNotReviewedError: A live channel, and a pack that nobody has reviewed; rows of other packs went on, as
            they do past any row that cannot be judged.
        ProviderFailingError: The provider failed so often in a row that it was left alone; what was due waits.
        WarehouseUnreachableError: The warehouse did not answer.
    """
    settings = settings or load_settings()
    sending = load_ways(settings)
    way, terms = sending.channel(channel, settings.outbox_folder), sending.terms(channel, of, of_provider)
    done: Counter[str] = Counter()
    failure: Exception | None = None
    try:
        judge = Recheck(settings, way)
        for number in shards:
            dispatcher = Dispatcher(settings.warehouse, way, judge, Shard(channel, number), terms)
            try:
                dispatcher.run()
            except Exception as error:  # noqa: BLE001  raised below: a shard's failure keeps no other from its messages
                failure = failure or error
            done.update(dispatcher.done)
            if done["breaker_open"]:
                break
    finally:
        way.close()
    if done["breaker_open"]:
        found = f"{terms.outages} failures in a row, after {done['sent']} sent"
        raise ProviderFailingError(found, "a provider that answers", f"{channel} by {way.provider}") from failure
    if failure is not None:
        raise failure
    return {"channel": channel, **{name: count for name, count in sorted(done.items()) if count}}


def hand_over(now: datetime, settings: Settings | None = None) -> dict[str, Any]:
    """Write campaigns, letters and worklists from what was handed over, and take back what nobody may act on any more.

    A row that cannot be judged stands as it does, a channel whose files cannot be written waits; all others are served,
    and the first such error is raised at the end.

    Args:
        now: With a zone.
        settings: This deployment, unless a test brings its own.

    Returns:
        By channel that others act on: files and rows of the new batches, and rows taken back.

    Raises:
        ConfigurationError: A portfolio's sender, or what letters need, is wrong.
        WarehouseUnreachableError: The warehouse did not answer.
    """
    settings = settings or load_settings()
    sending, done = load_ways(settings), {}
    failures: list[Exception] = []
    for code in HANDED_OVER:
        way = sending.channel(code, settings.outbox_folder)
        if way.capabilities.is_sandbox:
            continue
        may_still = _each_for_itself(Recheck(settings, way), failures)
        try:
            if isinstance(way, Gateway):
                done[code] = take_back(settings.warehouse, way, may_still, now)
            elif isinstance(way, Spool):
                with transaction(settings.warehouse) as connection:
                    printed = mark_printed(connection, way.folder, code, now) if code == "letter" else 0
                    stopped = write_stop_delta(connection, way.folder, code, may_still, now, way.provider)
                    made = write_batches(connection, way.folder, code, sending.writer(code), now)
                done[code] = {**made, "stopped": stopped["rows"]} | ({"printed": printed} if printed else {})
        except Exception as error:  # noqa: BLE001  raised below
            failures.append(error)
        finally:
            way.close()
    if failures:
        raise failures[0]
    return done


def _each_for_itself(judge: Recheck, failures: list[Exception]) -> Callable[[Connection, Row, datetime], str | None]:
    """Why a row may not be acted on any more; one that cannot be judged keeps no other from being taken back."""

    def withdrawn(connection: Connection, row: Row, now: datetime) -> str | None:
        try:
            with coded(), connection.begin_nested():
                return judge.withdrawn(connection, row, now)
        except WarehouseUnreachableError:
            raise
        except Exception as error:  # noqa: BLE001  raised at the end
            failures.append(error)
            return None

    return withdrawn


def unknown_sends(settings: Settings | None = None) -> dict[str, int]:
    """Attempts of which nobody knows whether they were made, by channel, noughts included: for the gauges.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer.
    """
    settings = settings or load_settings()
    with transaction(settings.warehouse) as connection:
        return dict.fromkeys(CHANNELS, 0) | unknown_by_channel(connection)


def load_ways(settings: Settings) -> Sending:
    """Where each channel goes, with this process's environment."""
    return load_sending(settings.sending, {**dotenv_values(ENVIRONMENT_FILE), **os.environ})
