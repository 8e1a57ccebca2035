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
import runpy
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.configuration import conf

from arrears import jobs
from arrears.orchestration.defaults import portfolio_names
from arrears.portfolio import load_folder
from arrears.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)


def preload() -> list[str]:
    """Import every job, run every DAG file, read every portfolio; forks do not search all that for cycles again.

    Returns:
        What could not be made, as a task will tell whose it is.
    """
    failed = []
    for name, make in _things():
        try:
            make()
        except Exception as error:  # noqa: BLE001  a mistake in one file is its tasks' to tell, and nobody else's
            log.warning("not preloaded: %s (%s)", name, type(error).__name__)
            failed.append(name)
    gc.collect()
    gc.freeze()
    return failed


def _things() -> Iterator[tuple[str, Callable[[], object]]]:
    for module in pkgutil.iter_modules(jobs.__path__, f"{jobs.__name__}."):
        yield module.name, partial(import_module, module.name)
    for file in sorted(Path(conf.get("core", "dags_folder")).glob("*.py")):
        yield file.name, partial(runpy.run_path, str(file))
    for portfolio in portfolio_names():
        yield portfolio, partial(load_folder, portfolio, load_settings())


preload()
