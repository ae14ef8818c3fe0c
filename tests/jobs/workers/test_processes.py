"""Processes that a command starts, as the one who supervises them sees them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jobs.workers import processes

pytestmark = pytest.mark.once
#: Starts a child of its own in the same group, says its id, and waits for its input to end.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    """The first process of a group of two; its first line names the other."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.communicate()


def test_a_group_has_all_that_run_in_it_and_none_that_only_waits_to_be_reaped(
    parent: subprocess.Popen[str],
) -> None:
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert processes.members(parent.pid) == {parent.pid, child}
    os.kill(parent.pid, signal.SIGKILL)
    os.waitid(os.P_PID, parent.pid, os.WEXITED | os.WNOWAIT)
    assert parent.pid not in processes.members(parent.pid)
    assert os.getpid() not in processes.members(parent.pid)
