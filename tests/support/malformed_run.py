"""Runs one malformed delivery through extract, validation and ageing, and says what is not as it must be."""

import io
import logging
import resource
import time
from dataclasses import dataclass, field

from arrears.errors import ArrearsError
from arrears.jobs.age import age
from arrears.jobs.validate import validate
from arrears.sources.parsing import _rooms

from support.books import FIRST, rows_of
from support.deliveries import CLOSE, HEADERS, extract_all, landing, make_file_book
from support.malformed import CANARY, LOANS, MUTATORS, PARQUET_MUTATORS, Expected, as_parquet, flipped, sound

AGES = ("past_due_days", "delinquent_days", "past_due_minor", "bucket")
STOPS = ("fail", "hold")
SLOWEST = 10.0


@dataclass
class Judged:
    """What became of one delivery.

    Attributes:
        code: Code of the one error; empty when the day went on.
        named: Rules of named rows.
        held: Loans whose age differs from the sound book's, each named in quarantine, so that contact stops.
        seconds: Of CPU, from the first byte to the end: others may share the machine.
        problems: Whatever is not as it must be, in words.
    """

    code: str = ""
    named: set = field(default_factory=set)
    held: int = 0
    seconds: float = 0
    problems: list = field(default_factory=list)


def write(settings, files):
    """Put files into the landing folder: bytes by noun, or by ``<noun>.gz`` in its place."""
    for noun, content in files.items():
        path = landing(settings, noun.partition(".")[0])
        if noun.endswith(".gz"):
            path.unlink(missing_ok=True)
            path = path.with_name(f"{path.name}.gz")
        path.write_bytes(content)


def book_of(folder, *, parquet=False):
    """A portfolio over a landing folder that takes CSV, packed or not; its transactions as Parquet when asked."""
    settings = make_file_book(folder)
    path = settings.portfolios / "book" / "portfolio.yaml"
    text = path.read_text().replace("{closing_date}.csv'", "{closing_date}.csv*'")
    if parquet:
        declared = f"columns: [{HEADERS['transaction']}]"
        text = text.replace(declared, "format: parquet")
        text = text.replace("transaction_{closing_date}.csv*", "transaction_{closing_date}.csv")
    path.write_text(text)
    return settings


def work(settings):
    """The day as far as its ages: summaries, and ages by loan."""
    extract_all(settings)
    summary = validate("book", FIRST, settings=settings)
    age("book", FIRST, settings=settings)
    rows = rows_of(settings, "core__loan_delinquency_daily", FIRST)
    return summary, {row["loan_id"]: tuple(row[name] for name in AGES) for row in rows}


def ages_of_sound(folder, seed):
    """Ages of the book before anything is spoiled."""
    settings = book_of(folder)
    write(settings, sound(seed))
    summary, ages = work(settings)
    assert summary["quarantined"] == 0
    assert len(ages) == LOANS
    return ages


def judge_csv(folder, name, seed, dice, ages):
    """Spoil the book of a seed by one mutator, and run it."""
    settings, files = book_of(folder), sound(seed)
    expected = MUTATORS[name](dice, files)
    write(settings, sound(seed))
    write(settings, files)
    return _judged(settings, expected, ages, files)


def judge_parquet(folder, name, seed, dice, ages):
    """The same with transactions in Parquet."""
    settings, files = book_of(folder, parquet=True), sound(seed)
    change, codes = PARQUET_MUTATORS[name]
    files["transaction"] = change(dice, as_parquet(files["transaction"]))
    write(settings, files)
    expected = Expected("file", codes, "transaction", may_change_nothing=change is flipped)
    return _judged(settings, expected, ages, files)


def _judged(settings, expected, ages, files):
    found, log = Judged(), io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    began = time.process_time()
    try:
        summary, aged = work(settings)
    except ArrearsError as error:
        found.code = error.code
        _check_refused(found, error, expected)
    except Exception as error:  # noqa: BLE001  whatever it is, it is what must not be
        found.problems.append(f"an error without a code: {type(error).__name__}")
    else:
        _check_rows(found, settings, expected, summary, files)
        _check_ages(found, settings, aged, ages)
        if expected.outcome == "file" and not (expected.may_change_nothing and aged == ages):
            found.problems.append("the file was taken")
        if CANARY in str(summary):
            found.problems.append("a value in the summary")
    finally:
        logging.getLogger().removeHandler(handler)
    found.seconds = time.process_time() - began
    if CANARY in log.getvalue():
        found.problems.append("a value in the log")
    if found.seconds > SLOWEST:
        found.problems.append(f"{found.seconds:.1f} s")
    return found


def _check_refused(found, error, expected):
    codes = (expected.code,) if isinstance(expected.code, str) else expected.code
    if expected.outcome != "file" or error.code not in codes:
        found.problems.append(f"refused with {error.code}, not {expected.outcome} {expected.code}: {error}")
    if CANARY in str(error):
        found.problems.append("a value in the message")
    names = f"{expected.noun}_{CLOSE}" if error.code.startswith("ARR-EXT") else f"raw__{expected.noun}"
    if names not in str(error) and "raw__loan" not in str(error):
        found.problems.append(f"the file is not named: {error}")
    if expected.line and f"line {expected.line}" not in str(error):
        found.problems.append(f"line {expected.line} is not named: {error}")


def _check_rows(found, settings, expected, summary, files):
    kept = rows_of(settings, "out__quarantine", FIRST)
    found.named = {row["rule_id"] for row in kept}
    if (expected.outcome == "sound" or expected.may_change_nothing) and kept:
        found.problems.append(f"a sound file has rows in quarantine: {found.named}")
    for rule in expected.rules:
        named = {(row["table_name"], row["source_line"], row["rule_id"]) for row in kept}
        if (f"raw__{expected.noun}", expected.line, rule) not in named:
            found.problems.append(f"{expected.noun} line {expected.line} {rule} is not named, but {named}")
        columns = {row["column_name"] for row in kept if row["rule_id"] == rule}
        if expected.column and expected.column not in columns:
            found.problems.append(f"column {expected.column} is not named, but {columns}")
    for noun, counts in summary["tables"].items():
        physical = (
            len(files[noun].decode("utf-8-sig").splitlines()) - 1
            if noun in files and not _packed(files[noun])
            else None
        )
        if physical is not None and counts["rows"] != physical:
            found.problems.append(f"{noun}: {physical} lines, {counts['rows']} rows")
        if counts["accepted"] + counts["rejected"] != counts["rows"]:
            found.problems.append(f"{noun}: {counts}")


def _packed(content):
    return content[:4] == b"PAR1"


def _check_ages(found, settings, aged, ages):
    stopped = {row["loan_id"] for row in rows_of(settings, "out__quarantine", FIRST) if row["severity_code"] in STOPS}
    for loan, figures in aged.items():
        if figures == ages.get(loan):
            continue
        if loan in stopped:
            found.held += 1
        else:
            found.problems.append(f"a wrong age is published: {loan}")
    gone = {loan for loan in ages if loan not in aged}
    if len(gone) > 1:
        found.problems.append(f"{len(gone)} loans are gone")


def peak_mb():
    """Largest memory of any child so far; the room that reads files is closed for it, the next file opens another."""
    for room in _rooms.values():
        room.close()
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
