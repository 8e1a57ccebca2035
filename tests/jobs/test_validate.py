"""Validate: good rows go on, bad ones are named and kept, totals reconcile, a bad day stops before it is a ledger."""

import json
import shutil
from datetime import timedelta

import pytest
from arrears.contracts import CONTRACTS
from arrears.errors import (
    ControlTotalError,
    EmptyTableError,
    PartitionMissingError,
    QualityGateError,
    RejectLimitError,
)
from arrears.jobs import validate as validate_module
from arrears.jobs.extract import extract
from arrears.jobs.validate import validate
from arrears.sources.vault import rejected_rows
from pydantic import SecretStr
from support.books import FIRST, rows_of
from support.deliveries import SOUND, deliver, extract_all, judge, make_file_book, manifests, spoiled

CONTROL = "SELECT * FROM (VALUES {rows}) AS totals (table_name, measure_code, amount)"
SOUND_TOTALS = {
    ("loan", "rows"): 4,
    ("loan", "principal_minor"): 110000,
    ("instalment", "interest_minor"): 3800,
    ("transaction", "amount_minor"): 72400,
}


@pytest.fixture
def book(tmp_path):
    settings = make_file_book(tmp_path)
    deliver(settings)
    return settings


def set_limit(settings, percent):
    path = settings.portfolios / "book" / "portfolio.yaml"
    path.write_text(path.read_text().replace("reject_limit_pct: 60", f"reject_limit_pct: {percent}"))


def set_control(settings, totals):
    rows = ", ".join(f"('{noun}', '{measure}', CAST({amount} AS BIGINT))" for (noun, measure), amount in totals.items())
    (settings.portfolios / "book" / "control.sql").write_text(CONTROL.format(rows=rows))


def quarantine(settings):
    return [
        (row["table_name"], row["source_file"], row["source_line"], row["column_name"], row["rule_id"])
        for row in rows_of(settings, "out__quarantine", FIRST)
    ]


# ------------------------------------------------------------------------------------------------------- a sound day
def test_sound_delivery_becomes_the_ledger_row_by_row(book):
    summary = judge(book)

    assert {noun: manifest.rows for noun, manifest in manifests(book, "raw").items()} == {
        "loan": 4,
        "instalment": 6,
        "transaction": 4,
    }
    assert [row["loan_id"] for row in rows_of(book, "raw__loan", FIRST)] == ["L1", "L2", "L3", "L4"]
    assert rows_of(book, "raw__loan", FIRST)[0]["source_line"] == 2
    assert summary["tables"]["loan"] == {"rows": 4, "accepted": 4, "rejected": 0, "warned": 0}
    assert summary["quarantined"] == 0
    assert summary["gate"]["warnings"] == []
    assert quarantine(book) == []


def test_tables_that_are_not_mapped_stay_absent(book):
    summary = judge(book)

    lake = book.portfolios.parent / "lake" / "book"
    assert sorted(path.name for path in lake.glob("raw__*")) == ["raw__instalment", "raw__loan", "raw__transaction"]
    assert set(summary["tables"]) == {"loan", "instalment", "transaction"}


def test_validating_twice_gives_equal_hashes(book):
    first = judge(book)

    assert validate("book", FIRST, settings=book) == first
    assert len(first["content_hashes"]) == 5


def test_hashes_are_equal_whether_the_day_before_was_extracted_first_or_later(book):
    judge(book)
    following = FIRST + timedelta(days=1)
    deliver(book, closing_date=FIRST)
    after = judge(book, following)["content_hashes"]
    shutil.rmtree(book.portfolios.parent / "lake")

    assert judge(book, following)["content_hashes"] == after


def test_ledger_names_its_extracts_as_inputs(book):
    judge(book)

    inputs = manifests(book, "raw")["loan"].inputs
    assert set(inputs) == {"extract__loan", "extract__instalment", "extract__transaction", "config"}
    assert inputs["extract__loan"] == manifests(book, "extract")["loan"].content_hash


def test_table_that_was_not_extracted_is_missing(book):
    extract("book", FIRST, "loan", settings=book)

    with pytest.raises(PartitionMissingError, match="extract__instalment"):
        validate("book", FIRST, settings=book)


