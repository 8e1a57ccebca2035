"""Oracle files are read whole: whatever they are called, and nothing in them is passed over in silence."""

import json

import pytest
from oracle.cases import Unsupported, fineract_loan, not_ours, stated_day_figures, waterfalls
from oracle.files import KEPT, cases_of
from oracle.worked import SPREAD, case, day, did, paid


def test_files_are_known_by_what_they_hold(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps({"cases": SPREAD[:1]}))
    (tmp_path / "two.json").write_text(json.dumps({"cases": [case("a", day("2024-02-03", past_due_days=2))]}))

    found = cases_of(tmp_path)

    assert {shape: len(cases) for shape, cases in found.items()} == {"allocated": 1, "fineract": 1, "contagion": 0}


@pytest.mark.parametrize("content", [{}, [], {"cases": []}, {"cases": [{"id": "a"}]}], ids=str)
def test_file_that_holds_no_case_is_refused(tmp_path, content):
    (tmp_path / "one.json").write_text(json.dumps(content))

    with pytest.raises(ValueError, match=r"one\.json"):
        cases_of(tmp_path)


def test_kept_files_are_the_visible_set():
    found = cases_of(KEPT)

    assert {shape: len(cases) for shape, cases in found.items()} == {
        "fineract": 73,
        "allocated": 225,
        "frappe": 3,
        "contagion": 1,
    }


def test_figure_that_nobody_compares_is_named():
    check = day("2024-02-03", past_due_days=2, delinquent_principal=1, delinquent_amount=None)

    assert not_ours(check) == ["delinquent_amount", "delinquent_principal"]
    assert stated_day_figures(check) == {"past_due_days": 2}


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        pytest.param(case("a", did("write_off", "2024-02-10")), "no entry of ours: write_off", id="event"),
        pytest.param(case("a", paid("2024-02-01", 1), processing="diagonal"), "not ours: diagonal", id="processing"),
        pytest.param(
            case("a") | {"config": {"strategy": "early-first"}}, "strategy that is not ours: early-first", id="strategy"
        ),
    ],
)
def test_what_is_not_modelled_is_left_out_by_reason(made, reason):
    found = fineract_loan(made, 99)

    assert isinstance(found, Unsupported)
    assert reason in found.reason
    assert waterfalls(made) is not None
