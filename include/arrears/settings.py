"""Typed settings of one deployment, from ``ARREARS_*`` variables and ``var/arrears.env``.

Belongs here: where things are. What a portfolio wants stands in ``arrears.portfolio``.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from arrears.errors import ConfigurationError
from arrears.keys import KeyRing

PREFIX = "ARREARS_"
REPOSITORY = Path(__file__).resolve().parents[2]
INCLUDE = REPOSITORY / "include"
ENVIRONMENT_FILE = REPOSITORY / "var" / "arrears.env"


class Settings(BaseSettings):
    """One deployment.

    Attributes:
        warehouse_url: SQLAlchemy URL of the PostgreSQL warehouse (``postgresql+psycopg://...``).
        warehouse_owner_url: The same as whoever migrates it; for `arrears migrate`, which else uses the other.
        lake_url: fsspec URL of the lake's root.
        portfolios: Folder with one sub-folder per portfolio.
        policies: Folder with one YAML file per contact pack.
        strategies: Folder with one YAML file per strategy.
        templates: Folder with one folder of message templates per locale.
        sending: File that says where each channel goes.
        outbox_folder: Where sandboxes and hand-overs are written.
        memory_limit: DuckDB's memory limit per task: ``800MB``, ``2 GiB``.
        threads: DuckDB's threads per task.
        engine: What ages: ``duckdb``, or a Spark master (``local[*]``, ``spark://host:port``), which needs the extra
            ``spark`` and a lake that its workers see as a folder.
        predecessor_retry_seconds: Wait between tries while the day before is not published.
        predecessor_retries: Tries before a day gives up waiting for the day before.
        source_wait_seconds: Wait between looks for a source that has not delivered.
        keep_full_snapshots_days: Business dates, counted back from the last published one, that keep their extract,
            ledger and core tables. A deployment's setting, not a portfolio's key: it changes no figure, and a changed
            portfolio folder makes every date stale.
        keep_month_ends_months: Past months whose end keeps them longer.
        keep_private_days: Days that the vault keeps what has ended: addresses that were replaced, words, rejected
            reports, tokens.
        retention_dry_run: Whether the weekly retention only lists.
        approval_hours: How long a person may take to approve a plan that departs from its history.
        experiment_key: Secret that people are put into arms of experiments with, kept; without it nobody enters one.
        master_keys: Secrets that everything kept apart is signed and sealed with: the vault, the audit trail's anchors,
            pseudonyms in evidence. ``VERSION:BASE64`` of 32 bytes, several divided by commas; there is no default.
        audit_url: fsspec URL of the folder of the audit trail's anchors; empty for ``_audit`` in the lake.
        alert_connection: Airflow connection id (SMTP or HTTP) that failures are sent to; empty for none.
        alert_to: Address for SMTP alerts.
        watch_margin_hours: Hours that a day may take once its source's deadline has passed, before it is late.
        watch_unknown_hours: Hours within which somebody settles a send of which nobody knows whether it was made.
        watch_unknown_count: So many of them in one portfolio at once are an alarm, however young.
        watch_webhook: Where `arrears watch` posts its alarms as JSON; empty for nowhere.
        lender_url: Address of a loan in the lender's own system, with ``{portfolio}`` and ``{loan_id}``, which the
            account page links to; empty for none.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=ENVIRONMENT_FILE, extra="ignore", frozen=True)

    warehouse_url: SecretStr | None = None
    warehouse_owner_url: SecretStr | None = None
    lake_url: str = f"file://{REPOSITORY / 'var' / 'lake'}"
    portfolios: Path = INCLUDE / "portfolios"
    policies: Path = INCLUDE / "policies"
    strategies: Path = INCLUDE / "strategies"
    templates: Path = INCLUDE / "templates"
    sending: Path = INCLUDE / "sending.yaml"
    outbox_folder: Path = REPOSITORY / "var" / "outbox"
    memory_limit: str = Field(default="3GB", pattern=r"^\d+(\.\d+)? ?[KMGT]i?B$")
    threads: int = Field(default=2, ge=1)
    engine: str = Field(default="duckdb", pattern=r"^(duckdb|local(\[.+\])?|spark://.+|yarn|k8s://.+)$")
    predecessor_retry_seconds: int = Field(default=60, ge=1)
    predecessor_retries: int = Field(default=120, ge=0)
    source_wait_seconds: int = Field(default=300, ge=1)
    keep_full_snapshots_days: int = Field(default=92, ge=1)
    keep_month_ends_months: int = Field(default=25, ge=0)
    keep_private_days: int = Field(default=730, ge=1)
    retention_dry_run: bool = True
    approval_hours: float = Field(default=4, gt=0)
    experiment_key: SecretStr = SecretStr("")
    master_keys: SecretStr = SecretStr("")
    audit_url: str = ""
    alert_connection: str = ""
    alert_to: str = ""
    watch_margin_hours: int = Field(default=2, ge=0, le=24)
    watch_unknown_hours: int = Field(default=4, ge=0)
    watch_unknown_count: int = Field(default=20, ge=1)
    watch_webhook: SecretStr | None = None
    lender_url: str = ""

    @field_validator("lender_url")
    @classmethod
    def _is_web_address(cls, pattern: str) -> str:
        if pattern and not pattern.startswith(("https://", "http://")):
            raise ValueError("an address that begins with https://")
        try:
            pattern.format(portfolio="", loan_id="")
        except (LookupError, ValueError, AttributeError):
            raise ValueError("{portfolio} and {loan_id} are the only names in braces") from None
        return pattern

    @property
    def warehouse(self) -> str:
        """The warehouse URL in clear, for SQLAlchemy only; never print it.

        Raises:
            ConfigurationError: No warehouse is configured.
        """
        if self.warehouse_url is None:
            raise ConfigurationError("no warehouse URL", "ARREARS_WAREHOUSE_URL, or `make up`", "settings")
        return self.warehouse_url.get_secret_value()

    @property
    def keys(self) -> KeyRing:
        """The master keys.

        Raises:
            ConfigurationError: There is none, or one is malformed.
        """
        return KeyRing.read(self.master_keys.get_secret_value())

    @property
    def audit_folder(self) -> str:
        """URL of the folder of the audit trail's anchors."""
        return self.audit_url or f"{self.lake_url.rstrip('/')}/_audit"

    @property
    def experiment_secret(self) -> bytes:
        """The key of the experiments in clear; never print it."""
        return self.experiment_key.get_secret_value().encode()


def load_settings() -> Settings:
    """The settings of this process, read anew only when a variable of ours or the file is another.

    Raises:
        ConfigurationError: A variable has a value of the wrong kind; the value itself is not repeated.
    """
    said = frozenset((name, value) for name, value in os.environ.items() if name.upper().startswith(PREFIX))
    try:
        status = ENVIRONMENT_FILE.stat()
    except OSError:
        return _read(said, ())
    return _read(said, (status.st_ino, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=1)  # a DAG file asks twenty times while it is parsed, which every task does
def _read(said: frozenset[tuple[str, str]], file: tuple[int, ...]) -> Settings:
    del said, file
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"ARREARS_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        raise ConfigurationError(wrong, "settings as documented in README", "environment") from None
