"""Drills: a fault is injected, its code is seen, and after its cause is mended the page's own block of commands heals.

The cause lies outside, with whoever delivers or configures, and is mended as the page says in words; what is typed then
is read from the page. Drills of sending, approvals and feedback have modules of their own; codes whose fault is another
are followed in ``test_followed``.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from arrears import errors
from arrears.engine.duckdb import select_text
from arrears.errors import ArrearsError, PartitionStaleError, RunKeyMissingError
from arrears.jobs.publish import publish
from arrears.lake import Lake
from arrears.local.home import Home
from arrears.orchestration import callbacks
from arrears.orchestration import run as run_module
from arrears.quality.trend import TABLE as FIGURES
from arrears.quality.trend import same_weekdays
from arrears.warehouse import publication
from arrears.warehouse.connection import transaction
from pydantic import SecretStr
from runbooks.test_feedback_drills import CODES as OF_FEEDBACK
from runbooks.test_sending_drills import CODES as OF_SENDING
from sqlalchemy import make_url, text
from support.books import put
from support.day_book import FIRST, deliver, environment, make_day_book, noon, work_day
from support.drills import block_of

NEXT = FIRST + timedelta(days=1)
THIRD = FIRST + timedelta(days=2)
LATE = 2  # of the four loans of a day
RUN = ("run", "--portfolio", "book", "--date", str(FIRST))
FOLLOWED = {
    *("ARR-WHS-002", "ARR-AUD-001", "ARR-VLT-002", "ARR-RUN-LATE", "ARR-RUN-ALARM", "ARR-SND-006", "ARR-SND-008"),
    *(f"ARR-FBK-00{number}" for number in range(1, 5)),
}
BY_ITSELF = {
    *("ARR-WHS-001", "ARR-PUB-001", "ARR-PUB-002", "ARR-LAK-001", "ARR-LAK-004", "ARR-VAL-006"),
    *("ARR-LAK-005", "ARR-LAK-006", "ARR-RUN-KEY", "ARR-RUN-FAILED", "ARR-LOC-001"),
}
HOLD = """
import sys, time
from pathlib import Path
from arrears.local.home import Home
with Home(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""
SHRINKS = """
CREATE FUNCTION stg.forgets() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.loan_id = 'L0003' THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER forgets BEFORE INSERT ON stg.fct_loan_daily FOR EACH ROW EXECUTE FUNCTION stg.forgets()
"""


@dataclass(frozen=True)
class Fault:
    """One fault of a deployment.

    Attributes:
        spoil: Injects it.
        mend: Mends its cause, as the page says in words.
        seen_by: The command that ends with the code.
        day: What the page's ``D`` is.
        prepare: What the deployment is before anything runs.
        is_after_a_day: Whether a day is there before.
    """

    spoil: Callable
    mend: Callable = lambda book: deliver(book.settings, FIRST, loans=4)
    seen_by: tuple[str, ...] = RUN
    day: object = FIRST
    prepare: Callable = lambda _: None
    is_after_a_day: bool = False


class Book:
    """A portfolio over files, whose configuration can be spoiled and restored."""

    def __init__(self, folder, patch):
        self.settings, self.patch = make_day_book(folder), patch
        strategy = self.settings.strategies / "path.yaml"  # with templates that there are
        strategy.write_text(
            strategy.read_text().replace("hello}", "friendly_reminder}").replace("talk}", "how_to_pay}")
        )
        deliver(self.settings, FIRST, loans=4)
        self.folder = self.settings.portfolios / "book"
        shutil.copytree(self.folder, folder / "kept")
        self.kept = folder / "kept"

    def file(self, noun="loan", day=FIRST):
        return self.settings.portfolios.parent / "landing" / f"{noun}_{day - timedelta(days=1)}.csv"

    def edit(self, name, old, new):
        path = self.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    def by_inbox(self):
        """The same files, as deliveries with a control file."""
        path = self.folder / "portfolio.yaml"
        said = yaml.safe_load(path.read_text())
        landing = self.file().parent
        source = {key: value for key, value in said["source"].items() if key != "settle_seconds"}
        said["source"] = {**source, "kind": "inbox", "archive": str(landing.with_name("archive"))}
        path.write_text(yaml.safe_dump(said, sort_keys=False))
        self.drop()

    def drop(self, *, closing_date=None, rows=0):
        """Deliver the day anew, its control file last; with another date or number of rows in it, if so wanted."""
        deliver(self.settings, FIRST, loans=4)
        landing, close = self.file().parent, FIRST - timedelta(days=1)
        self.list_files(closing_date or close, landing, close, rows)

    @staticmethod
    def list_files(said, landing, close, rows=0):
        listed = []
        for path in sorted(landing.glob(f"*_{close}.csv")):
            content = path.read_bytes()
            listed.append(
                {
                    "name": path.name,
                    "kind": path.name.removesuffix(f"_{close}.csv"),
                    "rows": content.count(b"\n") - 1 + rows,
                    "sums": {},
                    "sha256": hashlib.sha256(content).hexdigest(),
                }
            )
        control = {"closing_date": str(said), "files": listed}
        (landing / f"control_{close}.json").write_text(json.dumps(control))

    def restore(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.kept, self.folder)


def spoiled_line(old, new, noun="loan"):
    def spoil(book):
        text = book.file(noun).read_text()
        assert old in text
        book.file(noun).write_text(text.replace(old, new))

    return spoil


def other_source(book):
    source = next(line for line in (book.folder / "portfolio.yaml").read_text().splitlines() if "source:" in line)
    book.edit("portfolio.yaml", source, "source: {kind: database, url: 'postgresql://nobody@127.0.0.1:1/none'}")


def linked(book):
    book.file().rename(book.file().with_name("elsewhere"))
    book.file().symlink_to(book.file().with_name("elsewhere"))


def unlinked(book):
    book.file().unlink()
    deliver(book.settings, FIRST, loans=4)


def flipped_bit(book):
    root = Path(book.settings.lake_url.removeprefix("file://"))
    (path,) = root.rglob(f"raw__loan/business_date={FIRST}/part-*.parquet")
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])


