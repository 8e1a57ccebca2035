"""Amounts in words, with the digits their currency has."""

import pytest
from arrears.rules.money import in_words


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        pytest.param(12000, "CNY", "120.00 CNY", id="two_digits"),
        pytest.param(5, "EUR", "0.05 EUR", id="leading_zeros"),
        pytest.param(1200, "JPY", "1200 JPY", id="no_digits"),
        pytest.param(-1234567, "KWD", "-1234.567 KWD", id="three_digits_negative"),
    ],
)
def test_amount_reads_as_its_currency_is_written(amount, currency, words):
    assert in_words(amount, currency) == words
