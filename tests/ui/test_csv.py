# ruff: noqa: RUF001  full-width signs are what is tested
"""CSV for spreadsheets: no text becomes a formula, no number becomes text."""

from decimal import Decimal

import pytest

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    '"=1',
    "'=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "\u00a0=1",
    "\ufeff=1",
    "|cmd",
    "%0A=1",
]


@pytest.fixture(scope="module")
def tables():
    from airflow import plugins_manager

    plugins_manager._get_plugins()  # noqa: SLF001
    from arrears_ui import tables

    return tables


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(tables, text):
    assert tables.inert(text) == f"'{text}"


@pytest.mark.parametrize("text", ["early_dialler", "12 CFR 1006.6(c)", "L-1", "a=b", "中文", ""])
def test_plain_text_stays_as_it_is(tables, text):
    assert tables.inert(text) == text


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