def restored(book):
    book.restore()


def collapsed(book):
    """Three Mondays had sixty loans each; today's file was cut short."""
    for day in same_weekdays(FIRST)[:3]:
        figure = {"table_name": "raw__loan", "profile_code": "rows", "profile_value": 60, "verdict_code": "ok"}
        put(book.settings, FIGURES, day, [figure])


def corrected(book):
    """The sender drops other content under names that were picked up."""
    book.drop()
    spoiled_line(",tour,", ",cruise,")(book)
    book.list_files(FIRST - timedelta(days=1), book.file().parent, FIRST - timedelta(days=1))


EXPLAIN = ("explain", "L0000", "--portfolio", "book", "--date", str(FIRST))
FAULTS = {
    "ARR-CFG-001": Fault(lambda book: book.edit("portfolio.yaml", "currency: CNY", "currency: yuan"), restored),
    "ARR-CFG-002": Fault(lambda book: book.folder.rename(book.folder.with_name("boook")), restored),
    "ARR-CFG-003": Fault(lambda book: book.edit("portfolio.yaml", "Asia/Shanghai", "America/Havana"), restored),
    "ARR-EXT-001": Fault(lambda book: book.file().unlink()),
    "ARR-EXT-002": Fault(other_source, restored),
    "ARR-EXT-003": Fault(spoiled_line("loan_id,", "loan,")),
    "ARR-EXT-004": Fault(
        lambda book: (book.folder / "loan.sql").write_text(
            "SELECT * REPLACE (CAST(principal_minor AS DOUBLE) AS principal_minor) FROM loan\n"
        ),
        restored,
    ),
    "ARR-EXT-005": Fault(spoiled_line("L0001,", '"L0001,')),
    "ARR-EXT-006": Fault(lambda book: (book.folder / "loan.sql").write_text("SELEC * FROM loan\n"), restored),
    "ARR-EXT-007": Fault(lambda book: book.drop(closing_date=NEXT), Book.drop, prepare=Book.by_inbox),
    "ARR-EXT-008": Fault(corrected, lambda _: None, prepare=Book.by_inbox, is_after_a_day=True),
    "ARR-EXT-009": Fault(spoiled_line("L0001,", "L" * (2 << 20) + ",")),
    "ARR-EXT-010": Fault(linked, unlinked),
    "ARR-VAL-001": Fault(spoiled_line(",CNY,", ",XXX,")),
    "ARR-VAL-002": Fault(lambda book: book.drop(rows=1), Book.drop, prepare=Book.by_inbox),
    "ARR-VAL-003": Fault(collapsed, lambda book: deliver(book.settings, FIRST)),
    "ARR-VAL-005": Fault(
        lambda book: deliver(book.settings, NEXT, loans=1),
        lambda book: deliver(book.settings, NEXT, loans=4),
        ("run", "--portfolio", "book", "--date", str(NEXT)),
        NEXT,
        is_after_a_day=True,
    ),
    "ARR-VAL-004": Fault(lambda book: book.file().write_text(book.file().read_text().splitlines()[0] + "\n")),
    "ARR-LAK-002": Fault(lambda _: None, lambda _: None, EXPLAIN),
    "ARR-LAK-003": Fault(flipped_bit, lambda _: None, EXPLAIN, is_after_a_day=True),
    "ARR-RUL-001": Fault(lambda _: None, lambda _: None, ("explain", "L9999", *EXPLAIN[2:]), is_after_a_day=True),
    "ARR-RUN-PREDECESSOR": Fault(
        lambda book: deliver(book.settings, NEXT, loans=4),
        lambda _: None,
        ("run", "--portfolio", "book", "--date", str(NEXT)),
    ),
}
OFTEN = {"ARR-CFG-003", "ARR-EXT-005", "ARR-VAL-001"}


