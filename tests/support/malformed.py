"""Malformed deliveries: a sound book of a seed, and mutators that spoil one thing of it, each with what must follow.

A mutator takes the dice and the delivery, changes the delivery in place, and answers an ``Expected``. Values that it
plants hold ``CANARY``: told anywhere outside the vault, a test fails.
"""

import gzip
import io
import random
from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from support.deliveries import CLOSE, HEADERS

CANARY = "13800138000"
LOANS = 24
COLUMNS = {noun: header.split(",") for noun, header in HEADERS.items()}
NOUNS = tuple(HEADERS)


@dataclass(frozen=True)
class Expected:
    """What must follow.

    Attributes:
        outcome: ``sound`` (nothing is wrong with it), ``rows`` (rows are named, the rest goes on), ``held`` (nothing in
            the file is wrong, and it contradicts others: contact stops) or ``file`` (the whole
            file is refused).
        code: Of a refused file: the one code.
        noun: Whose file.
        line: Line that is named, where one is at fault.
        column: Column that is named, where one is.
        rules: Of named rows: the rules, each at least once, beside what follows from them.
        may_change_nothing: The file may be taken where every row of it is as it was: a bit of no value was hit.
    """

    outcome: str
    code: str = ""
    noun: str = ""
    line: int | None = None
    column: str = ""
    rules: frozenset[str] = field(default_factory=frozenset)
    may_change_nothing: bool = False


def sound(seed):
    """A book of so many loans: bytes of each file by noun."""
    dice = random.Random(seed)
    rows = {noun: [HEADERS[noun]] for noun in NOUNS}
    for number in range(1, LOANS + 1):
        loan, terms = f"LN{seed:02d}{number:03d}", dice.randint(2, 5)
        principal, interest = dice.randrange(5_000, 90_000, 100), dice.randrange(100, 900)
        first_due = CLOSE - timedelta(days=dice.randint(0, 75))
        dues = [first_due + timedelta(days=30 * term) for term in range(terms)]
        due = [term for term, on in enumerate(dues) if on <= CLOSE]
        paid = dice.randint(0, len(due))
        disbursed = first_due - timedelta(days=30)
        rows["loan"].append(
            f"{loan},BR{seed:02d}{number:03d},tour,CNY,{principal * terms},{disbursed},{dues[-1]},active,"
            f"{principal * (terms - paid)}"
        )
        rows["instalment"] += [f"{loan},{term + 1},{on},{principal},{interest},0,0" for term, on in enumerate(dues)]
        rows["transaction"] += [
            f"TX{seed:02d}{number:03d}{term},{loan},repayment,{dues[term]},{dues[term]}T10:00:00+08:00,"
            f"{principal + interest},"
            for term in range(paid)
        ]
    return {noun: ("\n".join(lines) + "\n").encode() for noun, lines in rows.items()}


# ------------------------------------------------------------------------------------------------------- the tools
def lines_of(files, noun):
    return files[noun].decode().splitlines()


def put(files, noun, lines):
    files[noun] = ("\n".join(lines) + "\n").encode()


def some_line(dice, files, noun, where=lambda _: True):
    """Index of a data line of a noun."""
    return dice.choice([n for n, line in enumerate(lines_of(files, noun)) if n and where(line)])


def set_value(column, value, *rules, nouns):
    """A mutator that sets one value of one row."""

    def mutate(dice, files):
        noun = dice.choice([noun for noun in nouns if column in COLUMNS[noun]])
        lines, number = lines_of(files, noun), some_line(dice, files, noun)
        cells = lines[number].split(",")
        cells[COLUMNS[noun].index(column)] = value(cells[COLUMNS[noun].index(column)]) if callable(value) else value
        lines[number] = ",".join(cells)
        put(files, noun, lines)
        return Expected("rows", noun=noun, line=number + 1, column=column, rules=frozenset(rules))

    return mutate


def header(change, code="ARR-EXT-003"):
    def mutate(dice, files):
        noun = dice.choice(NOUNS)
        lines = lines_of(files, noun)
        lines[0] = ",".join(change(dice, lines[0].split(",")))
        put(files, noun, lines)
        return Expected("file", code, noun, line=1)

    return mutate


def content(change, outcome="sound", code="", line=None):
    def mutate(dice, files):
        noun = dice.choice(NOUNS)
        files[noun] = change(dice, files[noun])
        return Expected(outcome, code, noun, line=line)

    return mutate


def on_a_line(change, *, code="", rules=()):
    """A mutator of the text of one line."""

    def mutate(dice, files):
        noun = dice.choice(NOUNS)
        lines, number = lines_of(files, noun), some_line(dice, files, noun)
        lines[number] = change(lines[number])
        put(files, noun, lines)
        return Expected("file" if code else "rows", code, noun, line=number + 1, rules=frozenset(rules))

    return mutate


def replaced(dice, names):
    names[dice.randrange(len(names))] = CANARY
    return names


def reordered(_, names):
    return [names[1], names[0], *names[2:]]


