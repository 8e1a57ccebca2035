"""Whom a rejected row speaks of: accepted loans and parties only, and nobody for a plain repetition."""

import pytest
from support.books import FIRST, rows_of
from support.deliveries import SOUND, deliver, judge, make_file_book, spoiled


@pytest.fixture
def book(tmp_path):
    return make_file_book(tmp_path)


def subjects(book):
    return {
        (row["table_name"], row["rule_id"], row["loan_id"], row["party_id"])
        for row in rows_of(book, "out__quarantine", FIRST)
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            spoiled("instalment", 3, "10000", "-1"),
            ("raw__instalment", "instalment.amounts_not_negative", "L2", None),
            id="a negative instalment concerns its loan",
        ),
        pytest.param(
            spoiled("instalment", 1, "2026-02-01", "2026-02-31"),
            ("raw__instalment", "type", "L1", None),
            id="an unreadable date does too",
        ),
        pytest.param(
            spoiled("transaction", 3, "T2", "T9"),
            ("raw__transaction", "reference", "L2", None),
            id="a reversal of an unknown transaction concerns its loan",
        ),
        pytest.param(
            spoiled("instalment", 3, "L2", "unknown"),
            ("raw__instalment", "reference", None, None),
            id="a loan that nobody knows is not named",
        ),
        pytest.param(
            {"transaction": [*SOUND["transaction"], SOUND["transaction"][0]]},
            ("raw__transaction", "unique", None, None),
            id="a row delivered twice word for word concerns nobody",
        ),
        pytest.param(
            {"transaction": [*SOUND["transaction"], SOUND["transaction"][0].replace("10500", "10400")]},
            ("raw__transaction", "unique", "L1", None),
            id="two rows of one key that differ concern their loan",
        ),
    ],
)
def test_rejected_row_speaks_of_accepted_loans_only(book, changed, expected):
    deliver(book, **changed)

    judge(book)

    assert expected in subjects(book)


def test_loan_that_was_rejected_itself_is_not_named(book):
    deliver(book, **spoiled("loan", 2, "CNY", "USD"))

    judge(book)

    found = subjects(book)
    assert len(found) > 1
    assert {loan_id for _, _, loan_id, _ in found} == {None}
