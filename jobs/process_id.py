"""The name of a process, exact enough to tell later whether that process still runs.

A process id alone is not, because ids are used again. Host, boot, process id and start time together name one
process for ever, so that on the same host its death is seen at once, without waiting for a missing beat.

Names are stored in rows (`Job.lease_owner`, `Beat.owner`). During a deploy the programs of two releases read
each other's, so the form and the meaning of each part must stay.
"""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """`host/boot/pid/start` of the running process; where there is no /proc, boot and start are empty."""
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
    """True only when it is certain: the named process ran on this host and has ended.

    A process of another host, or one whose name cannot be read, may still run: only its missing beat tells.
    """
    host, boot, pid, started, *_ = [*name.split("/"), "", "", "", ""]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if boot and _boot_id() and boot != _boot_id():
        return True
    if started:
        return _started(int(pid)) != started
    return not is_running(int(pid))


def is_running(pid: int) -> bool:
    """Whether a process of this host has this id; one that has ended and only waits to be reaped has not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:  # it runs, as somebody else
        return True


@lru_cache(maxsize=1)
def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Clock ticks from boot to the start of the process (field 22 of /proc/PID/stat); "" when unknown.

    Read here because psutil tells the start as a time of day only, which moves whenever the clock is set: a
    worker that runs would then be called dead, and its job would be taken from it.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The second field is the command in brackets and may hold blanks and brackets itself.
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]
