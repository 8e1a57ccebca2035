"""Who reports to a portfolio, and how: ``include/portfolios/<name>/feedback/sources.yaml``.

Belongs here: the shape of the configuration. It lies in a folder of its own because it changes no figure of a day: a
changed portfolio folder makes every date stale.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator

from arrears.errors import ConfigurationError
from arrears.feedback.reports import CODE
from arrears.feedback.signature import SECRET_BYTES, key_of
from arrears.policy.documents import Document, read_document
from arrears.portfolio import names
from arrears.settings import ENVIRONMENT_FILE
from arrears.source_terms import Folder  # noqa: TC001  pydantic reads the annotations when it runs

if TYPE_CHECKING:
    from pathlib import Path

    from arrears.settings import Settings

FILE = "sources.yaml"


class InboxOfReports(Document):
    """A folder into which ``*.csv`` and ``*.jsonl`` are dropped under their final name, written elsewhere before.

    Attributes:
        directory: Folder; a relative path begins at the repository. One that is not there holds nothing.
        archive: Folder, on the same file system, that keeps what was taken in, and under ``refused/`` what could not
            be read.
    """

    kind: Literal["inbox"]
    directory: Folder
    archive: Folder


class DatabaseOfReports(Document):
    """A SELECT that is run at every intake.

    Attributes:
        url: SQLAlchemy URL, usually ``${VARIABLE}``.
        select: File beside this one. It may bind ``:since``, the last intake less ``overlap_hours``.
        overlap_hours: How late a row may appear in the database; what comes again is known.
    """

    kind: Literal["database"]
    url: str = Field(min_length=1, repr=False)
    select: str = Field(pattern=r"^[a-z0-9_]+\.sql$")
    overlap_hours: int = Field(default=24, ge=1, le=24 * 31)


class WebhookOfReports(Document):
    """Signed requests to ``POST /feedback/<portfolio>/<source>``.

    Attributes:
        secrets: ``whsec_`` and base64, comma separated while a new one replaces an old one; empty: switched off.
    """

    kind: Literal["webhook"]
    secrets: SecretStr = SecretStr("")

    @field_validator("secrets")
    @classmethod
    def _long_enough(cls, given: SecretStr) -> SecretStr:
        if any(len(key_of(secret)) < SECRET_BYTES for secret in given.get_secret_value().split(",") if secret):
            raise ValueError(f"whsec_ and base64 of {SECRET_BYTES} random bytes or more")
        return given

    @property
    def keys(self) -> list[str]:
        """The secrets in clear, for verifying only."""
        return [secret for secret in self.secrets.get_secret_value().split(",") if secret]


Source = Annotated[InboxOfReports | DatabaseOfReports | WebhookOfReports, Field(discriminator="kind")]


class Sources(Document):
    """All who report to one portfolio, by code."""

    sources: dict[Annotated[str, Field(pattern=CODE)], Source] = Field(default_factory=dict)


def load_sources(portfolio: str, settings: Settings) -> dict[str, Source]:
    """The portfolio's sources by code; none where it has no such file.

    Raises:
        ConfigurationError: The file is wrong; every mistake is named with file, line and key.
    """
    path = folder_of(portfolio, settings) / FILE
    if not path.is_file():
        return {}
    found = read_document(path, Sources, environment={**dotenv_values(ENVIRONMENT_FILE), **os.environ}).sources
    for source in found.values():
        if isinstance(source, DatabaseOfReports) and not (path.parent / source.select).is_file():
            raise ConfigurationError(f"no file {source.select}", f"a SELECT beside {FILE}", f"{portfolio}/feedback")
    return found


def open_webhooks(settings: Settings) -> list[str]:
    """``portfolio/source`` of every webhook that has a secret.

    Raises:
        ConfigurationError: None has one: a server would refuse every request.
    """
    found = [
        f"{name}/{code}"
        for name in names(settings)
        for code, source in load_sources(name, settings).items()
        if isinstance(source, WebhookOfReports) and source.keys
    ]
    if not found:
        raise ConfigurationError(
            "no webhook has a secret", "`arrears feedback secret`, and `secrets` of a webhook", "feedback/sources.yaml"
        )
    return found


def folder_of(portfolio: str, settings: Settings) -> Path:
    """Where a portfolio's sources of reports are described."""
    return settings.portfolios / portfolio / "feedback"
