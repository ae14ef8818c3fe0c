"""An answer is there, whole, in its time, or the call ends without it."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import urllib3.connection

from tests.zendesk.conftest import RawServer, http_answer
from zendesk import BearerToken, OAuthClient, TryLater, Unavailable, Zendesk, ZendeskError, sandbox
from zendesk.transport import attempt, deadline, requestor

UPDATE = "PUT /api/v2/tickets/update_many"
#: Against hanging alone: a trickle of these tests lasts for minutes.
DEADLINE = 20.0


@pytest.fixture
def server() -> Iterator[sandbox.Server]:
    with sandbox.serve(sandbox.Sandbox(sandbox.Options(tickets=100, scale=0.0))) as running:
        yield running


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try has three tenths of a second in all."""
    monkeypatch.setattr(attempt, "ATTEMPT_TIMEOUT", 0.3)


@pytest.fixture
def zendesk(connect: Callable[..., Zendesk], server: sandbox.Server) -> Zendesk:
    return connect(BearerToken(sandbox.BEARER_TOKEN), server.url, max_wait=0.0)


@pytest.mark.parametrize("head", [False, True])
def test_a_trickling_answer_is_abandoned_in_time(
    zendesk: Zendesk, server: sandbox.Server, hurried: None, head: bool
) -> None:
    server.sandbox.faults.add("GET /api/v2/users/me", "trickle", pause=0.1, head=head)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"did not answer in time\.$") as caught:
        zendesk.me()
    assert (caught.value.fate_unknown, time.monotonic() - began < DEADLINE) == (False, True)
    assert zendesk.me().role == "admin"


@pytest.mark.parametrize("kind", ["trickle", "hang"])
def test_a_write_with_a_late_answer_has_an_unknown_fate(
    zendesk: Zendesk, server: sandbox.Server, hurried: None, kind: str
) -> None:
    server.sandbox.faults.add(UPDATE, kind, pause=0.1, after_work=True)
    number = server.sandbox.ticket_ids()[0]
    with pytest.raises(Unavailable, match=r"did not answer in time\. It is not known whether") as caught:
        zendesk.update_many([number], {"additional_tags": ["mark"]})
    assert caught.value.fate_unknown
    assert server.sandbox.ledger.sent[number] == 1


def test_a_slow_answer_that_is_complete_in_time_counts(zendesk: Zendesk, server: sandbox.Server) -> None:
    server.sandbox.faults.add("GET /api/v2/users/me", "trickle", pause=0.0001)
    assert zendesk.me().role == "admin"


def test_each_answer_on_a_connection_has_its_own_deadline(zendesk: Zendesk, server: sandbox.Server) -> None:
    zendesk.me()
    zendesk.me()
    adapter: Any = zendesk._transport._http._session.get_adapter(server.url)
    pools = adapter.poolmanager.pools  # no dict: it cannot be iterated
    (pool,) = (pools[key] for key in pools.keys())  # noqa: SIM118
    (idle,) = (connection for connection in pool.pool.queue if connection)
    assert server.connections_accepted == 1
    assert idle.sock.gettimeout() == attempt.ATTEMPT_TIMEOUT


def test_reading_an_endless_answer_stops(
    connect: Callable[..., Zendesk], raw_server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "MAX_BODY_BYTES", 100_000)
    packed = gzip.compress(b'{"user": "' + b"x" * 1_000_000 + b'"}')
    raw_server.script = [
        http_answer(b'{"user": "' + b"x" * 1_000_000, length=10_000_000_000),
        http_answer(packed).replace(b"\r\n", b"\r\nContent-Encoding: gzip\r\n", 1),
    ]
    zendesk = connect(BearerToken("sesame"), raw_server.base_url, max_wait=0.0)
    for _ in range(2):
        with pytest.raises(Unavailable, match="too large to be read"):
            zendesk.me()
    assert len(raw_server.requests) == 2


def test_an_answer_of_more_values_than_memory_is_for_is_not_parsed(
    connect: Callable[..., Zendesk], raw_server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadline, "MAX_VALUES", 1_000)
    most, more = (b'{"user": {"id": 1, "odd": [' + b"[]," * number + b"0]}}" for number in (498, 499))
    raw_server.script = [http_answer(most), http_answer(more)]
    zendesk = connect(BearerToken("sesame"), raw_server.base_url, max_wait=0.0)
    assert zendesk.me().id == 1
    with pytest.raises(Unavailable, match="too large to be read"):
        zendesk.me()