@pytest.fixture
def book(tmp_path, monkeypatch):
    found = Book(tmp_path, monkeypatch)
    for name in list(environment(found.settings)):
        if name.startswith("ARREARS_"):
            monkeypatch.setenv(name, environment(found.settings)[name])
    monkeypatch.delenv("ARREARS_WAREHOUSE_URL", raising=False)
    return found


@pytest.mark.parametrize(
    "code", [pytest.param(code, marks=() if code in OFTEN else pytest.mark.chaos) for code in FAULTS]
)
def test_fault_is_named_by_its_code_and_healed_by_the_commands_of_its_page(book, typed, followed, code):
    fault = FAULTS[code]
    fault.prepare(book)
    if fault.is_after_a_day:
        followed([RUN])
    fault.spoil(book)

    status, said = typed(fault.seen_by)
    assert (status, code in said) == (1, True), said

    fault.mend(book)
    followed(block_of(code, P="book", D=fault.day, NEXT=NEXT, LOAN="L0000"))
    lake = Lake(book.settings.lake_url)
    assert fault.day in lake.dates("book", "out__contact_plan_daily")
    if fault.seen_by is EXPLAIN:
        followed([fault.seen_by])


def without_new_payments(book):
    """The feed broke off nine days ago; on three Mondays it was whole. What is there says nothing wrong."""
    figures = {("raw__loan", "slice_rows"): 160, ("raw__transaction", "slice_newest_days"): 1}
    for day in same_weekdays(FIRST)[:3]:
        past = [
            {"table_name": table, "profile_code": f"{kind}__tour", "profile_value": value, "verdict_code": "ok"}
            for (table, kind), value in figures.items()
        ]
        put(book.settings, FIGURES, day, past)
    since = (FIRST - timedelta(days=10)).isoformat()
    header, *lines = book.file("transaction").read_text().splitlines()
    effective = header.split(",").index("effective_on")
    kept = [line for line in lines if line.split(",")[effective] <= since]
    assert 0 < len(kept) < len(lines)
    book.file("transaction").write_text("\n".join([header, *kept, ""]))


@pytest.fixture
def served(book, monkeypatch, own_warehouse_url):
    """The book, with a warehouse."""
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", own_warehouse_url)
    book.settings = book.settings.model_copy(update={"warehouse_url": SecretStr(own_warehouse_url)})
    return book


