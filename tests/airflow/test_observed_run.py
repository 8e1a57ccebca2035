"""One day on a real Airflow: what it tells of itself as lineage, metrics and logs is what the manifests say."""

import json
import re

import psycopg
import pytest
from arrears.contracts import CONTRACTS
from arrears.contracts.model import PiiClass
from arrears.jobs import STEPS
from arrears.jobs.day import Day
from arrears.local.demo import Demo
from arrears.settings import REPOSITORY
from support.servers import running_floor
from support.statsd import StatsdListener

pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]

BOOK = Demo("demo_travel_cn", "Asia/Shanghai", loans=1500, seed=7)  # large enough to have rows that are rejected
JOBS = ("extract", *STEPS, "publish")


@pytest.fixture(scope="module")
def statsd():
    listener = StatsdListener()
    listener.start()
    yield listener
    listener.end()


@pytest.fixture(scope="module")
def floor(tmp_path_factory, statsd):
    metrics = {
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(statsd.port),
        "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
    }
    with running_floor(tmp_path_factory.mktemp("floor"), book=BOOK, environment=metrics) as floor:
        floor.api.trigger(BOOK.dag_id, floor.dates[0])
        floor.wait(floor.dates[0])
        yield floor


@pytest.fixture(scope="module")
def day(floor):
    return Day.open(BOOK.portfolio, floor.dates[0], settings=floor.settings())


@pytest.fixture(scope="module")
def manifests(day):
    """Every partition of the day, by table."""
    found = {table: day.lake.find(day.key(table)) for table in CONTRACTS}
    return {table: manifest for table, manifest in found.items() if manifest}


@pytest.fixture(scope="module")
def events(floor):
    return [json.loads(line) for line in floor.deployment.home.lineage.read_text().splitlines()]


@pytest.fixture(scope="module")
def completed(events):
    """Events of jobs that ended well, by step."""
    found = {}
    for event in events:
        if event["eventType"] == "COMPLETE" and event["job"]["name"].startswith(f"{BOOK.dag_id}."):
            found.setdefault(event["job"]["name"].removeprefix(f"{BOOK.dag_id}."), []).append(event)
    return found


def lake_datasets(day, datasets):
    """Datasets of the lake, by table."""
    folder = f"{day.settings.lake_url.removeprefix('file://')}/{BOOK.portfolio}/"
    return {one["name"].removeprefix(folder): one for one in datasets if one["name"].startswith(folder)}


def test_lineage_has_every_table_written_once_as_its_manifest_says(day, manifests, completed):
    written = [lake_datasets(day, event["outputs"]) for step in JOBS for event in completed[step]]
    told = {table: dataset for datasets in written for table, dataset in datasets.items()}

    assert sum(map(len, written)) == len(told)
    assert set(told) == set(manifests)
    for table, manifest in manifests.items():
        assert told[table]["outputFacets"]["outputStatistics"]["rowCount"] == manifest.rows
        assert told[table]["facets"]["version"]["datasetVersion"] == manifest.content_hash
        columns = [(field["name"], field["type"]) for field in told[table]["facets"]["schema"]["fields"]]
        assert columns == [(column.name, column.type.value) for column in CONTRACTS[table].all_columns]


def test_lineage_has_every_input_that_the_manifests_name(day, manifests, completed):
    asked = 0
    for step in JOBS:
        for event in completed[step]:
            read, written = (lake_datasets(day, event[side]) for side in ("inputs", "outputs"))
            for table in written:
                named = {name for name in manifests[table].inputs if name in manifests} - set(written)
                asked += len(named)
                assert named <= set(read), f"{step} {table}"
                for name in named:
                    assert read[name]["inputFacets"]["dataQualityMetrics"]["rowCount"] == manifests[name].rows

    assert asked > len(manifests)


def test_lineage_has_the_judgement_of_every_extract(day, manifests, completed):
    (event,) = completed["validate"]
    judged = {
        table: {one["assertion"]: one for one in dataset["inputFacets"]["dataQualityAssertions"]["assertions"]}
        for table, dataset in lake_datasets(day, event["inputs"]).items()
        if "dataQualityAssertions" in dataset["inputFacets"]
    }

    ledger = {table: CONTRACTS[table] for table in manifests if table.startswith("raw__")}
    assert set(judged) == {f"extract__{contract.noun}" for contract in ledger.values()}
    for table, contract in ledger.items():
        found = judged[f"extract__{contract.noun}"]
        left_out = manifests[f"extract__{contract.noun}"].rows - manifests[table].rows
        assert int(found["rows_rejected"]["actual"]) == left_out
        assert found["rows_rejected"]["success"] is (left_out == 0)
        assert {check.rule for check in contract.checks} <= set(found)
    assert any(not one["success"] for found in judged.values() for one in found.values())


