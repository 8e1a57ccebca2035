# ruff: noqa: PLC0415  collecting tests that are not run must not cost Airflow's imports
"""Airflow's own API server in this process, with the plugin, and browsers that are logged in to it."""

from support import airflow_home  # noqa: F401, I001  before anything imports Airflow

import json
from pathlib import Path


def app_of(*portfolios):
    """The server, on a metadata database that knows the portfolios' DAGs."""
    from airflow import settings
    from airflow.api_fastapi.app import create_app
    from airflow.models import DagModel, import_all_models
    from airflow.models.base import Base
    from airflow.models.dagbundle import DagBundleModel
    from sqlalchemy.orm import Session

    import_all_models()
    Base.metadata.create_all(settings.engine)
    with Session(settings.engine) as session:
        if session.get(DagBundleModel, "tests") is None:
            session.add(DagBundleModel(name="tests"))
            session.flush()
        for name in portfolios:
            if session.get(DagModel, f"collections_daily__{name}") is None:
                session.add(DagModel(dag_id=f"collections_daily__{name}", bundle_name="tests", fileloc=""))
        session.commit()
    return create_app("core")


def browsers(app):
    """Makes a client of a user, logged in as a browser is: by cookie; ``None`` is nobody."""
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
    from starlette.testclient import TestClient

    passwords = json.loads(Path(SimpleAuthManager.get_generated_password_file()).read_text())

    def open_browser(user):
        client = TestClient(app, follow_redirects=False, raise_server_exceptions=False)
        if user is not None:
            answer = client.post("/auth/token", json={"username": user, "password": passwords[user]})
            client.cookies.set("_token", answer.json()["access_token"])
        return client

    return open_browser