def heal(code):
    """The page's commands, about the first day."""
    return block_of(code, P="book", D=FIRST)


@pytest.mark.chaos
@pytest.mark.usefixtures("book")
def test_warehouse_that_is_away_is_there_again(typed, followed, monkeypatch, own_warehouse_url):
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", str(make_url(own_warehouse_url).set(port=1)))
    status, said = typed(["status"])
    assert (status, "ARR-WHS-001" in said) == (1, True)

    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", own_warehouse_url)

    followed(heal("ARR-WHS-001"))


@pytest.mark.chaos
def test_publication_beside_another_is_made_once_that_has_ended(served, typed, followed, monkeypatch):
    monkeypatch.setattr(publication, "LOCK_SECONDS", 1)
    with publication.only_publisher(served.settings.warehouse, "book"):
        status, said = typed(RUN)
        assert (status, "ARR-PUB-002" in said) == (1, True)

    followed(heal("ARR-PUB-002"))


@pytest.mark.chaos
def test_rows_that_somebody_takes_out_of_staging_are_staged_anew(served, typed, followed):
    """Another deployment on the same database, say."""
    with transaction(served.settings.warehouse) as connection:
        connection.execute(text(SHRINKS))
    status, said = typed(RUN)
    assert (status, "ARR-PUB-001" in said) == (1, True), said

    with transaction(served.settings.warehouse) as connection:
        connection.execute(text("DROP FUNCTION stg.forgets CASCADE"))
    followed(heal("ARR-PUB-001"))

    assert loans_published(served) == LATE


@pytest.mark.chaos
def test_product_whose_feed_broke_off_is_rung_until_it_is_delivered(served, typed, followed):
    deliver(served.settings, FIRST, loans=160)
    without_new_payments(served)
    followed([RUN])
    status, said = typed(["watch"])
    assert (status, "ARR-VAL-006" in said, "slice_newest_days__tour" in said) == (1, True, True), said

    deliver(served.settings, FIRST, loans=160)
    followed(heal("ARR-VAL-006"))

    assert "ARR-VAL-006" not in typed(["watch"])[1]


@pytest.mark.chaos
def test_day_whose_configuration_moved_before_it_was_published_is_restated(served, followed):
    work_day(served.settings.model_copy(update={"warehouse_url": None}), FIRST)
    served.edit("portfolio.yaml", "title: Test book", "title: The same book")
    with pytest.raises(PartitionStaleError, match="ARR-LAK-004"):
        publish("book", FIRST, is_backfill=False, now=noon(FIRST), settings=served.settings)

    followed(heal("ARR-LAK-004"))

    assert loans_published(served) == LATE


@pytest.mark.chaos
def test_snapshot_that_retention_dropped_is_made_anew_from_the_source(served, typed, followed, monkeypatch):
    for day in (FIRST, NEXT, THIRD):
        deliver(served.settings, day, loans=4)
        followed([("run", "--portfolio", "book", "--date", str(day))])
    monkeypatch.setenv("ARREARS_KEEP_FULL_SNAPSHOTS_DAYS", "1")
    monkeypatch.setenv("ARREARS_KEEP_MONTH_ENDS_MONTHS", "0")
    followed([("retention", "--portfolio", "book", "--drop")])
    status, said = typed(EXPLAIN)
    assert (status, "ARR-LAK-005" in said) == (1, True), said

    followed(heal("ARR-LAK-005"))

    followed([EXPLAIN])


@pytest.mark.chaos
def test_release_with_a_wrong_select_writes_nothing_until_it_is_mended(book, typed, followed, monkeypatch):
    def released(name):
        right = select_text(name)
        wrong = "SELECT * REPLACE (CAST(past_due_days AS VARCHAR) AS past_due_days)"
        return f"{wrong} FROM ({right})" if name == "core__loan_delinquency_daily" else right

    with monkeypatch.context() as release:
        release.setattr("arrears.jobs.day.select_text", released)
        status, said = typed(RUN)
    assert (status, "ARR-LAK-001" in said, "past_due_days" in said) == (1, True, True), said
    assert Lake(book.settings.lake_url).dates("book", "core__loan_delinquency_daily") == []

    followed(heal("ARR-LAK-001"))