def test_lineage_of_publish_ends_in_the_warehouse(floor, completed):
    (event,) = completed["publish"]
    told = {one["name"].rpartition(".")[2]: one for one in event["outputs"]}

    facts = {contract.mart for contract in CONTRACTS.values() if contract.mart}
    assert set(told) == facts
    with psycopg.connect(floor.deployment.warehouse_url.replace("+psycopg", "")) as connection:
        for fact, dataset in told.items():
            count = connection.execute(f"SELECT count(*) FROM mart.{fact}").fetchone()[0]
            assert dataset["outputFacets"]["outputStatistics"]["rowCount"] == count
            assert dataset["namespace"] == f"postgres://127.0.0.1:{floor.deployment.postgres.port}"
            assert dataset["name"] == f"arrears.mart.{fact}"


def test_nothing_that_is_told_holds_an_identifier_of_the_book(floor, day, manifests, events, statsd):
    secrets = {floor.deployment.postgres.password}
    with day.work() as work:
        for table in manifests:
            for column in CONTRACTS[table].columns:
                if column.pii is PiiClass.PSEUDONYM and table.startswith("raw__"):
                    work.read(table)
                    rows = work.connection.execute(f"SELECT DISTINCT {column.name} FROM {table}").fetchall()
                    secrets |= {value for (value,) in rows if value}
    told = json.dumps(events) + "\n".join(statsd.lines)

    words = set(re.findall(r"[\w-]+", told))
    assert len(secrets) > 500
    assert {secret for secret in secrets if secret in words} == set()


def test_metrics_are_what_the_manifests_say(manifests, statsd):
    portfolio = f"portfolio={BOOK.portfolio}"

    rows = statsd.values("arrears.table.rows")
    assert rows == {frozenset({portfolio, f"table={table}"}): manifest.rows for table, manifest in manifests.items()}
    rejected = statsd.values("arrears.table.rejected")
    nouns = {table.split("__")[1] for table in manifests if table.startswith("raw__")}
    assert rejected == {
        frozenset({portfolio, f"table=raw__{noun}"}): manifests[f"extract__{noun}"].rows
        - manifests[f"raw__{noun}"].rows
        for noun in nouns
    }
    seconds = statsd.values("arrears.step.duration")
    assert set(seconds) == {frozenset({portfolio, f"step={step}"}) for step in JOBS}
    assert all(value > 0 for value in seconds.values())
    assert statsd.values("arrears.published") == {frozenset({portfolio}): 1.0}


@pytest.mark.usefixtures("floor")
def test_every_metric_that_the_how_to_names_is_sent(statsd):
    page = (REPOSITORY / "docs" / "how-to" / "observe.md").read_text(encoding="utf-8")
    table = page.split("## Metrics")[1].split("## ")[0]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [name for cell in first for name in re.findall(r"`([^`]+)`", cell) if "failed" not in name]

    assert len(named) > 10
    assert [name for name in named if not statsd.values(name)] == []


def test_log_has_one_line_per_job_and_one_per_table(floor, day, manifests):
    run_id = floor.run_of(day.business_date).run_id
    tasks = [task for task in floor.api.tasks(BOOK.dag_id, run_id) if task.task_id in JOBS]
    lines = [line for task in tasks for line in floor.api.log(BOOK.dag_id, run_id, task)]

    done = [line for line in lines if line["event"] == "job done"]
    assert len(done) == len(tasks) > len(JOBS)
    for line in done:
        assert line["portfolio"] == BOOK.portfolio
        assert line["business_date"] == day.business_date.isoformat()
        assert float(line["seconds"]) > 0
    (age,) = [line for line in done if line["step"] == "age"]
    loans = manifests["core__loan_delinquency_daily"]
    assert (age["table"], age["rows"], age["content_hash"]) == (loans.table, loans.rows, loans.content_hash)
    tables = {line["table"]: line["content_hash"] for line in lines if line["event"] == "table written"}
    assert tables == {table: manifest.content_hash for table, manifest in manifests.items()}


def test_failure_leaves_with_our_words_and_without_its_trace(floor):
    last = floor.dates[2]
    floor.api.trigger(BOOK.dag_id, last)
    floor.wait_for_task(last, "transitions", {"up_for_retry"})  # the day before never ran

    events = [json.loads(line) for line in floor.deployment.home.lineage.read_text().splitlines()]
    failed = [event for event in events if event["eventType"] == "FAIL"]
    assert failed
    for event in failed:
        assert event["job"]["name"] == f"{BOOK.dag_id}.transitions"
        assert event["run"]["facets"]["errorMessage"]["message"].startswith("ARR-RUN-PREDECESSOR")
        assert not event["run"]["facets"]["errorMessage"].get("stackTrace")
