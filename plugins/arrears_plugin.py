"""What Arrears adds to the Airflow UI: a Runbook link on every task of its DAGs, and the page behind it.

The page shows the runbook of the error the task last recorded. Every route needs a login; documentation routes are off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import BaseOperatorLink
from arrears.orchestration.callbacks import PREFIX

if TYPE_CHECKING:
    from airflow.models.taskinstancekey import TaskInstanceKey

URL_PREFIX = "/arrears"


class RunbookLink(BaseOperatorLink):
    """Leads from a task instance to the runbook of its last recorded error."""

    name = "Runbook"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ANN401, ARG002  Airflow's signature
        """Address below the UI's own; empty for DAGs that are not ours."""
        if not ti_key.dag_id.startswith(PREFIX):
            return ""
        query = urlencode({"dag_id": ti_key.dag_id, "run_id": ti_key.run_id, "task_id": ti_key.task_id})
        return f"{URL_PREFIX}/runbook?{query}"


class PagesOnDemand:
    """The web app, imported at the first request: scheduler, DAG processor and workers load plugins too."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI's own types
        """Hand the request on."""
        from arrears_ui.pages import app  # noqa: PLC0415

        await app(scope, receive, send)


class ArrearsPlugin(AirflowPlugin):
    """Registers the link and the page."""

    name = "arrears"
    fastapi_apps: ClassVar[list[dict[str, Any]]] = [
        {"app": PagesOnDemand(), "url_prefix": URL_PREFIX, "name": "Arrears"}
    ]
    global_operator_extra_links: ClassVar[list[BaseOperatorLink]] = [RunbookLink()]
