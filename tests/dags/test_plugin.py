"""The plugin loads cheaply, links only our DAGs, and no page answers without a login."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow import plugins_manager

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
        pytest.param("somebody_elses", "", id="other_dag"),
    ],
)
def test_runbook_link_leads_to_the_tasks_page(link, dag_id, address):
    key = SimpleNamespace(dag_id=dag_id, run_id="r 1", task_id="age")

    assert link.get_link(None, ti_key=key) == address


def test_pages_are_not_imported_with_the_plugin():
    script = (
        "from airflow import plugins_manager; plugins_manager._get_plugins(); import sys; "
        "print('arrears_ui.pages' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip().splitlines()[-1] == "False"


def test_every_route_needs_a_login():
    from arrears_ui.pages import app  # noqa: PLC0415  the plugins folder is on the path once plugins are loaded

    routes = [route for route in app.routes if hasattr(route, "dependant")]

    assert {route.path for route in app.routes} == {"/runbook", "/runbook/{code}"}
    assert len(routes) == 2
    assert all(len(route.dependant.dependencies) >= 1 for route in routes)


@pytest.mark.parametrize("code", ["../../etc/passwd", "ARR-XXX-999", "ARR-RUN-KEY.md"])
def test_runbook_page_refuses_what_is_no_code(code):
    from arrears_ui.pages import HTTPException, runbook_html  # noqa: PLC0415  as above

    with pytest.raises(HTTPException):
        runbook_html(code)


def test_runbook_page_renders():
    from arrears_ui.pages import runbook_html  # noqa: PLC0415  as above

    assert "<h2>Safe to rerun?</h2>" in runbook_html("ARR-RUN-PREDECESSOR")
