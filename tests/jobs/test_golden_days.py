"""The golden days: what each story says has to follow does follow, through the real jobs."""

from pathlib import Path

import pytest
from arrears.settings import INCLUDE
from support.golden_days import make_golden, read_stories, run_days

FOLDER = Path(__file__).parents[1] / "golden"
CONTENT = read_stories(FOLDER / "days.yaml")
OF_CASE = {
    "state": "state_code",
    "move": "move_code",
    "event": "event_code",
    "closed": "close_reason_code",
    "hold": "hold_code",
    "stage": "stage_code",
    "worked": "worked_minor",
}
OF_ASSIGNMENT = {"agent": "agent_id", "why": "reason_code", "queue": "queue_id"}
OF_PLAN = {
    "step": "step_id",
    "channel": "channel_code",
    "plan": "state_code",
    "purpose": "purpose_code",
    "arm": "arm_code",
    "segment": "segment_id",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    settings = make_golden(tmp_path_factory.mktemp("golden"), FOLDER / "strategy.yaml", INCLUDE / "policies")
    return run_days(settings, CONTENT)


def rows_of_story(found, day, borrower):
    tables = found[day]
    case = next((row for row in tables["case"] if row["borrower_id"] == borrower), None)
    assigned = next((row for row in tables["assigned"] if case and row["case_id"] == case["case_id"]), None)
    planned = [row for row in tables["plan"] if row["borrower_id"] == borrower]
    assert len(planned) <= 1, f"day {day}: more than one contact for one borrower"
    return case, assigned, planned[0] if planned else None


def test_there_are_at_least_thirty():
    assert len(CONTENT["stories"]) >= 30
    assert len({story["story"] for story in CONTENT["stories"]}) == len(CONTENT["stories"])


@pytest.mark.parametrize("story", CONTENT["stories"], ids=[one["story"] for one in CONTENT["stories"]])
def test_golden_day(found, story):
    for day in story["days"]:
        case, assigned, planned = rows_of_story(found, day["day"], story["borrower"])
        for name, said in day.get("then", {}).items():
            wanted = said
            if name in ("case", "key"):
                seen, wanted = identity(found, story, name, said, case if name == "case" else planned)
            elif name == "about":
                seen = sorted(loan.split("-")[1] for loan in planned["loan_ids"].split(","))
                wanted = said.split()
            elif name in OF_CASE:
                seen = case and case[OF_CASE[name]]
            elif name in OF_ASSIGNMENT:
                seen = assigned and assigned[OF_ASSIGNMENT[name]]
            else:
                seen = planned[OF_PLAN[name]] if planned else "none"
            assert seen == wanted, (
                f"day {day['day']}, {name}: {(planned or assigned or case or {}).get('reason', case)}"
            )


def identity(found, story, name, wanted, row):
    """What is there, and what should be: nothing, anything, or the same as on an earlier day."""
    if wanted == "none":
        return row, None
    if wanted == "any":
        return row is not None, True
    earlier = rows_of_story(found, int(wanted.removeprefix("as on ")), story["borrower"])
    key = {"case": "case_id", "key": "step_key"}[name]
    return row[key], earlier[0 if name == "case" else 2][key]
