"""Places where a process may be made to die, so that tests can prove what survives.

Inert unless ``ARREARS_FAILPOINT`` names the place and the file that ``ARREARS_FAILPOINT_FILE`` names exists. That file
is taken away first: a fail point strikes once, and whatever runs again under the same environment is undisturbed.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

# Every place, in the order in which a day comes to it; a test holds the list against the code, both ways. A place that
# many tables pass may be armed for one of them: ``lake.part_written/core__case_daily``.
POINTS = (
    "extract.before_write",
    "lake.part_written",
    "lake.part_stored",
    "lake.text_written",
    "lake.manifest_in_force",
    "extract.after_write",
    "validate.after_quarantine",
    "inbox.copied_one",
    "inbox.copied",
    "inbox.removed_one",
    "publish.in_staging",
    "publish.staged",
    "publish.before_commit",
    "publish.after_commit",
    "publish.cleared",
    "dispatch.before_intent",
    "dispatch.after_intent",
    "dispatch.before_check",
    "dispatch.after_check",
    "dispatch.before_record",
    "dispatch.after_record",
    "dispatch.before_settlement",
    "receipts.kept",
    "receipts.flagged",
    "feedback.before_commit",
    "feedback.after_commit",
    "feedback.after_archive",
    "drop.noted",
    "drop.unlisted",
    "retention.forgotten",
    "erasure.before_commit",
)


def failpoint(name: str, of: str = "") -> None:
    """Die here by SIGKILL, as from lack of memory, or by another signal, when a test asks for it; else do nothing.

    Args:
        name: ``<job>.<place>``, one of ``POINTS``.
        of: Table that is worked there.
    """
    marker = os.environ.get("ARREARS_FAILPOINT_FILE")
    if marker is None or os.environ.get("ARREARS_FAILPOINT") not in (name, f"{name}/{of}"):
        return
    try:
        Path(marker).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), getattr(signal, os.environ.get("ARREARS_FAILPOINT_SIGNAL", "SIGKILL")))
