"""Places where a process may be made to die, so that tests can prove what survives.

Inert unless ``ARREARS_FAILPOINT`` names the place and the file that ``ARREARS_FAILPOINT_FILE`` names exists. That file
is taken away first: a fail point strikes once, and whatever runs again under the same environment is undisturbed.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path


def failpoint(name: str) -> None:
    """Die here by SIGKILL, as from lack of memory, or by another signal, when a test asks for it; else do nothing.

    Args:
        name: ``<job>.<place>``.
    """
    marker = os.environ.get("ARREARS_FAILPOINT_FILE")
    if marker is None or os.environ.get("ARREARS_FAILPOINT") != name:
        return
    try:
        Path(marker).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), getattr(signal, os.environ.get("ARREARS_FAILPOINT_SIGNAL", "SIGKILL")))
