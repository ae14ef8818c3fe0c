"""Our commands and processes in tests: called here, or started, awaited and looked at."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.core.management import CommandError, call_command

from zendesk import sandbox as zd

#: Far beyond what anything here takes; only a hang reaches it, seconds.
DEADLINE = 240.0
SECRETS = (zd.CLIENT_SECRET, zd.BEARER_TOKEN, zd.API_TOKEN, "wrong-secret")


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
    """Call it in this process; a `CommandError` is told as the command line would tell it."""
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


def await_that(condition: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited {DEADLINE:.0f} s in vain: {what}"
        time.sleep(0.02)


def exists(pid: int) -> bool:
    """Whether the process lives; one that only waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - gone between two calls it may be
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid: int) -> set[int]:
    """The living processes below this one, as the kernel lists them."""
    found: set[int] = set()
    for task in os.listdir(f"/proc/{pid}/task") if exists(pid) else ():  # noqa: PTH208
        with open(f"/proc/{pid}/task/{task}/children") as children:  # noqa: PTH123
            for child in map(int, children.read().split()):
                found |= {child} | descendants(child)
    return found


def end_of(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=DEADLINE)
    return Ran(process.returncode, out, err).check_manners()