@pytest.mark.chaos
def test_full_disk_is_told_and_the_day_made_once_there_is_room(book, followed, tmp_path):
    """A real one: a tmpfs of some kB under the lake, in a namespace of the command's own."""
    lake = tmp_path / "lake"
    lake.mkdir(exist_ok=True)
    mounted = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size=200k tmpfs {lake} && exec "$@"', "sh"]
    if subprocess.run([*mounted, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no disk may be mounted here")

    command = [*mounted, sys.executable, "-m", "arrears", *RUN]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(book.settings))
    assert (done.returncode, "ARR-LAK-006" in done.stderr) == (1, True), done.stderr

    followed(heal("ARR-LAK-006"))


@pytest.mark.chaos
def test_killed_run_is_named_by_status_and_made_anew(served, followed, tmp_path):
    """The process dies by SIGKILL, as from lack of memory; the run's own callback is all that speaks."""
    run = SimpleNamespace(dag_id="collections_daily__book", partition_key=str(FIRST), run_id="scheduled__1")
    marker = tmp_path / "armed"
    marker.touch()
    dying = {"ARREARS_FAILPOINT": "lake.part_written/core__case_daily", "ARREARS_FAILPOINT_FILE": str(marker)}
    callbacks.run_started({"dag_run": run})
    command = [sys.executable, "-m", "arrears", *RUN]
    killed = subprocess.run(command, check=False, capture_output=True, env={**environment(served.settings), **dying})
    assert killed.returncode == -signal.SIGKILL
    callbacks.run_failed({"dag_run": run})

    named, _ = followed(heal("ARR-RUN-FAILED"))

    assert ("ARR-RUN-FAILED" in named, str(FIRST) in named, loans_published(served)) == (True, True, LATE)


@pytest.mark.chaos
def test_run_without_a_date_is_started_anew_with_one(served, typed, followed, monkeypatch):
    run = SimpleNamespace(dag_id="collections_daily__book", partition_key=None, run_id="manual__1", run_type="manual")
    context = {"dag_run": run, "ti": SimpleNamespace(task_id="extract")}
    monkeypatch.setattr(run_module, "get_current_context", lambda: context)
    with pytest.raises(RunKeyMissingError) as ended:
        run_module.current_run()
    callbacks.task_failed({**context, "exception": ended.value})
    assert "ARR-RUN-KEY" in typed(("status",))[1]

    followed(heal("ARR-RUN-KEY"))

    assert loans_published(served) == LATE


def test_servers_of_another_process_are_stopped_by_the_command(typed, followed, monkeypatch, tmp_path):
    home = Home(tmp_path)
    monkeypatch.setattr("arrears.local.cli._home", lambda: home)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        status, said = typed(("local", "up"))
        assert (status, "ARR-LOC-001" in said, str(holder.pid) in said) == (1, True, True), said

        followed(heal("ARR-LOC-001"))

        assert os.waitstatus_to_exitcode(os.waitpid(holder.pid, 0)[1]) == -signal.SIGTERM
        assert home.lock_holder() is None
    finally:
        holder.kill()
        holder.stdout.close()


def loans_published(book):
    """Loans past due on the first day, as readers see them."""
    with transaction(book.settings.warehouse) as connection:
        asked = "SELECT count(*) FROM bi.loan_daily WHERE business_date = :day"
        return connection.execute(text(asked), {"day": FIRST}).scalar_one()


def test_every_code_is_drilled():
    """Which test follows a page is said once: two would be one too many."""
    codes = {
        one.code
        for one in vars(errors).values()
        if isinstance(one, type) and issubclass(one, ArrearsError) and one is not ArrearsError
    }
    drilled = [*FAULTS, *BY_ITSELF, *FOLLOWED, *OF_SENDING, *OF_FEEDBACK]

    assert sorted(drilled) == sorted(codes)
