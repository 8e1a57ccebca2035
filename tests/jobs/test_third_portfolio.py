"""A portfolio of one's own: the template's folder copied, YAML and SELECTs edited, two dates run, no code written."""

import gzip
import hashlib
import json
import shutil
from datetime import date

import pytest
from arrears.cli import app
from arrears.settings import INCLUDE
from arrears.warehouse.connection import transaction
from sqlalchemy import text
from support.deliveries import failure
from typer.testing import CliRunner

TEMPLATE = INCLUDE / "portfolio_template"
FIRST, SECOND = date(2026, 6, 2), date(2026, 6, 3)
CLOSES = {FIRST: date(2026, 6, 1), SECOND: date(2026, 6, 2)}

# What a newcomer edits: the lender's words in portfolio.yaml, and what they mean in the SELECTs.
EDITS = {
    "portfolio.yaml": [
        ("title: Instalment loans", "title: Möbelkredite"),
        ("first_business_date: 2026-01-02", f"first_business_date: {FIRST}"),
        ("var/inbox/my_portfolio", "${THIRD_INBOX}"),
        ("var/archive/my_portfolio", "${THIRD_INBOX}/archive"),
        (
            """      columns:
        - loan_id
        - borrower_id
        - product_code
        - currency
        - principal_minor
        - disbursed_on
        - maturity_on
        - status_code
        - outstanding_principal_minor
""",
            """      delimiter: ";"
      encoding: latin-1
      columns: [Vertrag, Kunde, Produkt, Betrag, Auszahlung, Ende, Zustand, Restschuld]
""",
        ),
    ],
    "loan.sql": [
        (
            """    loan_id,
    borrower_id,
    product_code,
    currency,
    principal_minor,
    disbursed_on,
    maturity_on,
    status_code,
    outstanding_principal_minor,
""",
            """    Vertrag AS loan_id,
    Kunde AS borrower_id,
    CASE Produkt WHEN 'Küche' THEN 'kitchen' WHEN 'Möbel' THEN 'furniture' END AS product_code,
    'EUR' AS currency,
    CAST(CAST(REPLACE(REPLACE(Betrag, '.', ''), ',', '.') AS DECIMAL(18, 2)) * 100 AS BIGINT) AS principal_minor,
    STRPTIME(Auszahlung, '%d.%m.%Y')::DATE AS disbursed_on,
    STRPTIME(Ende, '%d.%m.%Y')::DATE AS maturity_on,
    CASE Zustand WHEN 'offen' THEN 'active' WHEN 'erledigt' THEN 'paid_off' END AS status_code,
    CAST(CAST(REPLACE(REPLACE(Restschuld, '.', ''), ',', '.') AS DECIMAL(18, 2)) * 100 AS BIGINT)
        AS outstanding_principal_minor,
""",
        )
    ],
}

# A: two of three instalments missed, both paid on 2 June. B: due on 2 June, unpaid. C: 30 days late on the first date,
# 100 of 306 paid (6 interest, 94 principal). D: ended.
LOANS = {
    FIRST: [
        "A;K1;Küche;1.800,00;01.03.2026;01.07.2026;offen;1.800,00",
        "B;K2;Möbel;500,00;02.05.2026;02.06.2026;offen;500,00",
        "C;K3;Möbel;300,00;03.04.2026;03.05.2026;offen;206,00",
        "D;K4;Möbel;90,00;01.02.2026;01.03.2026;erledigt;0,00",
    ],
    SECOND: [
        "A;K1;Küche;1.800,00;01.03.2026;01.07.2026;offen;600,00",
        "B;K2;Möbel;500,00;02.05.2026;02.06.2026;offen;500,00",
        "C;K3;Möbel;300,00;03.04.2026;03.05.2026;offen;206,00",
        "D;K4;Möbel;90,00;01.02.2026;01.03.2026;erledigt;0,00",
    ],
}
INSTALMENTS = [
    "A,1,2026-05-01,60000,3000,0,0",
    "A,2,2026-06-01,60000,3000,0,0",
    "A,3,2026-07-01,60000,3000,0,0",
    "B,1,2026-06-02,50000,1000,0,0",
    "C,1,2026-05-03,30000,600,0,0",
    "D,1,2026-03-01,9000,100,0,0",
]
TRANSACTIONS = {
    FIRST: [
        "T1,D,repayment,2026-03-01,2026-03-01T09:00:00+01:00,9100,",
        "T2,C,repayment,2026-05-20,2026-05-20T09:00:00+02:00,10000,",
    ],
    SECOND: [
        "T1,D,repayment,2026-03-01,2026-03-01T09:00:00+01:00,9100,",
        "T2,C,repayment,2026-05-20,2026-05-20T09:00:00+02:00,10000,",
        "T3,A,repayment,2026-06-02,2026-06-02T09:00:00+02:00,126000,",
    ],
}
HEADERS = {
    "loan": "Vertrag;Kunde;Produkt;Betrag;Auszahlung;Ende;Zustand;Restschuld",
    "instalment": "loan_id,seq,due_on,principal_minor,interest_minor,fee_minor,penalty_minor",
    "transaction": "transaction_id,loan_id,kind_code,effective_on,booked_at,amount_minor,reverses_id",
}


def copy_template(portfolios, name):
    """The template under a name of its own, edited as ``EDITS`` says."""
    folder = portfolios / name
    shutil.copytree(TEMPLATE, folder)
    for file, edits in EDITS.items():
        content = (folder / file).read_text(encoding="utf-8")
        for old, new in edits:
            assert content.count(old) == 1, old
            content = content.replace(old, new)
        (folder / file).write_text(content, encoding="utf-8")
    return folder


