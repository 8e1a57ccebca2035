"""Arrears: a daily loan-delinquency and collections pipeline. Airflow is imported only in ``arrears.orchestration``."""
