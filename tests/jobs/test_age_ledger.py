"""``arrears age``: a folder of files in, one row a loan out, and a coded error for whatever cannot be aged."""

import gzip
import json
from datetime import date

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from arrears.cli import app
from arrears.errors import (
    ConfigurationError,
    EmptyTableError,
    RejectLimitError,
    SourceColumnsError,
    SourceFileError,
    SourceNotReadyError,
    SourceTypeError,
)
from arrears.jobs.age_ledger import COLUMNS, age_ledger, write_rows
from typer.testing import CliRunner

AS_OF = date(2026, 3, 2)
LEDGER = {
    "loan": "loan_id,borrower_id,status_code,status_on,grace_days\n"
    "b,p2,active,,\na,p1,active,,5\nc,p3,paid_off,2026-03-03,\nd,p4,settled,2026-03-02,\n",
    "instalment": "loan_id,seq,due_on,principal_minor,interest_minor,fee_minor,penalty_minor\n"
    "a,1,2026-01-31,1000,50,0,0\na,2,2026-02-28,1000,50,0,0\nb,1,2026-03-02,700,0,0,0\n"
    "c,1,2026-02-20,300,0,0,0\nd,1,2026-02-20,300,0,0,0\n",
    "transaction": "transaction_id,loan_id,kind_code,effective_on,amount_minor,reverses_id\n"
    "t1,a,repayment,2026-02-01,400,\nt2,a,repayment,2026-02-10,650,\nt3,a,reversal,2026-02-11,650,t2\n"
    "t4,a,repayment,2026-03-03,9999,\n",
}


@pytest.fixture
def folder(tmp_path):
    for noun, text in LEDGER.items():
        (tmp_path / f"{noun}.csv").write_text(text)
    return tmp_path


def rows_of(folder, config=None, as_of=AS_OF):
    return {row["loan_id"]: row for row in age_ledger(folder, as_of, config).to_pylist()}


def change(folder, noun, old, new):
    path = folder / f"{noun}.csv"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


# -------------------------------------------------------------------------------------------------------------- answers
def test_one_row_a_loan_sorted_by_id(folder):
    aged = age_ledger(folder, AS_OF)

    assert tuple(aged.column_names) == COLUMNS
    assert aged["loan_id"].to_pylist() == ["a", "b", "c", "d"]
    assert aged.to_pylist()[0] == {
        "loan_id": "a",
        "past_due_days": 30,
        "delinquent_days": 25,
        "past_due_on": date(2026, 1, 31),
        "past_due_minor": 1700,
        "past_due_principal_minor": 1650,
        "past_due_interest_minor": 50,
        "past_due_fee_minor": 0,
        "past_due_penalty_minor": 0,
        "bucket": "1-30",
        "contract_bucket": "1-30",
        "is_open": True,
    }


def test_loan_that_ended_later_is_still_open(folder):
    rows = rows_of(folder)

    assert (rows["c"]["is_open"], rows["c"]["past_due_days"]) == (True, 10)
    assert (rows["d"]["is_open"], rows["d"]["past_due_days"]) == (False, 0)


def test_pauses_come_off_delinquent_days(folder):
    (folder / "pause.csv").write_text("loan_id,starts_on,ends_on\nc,2026-02-22,2026-02-26\nc,2026-02-25,\n")

    assert rows_of(folder)["c"]["delinquent_days"] == 2


@pytest.mark.parametrize("form", ["csv.gz", "parquet"])
def test_other_file_forms_give_the_same_rows(folder, tmp_path_factory, form):
    other = tmp_path_factory.mktemp("other")
    for noun, text in LEDGER.items():
        if form == "csv.gz":
            (other / f"{noun}.csv.gz").write_bytes(gzip.compress(text.encode()))
        else:
            pq.write_table(pacsv.read_csv(folder / f"{noun}.csv"), other / f"{noun}.parquet")

    assert age_ledger(other, AS_OF).equals(age_ledger(folder, AS_OF))


def test_columns_that_ageing_can_do_without_may_be_absent(tmp_path):
    (tmp_path / "loan.csv").write_text("loan_id\na\n")
    (tmp_path / "instalment.csv").write_text("loan_id,seq,due_on,principal_minor\na,1,2026-02-20,300\n")
    (tmp_path / "transaction.csv").write_text(
        "loan_id,kind_code,effective_on,amount_minor\na,repayment,2026-02-20,100\n"
    )

    row = rows_of(tmp_path)["a"]

    assert (row["past_due_days"], row["past_due_minor"], row["is_open"]) == (10, 200, True)


