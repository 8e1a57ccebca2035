# One image for every Airflow component. Built from the official image for its user, its entrypoint and its signal
# handling; every Python package comes from the hashed lock, Airflow included. Not built here: see docs/how-to/deploy.md.
FROM apache/airflow:slim-3.3.2-python3.11

# The entrypoint's user, 50000 in group 0: nothing runs as root but the next three lines.
USER root
RUN install --directory --owner=airflow --group=0 --mode=0775 \
    /opt/airflow/logs /var/lib/arrears /var/lib/arrears/lake /var/lib/arrears/lineage
USER airflow

COPY --chown=airflow:0 requirements-deploy.txt /opt/arrears/
RUN pip install --no-cache-dir --require-hashes --requirement /opt/arrears/requirements-deploy.txt

COPY --chown=airflow:0 include /opt/arrears/include
COPY --chown=airflow:0 plugins /opt/arrears/plugins
COPY --chown=airflow:0 dags /opt/arrears/dags
# The UI's Runbook links show these pages.
COPY --chown=airflow:0 docs/runbooks /opt/arrears/docs/runbooks

# Not installed but found: portfolios, policies and SQL lie beside the code, as in the repository.
ENV PYTHONPATH=/opt/arrears/include