def test_totals_beyond_64_bits_still_add_up(book):
    set_limit(book, 100)
    huge = SOUND["transaction"][0].replace("10500", "9" * 18)
    deliver(book, transaction=[huge.replace("T1,", f"T{number},") for number in range(12)])

    judge(book)

    assert manifests(book, "extract")["transaction"].totals["amount_minor"] == 12 * (10**18 - 1)
    assert manifests(book, "raw")["transaction"].rows == 0


# ------------------------------------------------------------------------------------------------ what is set aside
def test_offenders_are_named_and_the_rest_goes_on(book):
    deliver(book, **spoiled("loan", 2, "CNY", "XAU"))

    summary = judge(book)

    assert quarantine(book) == [
        ("raw__instalment", "instalment_2026-03-01.csv", 4, "loan_id", "reference"),
        ("raw__instalment", "instalment_2026-03-01.csv", 5, "loan_id", "reference"),
        ("raw__loan", "loan_2026-03-01.csv", 3, "currency", "loan.currency_known"),
        ("raw__transaction", "transaction_2026-03-01.csv", 3, "loan_id", "reference"),
        ("raw__transaction", "transaction_2026-03-01.csv", 4, "loan_id", "reference"),
        ("raw__transaction", "transaction_2026-03-01.csv", 4, "reverses_id", "reference"),
    ]
    assert [row["loan_id"] for row in rows_of(book, "raw__loan", FIRST)] == ["L1", "L3", "L4"]
    assert {noun: (t["accepted"], t["rejected"]) for noun, t in summary["tables"].items()} == {
        "loan": (3, 1),
        "instalment": (4, 2),
        "transaction": (2, 2),
    }
    assert summary["rules"] == {
        "raw__instalment reference": 2,
        "raw__loan loan.currency_known": 1,
        "raw__transaction reference": 3,
    }


def test_accepted_and_rejected_money_add_up_to_what_was_extracted(book):
    deliver(book, **spoiled("loan", 2, "CNY", "XAU"))

    judge(book)

    extracted, accepted = manifests(book, "extract"), manifests(book, "raw")
    assert extracted["loan"].totals["principal_minor"] - accepted["loan"].totals["principal_minor"] == 20000
    assert extracted["transaction"].totals["amount_minor"] - accepted["transaction"].totals["amount_minor"] == 21000


def test_rejected_rows_go_to_the_vault_with_their_values(book, tmp_path):
    deliver(book, **spoiled("loan", 2, "CNY", "XAU"))

    judge(book)

    path = tmp_path / "vault" / "book" / str(FIRST) / "raw__loan.jsonl"
    (kept,) = [json.loads(line) for line in path.read_text().splitlines()]
    assert (kept["row_number"], kept["source_line"], kept["rule_id"]) == (2, 3, "loan.currency_known")
    assert (kept["delivered"]["loan_id"], kept["delivered"]["currency"]) == ("L2", "XAU")


def test_rejected_rows_go_to_the_warehouses_vault_where_there_is_one(book, warehouse_url, tmp_path):
    settings = book.model_copy(update={"warehouse_url": SecretStr(warehouse_url)})
    rows = [*SOUND["loan"][:3], SOUND["loan"][3].replace("40000", "NaN").replace("CNY", "")]
    deliver(book, loan=rows)

    judge(settings)

    kept = [
        (table, row.row_number, row.rule_id, row.delivered["principal_minor"])
        for table in ("extract__loan", "raw__loan")
        for row in rejected_rows(settings, "book", FIRST, table)
    ]
    assert kept == [("extract__loan", 4, "type", "NaN"), ("raw__loan", 4, "required", None)]
    assert not (tmp_path / "vault").exists()


def test_summary_is_small_and_holds_no_row(book):
    deliver(book, **spoiled("loan", 2, "CNY", "XAU"))

    told = json.dumps(judge(book))

    assert len(told) < 3000
    assert not any(value in told for value in ("L2", "B1", "XAU", "T2"))


# ------------------------------------------------------------------------------------------------ what stops the day
def test_more_rejects_than_the_limit_stop_the_day_after_all_are_named(book):
    set_limit(book, 20)
    deliver(book, **spoiled("loan", 2, "CNY", "XAU"))

    with pytest.raises(RejectLimitError) as stopped:
        judge(book)

    assert stopped.value.found == (
        "rejected 1 of 4 rows of raw__loan (loan.currency_known currency: 1; first in loan_2026-03-01.csv line 3); "
        "2 of 6 rows of raw__instalment (reference loan_id: 2; first in instalment_2026-03-01.csv line 4); "
        "2 of 4 rows of raw__transaction (reference loan_id: 2, reference reverses_id: 1; "
        "first in transaction_2026-03-01.csv line 3)"
    )
    assert stopped.value.expected == "at most 20 % of each table"
    assert len(quarantine(book)) == 6
    assert manifests(book, "raw") == {}


