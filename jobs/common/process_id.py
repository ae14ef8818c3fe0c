"""The name of a process, exact enough to tell later whether that process still runs.

A process id alone is not, because ids are used again, and because each container counts its own. Host, boot,
PID namespace, process id and start time together name one process for ever, so that within one namespace its
death is seen at once, without waiting for a missing beat.

Names are stored in rows (`Job.lease_owner`, `Beat.owner`). During a deploy the programs of two releases read
each other's, so the form and the meaning of each part must stay. Releases before 1.0 wrote no namespace, and
call a process dead whose host is theirs and whose id they do not find. So a container's namespace is also a
part of its host: to them it is another host, of which only the beat tells.
"""

from __future__ import annotations

import os
import socket
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import psutil

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
NAMESPACE = Path("/proc/self/ns/pid")
#: The PID namespace of processes outside of containers, on every Linux (PROC_PID_INIT_INO).
FIRST_NAMESPACE = "4026531836"


class Name(NamedTuple):
    """The parts of a name; those that are missing or unknown are empty."""

    host: str
    boot: str
    pid: str
    started: str
    namespace: str

    @property
    def place(self) -> tuple[str, str, str]:
        """Where its process id means something."""
        return self.host, self.boot, self.namespace


def this_process() -> str:
    """`host/boot/pid/start/namespace` of the running process; in a container its host is `host+namespace`.

    Boot, start and namespace are empty where there is no /proc.
    """
    return "/".join(_this())


def file_name() -> str:
    """The name of this process for a file in a folder that hosts and containers may share."""
    return "-".join(_this())


def short_name() -> str:
    """`host:pid`, for people."""
    return f"{socket.gethostname()}:{os.getpid()}"


def short(name: str) -> str:
    """The same for a stored name; "unknown" when it cannot be read."""
    host, _, pid, *_ = _parse(name)
    return f"{host.partition('+')[0]}:{pid}" if host and pid else "unknown"


def pid_here(name: str) -> int | None:
    """The process id in a name of this host and namespace; None for a process of another one.

    A name by an older release, without a namespace, may be one of this host: that is believed.
    """
    given, own = _parse(name), _this()
    is_ours = given.place == own.place or (not given.namespace and given.host == socket.gethostname())
    return int(given.pid) if is_ours and given.pid.isdigit() else None


def is_dead(name: str) -> bool:
    """True only when it is certain: the named process ran in this very place and has ended.

    A process of another host or container, or one whose name cannot be read, may still run: only its missing
    beat tells. Nor does another boot id tell: two machines may have one host name.
    """
    given, own = _parse(name), _this()
    if given.place != own.place or not given.pid.isdigit():
        return False
    if not (own.boot and own.namespace) and sys.platform.startswith("linux"):
        return False  # a system that hides what would tell two containers apart
    if not is_running(int(given.pid)):
        return True
    # Where the start of others' processes is hidden (hidepid), it may be this one or a later one.
    started = _started(int(given.pid))
    return bool(given.started and started) and started != given.started


def is_running(pid: int) -> bool:
    """Whether a process of this place has this id; one that has ended and only waits to be reaped has not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return _is_hidden(pid)
    except psutil.AccessDenied:  # it runs, as somebody else
        return True


def _is_hidden(pid: int) -> bool:
    """Whether /proc merely hides the process, since it is somebody else's."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return False  # it has begun or ended this moment, or waits to be reaped


def _this() -> Name:
    pid, host, namespace = os.getpid(), socket.gethostname(), _namespace()
    if namespace not in ("", FIRST_NAMESPACE):
        host = f"{host}+{namespace}"
    return Name(host, _boot_id(), str(pid), _started(pid), namespace)


def _parse(name: str) -> Name:
    return Name(*[*name.split("/"), "", "", "", "", ""][:5])


@lru_cache(maxsize=1)
def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


@lru_cache(maxsize=1)
def _namespace() -> str:
    """The number of our PID namespace (pid_namespaces(7)); "" when unknown."""
    try:
        return NAMESPACE.readlink().name.removeprefix("pid:[").removesuffix("]")
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