def test_config_sets_convention_grace_tolerance_and_buckets(folder, tmp_path_factory):
    config = tmp_path_factory.mktemp("config") / "age.yaml"
    config.write_text(
        "title: other keys are ignored\n"
        "ageing: {convention: inclusive, grace_days: 1, tolerance_minor: 700,\n"
        "         allocation_order: [principal, interest, fee, penalty]}\n"
        'buckets: [{code: "0", from: 0, to: 0}, {code: "1-29", from: 1, to: 29}, {code: "30+", from: 30}]\n'
    )

    rows = rows_of(folder, config)

    assert (rows["a"]["past_due_days"], rows["a"]["delinquent_days"]) == (3, 0)
    assert (rows["a"]["past_due_principal_minor"], rows["a"]["past_due_interest_minor"]) == (1600, 100)
    assert rows["a"]["contract_bucket"] == "1-29"
    assert rows["b"]["past_due_days"] == 0


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_rows_are_written_by_ending(folder, tmp_path_factory, name):
    aged, path = age_ledger(folder, AS_OF), tmp_path_factory.mktemp("out") / name

    write_rows(aged, path)

    read = pq.read_table(path) if name.endswith("parquet") else pacsv.read_csv(path)
    assert read["past_due_minor"].to_pylist() == aged["past_due_minor"].to_pylist()
    assert read["loan_id"].to_pylist() == ["a", "b", "c", "d"]


def test_command_prints_rows_as_one_json_array(folder):
    done = CliRunner().invoke(app, ["age", "--ledger", str(folder), "--as-of", str(AS_OF), "--json"])

    rows = json.loads(done.stdout)
    assert [row["loan_id"] for row in rows] == ["a", "b", "c", "d"]
    assert rows[0]["past_due_on"] == "2026-01-31"


# ------------------------------------------------------------------------------------------------------------- refusals
# What is changed in a good ledger, and what the message must name.
UNREADABLE = {
    "31_february": ("instalment", "2026-02-28", "2026-02-31", "instalment.csv line 3, column due_on"),
    "nan_amount": ("instalment", "a,1,2026-01-31,1000", "a,1,2026-01-31,NaN", "line 2, column principal_minor"),
    "decimal_amount": ("transaction", "2026-02-01,400", "2026-02-01,1.5", "line 2, column amount_minor"),
    "exponent_amount": ("transaction", "2026-02-01,400", "2026-02-01,1e3", "line 2, column amount_minor"),
    "date_in_another_form": ("transaction", "2026-02-01,400", "01.02.2026,400", "line 2, column effective_on"),
    "line_too_short": (
        "instalment",
        "a,1,2026-01-31,1000,50,0,0",
        "a,1,2026-01-31,1000,50,0",
        "line 2, rule file.columns",
    ),
}
BROKEN = {
    "unknown_status": ("loan", "b,p2,active", "b,p2,asleep", "line 2, column status_code, rule code"),
    "unknown_kind": ("transaction", "t1,a,repayment", "t1,a,refund", "column kind_code, rule code"),
    "orphan_instalment": (
        "instalment",
        "b,1,2026-03-02",
        "x,1,2026-03-02",
        "line 4, column loan_id, rule reference",
    ),
    "orphan_transaction": ("transaction", "t1,a,", "t1,x,", "line 2, column loan_id, rule reference"),
    "orphan_reversal": (
        "transaction",
        "650,t2",
        "650,t9",
        "line 4, column reverses_id, rule reference",
    ),
    "reversal_of_another_loan": ("transaction", "t2,a,repayment", "t2,b,repayment", "rule transaction.same_loan"),
    "reversal_of_nothing": ("transaction", "650,t2", "650,", "rule transaction.reversal_names_original"),
    "duplicate_loan": ("loan", "b,p2", "a,p2", "column loan_id, rule unique"),
    "duplicate_instalment": ("instalment", "a,2,", "a,1,", "column loan_id,seq, rule unique"),
    "duplicate_transaction": ("transaction", "t2,a,repayment", "t1,a,repayment", "rule unique"),
    "value_missing": ("instalment", "b,1,", "b,,", "line 4, column seq, rule required"),
    "negative_obligation": ("instalment", "1000,50,0,0\nb", "1000,-50,0,0\nb", "rule instalment.amounts_not_negative"),
    "empty_payment": ("transaction", "2026-02-01,400", "2026-02-01,0", "rule transaction.amount_positive"),
    "negative_grace": ("loan", "a,p1,active,,5", "a,p1,active,,-5", "rule loan.grace_not_negative"),
}
WRONG_HEADER = {
    "wrong_header": ("instalment", "due_on", "due_date", "due_on missing"),
    "column_twice": ("instalment", "fee_minor", "interest_minor", "a column twice"),
}