def drop(inbox, business_date):
    """The lender's drop of one date, the control file last."""
    closing_date = CLOSES[business_date]
    kinds = {"loan": LOANS[business_date], "instalment": INSTALMENTS, "transaction": TRANSACTIONS[business_date]}
    files = []
    for kind, rows in kinds.items():
        content = gzip.compress("\n".join([HEADERS[kind], *rows, ""]).encode("latin-1"))
        name = f"{kind}_{closing_date}.csv.gz"
        (inbox / name).write_bytes(content)
        sums = {"amount_minor": sum(int(row.split(",")[5]) for row in rows)} if kind == "transaction" else {}
        digest = hashlib.sha256(content).hexdigest()
        files.append({"name": name, "kind": kind, "rows": len(rows), "sums": sums, "sha256": digest})
    control = json.dumps({"closing_date": str(closing_date), "files": files})
    (inbox / f"control_{closing_date}.json").write_text(control)


@pytest.fixture
def third(tmp_path, monkeypatch, warehouse_url):
    """A deployment with one portfolio ``third`` made from the template, and its inbox."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "portfolios").mkdir()
    monkeypatch.setenv("THIRD_INBOX", str(tmp_path / "inbox"))
    monkeypatch.setenv("ARREARS_PORTFOLIOS", str(tmp_path / "portfolios"))
    monkeypatch.setenv("ARREARS_LAKE_URL", f"file://{tmp_path / 'lake'}")
    monkeypatch.setenv("ARREARS_WAREHOUSE_URL", warehouse_url)
    copy_template(tmp_path / "portfolios", "third")
    return tmp_path / "inbox"


def arrears(*words):
    """What a command answers."""
    done = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def published(url, statement):
    with transaction(url) as connection:
        return [tuple(row) for row in connection.execute(text(statement)).all()]


def test_template_as_it_is_passes_check_portfolio(tmp_path, monkeypatch):
    monkeypatch.setenv("ARREARS_PORTFOLIOS", str(tmp_path))
    shutil.copytree(TEMPLATE, tmp_path / "mine")

    told = arrears("check-portfolio", "mine")

    assert told["tables"] == ["loan", "instalment", "transaction"]


def test_third_portfolio_is_a_folder_and_two_commands(third, warehouse_url):
    checked = arrears("check-portfolio", "third")
    drop(third, FIRST)
    first = arrears("run", "--portfolio", "third", "--date", str(FIRST))
    drop(third, SECOND)
    second = arrears("run", "--portfolio", "third", "--date", str(SECOND))
    again = arrears("run", "--portfolio", "third", "--date", str(SECOND))

    assert checked["title"] == "Möbelkredite"
    assert (first["publication"]["published"], second["publication"]["published"]) == (True, True)
    assert (again["publication"]["published"], again["content_hashes"]) == (False, second["content_hashes"])
    assert [path.name for path in third.iterdir()] == ["archive"]
    assert published(
        warehouse_url,
        "SELECT loan_id, past_due_days, bucket, past_due_minor FROM bi.loan_daily "
        "WHERE is_open AND past_due_days > 0 ORDER BY business_date, loan_id",
    ) == [
        ("A", 32, "31-60", 126000),  # since 1 May; 630.00 + 630.00
        ("C", 30, "1-30", 20600),  # since 3 May; 306.00 - 100.00
        ("B", 1, "1-30", 51000),  # due yesterday
        ("C", 31, "31-60", 20600),
    ]
    assert published(
        warehouse_url,
        "SELECT loans, past_due_loans, past_due_minor, newly_overdue_loans, cured_loans, rows_quarantined, "
        "par30_numerator_minor, par30_denominator_minor, par30_ratio::text "
        "FROM bi.daily_summary ORDER BY business_date",
    ) == [
        (3, 2, 146600, 0, 0, 0, 180000, 250600, "0.7183"),  # A of A + B + C: 1800.00 of 2506.00
        (3, 2, 71600, 1, 1, 0, 20600, 130600, "0.1577"),  # C of 600.00 + 500.00 + 206.00
    ]
    assert published(
        warehouse_url,
        f"SELECT loan_id, event_code FROM bi.delinquency_event_daily WHERE business_date = '{SECOND}' ORDER BY loan_id",
    ) == [("A", "cured"), ("B", "newly_overdue"), ("C", "rolled_forward")]


def test_wrong_second_drop_leaves_the_first_date_published(third, warehouse_url):
    before = published(warehouse_url, "SELECT * FROM bi.daily_summary ORDER BY business_date")
    drop(third, FIRST)
    arrears("run", "--portfolio", "third", "--date", str(FIRST))
    one = published(warehouse_url, "SELECT * FROM bi.daily_summary ORDER BY business_date")
    drop(third, SECOND)
    name = third / f"control_{CLOSES[SECOND]}.json"
    name.write_text(name.read_text().replace('"amount_minor": 145100', '"amount_minor": 145101'))

    error = failure(lambda: arrears("run", "--portfolio", "third", "--date", str(SECOND)))

    assert error.code == "ARR-VAL-002"
    assert "amount_minor 145100" in error.found
    assert len(one) >= len(before)
    assert published(warehouse_url, "SELECT * FROM bi.daily_summary ORDER BY business_date") == one
    assert name.is_file()
