"""The first gate: a profile holds figures only, and Great Expectations stops the day on a critical one."""

import time
from dataclasses import replace

import pytest
from arrears.contracts.ledger import LEDGER
from arrears.contracts.raw_loans import INSTALMENT, LOAN
from arrears.errors import QualityGateError
from arrears.quality.profile import decide_on_profiles, figures_of

LOAN_PROFILE = {
    "rows": 10,
    "accepted": 9,
    "rejected": 1,
    "warned": 0,
    "unaccounted__rows": 0,
    "unaccounted__principal_minor": 0,
    "sum__principal_minor": 2**62 + 1,
    "repeats": 0,
    "nulls__loan_id": 0,
    "days_back__disbursed_on": 300,
    "days_ahead__maturity_on": 3000,
    "change_pct": 1,
}
INSTALMENT_PROFILE = {"rows": 20, "accepted": 20, "rejected": 0, "warned": 0, "orphans__loan_id": 0, "repeats": 0}
CONTRACTS = {LOAN.table: LOAN, INSTALMENT.table: INSTALMENT}


def decide(**changed):
    profiles = {LOAN.table: {**LOAN_PROFILE, **changed}, INSTALMENT.table: INSTALMENT_PROFILE}
    return decide_on_profiles(profiles, CONTRACTS, "book 2026-03-02")


def test_sound_profiles_pass_without_a_warning():
    said = decide()

    assert said == {"tables": 2, "expectations": 13, "warnings": []}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"accepted": 0}, id="nothing accepted of a table that may not be empty"),
        pytest.param({"nulls__loan_id": 1}, id="NULL where none may be"),
        pytest.param({"repeats": 1}, id="a key twice among accepted rows"),
        pytest.param({"unaccounted__rows": 1}, id="a row neither accepted nor rejected"),
        pytest.param({"unaccounted__principal_minor": -1}, id="a minor unit too many"),
    ],
)
def test_critical_expectation_stops_the_day_by_table_and_figure(changed):
    (figure,) = changed

    with pytest.raises(QualityGateError) as stopped:
        decide(**changed)

    assert stopped.value.found == f"raw__loan: expect_column_values_to_be_between of {figure}"
    assert stopped.value.where == "book 2026-03-02"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"warned": 3}, id="rows that break a warning rule"),
        pytest.param({"days_back__disbursed_on": 700_000}, id="a date of the year 206"),
        pytest.param({"days_ahead__maturity_on": 60_000}, id="a date of the year 2190"),
        pytest.param({"change_pct": -40}, id="a book that lost two fifths overnight"),
    ],
)
def test_warning_is_told_and_the_day_goes_on(changed):
    (figure,) = changed

    assert decide(**changed)["warnings"] == [f"raw__loan: expect_column_values_to_be_between of {figure}"]


def test_figure_that_is_not_there_stops_the_day():
    broken = replace(LOAN, may_be_empty=False)
    profile = {name: figure for name, figure in LOAN_PROFILE.items() if name != "accepted"}

    with pytest.raises(QualityGateError, match="raw__loan: expect_column_values_to_be_between of accepted"):
        decide_on_profiles({broken.table: profile}, {broken.table: broken}, "book")


def test_dates_of_an_empty_table_are_no_figure():
    assert decide(days_back__disbursed_on=None, days_ahead__maturity_on=None)["warnings"] == []


def test_no_sum_is_asked_for_as_a_float():
    asked = {figure.name for figure in figures_of(LOAN, LOAN_PROFILE)}

    assert "unaccounted__principal_minor" in asked
    assert not [figure for figure in asked if figure.startswith("sum__")]


def test_several_figures_outside_are_all_named():
    with pytest.raises(QualityGateError) as stopped:
        decide(nulls__loan_id=2, repeats=1, accepted=0, warned=4)

    assert stopped.value.found == "; ".join(
        f"raw__loan: expect_column_values_to_be_between of {figure}"
        for figure in ("accepted", "repeats", "nulls__loan_id")
    )


def test_whole_ledger_is_decided_at_once_when_the_library_is_there():
    decide()
    profile = {**LOAN_PROFILE, **{f"nulls__{number}": 0 for number in range(10)}}
    profiles = {contract.table: profile for contract in LEDGER}

    began = time.monotonic()
    said = decide_on_profiles(profiles, {contract.table: contract for contract in LEDGER}, "book")

    assert said["tables"] == len(LEDGER)
    assert said["expectations"] > 200
    assert time.monotonic() - began < 2  # measured: 0.05 s on a quiet machine
