"""Clients that send slowly, nothing, or too much, stop nobody else: real gunicorn, raw sockets, no proxy."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest

from tests.doors.house import HOST, House, get, installed
from tests.processes import await_that

pytestmark = [pytest.mark.slow, pytest.mark.once]

#: More than the process has threads, several times over.
CROWD = 40
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
HEAD = f"POST /login/ HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\n"
KINDS = {
    "nothing": "",
    "half a line": "GET /log",
    "half a head": f"GET /login/ HTTP/1.1\r\nHost: {HOST}\r\nX-Slow: ",
    "half a body": f"{HEAD}{FORM}Content-Length: 5000\r\n\r\nusername=",
    "half a chunk": f"{HEAD}Transfer-Encoding: chunked\r\n\r\nfff\r\nabc",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("slow")
    bare = {"PATH": os.environ["PATH"], "TAGMANAGER_ENV_FILE": str(folder / "none.env")}
    with installed(folder, bare, TRUST_PROXY="True") as house:
        yield house


@pytest.fixture(scope="module")
def web(house: House) -> str:
    return house.start_gunicorn()


def call(web: str) -> socket.socket:
    place = urlsplit(web)
    assert place.hostname
    return socket.create_connection((place.hostname, place.port or 80), timeout=120)


def status_of(connection: socket.socket) -> int:
    """The status of the answer; 0 if the connection ended without one."""
    said = b""
    try:
        while b"\r\n" not in said and (piece := connection.recv(4096)):
            said += piece
    except ConnectionResetError:
        return 0
    return int(said.split(b" ", 2)[1]) if said else 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_crowd_of_clients_that_stop_in_the_middle_is_sent_away_and_others_are_answered(
    web: str, kind: str
) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(closing(call(web))) for _ in range(CROWD)]
        for each in crowd:
            each.sendall(KINDS[kind].encode())
        answer = await_that(lambda: get(f"{web}/healthz"), "an answer in between", 120)
        assert answer is not None
        assert answer.status_code == 200
        # Each ends by itself, without an answer or with one that says why.
        assert {status_of(each) for each in crowd} <= {0, 400, 403, 408}


def test_a_client_that_goes_on_one_byte_at_a_time_is_sent_away_too(web: str) -> None:
    """A limit on the pause between two bytes alone would let it stay for an hour."""
    with closing(call(web)) as slow:
        slow.sendall(KINDS["half a head"].encode())
        slow.settimeout(0.2)
        sent, began = 0, time.monotonic()
        while time.monotonic() - began < 120:
            try:
                slow.sendall(b"x")
                sent += 1
                if not slow.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert 0 < sent < 400
    answer = get(f"{web}/healthz")
    assert answer is not None
    assert answer.status_code == 200


def test_a_stranger_cannot_make_the_server_read_a_large_request(web: str) -> None:
    for path in ("/login/", "/tools/bulk-tag/"):
        with closing(call(web)) as stranger:
            head = HEAD.replace("/login/", path)
            stranger.sendall(f"{head}Content-Length: 150000000\r\n\r\n".encode())
            # It is answered although nothing of the body was sent.
            assert status_of(stranger) in (303, 413)


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET /?" + "x" * 8200 + " HTTP/1.1", [], {400, 414}),
        ("GET / HTTP/1.1", ["X-Long: " + "x" * 9000], {400, 431}),
        ("GET / HTTP/1.1", [f"X-{number}: x" for number in range(80)], {400, 431}),
        ("GET / HTTP/1.1", ["Content-Length: 1", "Content-Length: 2"], {400}),
        ("POST / HTTP/1.1", ["Content-Length: 5", "Transfer-Encoding: chunked"], {400}),
    ],
    ids=["line", "field", "fields", "two lengths", "length and chunks"],
)
def test_a_head_beyond_the_limits_is_refused(
    web: str, request_line: str, headers: list[str], status: set[int]
) -> None:
    with closing(call(web)) as stranger:
        stranger.sendall("\r\n".join([request_line, f"Host: {HOST}", *headers, "", ""]).encode())
        assert status_of(stranger) in status


def test_gunicorn_and_the_app_believe_the_same_proxies(house: House) -> None:
    """gunicorn's own trust, by option or environment, adds nothing to TRUST_PROXY."""
    house.environment |= {"TRUST_PROXY": "203.0.113.0/24", "FORWARDED_ALLOW_IPS": "*"}
    web = house.start_gunicorn()
    claims = {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on", "SCRIPT_NAME": "/tags"}
    answer = get(f"{web}/login/", headers=claims)
    assert answer is not None
    # From 127.0.0.1, which is none of ours, this is plain http: sent to https.
    assert (answer.status_code, answer.headers["Location"][:8]) == (301, "https://")
