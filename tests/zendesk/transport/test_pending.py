"""Calls that are made while their caller does other things."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses

from tests.zendesk.conftest import BASE, Clock
from zendesk import Call, Unavailable, Zendesk
from zendesk.transport.requestor import MAX_BACKGROUND_CALLS

UPDATE = f"{BASE}/api/v2/tickets/update_many.json"
SHOW = f"{BASE}/api/v2/tickets/show_many.json"
QUEUED = {"job_status": {"id": "V3-a", "status": "queued"}}


def test_background_calls_run_in_parallel(
    http: responses.RequestsMock, connect: Callable[..., Zendesk], calls: list[Call]
) -> None:
    all_there = threading.Barrier(3)

    def queued(_request: Any) -> tuple[int, dict[str, str], str]:
        all_there.wait(10)  # answered when the others have come too
        return 200, {}, json.dumps(QUEUED)

    http.add_callback("PUT", UPDATE, queued)
    client = connect()
    over = threading.Semaphore(0)
    pending = [client.begin_update_many([number], {"additional_tags": ["vip"]}) for number in (1, 2, 3)]
    for one in pending:
        one.on_done(over.release)
    for _ in pending:
        assert over.acquire(timeout=10)
    assert [one.is_done for one in pending] == [True] * 3
    assert calls == []  # reported when their results are taken, in the thread that takes them
    assert [one.result().id for one in pending] == ["V3-a"] * 3
    assert [(call.kind, call.attempt) for call in calls] == [("write", 1)] * 3


def test_a_background_write_with_a_lost_answer_is_in_doubt_and_not_retried(
    http: responses.RequestsMock, connect: Callable[..., Zendesk], calls: list[Call]
) -> None:
    http.put(UPDATE, body=requests.ConnectionError("reset"))
    pending = connect().begin_update_each([{"id": 1, "additional_tags": ["vip"]}])
    with pytest.raises(Unavailable) as lost:
        pending.result()
    assert lost.value.fate_unknown
    assert len(calls) == 1


def test_a_rate_limited_background_write_is_retried_by_result(
    http: responses.RequestsMock, connect: Callable[..., Zendesk], calls: list[Call]
) -> None:
    http.put(UPDATE, status=429, headers={"Retry-After": "1"})
    http.put(UPDATE, json=QUEUED)
    assert connect().begin_update_many([1], {"additional_tags": ["vip"]}).result().id == "V3-a"
    assert [(call.status, call.attempt) for call in calls] == [(429, 1), (200, 2)]


def test_background_calls_keep_within_the_share_of_the_limit(
    http: responses.RequestsMock, connect: Callable[..., Zendesk], calls: list[Call]
) -> None:
    answer = threading.Event()
    answer.set()

    def shown(_request: Any) -> tuple[int, dict[str, str], str]:
        answer.wait(10)
        left = {"ratelimit-limit": "100", "ratelimit-remaining": "42"}
        return 200, left, json.dumps({"tickets": []})

    http.add_callback("GET", SHOW, shown)
    client = connect(rate_share=0.6)
    client.tickets([1])
    answer.clear()
    pending = [client.begin_tickets([number]) for number in (1, 2, 3)]
    # 40 are left to others: with two under way, 42 do not allow for a third before one of them is answered.
    assert [one.is_done for one in pending] == [False, False, True]
    answer.set()
    assert [one.result() for one in pending] == [[]] * 3
    assert len(calls) == 4


def test_the_number_of_background_calls_is_limited(
    http: responses.RequestsMock, connect: Callable[..., Zendesk]
) -> None:
    answer = threading.Event()

    def shown(_request: Any) -> tuple[int, dict[str, str], str]:
        answer.wait(10)
        return 200, {}, json.dumps({"tickets": []})

    http.add_callback("GET", SHOW, shown)
    client = connect()
    pending = [client.begin_tickets([number]) for number in range(1, MAX_BACKGROUND_CALLS + 3)]
    assert [one.is_done for one in pending] == [False] * MAX_BACKGROUND_CALLS + [
        True
    ] * 2  # these have not begun
    told: list[bool] = []
    pending[-1].on_done(lambda: told.append(True))
    assert told == [True]  # nothing has to be awaited before its result is taken
    answer.set()
    assert [one.result() for one in pending] == [[]] * (MAX_BACKGROUND_CALLS + 2)


def test_a_discarded_call_is_counted(
    http: responses.RequestsMock, connect: Callable[..., Zendesk], calls: list[Call]
) -> None:
    http.get(SHOW, json={"tickets": []})
    pending = connect().begin_tickets([1])
    over = threading.Event()
    pending.on_done(over.set)
    assert over.wait(10)
    pending.discard()
    assert [(call.kind, call.attempt) for call in calls] == [("read", 1)]


def test_a_call_suspended_before_sending_asks_for_permission_again(
    http: responses.RequestsMock,
    connect: Callable[..., Zendesk],
    calls: list[Call],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    http.put(UPDATE, json=QUEUED)
    asked: list[float] = []
    client = connect(before_call=lambda: asked.append(clock.time))
    taken = threading.Event()
    transport = client._transport
    late = transport._attempt_unless_stale

    def frozen(*given: Any) -> Any:
        assert taken.wait(10)
        clock.move(100)
        return late(*given)

    monkeypatch.setattr(transport, "_attempt_unless_stale", frozen)
    pending = client.begin_update_many([1], {"additional_tags": ["vip"]})
    taken.set()
    assert pending.result().id == "V3-a"
    assert [moment - asked[0] for moment in asked] == [0, 100]
    assert len(calls) == 1
