"""The plugin loads cheaply and links only our DAGs; what its pages answer, and to whom, is in ``tests/ui``."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow import plugins_manager
from arrears.orchestration.callbacks import SHARED_DAGS

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def link():
    found = [item for plugin in plugins_manager._get_plugins()[0] for item in plugin.global_operator_extra_links]  # noqa: SLF001
    (ours,) = [item for item in found if item.name == "Runbook"]
    return ours


def test_plugin_is_registered_without_import_errors(link):
    plugins, import_errors = plugins_manager._get_plugins()  # noqa: SLF001

    assert link is not None
    assert "arrears" in [plugin.name for plugin in plugins]
    assert import_errors == {}


@pytest.mark.parametrize(
    ("dag_id", "address"),
    [
        pytest.param(
            "collections_daily__book",
            "/arrears/runbook?dag_id=collections_daily__book&run_id=r+1&task_id=age",
            id="our_dag",
        ),
        pytest.param(
            "contact_dispatch", "/arrears/runbook?dag_id=contact_dispatch&run_id=r+1&task_id=age", id="shared_dag"
        ),
        pytest.param("somebody_elses", "", id="other_dag"),
    ],
)
def test_runbook_link_leads_to_the_tasks_page(link, dag_id, address):
    key = SimpleNamespace(dag_id=dag_id, run_id="r 1", task_id="age")

    assert link.get_link(None, ti_key=key) == address


def test_every_dag_file_is_of_a_portfolio_or_shared():
    files = {path.stem for path in (REPOSITORY / "dags").glob("*.py")}

    assert files == {"collections_daily", *SHARED_DAGS}


def test_day_report_link_leads_to_the_runs_report():
    found = [item for plugin in plugins_manager._get_plugins()[0] for item in plugin.global_operator_extra_links]  # noqa: SLF001
    [day] = [item for item in found if item.name == "Day report"]
    key = SimpleNamespace(dag_id="collections_daily__book", run_id="r 1", task_id="age")

    assert day.get_link(None, ti_key=key) == "/arrears/run?dag_id=collections_daily__book&run_id=r+1"
    for other in ("contact_dispatch", "x"):
        assert day.get_link(None, ti_key=SimpleNamespace(dag_id=other, run_id="r", task_id="t")) == ""


def test_pages_stand_in_the_navigation_and_on_every_run():
    [ours] = [plugin for plugin in plugins_manager._get_plugins()[0] if plugin.name == "arrears"]  # noqa: SLF001

    places = {view["name"]: (view["destination"], view["href"]) for view in ours.external_views}

    assert places["Day report"] == ("dag_run", "arrears/run?dag_id={DAG_ID}&run_id={RUN_ID}")
    assert {name for name, (place, _) in places.items() if place == "nav"} == {
        "Portfolio",
        "Account",
        "Outbox and approvals",
    }


def test_pages_are_not_imported_with_the_plugin():
    script = (
        "from airflow import plugins_manager; plugins_manager._get_plugins(); import sys; "
        "print('arrears_ui.app' in sys.modules or 'plotly' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip().splitlines()[-1] == "False"


@pytest.mark.parametrize("code", ["../../etc/passwd", "ARR-XXX-999", "ARR-RUN-KEY.md"])
def test_runbook_page_refuses_what_is_no_code(code):
    from arrears_ui.runbook import HTTPException, runbook_html  # noqa: PLC0415  as above

    with pytest.raises(HTTPException):
        runbook_html(code)


def test_runbook_page_renders():
    from arrears_ui.runbook import runbook_html  # noqa: PLC0415  as above

    assert "<h2>Safe to rerun?</h2>" in runbook_html("ARR-RUN-PREDECESSOR")