def mixed_line_ends(dice, text):
    return b"".join(line + (b"\r\n" if dice.random() < 0.5 else b"\n") for line in text.splitlines())


# ------------------------------------------------------------------------------------------------- single mutators
def duplicate_loan(*, is_same):
    def mutate(dice, files):
        lines = lines_of(files, "loan")
        number = some_line(dice, files, "loan")
        again = lines[number] if is_same else lines[number].replace(",tour,", f",{CANARY},")
        put(files, "loan", [*lines, again])
        return Expected("rows", noun="loan", line=len(lines) + 1, column="loan_id", rules=frozenset({"unique"}))

    return mutate


def truncated_last_line(dice, files):
    noun = dice.choice(NOUNS)
    text = files[noun].rstrip(b"\n")
    last = text.splitlines()[-1]
    keep = dice.randint(1, last.rindex(b","))  # at least one delimiter of the last line is gone
    files[noun] = text[: len(text) - len(last) + keep]
    return Expected("rows", noun=noun, line=len(text.splitlines()), rules=frozenset({"file.columns"}))


def header_only(dice, files):
    noun = dice.choice(NOUNS)
    files[noun] = files[noun].splitlines(keepends=True)[0]
    code = {"loan": "ARR-VAL-004", "instalment": "ARR-VAL-004"}.get(noun, "")
    return Expected("file" if code else "held", code, noun)


def cut_at_a_line(dice, files):
    """The file ends early, between two lines: nothing in it says that it does."""
    lines = lines_of(files, "transaction")
    put(files, "transaction", lines[: dice.randint(1, max(1, len(lines) - 2))])
    return Expected("held", noun="transaction")


