"""A small client of Airflow's public REST API: what the drive needs, and no more.

Belongs here: one function per question or command. Does not belong here: waiting and what the answers mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx

from arrears.errors import LocalServerError

if TYPE_CHECKING:
    from datetime import date
    from types import TracebackType

PAGE = 100
ANSWER_SECONDS = 90  # a machine whose cores are shared by thirty processes has been seen to take over 30
NOT_FOUND = 404
CONFLICT = 409


@dataclass(frozen=True)
class Run:
    """One DAG run.

    Attributes:
        run_id: Airflow's id.
        key: Partition key, ISO business date.
        state: queued, running, success or failed.
        run_type: backfill, scheduled or manual.
    """

    run_id: str
    key: str
    state: str
    run_type: str

    @property
    def is_over(self) -> bool:
        """Whether it will do no more."""
        return self.state in {"success", "failed"}


@dataclass(frozen=True)
class Task:
    """One task instance of a run.

    Attributes:
        task_id: Id in the DAG.
        map_index: -1 for a task that is not mapped.
        label: Words for a mapped instance, or its index.
        state: Airflow's state; empty while it has none.
        tries: Which try this is, from 1; 0 before the first.
    """

    task_id: str
    map_index: int
    label: str
    state: str
    tries: int


class AirflowApi:
    """One logged-in session.

    Args:
        address: ``http://host:port`` of the API server.
        user: User name.
        password: Password; a token is asked for at once.

    Raises:
        LocalServerError: The server refuses the login or, later, a request.
    """

    def __init__(self, address: str, user: str, password: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=ANSWER_SECONDS)
        token = self._ask("POST", "/auth/token", json={"username": user, "password": password})["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def parsed_at(self, dag_id: str) -> str | None:
        """When the DAG processor last read this DAG, as an ISO instant; None while it is unknown."""
        answer = self._send("GET", f"/api/v2/dags/{dag_id}")
        if answer.status_code == NOT_FOUND:
            return None
        known = self._content(answer)
        return None if known["is_stale"] else known["last_parsed_time"]

    def import_errors(self) -> list[str]:
        """File name and traceback of every DAG file that cannot be read."""
        found = self._ask("GET", "/api/v2/importErrors")["import_errors"]
        return [f"{error['filename']}\n{error['stack_trace']}" for error in found]

    def pause(self, dag_id: str, *, paused: bool) -> None:
        """Pause or unpause: a paused DAG starts no run of any kind."""
        self._ask("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": paused})

    def runs(self, dag_id: str, key: date) -> list[Run]:
        """Every run of one business date, the newest first."""
        found = self._ask(
            "GET",
            f"/api/v2/dags/{dag_id}/dagRuns",
            params={"partition_key_prefix_pattern": key.isoformat(), "order_by": "-id", "limit": PAGE},
        )
        return [_run(run) for run in found["dag_runs"] if run["partition_key"] == key.isoformat()]

    def run(self, dag_id: str, run_id: str) -> Run:
        """One run as it is now."""
        return _run(self._ask("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"))

    def tasks(self, dag_id: str, run_id: str) -> list[Task]:
        """The task instances of one run."""
        found: list[dict[str, Any]] = []
        while True:
            page = self._ask(
                "GET",
                f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances",
                params={"limit": PAGE, "offset": len(found)},
            )
            found += page["task_instances"]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                break
        return [
            Task(
                task["task_id"],
                task["map_index"],
                # Airflow renders the label before the task has set what it is made of, and again when it ends.
                (task["rendered_map_index"] or "").strip() or str(task["map_index"]),
                task["state"] or "",
                task["try_number"],
            )
            for task in found
        ]

    def log(self, dag_id: str, run_id: str, task: Task) -> list[dict[str, Any]]:
        """The structured log lines of a task's last try."""
        answer = self._send(
            "GET",
            f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task.task_id}/logs/{max(task.tries, 1)}",
            params={"map_index": task.map_index, "full_content": True},
        )
        if answer.status_code == NOT_FOUND:
            return []
        lines = self._content(answer)["content"]
        return [line if isinstance(line, dict) else {"event": str(line)} for line in lines]

    def backfill(self, dag_id: str, first: date, last: date) -> None:
        """Run every business date from first to last again, whatever ran for it before.

        The bounds are read as wall-clock time in the DAG's own zone, whatever zone they are sent in.
        """
        self._ask(
            "POST",
            "/api/v2/backfills",
            json={
                "dag_id": dag_id,
                "from_date": f"{first.isoformat()}T00:00:00Z",
                "to_date": f"{last.isoformat()}T00:00:00Z",
                "reprocess_behavior": "completed",
                "max_active_runs": (last - first).days + 1,
            },
        )

    def cancel_backfills(self, dag_id: str) -> None:
        """Cancel what an interrupted drive left: Airflow allows one backfill of a DAG at a time."""
        found = self._ask("GET", "/api/v2/backfills", params={"dag_id": dag_id, "limit": PAGE, "order_by": "-id"})
        for backfill in found["backfills"]:
            if backfill["completed_at"] is None:
                answer = self._send("PUT", f"/api/v2/backfills/{backfill['id']}/cancel")
                # It may have completed since it was listed.
                if answer.status_code != CONFLICT:
                    self._content(answer)

    def trigger(self, dag_id: str, key: date) -> None:
        """Start a run for one business date by hand."""
        self._ask(
            "POST",
            f"/api/v2/dags/{dag_id}/dagRuns",
            json={"logical_date": None, "partition_key": key.isoformat()},
        )

    def start(self, dag_id: str) -> Run:
        """Start a run by hand of a DAG that works no business date."""
        return _run(self._ask("POST", f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None}))

    def clear(self, dag_id: str, run_id: str) -> None:
        """Run every task of a run again."""
        self._ask(
            "POST",
            f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/clear",
            json={"dry_run": False, "only_failed": False, "run_on_latest_version": True},
        )

    def fail(self, dag_id: str, run_id: str) -> None:
        """End a run whose servers are gone."""
        self._ask("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", json={"state": "failed"})

    def _send(
        self,
        method: str,
        path: str,
        *,
        json: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
    ) -> httpx.Response:
        try:
            return self._client.request(method, path, json=json, params=params)
        except httpx.HTTPError as error:
            raise LocalServerError(
                f"the Airflow API server did not answer ({type(error).__name__})", "an answer", f"{method} {path}"
            ) from error

    def _ask(
        self,
        method: str,
        path: str,
        *,
        json: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        return self._content(self._send(method, path, json=json, params=params))

    @staticmethod
    def _content(answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise LocalServerError(
                f"Airflow answers {answer.status_code}: {answer.text[:500]}",
                "success",
                f"{answer.request.method} {answer.request.url.path}",
            )
        content: dict[str, Any] = answer.json() if answer.content else {}
        return content


def _run(content: dict[str, Any]) -> Run:
    return Run(content["dag_run_id"], content["partition_key"] or "", content["state"], content["run_type"])
