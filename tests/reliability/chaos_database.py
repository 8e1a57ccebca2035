"""PostgreSQL restarted hard, or cut off during COMMIT, while days are published: what a reader sees is always whole.

Two contents of one date are published in turn. A reader compares fact, aggregate, ledger and freshness in one statement
all the while; whoever lost its connection is run again as it is.
"""

import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from arrears.local.postgres import EmbeddedPostgres
from arrears.warehouse.migrate import upgrade
from pydantic import SecretStr
from reliability.report import Part
from sqlalchemy import make_url
from support.day_book import FIRST, deliver, environment, fingerprint, make_day_book, messages, work_day
from support.proxy import CommitCutter
from support.zygote import Zygote

RESTARTS, RESETS = 50, 50
LEDGER_ROW = b"INSERT INTO ops.publish_ledger"
READ = """
SELECT
    (SELECT count(*) FROM mart.fct_loan_daily),
    (SELECT sum(past_due_minor) FROM mart.fct_loan_daily),
    (SELECT sum(past_due_minor) FROM mart.fct_portfolio_daily),
    (SELECT content_hash FROM ops.publish_ledger ORDER BY published_at DESC LIMIT 1),
    (SELECT string_agg(DISTINCT content_hash, ',') FROM ops.data_freshness WHERE dataset = 'fct_loan_daily')
"""


class Reader(threading.Thread):
    """Reads until it is told to stop, and notes every answer it has seen."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self._url, self.ended = url.replace("+psycopg", ""), threading.Event()
        self.reads = self.lost = 0
        self.seen = {}

    def run(self):
        while not self.ended.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True, connect_timeout=2) as connection:
                    while not self.ended.is_set():
                        answer = connection.execute(READ).fetchone()
                        self.reads += 1
                        self.seen[answer] = self.seen.get(answer, 0) + 1
                        time.sleep(0.005)
            except psycopg.Error:
                self.lost += 1
                time.sleep(0.05)


def restart(server):
    """As a machine that loses power: no checkpoint, no goodbye."""
    server._as_service(server._pg_ctl("-m", "immediate", "-w", "stop"))  # noqa: SLF001  no public way to be so rude
    server.start()


def answer_of(url):
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(READ).fetchone()


class Harm:
    """Two contents of one date, published in turn while the database dies."""

    def __init__(self, server, folder):
        self.server, self.url, self.dice = server, server.url("arrears"), random.Random(1)
        books = [make_day_book(folder / book) for book in ("one", "other")]
        for late, book in zip((0, 20), books, strict=True):
            deliver(book, FIRST, late=late)
            work_day(book, FIRST)
        self.books = [book.model_copy(update={"warehouse_url": SecretStr(self.url)}) for book in books]
        expected, answers = [], []
        for book in self.books * 2:  # a date that was never published before is no restatement
            work_day(book, FIRST, only=("publish",))
            expected.append(fingerprint(book))
            answers.append(answer_of(self.url))
        self.expected, self.answers = expected[2:], answers[2:]
        self.failed = self.differs = self.reruns = 0
        self.before, self.zygote, self.reader = messages(self.books[0]), Zygote(), Reader(self.url)
        self.reader.start()
        began = time.monotonic()
        self.publish(environment(self.books[0]))
        self.usual = time.monotonic() - began

    def publish(self, variables, *, waits=True):
        order = {"business_date": str(FIRST), "only": ["publish"]}
        start = self.zygote.run if waits else self.zygote.start
        return start(variables, "day", **order)

    def strike(self, number, *, is_restart):
        """Publish the other content, and let the database die meanwhile; run again what failed."""
        which = (number + 1) % 2
        variables = {**environment(self.books[which]), "QUIET": "1"}
        if is_restart:
            self.publish(variables, waits=False)
            time.sleep(self.dice.uniform(0, self.usual))
            restart(self.server)
            status = self.zygote.wait()
        else:
            strikes = self.dice.choice((["answer lost"], ["never arrived"], ["never arrived", "never arrived"]))
            proxy = CommitCutter(make_url(self.url).port, LEDGER_ROW, strikes)
            through = make_url(self.url).set(port=proxy.port).render_as_string(hide_password=False)
            status = self.publish({**variables, "ARREARS_WAREHOUSE_URL": through})
            proxy.close()
        if status != 0:
            self.reruns += 1
            self.failed += self.publish(environment(self.books[which])) != 0
        self.differs += fingerprint(self.books[which]) != self.expected[which]

    def end(self):
        """Stop reading; what is left in the outbox."""
        self.reader.ended.set()
        self.reader.join()
        self.zygote.close()
        self.after = messages(self.books[0])

    @property
    def torn(self):
        """Reads whose figures are of no publication."""
        return sum(times for answer, times in self.reader.seen.items() if answer not in self.answers)


def main():
    """Restart, cut, and leave the part."""
    restarts = int(sys.argv[1]) if len(sys.argv) > 1 else RESTARTS
    resets = int(sys.argv[2]) if len(sys.argv) > 2 else RESETS
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="arrears-database-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)  # PostgreSQL may run as another user
        server = EmbeddedPostgres(Path(name) / "pg")
        server.start()
        try:
            upgrade(server.url("arrears"))
            harm = Harm(server, Path(name))
            for number in range(restarts + resets):
                harm.strike(number, is_restart=number < restarts)
            harm.end()
        finally:
            server.stop()
    part = Part("database", "A database that dies", "python tests/reliability/chaos_database.py", order=2)
    part.about = (
        "Two contents of one date published in turn; PostgreSQL stopped with `immediate` at a random moment, or the "
        "connection cut at COMMIT (answer lost, or never arrived); a reader compares fact, aggregate, ledger and "
        "freshness in one statement."
    )
    part.figure("restarts", restarts)
    part.figure("connections cut during COMMIT", resets)
    part.figure("restarts and cuts", restarts + resets, "at least 100", holds=restarts + resets >= 100)
    part.figure("reads", harm.reader.reads, "at least 2000", holds=harm.reader.reads >= 2000)
    part.figure("torn reads", harm.torn, 0)
    part.figure("connections that the reader lost", harm.reader.lost)
    part.figure("publications that ended with an error and were run again", harm.reruns)
    part.figure("reruns that failed, or needed a hand", harm.failed, 0)
    part.figure("dates that are not what was published last", harm.differs, 0)
    part.figure("messages lost or doubled", abs(harm.after[0] - harm.before[0]) + harm.after[1], 0)
    part.seconds = time.monotonic() - began
    part.write()
    sys.stderr.write(f"{part.rows}\n")
    return int(not all(row["holds"] for row in part.rows))


if __name__ == "__main__":
    raise SystemExit(main())
