"""What a job tells of itself: lineage from manifests, metrics over UDP, one structured line; and no foreign words."""

from datetime import date
from types import SimpleNamespace

import pytest
import structlog
from airflow.sdk.observability import stats
from airflow.sdk.observability.metrics import stats_utils
from arrears import errors
from arrears.contracts import CONTRACTS
from arrears.lake import DataFile, Manifest, note_written
from arrears.lake.journal import note_read
from arrears.orchestration import observe
from arrears.orchestration import run as run_module
from arrears.orchestration.lineage import ForeignMessagesLeftOut, JobExtractor, assertions, lake_place, lineage_of
from arrears.settings import Settings
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.facet_v2 import error_message_run
from support.statsd import StatsdListener

DAY = "2026-03-05"
TAGS = "portfolio=book"


def manifest(table, rows, business_date=DAY):
    return Manifest(
        table=table,
        portfolio="book",
        business_date=business_date,
        contract_version=1,
        rows=rows,
        totals={},
        content_hash=f"hash-of-{table}",
        files=(DataFile("part-1.parquet", "0" * 64, 1000), DataFile("part-2.parquet", "1" * 64, 24)),
        inputs={},
        load_id="",
        known_until="",
        run_ref="",
    )


def age(portfolio, business_date, *, run_ref):
    """A job that reads two tables and writes one, and reads again what it has written."""
    assert (portfolio, business_date, run_ref) == ("book", date.fromisoformat(DAY), "run-1")
    note_read(manifest("raw__loan", 12))
    note_read(manifest("raw__loan", 11, "2026-03-04"))
    note_written(manifest("core__loan_delinquency_daily", 12))
    note_read(manifest("core__loan_delinquency_daily", 12))
    return {"table": "core__loan_delinquency_daily", "rows": 12, "content_hash": "abc"}


@pytest.fixture
def statsd(monkeypatch):
    listener = StatsdListener()
    listener.start()
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(listener.port))
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "True")
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    yield listener
    monkeypatch.undo()
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)


@pytest.fixture(autouse=True)
def task(monkeypatch):
    """The task instance that is at work."""
    instance = SimpleNamespace(id="try-1", task_id="age")
    context = {"partition_key": DAY, "dag_run": SimpleNamespace(run_id="run-1", run_type="manual"), "ti": instance}
    monkeypatch.setattr(run_module, "get_current_context", lambda: context)
    monkeypatch.setattr(observe, "get_current_context", lambda: context)
    monkeypatch.setattr(observe, "log", structlog.get_logger("arrears.jobs"))
    return instance


def test_job_tells_its_tables_seconds_and_hash_in_one_line_each():
    with structlog.testing.capture_logs() as lines:
        observe.observed(age, "book")

    table, done = lines
    assert {**done, "seconds": 0} == {
        "event": "job done",
        "log_level": "info",
        "portfolio": "book",
        "business_date": DAY,
        "step": "age",
        "table": "core__loan_delinquency_daily",
        "rows": 12,
        "content_hash": "abc",
        "tables": 1,
        "seconds": 0,
    }
    assert (table["event"], table["content_hash"]) == ("table written", "hash-of-core__loan_delinquency_daily")


def test_every_line_of_a_task_says_which_day_and_step_it_is_of():
    """As Airflow renders it: the standard library's lines pass the same processors."""
    said = []

    def validate(*_, run_ref):  # noqa: ARG001  a job's arguments
        said.append(structlog.contextvars.merge_contextvars(None, "info", {"event": "quality report"}))
        return {}

    observe.observed(validate, "book")

    beside = {"portfolio": "book", "business_date": DAY, "step": "age", "run": "run-1"}
    assert said == [{"event": "quality report", **beside}]
    assert structlog.contextvars.get_contextvars().keys() & beside.keys() == set()


def test_job_sends_its_metrics_over_udp(statsd):
    def validate(*_, run_ref):  # noqa: ARG001  a job's arguments
        note_written(manifest("raw__loan", 10))
        return {"tables": {"loan": {"rows": 12, "rejected": 2}}}

    def publish(*_, run_ref):  # noqa: ARG001  as above
        return {"published": True}

    observe.observed(validate, "book")
    observe.observed(publish, "book")
    statsd.end()

    assert statsd.values("arrears.table.rows") == {frozenset({TAGS, "table=raw__loan"}): 10}
    assert statsd.values("arrears.table.rejected") == {frozenset({TAGS, "table=raw__loan"}): 2}
    assert statsd.values("arrears.published") == {frozenset({TAGS}): 1}
    assert set(statsd.values("arrears.step.duration")) == {frozenset({TAGS, "step=age"})}


