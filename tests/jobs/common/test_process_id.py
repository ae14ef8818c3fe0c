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

from jobs.common import process_id
from jobs.models import Job
from tests import namespaces

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
    """As on macOS: no /proc, so neither a boot id, nor a namespace, nor a start time."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(process_id, "BOOT_ID", tmp_path / "boot_id")
    monkeypatch.setattr(process_id, "_started", lambda _pid: "")
    monkeypatch.setattr(process_id, "_boot_id", process_id._boot_id.__wrapped__)
    monkeypatch.setattr(process_id, "_namespace", lambda: "")


def name_of(**parts: str) -> str:
    """The name of this process, with these parts instead of its own."""
    return "/".join(process_id._this()._replace(**parts))


def test_the_stored_start_is_the_kernels_count_of_ticks_as_older_releases_wrote_it() -> None:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    ticks = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()[19]
    assert process_id.this_process().split("/")[1:4] == [boot, str(os.getpid()), ticks]


def test_a_name_outside_of_containers_reads_for_older_releases_as_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process_id, "_namespace", lambda: process_id.FIRST_NAMESPACE)
    assert process_id.this_process().split("/")[0] == HOST
    monkeypatch.setattr(process_id, "_namespace", lambda: "4026532179")
    assert process_id.this_process().split("/")[0] == f"{HOST}+4026532179", "of another host, as they see it"
    assert process_id.short(process_id.this_process()) == f"{HOST}:{os.getpid()}"
    longest = Job._meta.get_field("lease_owner").max_length
    assert longest
    assert len(process_id.this_process()) - len(HOST) + 64 <= longest


def test_a_process_of_another_namespace_machine_or_boot_is_never_certainly_dead() -> None:
    gone = str(10**12)
    assert process_id.is_dead(name_of(pid=gone))
    assert process_id.is_dead(name_of(started="1")), "the id is in use again"
    for elsewhere in ({"namespace": "1"}, {"boot": "another"}, {"host": "another"}, {"namespace": ""}):
        assert not process_id.is_dead(name_of(pid=gone, **elsewhere)), elsewhere
        assert not process_id.is_dead(name_of(started="1", **elsewhere)), elsewhere


def test_the_worker_of_this_host_is_known_by_its_namespace_and_one_of_an_older_release_by_its_host() -> None:
    assert process_id.pid_here(process_id.this_process()) == os.getpid()
    assert process_id.pid_here(name_of(namespace="1")) is None
    assert process_id.pid_here(name_of(host="another")) is None
    assert process_id.pid_here(f"{HOST}/boot/12/3") == 12, "it names no namespace"
    assert process_id.pid_here("another/boot/12/3") is None
    assert process_id.pid_here("junk") is None


def test_a_linux_that_hides_boot_id_or_namespace_leaves_all_to_the_beat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("_boot_id", "_namespace"):
        with monkeypatch.context() as patch:
            patch.setattr(process_id, name, lambda: "")
            assert not process_id.is_dead(name_of(pid=str(10**12))), name


def test_a_process_that_proc_hides_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `hidepid` the processes of other users are not found in /proc."""

    def hide(pid: int) -> psutil.Process:
        raise psutil.NoSuchProcess(pid)

    def refuse(pid: int, signal: int) -> None:
        raise PermissionError(pid, signal)

    monkeypatch.setattr(psutil, "Process", hide)
    monkeypatch.setattr(os, "kill", refuse)
    own = process_id.this_process()
    monkeypatch.setattr(process_id, "_started", lambda _pid: "")
    assert not process_id.is_dead(own)


@namespaces.needed
def test_two_containers_with_one_host_name_do_not_call_each_other_dead(tmp_path: Path) -> None:
    """Each has the other's name read to it; process 1 of one is not process 1 of the other."""
    tell = "from jobs.common import process_id; print(process_id.this_process(), flush=True); input()"
    ask = "import sys; from jobs.common import process_id; print(process_id.is_dead(sys.argv[1]))"
    container = namespaces.inside(host="one-name")
    with subprocess.Popen(
        [*container, sys.executable, "-c", tell], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout
        name = one.stdout.readline().strip()
        assert name.startswith("one-name+")
        asked = subprocess.run(
            [*container, sys.executable, "-c", ask, name], capture_output=True, text=True, check=True
        )
        assert asked.stdout == "False\n"
        one.communicate("\n")


def test_a_clock_that_is_set_kills_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    name = process_id.this_process()
    booted = psutil.boot_time() + 3600  # what the kernel tells once the clock was set an hour ahead
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted)
    assert not process_id.is_dead(name)


def test_a_process_that_waits_to_be_reaped_is_dead(zombie: int) -> None:
    start = Path(f"/proc/{zombie}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()[19]
    assert process_id.is_dead(name_of(pid=str(zombie), started=start))


@pytest.mark.usefixtures("no_proc")
def test_without_proc_the_id_alone_tells(zombie: int) -> None:
    name = process_id.this_process()
    assert name == f"{HOST}//{os.getpid()}//"
    assert not process_id.is_dead(name)
    assert process_id.is_dead(f"{HOST}//{zombie}//")
    assert process_id.is_dead(f"{HOST}//{zombie}/"), "as older releases wrote it"
    assert process_id.is_dead(f"{HOST}//{10**12}/")  # beyond any id
    assert not process_id.is_dead(f"elsewhere//{zombie}/")


def test_a_process_of_somebody_else_that_may_not_be_asked_about_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "status", refuse)
    assert not process_id.is_dead(process_id.this_process())
