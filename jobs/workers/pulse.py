"""A sign of life outside the database: a file that a cluster touches while it looks for messages.

Its supervisor believes it as it believes a heartbeat. So a fault in our heartbeat does not make it replace a
cluster that works, and neither does a folder that cannot be written.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from jobs.common import process_id

#: The environment variable that names the file; the supervisor sets it for the cluster that it starts.
PULSE_FILE = "TAGMANAGER_PULSE_FILE"
#: Stands for the "/" in the name of a process, which the file is named after.
SLASH = "~"
#: What is left of supervisors that were killed is removed after a day, seconds.
LEFT_FOR = 86_400


def prepare() -> Path:
    """The file for the cluster of this supervisor, which does not exist yet."""
    folder = Path(settings.VAR_DIR)
    for path in folder.glob("pulse-*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > LEFT_FOR:
                path.unlink()
    own = folder / f"pulse-{process_id.this_process().replace('/', SLASH)}"
    own.unlink(missing_ok=True)
    return own


def touch() -> None:
    """Called by the cluster; a file that cannot be written is no reason to stop."""
    if path := os.environ.get(PULSE_FILE):
        with suppress(OSError):
            Path(path).touch(mode=0o600)


def last_of(path: Path) -> int:
    """When the file was last touched, as a number that only changes; 0 for never."""
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return 0


def is_felt_here(within: float) -> bool:
    """Whether the cluster of a living supervisor of this host touched its file within so many seconds."""
    for path in Path(settings.VAR_DIR).glob("pulse-*"):
        owner = path.name.removeprefix("pulse-").replace(SLASH, "/")
        if not process_id.pid_here(owner) or process_id.is_dead(owner):
            continue
        with suppress(OSError):
            if abs(time.time() - path.stat().st_mtime) <= within:
                return True
    return False
