"""Airflow's home, folders and logins for tests in this process: imported before anything imports Airflow."""

import os
import secrets
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="arrears-airflow-home-")
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(REPOSITORY / "dags")
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(REPOSITORY / "plugins")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__AUTH_MANAGER"] = "support.auth.ByPortfolio"
os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] = "viewer:viewer,operator:user,stranger:user"
os.environ["AIRFLOW__API_AUTH__JWT_SECRET"] = secrets.token_urlsafe(64)  # as long as its algorithm wants it
