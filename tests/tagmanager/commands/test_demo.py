"""`demo`: started for real, ended in every way, and nothing is left."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tagmanager.cli.demo import DemoFolder, Failed
from tests.processes import DEADLINE, await_line, await_that, descendants, exists

pytestmark = [pytest.mark.slow, pytest.mark.once]

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def demo(bare_environment: dict[str, str], free_port: int) -> Iterator[Start]:
    """Starts the demo as on a fresh machine; whatever is left of it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(free_port), "--scale", "0", *arguments],
            env=bare_environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


@pytest.mark.journey
def test_the_demo_runs_its_job_and_ends_with_it(demo: Start, free_port: int, tmp_path: Path) -> None:
    # What a developer's shell may hold is nothing to it.
    process = demo("--tickets", "600", "--exit", ZENDESK_SUBDOMAIN="acme", DATABASE_URL="sqlite:////no/where")
    said = await_line(process.stdout, "Its page:")
    family = descendants(process.pid)
    assert len(family) >= 4  # the demo Zendesk, web and worker, and theirs
    rest, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (0, "")
    assert [pid for pid in family if exists(pid)] == []
    assert f"http://127.0.0.1:{free_port}, login demo, password demo" in said
    assert re.search(rf"http://127\.0\.0\.1:{free_port}/jobs/\d+/", said)
    assert "succeeded: Add spring_campaign to tickets of view “All unsolved tickets”" in rest
    assert (tmp_path / "var" / f"demo-{free_port}" / "demo.sqlite3").exists()


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGKILL, -9)],
)
def test_however_it_ends_no_process_is_left(
    demo: Start, free_port: int, number: signal.Signals, code: int
) -> None:
    process = demo("--tickets", "300")
    await_line(process.stdout, "The demo stays up")
    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/healthz") as answer:
        assert answer.status == 200
    family = descendants(process.pid)
    assert len(family) >= 4  # the demo Zendesk, web and worker, and theirs
    assert len(family) >= 9  # the demo Zendesk, web server and worker with theirs
    process.send_signal(number)
    assert process.wait(DEADLINE) == code
    await_that(lambda: not any(map(exists, family)), "the end of every process")


def test_ctrl_c_while_it_starts_or_works_ends_it_too(demo: Start) -> None:
    process = demo("--tickets", "3000", "--scale", "1")
    await_line(process.stdout, "Its page:")
    family = descendants(process.pid)
    assert len(family) >= 4  # the demo Zendesk, web and worker, and theirs
    process.send_signal(signal.SIGINT)
    assert process.wait(DEADLINE) == 130
    assert [pid for pid in family if exists(pid)] == []


def test_a_child_that_ends_by_itself_is_reported_with_its_last_lines(demo: Start, free_port: int) -> None:
    process = demo("--tickets", "300")
    await_line(process.stdout, "The demo stays up")
    family = descendants(process.pid)
    assert len(family) >= 4  # the demo Zendesk, web and worker, and theirs
    (zendesk,) = [pid for pid in family if b"zendesk_sandbox" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(zendesk, signal.SIGKILL)
    assert process.wait(DEADLINE) == 1
    assert process.stderr is not None
    said = process.stderr.read()
    assert "The demo's zendesk ended by itself (exit code -9). The last lines of" in said
    assert f"demo-{free_port}/zendesk.log" in said
    assert [pid for pid in family if exists(pid)] == []


@pytest.mark.journey
def test_a_port_in_use_is_reported(demo: Start, free_port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        process = demo()
        out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (1, "")
    assert err == f"The port {free_port} is in use. Give another: --port N.\n"


def test_two_demos_have_two_places(settings: Any, tmp_path: Path, free_port: int) -> None:
    settings.VAR_DIR = tmp_path
    first = DemoFolder(free_port)
    with pytest.raises(Failed, match="is in use"):
        DemoFolder(free_port)
    second, third = DemoFolder(None), DemoFolder(None)
    assert len({first.path, second.path, third.path}) == 3
    for place in (first, second, third):
        place.leave()


def test_the_demo_has_the_tools_that_the_shell_names(
    demo: Start,
    free_port: int,
    outside: dict[str, str],
) -> None:
    process = demo("--tickets", "200", **outside)
    await_line(process.stdout, "Its page:")
    address = f"http://127.0.0.1:{free_port}"
    with requests.Session() as web:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', web.get(f"{address}/login/").text)
        assert token
        filled = {"csrfmiddlewaretoken": token[1], "username": "demo", "password": "demo"}
        home = web.post(f"{address}/login/", filled, timeout=DEADLINE).text
        assert "Replace the beginning of tags" in home
        assert "Priority by dropdown" in home
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=DEADLINE)
