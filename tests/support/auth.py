"""Airflow's simple auth manager, with one user who may see one portfolio's DAG and no other."""

from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

STRANGER = "stranger"
STRANGERS_DAG = "collections_daily__other"


class ByPortfolio(SimpleAuthManager):
    """What a deployment with a team for each portfolio does."""

    def is_authorized_dag(self, *, method, user, access_entity=None, details=None):
        """As the role allows, and for the stranger only of their own DAG."""
        may = super().is_authorized_dag(method=method, user=user, access_entity=access_entity, details=details)
        return may and (user.username != STRANGER or details is None or details.id in {None, STRANGERS_DAG})
