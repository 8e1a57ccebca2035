"""CSV for spreadsheets: no text becomes a formula, no number becomes text."""

import csv
import io
from decimal import Decimal

import pytest
from support.formulas import FORMULAS


@pytest.fixture(scope="module")
def tables():
    from airflow import plugins_manager

    plugins_manager._get_plugins()  # noqa: SLF001
    from arrears_ui import tables

    return tables


def text_of(tables, text):
    table = tables.Table("t", (tables.Column("said"),))
    [_, [cell]] = csv.reader(
        io.StringIO(tables.as_csv(table, [{"said": text}], str).removeprefix("\ufeff"), newline="")
    )
    return cell


def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(tables):
    assert [one for one in FORMULAS if not text_of(tables, one).startswith("'")] == []
    assert FORMULAS


@pytest.mark.parametrize("text", ["early_dialler", "12 CFR 1006.6(c)", "L-1", "a=b", "中文", "-5"])
def test_plain_text_stays_as_it_is(tables, text):
    assert text_of(tables, text) == text


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        pytest.param(-500, "USD", Decimal("-5.00"), id="a negative amount stays a number"),
        pytest.param(1234, "JPY", Decimal(1234), id="a currency without minor units"),
        pytest.param(1234, "KWD", Decimal("1.234"), id="a currency with three"),
    ],
)
def test_money_is_a_number_in_the_currencys_own_unit(tables, amount, currency, said):
    table = tables.Table("t", (tables.Column("paid_minor", tables.Kind.MONEY),))

    [_, line] = tables.as_csv(table, [{"paid_minor": amount, "currency": currency}], str).splitlines()

    assert Decimal(line.split(",")[0]) == said
    assert line.split(",")[1] == currency
