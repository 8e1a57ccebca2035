"""The jobs ``due_work``, ``dispatch`` and ``hand_over``: what there is to send, sending it, and what goes by file."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

from arrears.jobs.recheck import Recheck
from arrears.sending.channels.spool import Spool
from arrears.sending.claims import Shard, work_by_channel
from arrears.sending.dispatch import ACTOR, Dispatcher
from arrears.sending.handover import write_batch, write_stop_delta
from arrears.sending.ways import CHANNELS, HANDED_OVER, load_sending
from arrears.settings import ENVIRONMENT_FILE, load_settings
from arrears.warehouse import outbox
from arrears.warehouse.connection import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from arrears.sending.ways import Sending
    from arrears.settings import Settings


def due_work(settings: Settings | None = None) -> list[dict[str, Any]]:
    """End what has passed, and say which channels and shards have anything to do.

    Returns:
        One entry for each channel: ``channel`` and ``shards``.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer.
    """
    settings = settings or load_settings()
    sending = _sending(settings)
    with transaction(settings.warehouse) as connection:
        outbox.expire(connection, actor=ACTOR)
        found = work_by_channel(connection, is_early=sending.rehearse)
    return [{"channel": channel, "shards": found[channel]} for channel in CHANNELS if channel in found]


def dispatch(channel: str, shards: Sequence[int], settings: Settings | None = None) -> dict[str, Any]:
    """Settle and send what is due of a channel.

    Args:
        channel: Channel code.
        shards: Which of its shards.
        settings: This deployment, unless a test brings its own.

    Returns:
        Rows by what became of them.

    Raises:
        LeaseTooShortError: The lease does not outlast the channel's timeouts.
        EndpointRefusedError: The channel's server is not allowed.
        ConfigurationError: The sending configuration, a portfolio's sender or a pack is wrong.
        PackNotReviewedError: A live channel, and a pack that nobody has reviewed.
        WarehouseUnreachableError: The warehouse did not answer.
    """
    settings = settings or load_settings()
    sending = _sending(settings)
    way = sending.channel(channel, settings.outbox_folder)
    done: Counter[str] = Counter()
    try:
        judge = Recheck(settings, way)
        for number in shards:
            run = Dispatcher(settings.warehouse, way, judge, Shard(channel, number), sending.terms(channel))
            done.update(run.run())
    finally:
        way.close()
    return {"channel": channel, **{name: count for name, count in sorted(done.items()) if count}}


def hand_over(now: datetime, settings: Settings | None = None) -> dict[str, Any]:
    """Write campaigns and worklists from what was handed over, and the deltas that take rows back.

    Args:
        now: With a zone.
        settings: This deployment, unless a test brings its own.

    Returns:
        Rows of the new batch, and rows taken back, by channel that goes by files.

    Raises:
        WarehouseUnreachableError: The warehouse did not answer.
    """
    settings = settings or load_settings()
    sending, done = _sending(settings), {}
    for code in HANDED_OVER:
        way = sending.channel(code, settings.outbox_folder)
        if isinstance(way, Spool) and not way.is_sandbox:
            judge = Recheck(settings, way)
            with transaction(settings.warehouse) as connection:
                stopped = write_stop_delta(connection, way.folder, code, judge.withdrawn, now, way.provider)
                done[code] = {**write_batch(connection, way.folder, code, now), "stopped": stopped["rows"]}
    return done


def _sending(settings: Settings) -> Sending:
    return load_sending(settings.sending, {**dotenv_values(ENVIRONMENT_FILE), **os.environ})