def test_failed_job_tells_its_code_and_what_it_had_read(statsd, task):
    def broken(*_, run_ref):  # noqa: ARG001  as above
        note_read(manifest("raw__loan", 12))
        raise ValueError("secret 13800000000")

    with structlog.testing.capture_logs() as lines, pytest.raises(ValueError, match="secret"):
        observe.observed(broken, "book")
    statsd.end()

    assert statsd.values("arrears.step.failed") == {frozenset({TAGS, "step=age", "code=ARR-RUN-FAILED"}): 1}
    (line,) = lines
    assert (line["event"], line["code"]) == ("job failed", "ARR-RUN-FAILED")
    assert "13800000000" not in str(line)
    assert [one.table for one in observe.observation_of(task.id).read] == ["raw__loan"]


def test_lineage_is_what_the_job_read_and_wrote(task):
    observe.observed(age, "book")

    lineage = lineage_of(observe.observation_of(task.id), Settings(lake_url="s3://bank/lake"))

    assert [(one.namespace, one.name) for one in lineage.inputs] == [("s3://bank", "lake/book/raw__loan")] * 2
    (output,) = lineage.outputs
    assert output.name == "lake/book/core__loan_delinquency_daily"
    assert output.facets["version"].datasetVersion == "hash-of-core__loan_delinquency_daily"
    statistics = output.outputFacets["outputStatistics"]
    assert (statistics.rowCount, statistics.size, statistics.fileCount) == (12, 1024, 2)
    fields = [(field.name, field.type, field.description) for field in output.facets["schema"].fields]
    columns = CONTRACTS["core__loan_delinquency_daily"].all_columns
    assert fields == [(column.name, column.type.value, column.meaning) for column in columns]


def test_lineage_of_publish_has_the_facts_and_no_password(task):
    def publish(*_, run_ref):  # noqa: ARG001  as above
        return {"published": True, "facts": {"fct_loan_daily": 7}}

    observe.observed(publish, "book")
    url = "postgresql+psycopg://arrears:hush@db.bank/arrears"
    (fact,) = lineage_of(observe.observation_of(task.id), Settings(warehouse_url=url)).outputs

    assert (fact.namespace, fact.name) == ("postgres://db.bank:5432", "arrears.mart.fct_loan_daily")
    assert fact.outputFacets["outputStatistics"].rowCount == 7
    assert "hush" not in repr(fact)


def test_quality_has_every_rule_of_the_contract_and_those_met_beside_it():
    rule = CONTRACTS["raw__loan"].checks[0]
    summary = {
        "tables": {"loan": {"rows": 12, "rejected": 3}},
        "rules": {f"raw__loan {rule.rule}": 2, "raw__loan loan.unreadable": 1, "raw__party x": 5},
    }

    found = {one.assertion: one for one in assertions(summary)["extract__loan"]}

    assert set(found) == {*(check.rule for check in CONTRACTS["raw__loan"].checks), "loan.unreadable", "rows_rejected"}
    assert (found[rule.rule].success, found[rule.rule].actual, found[rule.rule].column) == (False, "2", rule.column)
    assert (found["rows_rejected"].success, found["rows_rejected"].actual) == (False, "3")
    assert any(one.success for one in found.values())


@pytest.mark.parametrize(
    ("url", "place"),
    [
        pytest.param("file:///var/lake/", ("file", "/var/lake"), id="local"),
        pytest.param("s3://bank/lake", ("s3://bank", "lake"), id="bucket_and_key"),
        pytest.param("gs://bank", ("gs://bank", ""), id="whole_bucket"),
    ],
)
def test_lake_is_named_as_openlineage_names_it(url, place):
    assert lake_place(url) == place


def test_task_that_is_no_job_of_ours_is_left_to_airflow():
    observe.observed(age, "book")

    extractor = JobExtractor(operator=None)

    assert extractor.extract() is None
    assert extractor.extract_on_complete(SimpleNamespace(id="another")) is None


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        pytest.param(errors.ControlTotalError("a", "b"), True, id="ours_holds_no_value"),
        pytest.param(ValueError("duplicate key (phone)=(13800000000)"), False, id="a_drivers_may"),
    ],
)
def test_words_and_trace_of_foreign_exceptions_do_not_leave(error, kept):
    facet = error_message_run.ErrorMessageRunFacet(str(error), "python", stackTrace=f"... {error}")
    run = Run("3f5e83fa-3480-44ff-99c5-ff943904e5e8", facets={"errorMessage": facet})
    event = RunEvent(
        eventTime="2026-03-05T00:00:00Z", producer="test", run=run, job=Job("n", "j"), eventType=RunState.FAIL
    )

    left = ForeignMessagesLeftOut({}).transform(event).run.facets["errorMessage"]

    assert (str(error) == left.message) is kept
    assert left.stackTrace is None
    assert "13800000000" not in repr(left)
