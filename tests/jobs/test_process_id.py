"""Names of processes, as rows keep them and other releases of the program read them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobs import process_id

pytestmark = pytest.mark.once
HOST = socket.gethostname()


@pytest.fixture
def zombie() -> Iterator[int]:
    """The id of a child that has ended and was not reaped."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    yield child.pid
    child.wait()


@pytest.fixture
def no_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a system without /proc: no boot id, no start time."""
    monkeypatch.setattr(process_id, "BOOT_ID", tmp_path / "boot_id")
    monkeypatch.setattr(process_id, "_started", lambda _pid: "")
    process_id._boot_id.cache_clear()
    monkeypatch.setattr(process_id, "_boot_id", process_id._boot_id.__wrapped__)


def test_the_stored_start_is_the_kernels_count_of_ticks_as_older_releases_wrote_it() -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    ticks = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()[19]
    assert process_id.this_process() == f"{HOST}/{boot}/{os.getpid()}/{ticks}"


def test_a_clock_that_is_set_kills_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    name = process_id.this_process()
    booted = psutil.boot_time() + 3600  # what the kernel tells once the clock was set an hour ahead
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted)
    assert not process_id.is_dead(name)


def test_a_process_that_waits_to_be_reaped_is_dead(zombie: int) -> None:
    boot = process_id.this_process().split("/")[1]
    start = Path(f"/proc/{zombie}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()[19]
    assert process_id.is_dead(f"{HOST}/{boot}/{zombie}/{start}")
    assert process_id.is_dead(f"{HOST}//{zombie}/")


@pytest.mark.usefixtures("no_proc")
def test_without_proc_the_id_alone_tells(zombie: int) -> None:
    name = process_id.this_process()
    assert name == f"{HOST}//{os.getpid()}/"
    assert not process_id.is_dead(name)
    assert process_id.is_dead(f"{HOST}//{zombie}/")
    assert process_id.is_dead(f"{HOST}//{10**12}/")  # beyond any id
    assert not process_id.is_dead(f"elsewhere//{zombie}/")


def test_a_process_of_somebody_else_that_may_not_be_asked_about_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "status", refuse)
    assert not process_id.is_dead(f"{HOST}//{os.getpid()}/")
