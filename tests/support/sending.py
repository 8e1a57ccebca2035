"""A gateway process, dispatchers in processes that can be killed, and the count of who was contacted how often."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from arrears.sending.channels.gateway import Gateway
from arrears.sending.claims import SHARDS, Shard
from arrears.sending.dispatch import Dispatcher, Go, Judge, Terms
from arrears.sending.endpoints import Endpoint
from arrears.sending.values import Content, Message, Private, Settles
from arrears.warehouse.connection import transaction
from sqlalchemy import text

from support.gateway_server import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ON = date(2026, 3, 2)
TIMEOUT = 1.0
LEASE = 18.0  # the shortest that such timeouts allow
HASTY = {"timeout": 0.25}  # of a storm, in which what is slow is unknown


def send_all(_connection, row, _now):
    """A judge that lets everything go: the protocol's tests are about the protocol."""
    content = Content("t@1/en", Private(""), Private(f"text for {row['step_key']}"))
    message = Message(
        row["step_key"], row["attempt_no"] + 1, row["channel_code"], Private(row["contact_point_id"]), content
    )
    return Go(message, ON)


def shard_of(key: str) -> int:
    """Number of the shard that a row is worked in, as the outbox has it."""
    return int(hashlib.md5(key.encode()).hexdigest()[:2], 16) % SHARDS  # noqa: S324  as there


def tell_report(proof: str, figures: dict[str, Any]) -> None:
    """Print the figures of a proof, and append them to the file that ``ARREARS_SENDING_REPORT`` names."""
    line = json.dumps({"proof": proof, **figures, "load": round(os.getloadavg()[0])}, ensure_ascii=False)
    print(line)  # noqa: T201  the figures are the point
    if target := os.environ.get("ARREARS_SENDING_REPORT"):
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(line + "\n")


@dataclass
class GatewayProcess:
    """A running gateway."""

    port: int
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mode(self, **how: float) -> None:
        self.client.post(f"{self.base}/_mode", json=how).raise_for_status()

    def log(self) -> dict[str, Any]:
        return self.client.get(f"{self.base}/_log").json()

    def delivered(self) -> Counter[str]:
        """How often each address was reached."""
        return Counter(one["to"] for one in self.log()["delivered"])

    def channel(self, settles: Settles = Settles.BY_LOOK_UP, **given: Any) -> Gateway:
        place = f"127.0.0.1:{self.port}"
        endpoint = Endpoint.of(self.base, {place}, {place})
        return Gateway("sms", "test", endpoint, SECRET, settles, **{"timeout": TIMEOUT, "lag_seconds": 0.0, **given})


@contextmanager
def gateway_process(folder: Path, **how: float) -> Iterator[GatewayProcess]:
    """Start a gateway, and end it by its own id."""
    port_file = folder / f"gateway-{time.monotonic_ns()}"
    command = [sys.executable, "-m", "support.gateway_server", str(port_file)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[1])
    try:
        give_up = time.monotonic() + 60
        while not (port_file.exists() and port_file.read_text(encoding="utf-8")):
            assert process.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.02)
        gateway = GatewayProcess(int(port_file.read_text(encoding="utf-8")))
        gateway.mode(**how)
        yield gateway
        gateway.client.close()
    finally:
        process.kill()
        process.wait()


def work(  # noqa: PLR0917  a run is its parts
    url: str,
    channel: Callable[[], Gateway],
    terms: Terms,
    shards: tuple[int, ...] = tuple(range(SHARDS)),
    judge: Judge = send_all,
    codes: tuple[str, ...] = ("sms",),
) -> None:
    """Work all shards once, as one dispatcher process does."""
    for code in codes:
        for number in shards:
            way = channel()
            way.code = code
            Dispatcher(url, way, judge, Shard(code, number), terms).run()


def fork(body: Callable[[], None]) -> int:
    """Run it in a child that can be killed like any dispatcher; nothing of the parent's is closed by it."""
    child = os.fork()
    if child:
        return child
    code = 1
    with suppress(BaseException):
        try:
            body()
            code = 0
        except BaseException:
            traceback.print_exc()
            raise
    os._exit(code)