@pytest.mark.parametrize(("percent", "stops"), [(25, False), (24.9, True), (0, True)])
def test_limit_itself_is_allowed(book, percent, stops):
    set_limit(book, percent)
    deliver(book, **spoiled("transaction", 4, "repayment", "refund"))

    if stops:
        with pytest.raises(RejectLimitError):
            judge(book)
    else:
        assert judge(book)["tables"]["transaction"]["rejected"] == 1


@pytest.mark.parametrize("noun", ["loan", "instalment"])
def test_table_that_may_not_be_empty_stops_the_day(book, noun):
    deliver(book, **{noun: []})

    with pytest.raises(EmptyTableError, match=f"raw__{noun}"):
        judge(book)

    assert manifests(book, "raw") == {}


def test_table_that_may_be_empty_may_be(book):
    deliver(book, transaction=[])

    assert judge(book)["tables"]["transaction"]["rows"] == 0


def test_control_totals_that_agree_are_counted(book):
    set_control(book, SOUND_TOTALS)

    assert judge(book)["control_totals"] == 4
    assert "raw__control_total" not in CONTRACTS


@pytest.mark.parametrize("by", [1, -1])
@pytest.mark.parametrize("measure", SOUND_TOTALS, ids=" ".join)
def test_control_total_off_by_one_stops_the_day_by_table_and_measure(book, measure, by):
    set_control(book, {**SOUND_TOTALS, measure: SOUND_TOTALS[measure] + by})

    with pytest.raises(ControlTotalError) as stopped:
        judge(book)

    assert stopped.value.found == f"{' '.join(measure)} {SOUND_TOTALS[measure]}"
    assert stopped.value.expected == f"{' '.join(measure)} {SOUND_TOTALS[measure] + by}"
    assert manifests(book, "raw") == {}


def test_control_totals_are_compared_before_anything_is_rejected(book):
    set_control(book, SOUND_TOTALS)
    deliver(book, **spoiled("loan", 2, "CNY", "XAU"))

    assert judge(book)["control_totals"] == 4


@pytest.mark.parametrize(
    ("totals", "complaint"),
    [
        pytest.param({("pause", "rows"): 3}, "pause rows not extracted", id="of a table that is not mapped"),
        pytest.param({("loan", "grace_days"): 3}, "loan grace_days not extracted", id="of a column without a total"),
        pytest.param({("lone", "rows"): 4}, "1 unreadable control totals", id="of no table at all"),
        pytest.param({("loan", "rows"): "NULL"}, "1 unreadable control totals", id="without an amount"),
    ],
)
def test_control_total_that_cannot_be_compared_stops_the_day(book, totals, complaint):
    set_control(book, totals)

    with pytest.raises(ControlTotalError, match=complaint):
        judge(book)


def test_no_control_totals_where_there_should_be_stop_the_day(book):
    set_control(book, SOUND_TOTALS)
    path = book.portfolios / "book" / "control.sql"
    path.write_text(f"{path.read_text()} WHERE FALSE")

    with pytest.raises(EmptyTableError, match="raw__control_total"):
        judge(book)


def test_gate_that_fails_stops_the_day_before_the_ledger_is_written(book, monkeypatch):
    extract_all(book)
    honest = validate_module.profile_of

    def with_a_null(*arguments, **options):
        return {**honest(*arguments, **options), "nulls__loan_id": 1}

    monkeypatch.setattr(validate_module, "profile_of", with_a_null)

    with pytest.raises(QualityGateError, match="raw__loan: expect_column_values_to_be_between of nulls__loan_id"):
        validate("book", FIRST, settings=book)

    assert manifests(book, "raw") == {}


def test_day_that_stopped_goes_on_once_the_source_is_repaired(book):
    set_limit(book, 0)
    deliver(book, **spoiled("loan", 2, "CNY", "XAU"))
    with pytest.raises(RejectLimitError):
        judge(book)

    deliver(book)
    extract_all(book, refresh_source=True)
    summary = validate("book", FIRST, settings=book)

    assert summary["quarantined"] == 0
    assert quarantine(book) == []
    assert len(rows_of(book, "raw__loan", FIRST)) == 4
