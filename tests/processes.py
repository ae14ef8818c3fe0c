"""Our commands and processes in tests: called here, or started, awaited and looked at."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import IO, TypeVar

import psutil
from django.core.management import CommandError, call_command

from zendesk import sandbox as zd

#: Far beyond what anything here takes; only a hang reaches it, seconds.
DEADLINE = 240.0
#: Between two checks of a condition, seconds: short beside anything that a process does.
POLL_INTERVAL = 0.02
SECRETS = (zd.CLIENT_SECRET, zd.BEARER_TOKEN, zd.API_TOKEN, "wrong-secret")


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    def check_manners(self) -> Ran:
        """Whatever happened, people see no traceback and nobody sees a secret."""
        said = self.out + self.err
        assert "Traceback" not in said
        assert [secret for secret in SECRETS if secret in said] == []
        return self


def command(name: str, *arguments: str) -> Ran:
    """Call it in this process; a `CommandError` is printed as on the command line."""
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command(name, *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    except CommandError as problem:
        code = problem.returncode
        err.write(f"{problem}\n")
    return Ran(code, out.getvalue(), err.getvalue()).check_manners()


def await_that(condition: Callable[[], T], what: str, seconds: float = DEADLINE) -> T:
    """Return what the condition gave when it first held; fail after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain: {what}"
        time.sleep(POLL_INTERVAL)
    return found


def await_line(stream: IO[str] | None, words: str) -> str:
    """Read up to the line with these words; return all that was read."""
    assert stream is not None
    said = ""
    while words not in said:
        line = stream.readline()
        assert line, f"it ended without writing {words!r}: {said}"
        said += line
    return said


def exists(pid: int) -> bool:
    """Whether the process lives; one that only waits to be reaped does not."""
    return status_of(pid) not in ("", psutil.STATUS_ZOMBIE)


def is_frozen(pid: int) -> bool:
    return status_of(pid) == psutil.STATUS_STOPPED


def status_of(pid: int) -> str:
    """As psutil names it; "" for a process that is gone."""
    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return ""


def has_pending(pid: int, number: signal.Signals) -> bool:
    """Whether a signal to the process still waits to be taken (proc(5), ShdPnd)."""
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = re.findall(r"^ShdPnd:\s*(\w+)$", status, re.MULTILINE)
    return bool(int(mask, 16) >> (number - 1) & 1)


def descendants(pid: int) -> set[int]:
    """The living processes below this one."""
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return set()
    return {child.pid for child in children if exists(child.pid)}


def end_of(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=DEADLINE)
    return Ran(process.returncode, out, err).check_manners()
