"""What tasks need, made once by the process that Airflow forks them from.

``[scheduler] mp_forkserver_preload`` and Celery's ``imports`` name this module. Without it each task imports the jobs
and what the DAG files import, and reads settings and portfolios, all for the first time: more than half of the CPU that
a small task takes. A task does the same either way, sooner or later.

Belongs here: what is imported and warmed, and that nothing of it can hinder the process that imports it.
"""

from __future__ import annotations

import gc
import logging
import pkgutil
from importlib import import_module
from pathlib import Path

from airflow.configuration import conf
from airflow.dag_processing.dagbag import DagBag

from arrears import jobs
from arrears.errors import ArrearsError
from arrears.orchestration.defaults import portfolio_names
from arrears.portfolio import load_folder
from arrears.settings import load_settings

log = logging.getLogger(__name__)


def preload() -> list[str]:
    """Import every job, run every DAG file as Airflow does, read every portfolio.

    Forks do not search all that for cycles again.

    Returns:
        Files and portfolios that are wrong, as the DAG processor and the portfolio's first task tell.
    """
    for module in pkgutil.iter_modules(jobs.__path__, f"{jobs.__name__}."):
        import_module(module.name)
    failed = [Path(file).name for file in DagBag(dag_folder=conf.get("core", "dags_folder")).import_errors]
    failed += [name for name in _portfolios() if not _is_read(name)]
    gc.collect()
    gc.freeze()
    return failed


def _portfolios() -> list[str]:
    try:
        return portfolio_names()
    except ArrearsError as error:  # settings that are wrong: every task says so
        log.warning("not preloaded: portfolios (%s)", error.code)
        return []


def _is_read(portfolio: str) -> bool:
    try:
        load_folder(portfolio, load_settings())
    except ArrearsError as error:
        log.warning("not preloaded: %s (%s)", portfolio, error.code)
        return False
    return True


preload()
