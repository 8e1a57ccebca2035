"""The sending protocol as a state space: two dispatchers, one message, crashes, pauses, a database that restarts.

Every decision is asked of ``arrears.sending.protocol``, the functions that the dispatcher asks; the model adds only
what the world may do in between. Time passes in ticks: a claim is young, past half its lease, or past all of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from arrears.sending import protocol
from arrears.sending.values import Capabilities, Found, Reply, Settles
from arrears.warehouse.outbox import UNREACHED

if TYPE_CHECKING:
    from collections.abc import Iterator

LEASE, LAG, WINDOW = 10.0, 5.0, 29.0
TICK = 6.0  # more than half a lease; two are more than a lease
# Ticks after which nothing about an age changes any more: a claim is past its lease, a provider has forgotten a key.
OLDEST = {Settles.BY_PERSON: 2, Settles.BY_LOOK_UP: 2, Settles.BY_ASKING_AGAIN: 5}


@dataclass(frozen=True)
class Worker:
    """One dispatcher.

    Attributes:
        at: Where it is: idle, ready (holds the shard), intent, checked, replied.
        attempt: Attempt it works.
        age: Ticks since its claim began.
        has_lock: Whether the shard's session lock is its own.
        way: Shard it works: of one channel.
        reply: What the provider said.
        is_repeat: Whether it asks again about an unknown attempt.
        provider: Whom its configuration names, as it was when its run began.
    """

    at: str = "idle"
    attempt: int = 0
    age: int = 0
    has_lock: bool = False
    reply: Reply | None = None
    is_repeat: bool = False
    provider: str = "A"
    way: int = 0


@dataclass(frozen=True)
class World:
    """Everything there is.

    Attributes:
        state: The row's.
        attempt: Its attempt_no.
        claim_age: Ticks since the claim at work began.
        since_last: Ticks since the row became unknown, or since the last look.
        was_absent: Whether the last look found nothing.
        accepted: Ticks since the attempt's provider accepted it; None: it has not.
        asked: Provider of each attempt, as its intent says.
        provider: Whom the configuration names now.
        contacts: How often the person was reached; 2: more than once.
        way: The row's channel, of those that its step has.
    """

    workers: tuple[Worker, ...] = (Worker(), Worker())
    state: str = "planned"
    attempt: int = 0
    claim_age: int = 0
    since_last: int = 0
    was_absent: bool = False
    accepted: tuple[int | None, ...] = (None, None, None)  # of attempts 1 and 2
    asked: tuple[str | None, ...] = (None, None, None)
    provider: str = "A"
    contacts: int = 0
    way: int = 0
    crashes: int = 0
    restarts: int = 0
    days: int = 0

    def same(self) -> World:
        """The one of two worlds that differ only in which dispatcher is which."""
        first, second = sorted(self.workers, key=repr)
        return replace(self, workers=(first, second))

    def with_worker(self, number: int, worker: Worker, **rest: object) -> World:
        workers = tuple(worker if place == number else one for place, one in enumerate(self.workers))
        return replace(self, workers=workers, **rest)

    def heard(self, worker: Worker) -> int | None:
        """Ticks since the worker's provider accepted its attempt; None: it never heard of it, as of any other's."""
        return self.accepted[worker.attempt] if self.asked[worker.attempt] in (None, worker.provider) else None


@dataclass(frozen=True)
class Protocol:
    """The rules, and what a mutant leaves out of them.

    Attributes:
        settles: How the provider settles what is unknown.
        max_crashes: Crashes in all.
        may_exchange: Whether the deployment may name another provider, once, at any time.
        ways: Channels of the step; a worker holds the shard of one, and its provider may refuse for good.
        max_days: Later days whose plan may take the step up again.
        max_restarts: Hard restarts of the database: its session locks are gone, the dispatchers are not.
        is_write_checked_at_once: Whether nothing comes between the check of the age and the first byte.
        pauses_past_window: Whether that may take longer than the provider remembers a key, when asking again.
    """

    settles: Settles = Settles.BY_LOOK_UP
    max_crashes: int = 2
    max_restarts: int = 0
    is_write_checked_at_once: bool = False
    pauses_past_window: bool = False
    may_exchange: bool = False
    ways: int = 1
    max_days: int = 0
    goes_on_when_unknown: bool = False
    takes_up_unknown: bool = False
    minds_provider: bool = True
    has_intent: bool = True
    has_lock: bool = True
    has_check: bool = True
    resends_unknown: bool = False
    believes_first_look: bool = False
    minds_lag: bool = True
    minds_window: bool = True

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(self.settles, seconds=1.0, lag_seconds=LAG, window_seconds=WINDOW)

    # ------------------------------------------------------------------------------------------------ what may be next
    def after(self, world: World) -> Iterator[tuple[str, World]]:
        """Every state that can follow."""
        if any(age < OLDEST[self.settles] for age in self._ages(world)):
            yield "tick", self._tick(world)
        if world.restarts < self.max_restarts:
            free = tuple(replace(worker, has_lock=False) for worker in world.workers)
            yield "restart", replace(world, workers=free, restarts=world.restarts + 1)
        left = (*UNREACHED, "unknown", "claimed") if self.takes_up_unknown else UNREACHED
        if world.days < self.max_days and world.state in left:
            yield "a later day", replace(world, state="planned", way=0, days=world.days + 1)
        if self.may_exchange and world.provider == "A":
            yield "exchange", replace(world, provider="B")
        for number, worker in enumerate(world.workers):
            if worker.at != "idle" and world.crashes < self.max_crashes:
                yield "crash", world.with_worker(number, Worker(), crashes=world.crashes + 1)
            yield from self._steps(world, number, worker)

    def _ages(self, world: World) -> list[int]:
        known = [age for age in world.accepted if age is not None]
        return [world.claim_age, world.since_last, *(one.age for one in world.workers if one.at != "idle"), *known]

    def _tick(self, world: World) -> World:
        def older(age: int) -> int:
            return min(age + 1, OLDEST[self.settles])

        return replace(
            world,
            workers=tuple(one if one.at == "idle" else replace(one, age=older(one.age)) for one in world.workers),
            claim_age=older(world.claim_age),
            since_last=older(world.since_last),
            accepted=tuple(None if age is None else older(age) for age in world.accepted),
        )

    def _steps(self, world: World, number: int, me: Worker) -> Iterator[tuple[str, World]]:
        if me.at == "idle":
            for way in range(self.ways):
                is_free = not any(one.has_lock and one.way == way for one in world.workers)
                if is_free or not self.has_lock:
                    mine = Worker("ready", has_lock=self.has_lock, provider=world.provider, way=way)
                    yield "lock", world.with_worker(number, mine)
        elif me.at == "ready":
            yield "end", world.with_worker(number, Worker())
            is_mine = world.way == me.way
            if is_mine and (me.has_lock or not self.has_lock):  # a session that broke commits nothing
                yield from self._database(world, number, me)
        elif me.at == "intent":
            if not self.has_check or protocol.may_write(me.age * TICK, LEASE):
                checked = world.with_worker(number, replace(me, at="checked"))
                is_one_step = self.is_write_checked_at_once or (me.is_repeat and not self.pauses_past_window)
                yield from self._write(checked, number) if is_one_step else [("check", checked)]
            else:
                yield "give_up", self._replied(world, number, Reply.GIVEN_UP)
        elif me.at == "checked":
            yield from self._write(world, number)
        elif me.at == "replied":
            yield "record", self._record(world, number, me)

    def _database(self, world: World, number: int, me: Worker) -> Iterator[tuple[str, World]]:
        if world.state == "claimed" and world.claim_age * TICK > LEASE:
            state = "planned" if self.resends_unknown else protocol.state_of_abandoned_claim()
            yield "abandon", replace(world, state=state, since_last=0, was_absent=False)
        if world.state in protocol.CLAIMABLE and world.attempt + 1 < len(world.accepted):
            attempt = world.attempt + 1
            mine = replace(me, at="intent", attempt=attempt, age=0)
            if self.has_intent:
                asked = tuple(me.provider if place == attempt else one for place, one in enumerate(world.asked))
                row = {"state": "claimed", "attempt": attempt, "claim_age": 0, "asked": asked}
                yield "intent", world.with_worker(number, mine, **row)
            else:
                yield "take", world.with_worker(number, mine)
        if world.state == "unknown":
            yield from self._settle(world, number, me)

    def _settle(self, world: World, number: int, me: Worker) -> Iterator[tuple[str, World]]:
        past = world.claim_age * TICK - LEASE
        if past < 0 or (self.minds_provider and not protocol.can_tell(me.provider, world.asked[world.attempt])):
            return
        lag = LAG if self.minds_lag else 0.0
        if protocol.may_look_up(self.settles, past, world.since_last * TICK, lag):
            age = world.heard(replace(me, attempt=world.attempt))
            found = Found.ACCEPTED if age is not None and age * TICK >= LAG else Found.ABSENT
            was_absent = world.was_absent or self.believes_first_look
            state, _ = protocol.state_after_look_up(found, was_absent_before=was_absent)
            yield "look", replace(world, state=state, since_last=0, was_absent=found is Found.ABSENT)
        first = world.claim_age * TICK
        if protocol.may_ask_again(self.capabilities, first, LEASE) or (
            self.settles is Settles.BY_ASKING_AGAIN and not self.minds_window
        ):
            again = replace(me, at="intent", attempt=world.attempt, age=0, is_repeat=True)
            yield "ask_again", world.with_worker(number, again)

    def _write(self, world: World, number: int) -> Iterator[tuple[str, World]]:
        """The provider gets it, or refuses it; its word arrives, or is lost."""
        me = world.workers[number]
        age = world.heard(me)
        remembers = self.settles is Settles.BY_ASKING_AGAIN and age is not None and age * TICK < WINDOW
        taken = world
        if not remembers:
            accepted = tuple(0 if place == me.attempt else one for place, one in enumerate(world.accepted))
            taken = replace(world, accepted=accepted, contacts=min(world.contacts + 1, 2))
        yield "accepted", self._replied(taken, number, Reply.SENT)
        yield "accepted, word lost", self._replied(taken, number, Reply.UNKNOWN)
        yield "never arrived, nobody knows", self._replied(world, number, Reply.UNKNOWN)
        if not remembers:
            yield "refused", self._replied(world, number, Reply.NOT_NOW)
            if self.ways > 1:
                yield "refused for good", self._replied(world, number, Reply.NEVER)

    def _replied(self, world: World, number: int, reply: Reply) -> World:
        return world.with_worker(number, replace(world.workers[number], at="replied", reply=reply))

    def _record(self, world: World, number: int, me: Worker) -> World:
        back = replace(me, at="ready", reply=None, is_repeat=False)
        gone = world.with_worker(number, back)
        is_mine = world.attempt == me.attempt and world.state in protocol.recordable(me.reply)
        if not self.has_intent:
            is_mine = world.state in protocol.CLAIMABLE
        if me.is_repeat and me.reply is not Reply.SENT:
            return gone
        if not is_mine:
            return gone
        most, has_other = len(world.accepted), world.way + 1 < self.ways
        state = protocol.state_after(me.reply, me.attempt, most, has_other_way=has_other)
        is_over = protocol.takes_other_way(me.reply, me.attempt, most)
        if self.goes_on_when_unknown and has_other and state == "unknown":
            state, is_over = "rejected_retryable", True
        if has_other and is_over:
            gone = replace(gone, way=world.way + 1)
        if self.resends_unknown and state == "unknown":
            state = "planned"
        return replace(gone, state=state, attempt=me.attempt, since_last=0, was_absent=False)


@dataclass
class Search:
    """What a search of everything found.

    Attributes:
        states: States visited.
        steps: Steps between them.
        twice: Shortest story in which a person is contacted twice; empty when there is none.
        lying: Shortest story in which a row is called sent that nobody accepted.
        stuck: States from which the row can never be settled any more.
    """

    states: int = 0
    steps: int = 0
    twice: list[str] = field(default_factory=list)
    lying: list[str] = field(default_factory=list)
    stuck: int = 0


KNOWN = ("sent", "rejected_retryable", "rejected_final")  # somebody can say whether the person was reached


def search(rules: Protocol, *, until_twice: bool = False) -> Search:
    """Visit every reachable state, breadth first; or only until somebody is contacted twice, which a mutant shows."""
    start = World()
    came: dict[World, tuple[World, str] | None] = {start: None}
    before: dict[World, list[World]] = {start: []}
    queue, found = deque([start]), Search()
    while queue:
        world = queue.popleft()
        if world.contacts > 1 and not found.twice:
            found.twice = _story(came, world)
            if until_twice:
                break
        if world.state == "sent" and world.contacts == 0 and not found.lying:
            found.lying = _story(came, world)
        for step, next_world in rules.after(world):
            follows = next_world.same()
            found.steps += 1
            if follows not in came:
                came[follows] = (world, step)
                before[follows] = []
                queue.append(follows)
            before[follows].append(world)
    found.states = len(came)
    good = deque(world for world in came if world.state in KNOWN)
    reaches = set(good)
    while good:
        for earlier in before[good.popleft()]:
            if earlier not in reaches:
                reaches.add(earlier)
                good.append(earlier)
    found.stuck = len(came) - len(reaches)
    return found


def _story(came: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    steps = []
    while (link := came[world]) is not None:
        world, step = link
        steps.append(step)
    return steps[::-1]