def large_cell(dice, files):
    noun = dice.choice(NOUNS)
    lines, number = lines_of(files, noun), some_line(dice, files, noun)
    cells = lines[number].split(",")
    column = dice.choice(COLUMNS[noun])
    cells[COLUMNS[noun].index(column)] = CANARY * (10 * 2**20 // len(CANARY))
    lines[number] = ",".join(cells)
    put(files, noun, lines)
    return Expected("file", "ARR-EXT-009", noun, line=number + 1)


def gbk(dice, files):
    return on_a_line(lambda line: line)(dice, files) and _with_bytes(dice, files, "张三".encode("gbk"))


def _with_bytes(dice, files, foreign):
    noun = dice.choice(NOUNS)
    lines = files[noun].splitlines()
    number = dice.randrange(1, len(lines))
    lines[number] = foreign + lines[number]
    files[noun] = b"\n".join(lines) + b"\n"
    return Expected("file", "ARR-EXT-005", noun, line=number + 1)


def torn_gzip(dice, files):
    noun = dice.choice(NOUNS)
    packed = gzip.compress(files[noun])
    files[f"{noun}.gz"] = packed[: dice.randint(20, len(packed) - 9)]
    return Expected("file", "ARR-EXT-005", noun)


def doubled(text):
    """A date in February that is none."""
    return f"{text[:4]}-02-31"


MONEY = {"nouns": ("transaction", "instalment")}
DATED = {"nouns": ("instalment", "transaction", "loan")}
MUTATORS = {
    "wrong header": header(replaced),
    "missing header": content(lambda _, text: text.split(b"\n", 1)[1], "file", "ARR-EXT-003", 1),
    "duplicate column in the header": header(lambda _, names: [*names[:-1], names[0]]),
    "reordered header": header(reordered),
    "missing column": header(lambda _, names: names[:-1]),
    "extra column": header(lambda _, names: [*names, CANARY]),
    "byte order mark": content(lambda _, text: b"\xef\xbb\xbf" + text),
    "UTF-16": content(lambda _, text: text.decode().encode("utf-16"), "file", "ARR-EXT-005", 1),
    "GBK": lambda dice, files: _with_bytes(dice, files, "张三".encode("gbk")),
    "NUL byte": set_value("loan_id", lambda text: f"{text}\0", "type", nouns=NOUNS),
    "mixed line ends": content(mixed_line_ends),
    "unclosed quote": on_a_line(lambda line: f'"{CANARY}{line}', code="ARR-EXT-005"),
    "value that goes on after its quotes": on_a_line(
        lambda line: ",".join([f'"{CANARY}"{line.split(",")[0]}', *line.split(",")[1:]]), code="ARR-EXT-005"
    ),
    "offset that no zone has": set_value("booked_at", "2026-02-01T10:00:00+25:00", "type", nouns=("transaction",)),
    "line break inside quotes": on_a_line(lambda line: f'"{CANARY}\n{line}"', code="ARR-EXT-005"),
    "too few columns": on_a_line(lambda line: line.rsplit(",", 2)[0], rules=["file.columns"]),
    "too many columns": on_a_line(lambda line: f"{line},{CANARY}", rules=["file.columns"]),
    "wrong delimiter": content(lambda _, text: text.replace(b",", b";"), "file", "ARR-EXT-003", 1),
    "31 February": set_value("due_on", doubled, "type", nouns=("instalment",)),
    "1e400": set_value("amount_minor", "1e400", "type", nouns=("transaction",)),
    "NaN": set_value("principal_minor", "NaN", "type", nouns=("loan", "instalment")),
    "three decimals": set_value("amount_minor", "105.005", "type", nouns=("transaction",)),
    "thousands separator": set_value("interest_minor", '"1,050"', "type", nouns=("instalment",)),
    "negative principal": set_value(
        "principal_minor", lambda text: f"-{text}", "loan.principal_positive", nouns=("loan",)
    ),
    "date after the close": set_value(
        "effective_on", str(CLOSE + timedelta(days=9)), "transaction.effective_by_close", nouns=("transaction",)
    ),
    "loan delivered twice, the same": duplicate_loan(is_same=True),
    "loan delivered twice, another": duplicate_loan(is_same=False),
    "unknown currency": set_value("currency", "XAU", "loan.currency_known", nouns=("loan",)),
    "status that is none": set_value("status_code", CANARY, "code", nouns=("loan",)),
    "payment of a loan nobody knows": set_value("loan_id", CANARY, "reference", nouns=("transaction",)),
    "Arabic digits": set_value("principal_minor", "١٢٣", "type", nouns=("instalment", "loan")),
    "negative zero": set_value("interest_minor", "-0", "type", nouns=("instalment",)),
    "sign that nobody sees": set_value("loan_id", lambda text: f"{text}\u200b", "type", nouns=NOUNS),
    "day that stands for none": set_value(
        "due_on", "0001-01-01", "instalment.due_on_of_our_time", nouns=("instalment",)
    ),
    "instant without an offset": set_value("booked_at", "2026-02-01T10:00:00", "type", nouns=("transaction",)),
    "truncated last line": truncated_last_line,
    "empty file": content(lambda *_: b"", "file", "ARR-EXT-005", 1),
    "header only": header_only,
    "cut between two lines": cut_at_a_line,
    "10 MB cell": large_cell,
    "torn gzip": torn_gzip,
}


# --------------------------------------------------------------------------------------------------------- Parquet
def as_parquet(text):
    """A file of transactions as Parquet."""
    rows = [line.split(",") for line in text.decode().splitlines()]
    columns = list(zip(*rows[1:], strict=True)) or [()] * len(rows[0])
    arrays = {
        name: pa.array([int(value) for value in column], pa.int64()) if name.endswith("_minor") else pa.array(column)
        for name, column in zip(rows[0], columns, strict=True)
    }
    return written(pa.table(arrays))


def written(table, **options):
    target = io.BytesIO()
    pq.write_table(table, target, write_page_checksum=True, **options)
    return target.getvalue()


def _table(content):
    return pq.read_table(io.BytesIO(content))


def flipped(dice, content):
    """One bit of a page, which its checksum covers, or of the page's own head, which holds no value."""
    place = dice.randrange(4, len(content) - int.from_bytes(content[-8:-4], "little") - 8)
    return content[:place] + bytes([content[place] ^ (1 << dice.randrange(8))]) + content[place + 1 :]


def drifted(dice, content):
    table = _table(content)
    if dice.random() < 0.5:
        return written(table.rename_columns([name.replace("amount_minor", "amount") for name in table.schema.names]))
    place = table.schema.get_field_index("amount_minor")
    return written(table.set_column(place, "amount_minor", table["amount_minor"].cast(pa.float64())))


def rows_in_kilobytes(rows):
    """A Parquet file of so many equal rows, a few kB."""
    columns = {name: pa.array(["x"], pa.string()) for name in COLUMNS["transaction"]}
    group = pa.table({name: pa.repeat(value[0], rows // 4) for name, value in columns.items()})
    target = io.BytesIO()
    with pq.ParquetWriter(target, group.schema, compression="zstd") as writer:
        for _ in range(4):
            writer.write_table(group, row_group_size=rows)
    return target.getvalue()


PARQUET_MUTATORS = {
    "Parquet, truncated": (lambda dice, content: content[: dice.randint(1, len(content) - 1)], "ARR-EXT-005"),
    "Parquet, no bytes": (lambda *_: b"", "ARR-EXT-005"),
    "Parquet, broken footer": (
        lambda dice, content: content[:-40] + bytes(dice.randrange(256) for _ in range(32)) + content[-8:],
        "ARR-EXT-005",
    ),
    "Parquet, one bit flipped": (flipped, "ARR-EXT-005"),
    "Parquet, other columns or types": (drifted, ("ARR-EXT-003", "ARR-EXT-004")),
    "Parquet, nested values": (
        lambda _, content: written(
            _table(content).append_column("more", pa.array([[CANARY]] * _table(content).num_rows))
        ),
        "ARR-EXT-004",
    ),
}


# ----------------------------------------------------------------------------------------------------------- inbox
def day_before(closing: date) -> date:
    return closing - timedelta(days=1)
