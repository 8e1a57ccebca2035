"""docker-compose.yml and Dockerfile: parsed, and held one by one to Airflow 3.3's conventions and real option names."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from airflow.configuration import conf
from airflow.providers.celery.cli.definition import get_celery_cli_commands
from arrears.local.airflow import PRELOADED
from arrears.settings import Settings

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
COMPONENTS = {
    "airflow-apiserver": "api-server",
    "airflow-scheduler": "scheduler",
    "airflow-dag-processor": "dag-processor",
    "airflow-triggerer": "triggerer",
    "airflow-worker": "celery worker",
}
AIRFLOW = [*COMPONENTS, "airflow-init", "airflow-cli"]
SERVERS = [name for name in AIRFLOW if name != "airflow-worker"]
REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")


def environment(service):
    return SERVICES[service]["environment"]


def test_head_says_that_it_is_parsed_and_not_run():
    assert TEXT.startswith("# Parsed, not run here"), "a reader must not take it for tried"


def test_services_are_those_of_the_official_file_and_a_warehouse():
    assert set(SERVICES) == {*AIRFLOW, "feedback", "postgres", "redis", "warehouse"}


@pytest.mark.parametrize(("service", "command"), COMPONENTS.items(), ids=list(COMPONENTS))
def test_each_component_runs_its_command(service, command):
    known = {name.name for name in get_celery_cli_commands()[0].subcommands}

    assert SERVICES[service]["command"] == command
    assert "worker" in known, "the Celery provider has renamed its command"


@pytest.mark.parametrize("service", AIRFLOW)
def test_every_airflow_option_is_one_of_airflow_3_3(service):
    named = [name for name in environment(service) if name.startswith("AIRFLOW__")]

    assert len(named) > 15
    for name in named:
        section, key = name.removeprefix("AIRFLOW__").lower().split("__", 1)
        described = conf.configuration_description.get(section, {}).get("options", {})
        assert key in described, f"{name}: [{section}] has no option {key}"
        assert not (described[key].get("description") or "").startswith("Deprecated"), f"{name} is deprecated"


@pytest.mark.parametrize("service", AIRFLOW)
def test_every_setting_of_ours_exists(service):
    told = {name for name in environment(service) if name.startswith("ARREARS_")} - {
        "ARREARS_BI_PASSWORD",
        "ARREARS_JOBS_PASSWORD",
    }

    known = {f"ARREARS_{name.upper()}" for name in Settings.model_fields}
    assert told
    assert told <= known


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor", "the topology"),
        (
            "AIRFLOW__CORE__AUTH_MANAGER",
            "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
            "the simple auth manager is for development",
        ),
        (
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
            "http://airflow-apiserver:8080/execution/",
            "tasks reach Airflow through the execution API",
        ),
        ("AIRFLOW__CORE__LOAD_EXAMPLES", "False", "examples are not for a deployment"),
        ("AIRFLOW__CORE__DAGS_FOLDER", "/opt/arrears/dags", "DAGs are in the image"),
    ],
)
def test_option_has_its_conventional_value_everywhere(name, value, reason):
    assert {environment(service)[name] for service in AIRFLOW} == {value}, reason


def test_both_ends_of_a_signature_have_the_same_secret():
    for name in ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__FERNET_KEY"):
        assert len({environment(service)[name] for service in SERVERS}) == 1, f"{name} differs between the servers"
    shared = "AIRFLOW__API__SECRET_KEY"
    assert len({environment(service)[shared] for service in AIRFLOW}) == 1, "workers' log servers check this signature"


def test_worker_holds_none_of_the_servers_secrets():
    from arrears.local.celery import NOT_FOR_WORKERS  # noqa: PLC0415  what the celery test runs without

    assert NOT_FOR_WORKERS
    assert set(NOT_FOR_WORKERS) & set(environment("airflow-worker")) == set()
    assert "AIRFLOW_DB_PASSWORD" not in json.dumps(SERVICES["airflow-worker"])


def test_secrets_are_required_and_have_no_default():
    secret = re.compile(r"(PASSWORD|SECRETS?|SECRET_KEY|FERNET_KEY)$")
    named = {
        name: value
        for service in SERVICES.values()
        for name, value in service.get("environment", {}).items()
        if secret.search(name)
    }
    urls = {name: value for name, value in environment("airflow-scheduler").items() if "://" in value and "@" in value}

    assert len(named) >= 7
    assert len(urls) == 4
    for name, value in {**named, **urls}.items():
        assert REQUIRED.search(value), f"{name} must be ${{VAR:?why}}"
    assert REQUIRED.search(SERVICES["redis"]["command"][-1])
    assert "airflow:airflow" not in TEXT, "the sample's login"
    assert "airflow_jwt_secret" not in TEXT, "the sample's secret"


def test_example_file_names_every_required_variable_and_gives_none():
    lines = (REPOSITORY / ".env.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert set(given) == set(REQUIRED.findall(TEXT))
    assert set(given.values()) == {""}


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("airflow-apiserver", "curl --fail http://localhost:8080/api/v2/monitor/health"),
        ("airflow-scheduler", "curl --fail http://localhost:8974/health"),
        ("airflow-dag-processor", "airflow jobs check --job-type DagProcessorJob --hostname"),
        ("airflow-triggerer", "airflow jobs check --job-type TriggererJob --hostname"),
        ("airflow-worker", "celery --app airflow.providers.celery.executors.celery_executor.app inspect ping"),
        ("postgres", "pg_isready"),
        ("warehouse", "pg_isready"),
        ("redis", "redis-cli ping"),
        ("feedback", "curl --fail http://localhost:8081/health"),
    ],
)
def test_health_check_asks_the_conventional_question(service, words):
    check = SERVICES[service]["healthcheck"]

    assert words in " ".join(check["test"][1:])
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


def test_scheduler_answers_its_health_check():
    assert environment("airflow-scheduler")["AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK"] == "True"
    assert conf.getint("scheduler", "scheduler_health_check_server_port") == 8974


@pytest.mark.parametrize(
    "service", ["airflow-worker", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"]
)
def test_component_waits_until_the_api_server_is_healthy(service):
    waits = SERVICES[service]["depends_on"]

    assert waits["airflow-apiserver"] == {"condition": "service_healthy"}, "else its first tasks fail while queued"
    assert waits["redis"] == {"condition": "service_healthy"}
    assert waits["airflow-init"] == {"condition": "service_completed_successfully"}


def test_init_migrates_both_databases_once_and_ends():
    init = SERVICES["airflow-init"]
    script = init["command"][0]

    assert init["restart"] == "no"
    assert {"postgres", "warehouse"} == set(init["depends_on"])
    for step in ("airflow db migrate", "airflow users create", "python -m arrears migrate"):
        assert step in script, step


def test_webhook_has_a_secret_what_it_reads_and_nothing_of_airflow_s():
    service = SERVICES["feedback"]

    assert service["entrypoint"][:5] == ["python", "-m", "arrears", "feedback", "serve"]
    told = {f"ARREARS_{name}" for name in ("WAREHOUSE_URL", "MASTER_KEYS", "LAKE_URL", "FEEDBACK_SECRETS")}
    assert set(service["environment"]) == told
    assert "arrears_jobs" in service["environment"]["ARREARS_WAREHOUSE_URL"], "it changes no table and no history"
    assert service["depends_on"] == {"airflow-init": {"condition": "service_completed_successfully"}}


def test_workers_end_gently_and_are_two():
    worker = SERVICES["airflow-worker"]

    assert environment("airflow-worker")["DUMB_INIT_SETSID"] == "0", "else SIGTERM reaches the tasks too"
    assert worker["deploy"]["replicas"] == 2
    assert worker["stop_grace_period"] == "30m", "the longest publish"


def test_broker_delivers_again_only_after_the_longest_task():
    from arrears.orchestration.defaults import task_defaults  # noqa: PLC0415  imports Airflow

    seconds = int(environment("airflow-worker")["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"])

    assert seconds > task_defaults()["execution_timeout"].total_seconds()


def test_what_workers_import_beforehand_is_what_tasks_need():
    told = json.loads(environment("airflow-worker")["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"])

    assert told["imports"]
    assert set(told["imports"]) <= set(PRELOADED), "the local deployment has tried these"


def test_lineage_leaves_through_the_scrubber_by_our_extractor():
    from arrears.orchestration import lineage  # noqa: PLC0415  imports Airflow

    told = environment("airflow-worker")
    transport = json.loads(told["AIRFLOW__OPENLINEAGE__TRANSPORT"])

    for path in (told["AIRFLOW__OPENLINEAGE__EXTRACTORS"], transport["transformer_class"]):
        module, _, name = path.rpartition(".")
        assert module == lineage.__name__
        assert hasattr(lineage, name)


def test_nothing_is_reachable_from_other_machines_unasked():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(published) == 3
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_volume_and_config_that_is_mounted_is_declared():
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    configs = {config["source"] for service in SERVICES.values() for config in service.get("configs", [])}

    assert mounted == set(COMPOSE["volumes"])
    assert configs == set(COMPOSE["configs"])
    assert "pip_additional_requirements" not in TEXT.lower(), "packages are in the image, from the lock"


def test_warehouse_is_not_airflows_own_database():
    assert "@warehouse/" in environment("airflow-worker")["ARREARS_WAREHOUSE_URL"]
    assert "@postgres/" in environment("airflow-scheduler")["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]


@pytest.fixture(scope="module")
def dockerfile():
    """Instructions in order: word and the rest."""
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def test_image_is_pinned_to_the_locked_airflow(dockerfile):
    (base,) = [rest for word, rest in dockerfile if word == "FROM"]
    lock = (REPOSITORY / "requirements-deploy.txt").read_text(encoding="utf-8")
    (airflow,) = re.findall(r"^apache-airflow==(\S+)", lock, flags=re.MULTILINE)

    assert base == f"apache/airflow:slim-{airflow}-python3.11"


def test_image_installs_from_the_hashed_lock_alone(dockerfile):
    installs = [shlex.split(rest) for word, rest in dockerfile if word == "RUN" and "pip" in rest]

    assert len(installs) == 1
    assert {"--require-hashes", "--requirement", "/opt/arrears/requirements-deploy.txt"} <= set(installs[0])


def test_image_ends_as_an_ordinary_user(dockerfile):
    users = [rest for word, rest in dockerfile if word == "USER"]

    assert users[-1] == "airflow"


def test_what_the_image_copies_is_there_and_not_ignored(dockerfile):
    copied = [rest.split()[1] for word, rest in dockerfile if word == "COPY"]
    kept = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert "include" in copied
    assert set(copied) == kept
    assert all((REPOSITORY / path).exists() for path in copied)


def test_deploy_lock_agrees_with_the_lock():
    pins = [
        re.findall(r"^([a-z0-9-]+)==([^\s;]+)", (REPOSITORY / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name in ("requirements.txt", "requirements-deploy.txt")
    ]
    ours, deployed = pins
    names = {name for name, _ in ours}  # some of them twice: one version for each Python

    assert {"apache-airflow", "apache-airflow-providers-celery", "apache-airflow-providers-fab"} <= {
        name for name, _ in deployed
    }
    both = {pin for pin in deployed if pin[0] in names}
    assert len(both) > 100
    assert both <= set(ours), "run `make lock`"
