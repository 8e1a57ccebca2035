"""The one-machine deployment: embedded PostgreSQL, the four Airflow components, and the drive behind ``make run``.

Belongs here: starting, watching and stopping real servers, and talking to Airflow over its REST API.
Does not belong here: anything a production deployment needs too; no module of this package imports airflow.
"""
