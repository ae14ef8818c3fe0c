"""The demo Zendesk as a process, and as a server of open connections."""

import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.conftest import NOON, Clock, Zendesk
from zendesk.sandbox import BEARER_TOKEN, Options, Sandbox, serve
from zendesk.sandbox.serving.app import App


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_url_and_stops_on_sigterm(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "zendesk.sandbox", "--port", "0", "--tickets", "1200", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        said = re.fullmatch(r"Demo Zendesk with 1,200 tickets at (http://127\.0\.0\.1:\d+)\n", line)
        assert said, line
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"{said[1]}/api/v2/users/me", headers={"Authorization": f"Bearer {BEARER_TOKEN}"}
            )
            process.send_signal(number)
            rest, errors = process.communicate(timeout=20)

    assert answer.json()["user"]["role"] == "admin"
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_connection_stays_open(zendesk: Zendesk) -> None:
    connections = zendesk.server.connections_accepted

    for _ in range(5):
        zendesk.get("users/me.json")

    assert zendesk.server.connections_accepted == connections + 1


def test_the_server_stops_while_a_caller_waits() -> None:
    arrived = threading.Event()

    def clock() -> float:
        arrived.set()
        return NOON

    sandbox = Sandbox(Options(tickets=10, clock=clock))
    sandbox.faults.add("GET /api/v2/users/me", "hang", after_work=True)
    arrived.clear()
    with ThreadPoolExecutor(1) as pool, requests.Session() as session:
        session.trust_env = False
        with serve(sandbox) as server:
            waiting = pool.submit(session.get, f"{server.url}/api/v2/users/me", timeout=30)
            assert arrived.wait(10)
        answered = waiting.exception(timeout=30) is not None or waiting.result().status_code == 200

    assert answered
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/", timeout=1)


def test_concurrent_callers_lose_no_update(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    address = f"{zendesk.server.url}/api/v2/tickets/update_many.json?ids={number}"

    def add(tag: int) -> int:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {BEARER_TOKEN}"
            change = {"ticket": {"additional_tags": [f"t{tag}"]}}
            return session.put(address, json=change, timeout=10).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(add, range(40)))

    held = zendesk.sandbox.ticket(number).tags
    assert statuses == [200] * 40
    assert {f"t{tag}" for tag in range(40)} <= set(held)
    assert zendesk.sandbox.ledger.updates[number] == 40


def test_latency_applies_to_the_api_only(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    app = App(Sandbox(Options(tickets=10, latency=0.25, clock=clock)))
    waited: list[float] = []
    monkeypatch.setattr(app.closing, "wait", waited.append)
    monkeypatch.setattr("zendesk.sandbox.serving.app.time.perf_counter", lambda: 0.0)

    for target in ("/api/v2/users/me", "/api/v2/nothing", "/oauth/tokens", "/", "/_control/config"):
        app.handle("GET", target, {}, b"")

    assert waited == [0.25] * 3


def test_calls_are_logged_unless_quiet(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    sandbox = Sandbox(Options(tickets=10, clock=clock))
    told = []
    for quiet in (False, True):
        with (
            caplog.at_level("INFO", logger="werkzeug"),
            serve(sandbox, quiet=quiet) as server,
            requests.Session() as session,
        ):
            session.trust_env = False
            session.get(f"{server.url}/", headers={"Connection": "close"})
        told.append(any("GET / HTTP/1.1" in record.getMessage() for record in caplog.records))
        caplog.clear()

    assert told == [True, False]