@pytest.mark.parametrize(
    ("error", "case"),
    [
        pytest.param(error, case, id=name)
        for error, cases in (
            (SourceFileError, UNREADABLE),
            (RejectLimitError, BROKEN),
            (SourceColumnsError, WRONG_HEADER),
        )
        for name, case in cases.items()
    ],
)
def test_bad_row_ends_with_a_coded_error_that_names_it(folder, error, case):
    noun, old, new, named = case
    change(folder, noun, old, new)

    with pytest.raises(error) as refused:
        age_ledger(folder, AS_OF)

    assert named in str(refused.value)


def test_first_offenders_are_named_and_the_rest_counted(folder):
    (folder / "transaction.csv").write_text(
        LEDGER["transaction"] + "".join(f"u{n},x,waiver,2026-02-01,1,\n" for n in range(9))
    )

    with pytest.raises(RejectLimitError, match=r"transaction\.csv line 6, .*; and 4 more"):
        age_ledger(folder, AS_OF)


@pytest.mark.parametrize("noun", ["loan", "instalment", "transaction"])
def test_missing_file_is_named(folder, noun):
    (folder / f"{noun}.csv").unlink()

    with pytest.raises(SourceNotReadyError, match=f"no {noun}"):
        age_ledger(folder, AS_OF)


@pytest.mark.parametrize("noun", ["loan", "instalment"])
def test_empty_table_is_refused(folder, noun):
    if noun == "loan":
        for other in ("instalment", "transaction"):
            (folder / f"{other}.csv").write_text(LEDGER[other].splitlines()[0] + "\n")
    (folder / f"{noun}.csv").write_text(LEDGER[noun].splitlines()[0] + "\n")

    with pytest.raises(EmptyTableError, match=noun):
        age_ledger(folder, AS_OF)


def test_file_without_a_header_is_refused(folder):
    (folder / "loan.csv").write_text("")

    with pytest.raises(SourceFileError, match="no header"):
        age_ledger(folder, AS_OF)


def test_money_as_a_float_is_refused(folder):
    table = pacsv.read_csv(folder / "transaction.csv")
    amounts = table["amount_minor"].cast(pa.float64())
    (folder / "transaction.csv").unlink()
    pq.write_table(
        table.set_column(table.column_names.index("amount_minor"), "amount_minor", amounts),
        folder / "transaction.parquet",
    )

    with pytest.raises(SourceTypeError, match="amount_minor is double"):
        age_ledger(folder, AS_OF)


def test_two_files_of_a_kind_are_refused(folder):
    (folder / "loan.csv.gz").write_bytes(gzip.compress(LEDGER["loan"].encode()))

    with pytest.raises(SourceFileError, match="2 files of loan"):
        age_ledger(folder, AS_OF)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("ageing: {convention: julian}\n", "ageing.convention", id="unknown_convention"),
        pytest.param("ageing: {graze_days: 1}\n", "ageing.graze_days", id="misspelt_key"),
        pytest.param('buckets: [{code: "0", from: 0}, {code: "5+", from: 5}]\n', "buckets", id="gap_in_buckets"),
        pytest.param("- a list\n", "no mapping", id="no_mapping"),
        pytest.param("ageing: [\n", "not readable as YAML", id="no_yaml"),
    ],
)
def test_wrong_config_is_explained(folder, text, named):
    config = folder / "age.yaml"
    config.write_text(text)

    with pytest.raises(ConfigurationError, match=named):
        age_ledger(folder, AS_OF, config)


def test_rows_go_to_csv_or_parquet_only(folder):
    with pytest.raises(ConfigurationError):
        write_rows(age_ledger(folder, AS_OF), folder / "rows.xlsx")
