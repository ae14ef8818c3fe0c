"""The name of a process, exact enough to tell later whether it still lives.

A process id alone is not: ids are used again. Host, boot, process id and start time together name one process
for ever, and on the same host its death can be seen at once instead of after a missing beat.
"""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """`host/boot/pid/start` of the running process."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{_boot_id()}/{pid}/{_started(pid)}"


def short_name() -> str:
    """`host:pid`, for people."""
    return f"{socket.gethostname()}:{os.getpid()}"


def pid_here(name: str) -> int | None:
    """The process id in a name of this host; None for a process of another one."""
    host, _, pid, *_ = [*name.split("/"), "", "", ""]
    return int(pid) if host == socket.gethostname() and pid.isdigit() else None


def is_dead(name: str) -> bool:
    """True only when it is certain: the named process ran on this host and is gone.

    A process of another host, or a name that cannot be read, may be alive: then only the missing beat tells.
    """
    host, boot, pid, started, *_ = [*name.split("/"), "", "", "", ""]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if boot and _boot_id() and boot != _boot_id():
        return True
    if started:
        return _started(int(pid)) != started
    return not _exists(int(pid))


@lru_cache(maxsize=1)
def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Clock ticks after boot at which the process started (field 22 of /proc/PID/stat); "" when unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The second field is the command in brackets and may hold blanks and brackets itself.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
