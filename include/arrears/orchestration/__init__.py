"""The only part that imports Airflow: what DAG files share. Wiring stays in ``dags/``, work stays in ``jobs``."""