def test_before_call_runs_before_every_attempt_and_may_prevent_it(
    connect: Callable[..., Zendesk], server: sandbox.Server
) -> None:
    class Lost(Exception):
        pass

    def may_call() -> None:
        asked.append(len(asked))
        if len(asked) > 3:
            raise Lost

    asked: list[int] = []
    server.sandbox.faults.add("GET /api/v2/users/me", "server_error_before", times=None)
    client = OAuthClient(sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
    zendesk = connect(client, server.url, before_call=may_call)
    with pytest.raises(Lost):
        zendesk.me()
    calls = server.sandbox.ledger.calls
    assert (calls["POST oauth/tokens"], calls["GET users/me"]) == (1, 2)


@pytest.mark.parametrize("stood", [False, True])
@pytest.mark.parametrize("sent", [-1, 0, 1, 2])  # -1: right after it was asked whether it may
def test_a_process_suspended_while_sending_does_not_complete_the_request(
    zendesk: Zendesk, server: sandbox.Server, monkeypatch: pytest.MonkeyPatch, stood: bool, sent: int
) -> None:
    if stood:
        zendesk.me()
    numbers = server.sandbox.ticket_ids()[:2]
    change = {"comment": {"body": "a" * deadline.SEND_CHUNK}}  # the headers are followed by two pieces
    connection = urllib3.connection.HTTPConnection
    send, begin = connection.send, connection.putrequest
    pieces, frozen_for = 0, 0.0

    def freeze_after(done: int) -> None:
        nonlocal frozen_for
        if done == sent:
            frozen_for = requestor.SEND_WITHIN + 1

    def sending(self: urllib3.connection.HTTPConnection, data: Any) -> None:
        nonlocal pieces
        send(self, data)
        pieces += 1
        freeze_after(pieces)

    def beginning(self: urllib3.connection.HTTPConnection, *args: Any, **options: Any) -> None:
        begin(self, *args, **options)
        freeze_after(0)

    monkeypatch.setattr(zendesk._transport, "_before_call", lambda: freeze_after(-1))
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + frozen_for)
    for module in (requestor, deadline):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(connection, "send", sending)
    monkeypatch.setattr(connection, "putrequest", beginning)
    with pytest.raises(Unavailable, match="Nothing was sent") as caught:
        zendesk.update_many(numbers, change)
    assert not caught.value.fate_unknown
    assert pieces == max(sent, 0)
    monkeypatch.undo()
    zendesk.update_many(numbers, change)
    assert dict(server.sandbox.ledger.sent) == dict.fromkeys(numbers, 1)


#: Seconds until a client with an end gives up.
GIVES_UP_AFTER = 0.5


@pytest.fixture
def ending(server: sandbox.Server) -> Iterator[Zendesk]:
    """A patient client that gives up half a second from now."""
    until = time.monotonic() + GIVES_UP_AFTER
    credentials = OAuthClient(sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
    with Zendesk(server.url, credentials, max_wait=600.0, until=lambda: until) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind", "params"),
    [
        ("GET /api/v2/users/me", "hang", {}),
        ("GET /api/v2/users/me", "trickle", {"pause": 0.1}),
        ("GET /api/v2/users/me", "trickle", {"pause": 0.1, "head": True}),
        ("GET /api/v2/users/me", "rate_limited", {"retry_after": 5}),
        ("GET /api/v2/users/me", "server_error_before", {}),
        ("POST /oauth/tokens", "hang", {}),
        ("POST /oauth/tokens", "trickle", {"pause": 0.1}),
        ("POST /oauth/tokens", "rate_limited", {"retry_after": 5}),
    ],
)
def test_a_client_with_an_end_gives_up_whatever_it_waits_for(
    ending: Zendesk, server: sandbox.Server, path: str, kind: str, params: dict[str, Any]
) -> None:
    server.sandbox.faults.add(path, kind, times=None, **params)
    began = time.monotonic()
    with pytest.raises(TryLater):
        ending.me()
    assert time.monotonic() - began < DEADLINE


def test_a_name_that_is_resolved_slowly_holds_no_call_beyond_its_end(
    ending: Zendesk, server: sandbox.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    look_up = socket.getaddrinfo

    def slow(*args: Any, **options: Any) -> Any:
        released.wait(60)
        return look_up(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="did not answer in time"):
        ending.me()
    took = time.monotonic() - began
    released.set()
    ending._transport._pool().shutdown(wait=True)
    assert took < DEADLINE
    assert server.sandbox.ledger.calls.total() == 0  # nor is it made once the name is known


def test_many_quick_calls_in_a_row_end_in_time_too(ending: Zendesk, server: sandbox.Server) -> None:
    server.sandbox.faults.add("GET /api/v2/users/me", "hang", times=None, seconds=0.05)
    with pytest.raises(Unavailable):
        deque(ending.me() for _ in range(100))


def test_a_write_under_way_at_the_end_has_an_unknown_fate(ending: Zendesk, server: sandbox.Server) -> None:
    server.sandbox.faults.add(UPDATE, "hang", after_work=True)
    number = server.sandbox.ticket_ids()[0]
    for begin in (ending.update_many, lambda *change: ending.begin_update_many(*change).result()):
        with pytest.raises(Unavailable) as caught:
            begin([number], {"additional_tags": ["mark"]})
        is_first = begin == ending.update_many
        assert caught.value.fate_unknown is is_first  # the second is not sent any more
    assert server.sandbox.ledger.sent[number] == 1


def fetch_in_vain(zendesk: Zendesk) -> None:
    with suppress(ZendeskError):
        zendesk.me()


def test_nobody_waits_for_the_token_of_another_beyond_their_own_end(server: sandbox.Server) -> None:
    server.sandbox.faults.add("POST /oauth/tokens", "hang", times=None)
    credentials = OAuthClient(sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
    late, soon = (time.monotonic() + seconds for seconds in (10.0, GIVES_UP_AFTER))
    with (
        Zendesk(server.url, credentials, max_wait=0.0, until=lambda: late) as patient,
        Zendesk(server.url, credentials, until=lambda: soon) as hurried,
    ):
        first = threading.Thread(target=fetch_in_vain, args=[patient])
        first.start()
        with pytest.raises(Unavailable):
            hurried.me()
        assert time.monotonic() < late
        server.close()
        first.join()
