"""The dispatch DAG: often enough for stop deltas, and red when anything in it is, so that somebody is told."""

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="module")
def dag():
    return DagBag(dag_folder=str(DAGS / "contact_dispatch.py")).dags["contact_dispatch"]


def test_it_runs_often_enough_for_what_was_handed_over(dag):
    """A stop delta every fifteen minutes at the latest, and no two runs at once."""
    assert dag.schedule == "*/10 * * * *"
    assert (dag.max_active_runs, dag.catchup) == (1, False)


def test_what_fails_fails_the_run(dag):
    """`hand_over` runs whatever dispatch did, so it must not be the last word."""
    leaves = [task for task in dag.tasks if not task.downstream_task_ids]

    assert [task.task_id for task in leaves] == ["ended"]
    assert leaves[0].trigger_rule == "none_failed"
    assert leaves[0].upstream_task_ids == {"dispatch", "hand_over"}
    assert dag.get_task("hand_over").trigger_rule == "all_done"
    assert dag.on_failure_callback is not None
