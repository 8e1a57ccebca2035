"""A portfolio whose source is a folder of CSV files, a small sound delivery for it, and ways to spoil it."""

from datetime import date

from arrears.errors import ArrearsError
from arrears.jobs.day import Day
from arrears.jobs.extract import extract, tables_to_extract
from arrears.jobs.validate import validate

from support.books import FIRST, PORTFOLIO, make_book

CLOSE = date(2026, 3, 1)
HEADERS = {
    "loan": "loan_id,borrower_id,product_code,currency,principal_minor,disbursed_on,maturity_on,status_code,"
    "outstanding_principal_minor",
    "instalment": "loan_id,seq,due_on,principal_minor,interest_minor,fee_minor,penalty_minor",
    "transaction": "transaction_id,loan_id,kind_code,effective_on,booked_at,amount_minor,reverses_id",
}
SOUND = {
    "loan": [
        "L1,B1,tour,CNY,20000,2026-01-01,2026-03-01,active,10000",
        "L2,B2,tour,CNY,20000,2026-01-01,2026-03-01,active,20000",
        "L3,B3,cruise,CNY,30000,2026-01-15,2026-03-15,active,30000",
        "L4,B1,cruise,CNY,40000,2026-01-15,2026-03-15,paid_off,0",
    ],
    "instalment": [
        "L1,1,2026-02-01,10000,500,0,0",
        "L1,2,2026-03-01,10000,500,0,0",
        "L2,1,2026-02-01,10000,500,0,0",
        "L2,2,2026-03-01,10000,500,0,0",
        "L3,1,2026-03-15,30000,900,0,0",
        "L4,1,2026-03-15,40000,900,0,0",
    ],
    "transaction": [
        "T1,L1,repayment,2026-02-01,2026-02-01T10:00:00+08:00,10500,",
        "T2,L2,repayment,2026-02-03,2026-02-03T10:00:00+08:00,10500,",
        "T3,L2,reversal,2026-02-05,2026-02-05T10:00:00+08:00,10500,T2",
        "T4,L4,repayment,2026-02-20,2026-02-20 02:00:00Z,40900,",
    ],
}


def make_file_book(folder, *, reject_limit_pct=60):
    """Settings of a deployment in ``folder`` with one portfolio ``book`` over CSV files in ``folder/landing``."""
    settings = make_book(folder)
    book = settings.portfolios / "book"
    kinds = [
        f"{noun}: {{pattern: '{noun}_{{closing_date}}.csv', columns: [{header}]}}" for noun, header in HEADERS.items()
    ]
    where = f"kind: files, settle_seconds: 0, directory: '{folder / 'landing'}'"
    source = f"source: {{{where}, files: {{{', '.join(kinds)}}}}}\n"
    kept = [line for line in PORTFOLIO.splitlines(keepends=True) if not line.startswith("source:")]
    (book / "portfolio.yaml").write_text("".join([*kept, f"reject_limit_pct: {reject_limit_pct}\n", source]))
    for noun in HEADERS:
        (book / f"{noun}.sql").write_text(f"SELECT * FROM {noun}\n")
    (folder / "landing").mkdir()
    return settings


def landing(settings, noun, closing_date=CLOSE):
    """Path of one file of the delivery."""
    return settings.portfolios.parent / "landing" / f"{noun}_{closing_date}.csv"


def deliver(settings, *, closing_date=CLOSE, **changed):
    """Write the sound delivery; a noun given as an argument has those rows instead."""
    for noun, rows in {**SOUND, **changed}.items():
        landing(settings, noun, closing_date).write_text("\n".join([HEADERS[noun], *rows]) + "\n")


def spoiled(noun, number, old, new):
    """Rows of a noun with one text replaced in the row of that number, from 1."""
    rows = list(SOUND[noun])
    assert old in rows[number - 1]
    rows[number - 1] = rows[number - 1].replace(old, new)
    return {noun: rows}


def extract_all(settings, business_date=FIRST, **options):
    """Extract every mapped table; summaries by noun."""
    return {
        noun: extract("book", business_date, noun, settings=settings, **options)
        for noun in tables_to_extract("book", settings=settings)
    }


def judge(settings, business_date=FIRST):
    """Extract and validate the day."""
    extract_all(settings, business_date)
    return validate("book", business_date, settings=settings)


def failure(action):
    """The coded error that an action ends with."""
    try:
        action()
    except ArrearsError as error:
        return error
    raise AssertionError("nothing was refused")


def manifests(settings, layer, business_date=FIRST):
    """Manifests of a layer's tables of the day, by noun."""
    day = Day.open("book", business_date, settings=settings)
    found = {noun: day.lake.find(day.key(f"{layer}__{noun}")) for noun in HEADERS}
    return {noun: manifest for noun, manifest in found.items() if manifest is not None}
