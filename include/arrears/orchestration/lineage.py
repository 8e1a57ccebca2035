"""OpenLineage: what each task read and wrote, with schema, row counts and quality, from manifests and contracts.

Belongs here: the words of OpenLineage for our tables. Does not belong here: what a job did (``observe``), and where
events go, which is Airflow's ``[openlineage] transport``.

Airflow finds the extractor by ``[openlineage] extractors``, and the scrubber by the transport's ``transformer_class``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.openlineage.extractors.base import BaseExtractor, OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset, RunEvent
from openlineage.client.facet_v2 import (
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    dataset_version_dataset,
    error_message_run,
    output_statistics_output_dataset,
    schema_dataset,
)
from openlineage.client.transport.transform import EventTransformer
from sqlalchemy import make_url

from arrears.contracts import CONTRACTS
from arrears.contracts.model import Severity
from arrears.orchestration.observe import Observation, observation_of
from arrears.settings import Settings, load_settings

if TYPE_CHECKING:
    from openlineage.client.client import Event
    from openlineage.client.facet_v2 import DatasetFacet, InputDatasetFacet

    from arrears.contracts.model import Contract
    from arrears.lake import Manifest

    Lineage = OperatorLineage[Any, Any]

POSTGRES_PORT = 5432
SCHEMA_OF_FACTS = "mart"


class JobExtractor(BaseExtractor):
    """Lineage of a ``@task`` that runs a job through ``observed``; any other ``@task`` is left to Airflow."""

    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        """What ``@task`` makes."""
        return ["_PythonDecoratedOperator"]

    def _execute_extraction(self) -> Lineage | None:
        """At the start nothing is known: what is read depends on what is there."""
        return None

    def extract_on_complete(self, task_instance: Any) -> Lineage | None:  # noqa: ANN401  Airflow's
        """Inputs and outputs of the try that ended, well or not."""
        seen = observation_of(str(task_instance.id))
        return None if seen is None else lineage_of(seen, load_settings())


class ForeignMessagesLeftOut(EventTransformer):
    """Takes the words and the trace of foreign exceptions out of events: a driver's message may hold a row's values."""

    def transform(self, event: Event) -> Event | None:
        """The event, its error message kept only where it is one of ours, which never holds a value."""
        facets = event.run.facets if isinstance(event, RunEvent) else None
        error = facets.get("errorMessage") if facets else None
        if facets and isinstance(error, error_message_run.ErrorMessageRunFacet):
            message = error.message
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
                message=message if message.startswith("ARR-") else "left out; see the task's log",
                programmingLanguage="python",
            )
        return event


def lineage_of(seen: Observation, settings: Settings) -> Lineage:
    """Datasets of one job: the lake's tables it read and wrote, and the warehouse's facts it published.

    Args:
        seen: What the job did.
        settings: Where lake and warehouse are.
    """
    lake = lake_place(settings.lake_url)
    found = assertions(seen.summary)
    inputs = [_input(manifest, lake, found) for manifest in seen.read]
    outputs = [_output(manifest, lake) for manifest in seen.written]
    published = seen.summary.get("facts", {})
    return OperatorLineage(inputs=inputs, outputs=[*outputs, *_facts(published, settings)])


def lake_place(lake_url: str) -> tuple[str, str]:
    """OpenLineage's namespace and the path below it: ``file`` and an absolute path, ``s3://bucket`` and a key."""
    address = urlsplit(lake_url)
    if address.scheme in {"", "file"}:
        return "file", address.path.rstrip("/")
    return f"{address.scheme}://{address.netloc}", address.path.strip("/")


def schema_of(contract: Contract) -> schema_dataset.SchemaDatasetFacet:
    """Columns, types and meanings, as the contract says."""
    return schema_dataset.SchemaDatasetFacet(
        fields=[
            schema_dataset.SchemaDatasetFacetFields(name=c.name, type=c.type.value, description=c.meaning)
            for c in contract.all_columns
        ]
    )


def assertions(summary: dict[str, Any]) -> dict[str, list[data_quality_assertions_dataset.Assertion]]:
    """What ``validate`` found, by the extract it was asked of: every rule with its number of offenders.

    Args:
        summary: What the job returned; another job's gives nothing.
    """
    offenders = {tuple(name.split(" ", 1)): number for name, number in summary.get("rules", {}).items()}
    found = {}
    for noun, counts in summary.get("tables", {}).items():
        contract = CONTRACTS[f"raw__{noun}"]
        severities = {check.rule: (check.column, check.severity) for check in contract.checks}
        others = [rule for table, rule in offenders if table == contract.table and rule not in severities]
        asked = {**severities, **dict.fromkeys(others, (None, Severity.FAIL))}
        found[f"extract__{noun}"] = [
            _assertion(rule, column, severity, offenders.get((contract.table, rule), 0))
            for rule, (column, severity) in asked.items()
        ] + [_assertion("rows_rejected", None, Severity.FAIL, counts["rejected"])]
    return found


def _assertion(
    rule: str, column: str | None, severity: Severity, offenders: int
) -> data_quality_assertions_dataset.Assertion:
    return data_quality_assertions_dataset.Assertion(
        assertion=rule,
        success=offenders == 0,
        column=column,
        severity="error" if severity is Severity.FAIL else "warn",
        expected="0",
        actual=str(offenders),
    )


def _input(
    manifest: Manifest, lake: tuple[str, str], found: dict[str, list[data_quality_assertions_dataset.Assertion]]
) -> InputDataset:
    facets: dict[str, InputDatasetFacet] = {
        "dataQualityMetrics": data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
            columnMetrics={}, rowCount=manifest.rows, bytes=_size(manifest), fileCount=len(manifest.files)
        )
    }
    if manifest.table in found:
        facets["dataQualityAssertions"] = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            assertions=found[manifest.table]
        )
    return InputDataset(namespace=lake[0], name=_name(manifest, lake), facets=_facets(manifest), inputFacets=facets)


def _output(manifest: Manifest, lake: tuple[str, str]) -> OutputDataset:
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=manifest.rows, size=_size(manifest), fileCount=len(manifest.files)
    )
    return OutputDataset(
        namespace=lake[0],
        name=_name(manifest, lake),
        facets=_facets(manifest),
        outputFacets={"outputStatistics": statistics},
    )


def _facts(published: dict[str, int], settings: Settings) -> list[OutputDataset]:
    if not published:
        return []
    url = make_url(settings.warehouse)
    contracts = {contract.mart: contract for contract in CONTRACTS.values() if contract.mart}
    return [
        OutputDataset(
            namespace=f"postgres://{url.host}:{url.port or POSTGRES_PORT}",
            name=f"{url.database}.{SCHEMA_OF_FACTS}.{fact}",
            facets={"schema": schema_of(contracts[fact])},
            outputFacets={
                "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
            },
        )
        for fact, rows in published.items()
    ]


def _facets(manifest: Manifest) -> dict[str, DatasetFacet]:
    version = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=manifest.content_hash)
    return {"schema": schema_of(CONTRACTS[manifest.table]), "version": version}


def _name(manifest: Manifest, lake: tuple[str, str]) -> str:
    return "/".join(part for part in (lake[1], manifest.portfolio, manifest.table) if part)


def _size(manifest: Manifest) -> int:
    return sum(file.size for file in manifest.files)
