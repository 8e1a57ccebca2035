"""What tasks are forked from has imported what they need, and no mistake in a file keeps it from starting."""

import json
import os
import subprocess
import sys
from pathlib import Path

DAGS = Path(__file__).parents[2] / "dags"
AS_A_TASK = """
import importlib, json, sys, threading
from arrears.local.airflow import PRELOADED
for name in PRELOADED:
    importlib.import_module(name)
threads, known = threading.active_count(), set(sys.modules)
from airflow.dag_processing.dagbag import DagBag
from arrears.jobs import STEPS, job
bag = DagBag(dag_folder=sys.argv[1])
for step in STEPS:
    job(step)
from arrears.jobs.extract import extract
from arrears.jobs.publish import publish
from sqlalchemy import create_engine
create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
new = sorted(name for name in set(sys.modules) - known if not name.startswith("unusual_prefix_"))
print(json.dumps({"dags": len(bag.dags), "wrong": bag.import_errors, "new": new, "threads": threads}))
"""
PRELOADS = """
import json
from arrears.orchestration import preload
print(json.dumps(preload.preload()))
"""


def said_by(script, *arguments, **environment):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    told = {**os.environ, "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS), **environment}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=told)
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_a_task_imports_nothing_that_was_not_there_before_it_was_forked():
    """Its own imports took 0.6 CPU seconds of each task, the parsing of the DAG file another 0.2."""
    said, _ = said_by(AS_A_TASK, DAGS)

    assert said["wrong"] == {}
    assert said["dags"] > len(list(DAGS.glob("*.py")))
    assert set(said["new"]) <= {"airflow.version"}
    assert said["threads"] == 1, "what is forked must not hold the locks of threads that are not"


def test_a_mistake_in_a_file_is_left_to_its_own_tasks(tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "wrong.py").write_text("from airflow.sdk import dag\nraise ValueError\n")
    (tmp_path / "portfolios" / "half").mkdir(parents=True)
    (tmp_path / "portfolios" / "half" / "portfolio.yaml").write_text("title: [unspeakable\n")

    failed, log = said_by(
        PRELOADS,
        AIRFLOW__CORE__DAGS_FOLDER=str(tmp_path / "dags"),
        ARREARS_PORTFOLIOS=str(tmp_path / "portfolios"),
    )

    assert failed == ["wrong.py", "half"]
    assert "unspeakable" not in log


def test_wrong_settings_are_left_to_the_tasks():
    failed, _ = said_by(PRELOADS, ARREARS_THREADS="unspeakable")

    assert "collections_daily.py" in failed, "it cannot be run without settings, and whoever asks for it is told"
