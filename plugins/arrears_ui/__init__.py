"""Pages inside the Airflow UI; Airflow itself loads only `arrears_plugin`, see `.airflowignore`."""
