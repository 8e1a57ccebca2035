"""Airflow's home and folders must be set before anything imports Airflow."""

from support import airflow_home  # noqa: F401  sets them
