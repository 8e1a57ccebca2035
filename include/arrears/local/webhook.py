"""The feedback webhook of one machine: a server of its own beside Airflow, on loopback, with a secret made once.

Belongs here: its start, health and end. What it does with a request stands in ``arrears.feedback.webhook``.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from dotenv import dotenv_values

from arrears.errors import LocalServerError
from arrears.feedback.signature import new_secret
from arrears.local.home import LOOPBACK, Home, recalled, remembered, remembered_port
from arrears.local.processes import Server, stop
from arrears.settings import ENVIRONMENT_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRETS = "ARREARS_FEEDBACK_SECRETS"
HEALTH_SECONDS = 60
GRACE_SECONDS = 3
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class LocalWebhook:
    """One machine's webhook.

    Args:
        home: Folders of the deployment.
    """

    home: Home

    @property
    def address(self) -> str:
        """Where it answers; its port is chosen by ``start``."""
        return f"http://{LOOPBACK}:{recalled(self.kept, 'port')}"

    @property
    def kept(self) -> Path:
        """File with its port and its secret, readable by its owner only."""
        return self.home.var / "feedback.json"

    @property
    def server(self) -> Server:
        """Its process record."""
        return Server("feedback", self.home.run / "feedback.json", self.home.log / "feedback.log")

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it and wait until it answers.

        Args:
            environment: Where warehouse and lake are. A secret of the shell or of ``var/arrears.env`` wins over ours.

        Raises:
            LocalServerError: It died or does not answer.
        """
        port = remembered_port(self.kept, "port")
        told = {**os.environ, **environment}
        if not {**dotenv_values(ENVIRONMENT_FILE), **told}.get(SECRETS):
            told[SECRETS] = remembered(self.kept, "secret", new_secret)
        self.server.start(
            [sys.executable, "-m", "arrears", "feedback", "serve", "--host", LOOPBACK, "--port", str(port)], told
        )
        give_up = time.monotonic() + HEALTH_SECONDS
        while not self._answers():
            self.refuse_dead()
            if time.monotonic() > give_up:
                raise LocalServerError(
                    f"the webhook does not answer after {HEALTH_SECONDS} s", "a server", str(self.server.log)
                )
            time.sleep(POLL_SECONDS)

    def refuse_dead(self) -> None:
        """Look whether it still runs.

        Raises:
            LocalServerError: It does not.
        """
        if not self.server.is_alive():
            raise LocalServerError(
                f"the webhook ended by itself\n{self.server.log_end()}", "a server", str(self.server.log)
            )

    def stop(self) -> None:
        """End it; safe to call at any time."""
        stop([self.server], grace_seconds=GRACE_SECONDS)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/health", timeout=5).is_success
        except httpx.HTTPError:
            return False