def kill_at_random(child: int, seconds: float) -> bool:
    """Let it live that long, then SIGKILL; False when it had ended by itself."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        ended, _ = os.waitpid(child, os.WNOHANG)
        if ended:
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def waited(child: int) -> int:
    """Exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def count_states(url: str) -> Counter[str]:
    """Rows by state."""
    with transaction(url) as connection:
        found = connection.execute(text("SELECT state_code, count(*) AS n FROM ops.notification GROUP BY 1"))
        return Counter({row.state_code: row.n for row in found})


def open_rows(url: str) -> int:
    """Rows that a dispatcher may still do something about."""
    states = count_states(url)
    return sum(states[state] for state in ("planned", "claimed", "rejected_retryable"))


@dataclass
class Storm:
    """Kills at random times until as many as wanted have struck, then calm until nothing is left to do.

    Attributes:
        kills: Kills that struck a living dispatcher.
        twice: Addresses the gateway delivered to more than once.
    """

    url: str
    gateway: GatewayProcess
    settles: Settles
    wanted_kills: int
    seed: int = 7
    terms: Terms = field(default_factory=lambda: Terms(lease_seconds=12.0, back_off_seconds=0.01, max_attempts=50))
    channel_terms: dict[str, Any] = field(default_factory=dict)
    codes: tuple[str, ...] = ("sms",)
    most_messages: int = 6  # of one life
    kills: int = 0
    lives: int = 0

    def blow(self, give_up_seconds: float = 540) -> None:
        dice = random.Random(self.seed)  # noqa: S311  the same lives every time
        give_up = time.monotonic() + give_up_seconds

        def body(at_work: int) -> None:
            def judge(connection: Any, row: Any, now: Any) -> Go:
                os.write(at_work, b".")
                return send_all(connection, row, now)

            way = lambda: self.gateway.channel(self.settles, **HASTY, **self.channel_terms)  # noqa: E731
            order = tuple(random.sample(range(SHARDS), SHARDS))
            work(self.url, way, self.terms, order, judge, self.codes)

        while open_rows(self.url) or self._is_settling():
            assert time.monotonic() < give_up, count_states(self.url)
            hears, says = os.pipe()
            child = fork(lambda says=says: body(says))
            os.close(says)
            self.lives += 1
            if self.kills < self.wanted_kills:
                self.kills += self._kill(child, hears, dice)
            else:
                while os.read(hears, 65536):
                    pass
                waited(child)
                time.sleep(0.1)
            os.close(hears)

    def _kill(self, child: int, hears: int, dice: random.Random) -> bool:
        """SIGKILL at a random place of one of its next messages, however long a message takes on this machine."""
        took = 0.02
        for _ in range(dice.randint(1, self.most_messages)):
            began = time.monotonic()
            if os.read(hears, 1) == b"":  # it has ended
                waited(child)
                return False
            took = time.monotonic() - began
        return kill_at_random(child, dice.uniform(0, min(took, 1.0)))

    def _is_settling(self) -> bool:
        return self.settles is not Settles.BY_PERSON and count_states(self.url)["unknown"] > 0

    def figures(self, planned: int) -> dict[str, Any]:
        """What came of it."""
        delivered, states = self.gateway.delivered(), count_states(self.url)
        with transaction(self.url) as connection:
            sent = set(
                connection.execute(
                    text("SELECT contact_point_id FROM ops.notification WHERE state_code = 'sent'")
                ).scalars()
            )
        return {
            "capability": self.settles.value,
            "planned": planned,
            "kills": self.kills,
            "lives": self.lives,
            "people reached": len(delivered),
            "people contacted twice": sum(1 for times in delivered.values() if times > 1),
            "states": dict(sorted(states.items())),
            "called sent that was not accepted": len(sent - set(delivered)),
            "accepted and not known": len(set(delivered) - sent),
        }
