"""What Arrears adds to the Airflow UI: pages in the navigation and on every run, and links on every task of its DAGs.

*Portfolio*, *Account* and *Outbox* stand in the navigation, the *Day report* on every run; a task leads to the runbook
of its last error and to its run's day report. Every route needs a login; documentation routes are off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperatorLink
from arrears.orchestration.callbacks import PREFIX, SHARED_DAGS

if TYPE_CHECKING:
    from airflow.models.taskinstancekey import TaskInstanceKey

URL_PREFIX = "/arrears"
# Without a leading slash: Airflow may live below a path of its server.
PLACE = URL_PREFIX.removeprefix("/")


class RunbookLink(BaseOperatorLink):
    """Leads from a task instance to the runbook of its last recorded error."""

    name = "Runbook"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ANN401, ARG002  Airflow's signature
        """Address below the UI's own; empty for DAGs that are not ours."""
        is_ours = ti_key.dag_id.startswith(PREFIX) or ti_key.dag_id in SHARED_DAGS
        return _address("runbook", ti_key, task_id=ti_key.task_id) if is_ours else ""


class DayReportLink(BaseOperatorLink):
    """Leads from a task instance to the day report of its run."""

    name = "Day report"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ANN401, ARG002  as above
        """Address below the UI's own; empty for DAGs that work no day of a portfolio."""
        return _address("run", ti_key) if ti_key.dag_id.startswith(PREFIX) else ""


def _address(page: str, ti_key: TaskInstanceKey, **more: str) -> str:
    return f"{URL_PREFIX}/{page}?{urlencode({'dag_id': ti_key.dag_id, 'run_id': ti_key.run_id, **more})}"


class PagesOnDemand:
    """The web app, imported at the first request: scheduler, DAG processor and workers load plugins too."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI's own types
        """Hand the request on."""
        from arrears_ui.app import pages  # noqa: PLC0415

        await pages(scope, receive, send)


def _view(name: str, href: str, destination: str, url_route: str, **more: str) -> dict[str, Any]:
    return {"name": name, "href": f"{PLACE}/{href}", "destination": destination, "url_route": url_route, **more}


class ArrearsPlugin(AirflowPlugin):
    """Registers pages and links."""

    name = "arrears"
    fastapi_apps: ClassVar[list[dict[str, Any]]] = [
        {"app": PagesOnDemand(), "url_prefix": URL_PREFIX, "name": "Arrears"}
    ]
    external_views: ClassVar[list[dict[str, Any]]] = [
        _view("Portfolio", "portfolio", "nav", "arrears-portfolio"),
        _view("Account", "account", "nav", "arrears-account", category="browse"),
        _view("Outbox and approvals", "outbox", "nav", "arrears-outbox", category="browse"),
        _view("Day report", "run?dag_id={DAG_ID}&run_id={RUN_ID}", "dag_run", "arrears-day"),
    ]
    global_operator_extra_links: ClassVar[list[BaseOperatorLink]] = [RunbookLink(), DayReportLink()]
