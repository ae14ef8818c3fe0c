"""Starting and stopping processes so that none is left behind, however a command ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

import psutil

from jobs.common import process_id

#: prctl(2): the signal that a process gets when its parent dies.
PR_SET_PDEATHSIG = 1
#: What asks a process to stop: a service manager, Ctrl-C, a terminal that is closed.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def die_with_parent(parent: int) -> Callable[[], None]:
    """A function that a child of the process `parent` calls first, to be killed when its parent ends.

    Only Linux can do that; elsewhere the children of a killed parent have to be ended by hand.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    # Looked up before the fork, because after it a child should do as little as it can.
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died between the fork and this line
            os._exit(1)

    return bind


def bind_forks() -> None:
    """From here on each process that this one forks dies with it, and so on down the tree.

    Signals to the whole group do not stop it: the process above does.
    """
    parent = os.getpid()

    def remember() -> None:
        nonlocal parent
        parent = os.getpid()

    def bind() -> None:
        # Blocked rather than ignored: a fork may set a handler of its own, and Django-Q2's sentinel does.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        die_with_parent(parent)()

    os.register_at_fork(before=remember, after_in_child=bind)


def start(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: IO[bytes] | None = None,
    errors: IO[bytes] | None = None,
    own_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a child that dies with this process, in a process group of its own or (`own_session`) not.

    In a session of its own the terminal's Ctrl-C does not reach it: we stop it ourselves. Its output goes to
    `log`, or where ours goes; its standard error goes to `errors` if that is given.
    """
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL if own_session else None,
        stdout=log,
        stderr=errors or (subprocess.STDOUT if log else None),
        start_new_session=own_session,
        preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - no caller has threads
    )


def stop(child: subprocess.Popen[bytes], grace: float, by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the child to end, and after `grace` seconds end it with all its group."""
    if child.poll() is None:
        child.send_signal(by)
        with suppress(subprocess.TimeoutExpired):
            child.wait(grace)
    with suppress(ProcessLookupError, PermissionError):  # no group of its own, or nobody left in it
        os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.wait()


def members(group: int) -> set[int]:
    """The ids of the processes that run in a group."""
    return {pid for pid in psutil.pids() if _group_of(pid) == group and process_id.is_running(pid)}


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:  # it has ended meanwhile, or we may not ask
        return None
