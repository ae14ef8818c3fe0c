"""The next page of a list is asked for while its reader is busy with the one before."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import responses

from tests.zendesk.conftest import BASE
from zendesk import Call, Zendesk

VIEW = f"{BASE}/api/v2/views/7/tickets.json"


def page(number: int, *, after: str | None) -> dict[str, Any]:
    tickets = [{"id": number, "status": "open", "tags": [], "updated_at": "2026-11-01T08:00:00Z"}]
    return {"tickets": tickets, "meta": {"has_more": after is not None, "after_cursor": after}}


def test_the_next_page_is_requested_before_the_first_is_processed(
    http: responses.RequestsMock, connect: Callable[..., Zendesk], calls: list[Call]
) -> None:
    threads: list[str] = []
    asked = threading.Event()

    def second(_request: Any) -> tuple[int, dict[str, str], str]:
        threads.append(threading.current_thread().name)
        asked.set()
        return 503, {"Retry-After": "1"}, ""

    http.get(VIEW, json=page(1, after="b"))
    http.add_callback("GET", VIEW, second)
    http.get(VIEW, json=page(2, after=None))
    pages = connect(may_read_ahead=lambda: True).view_tickets(7)
    first = next(pages)
    assert asked.wait(10)  # nobody has asked for the second page yet
    assert [ticket.id for ticket in first.items] == [1]
    # What went wrong in the thread is tried again as ever, in ours.
    assert [ticket.id for ticket in next(pages).items] == [2]
    assert list(pages) == []
    assert threads == ["zendesk-background_0"]
    assert [(call.status, call.attempt) for call in calls] == [(200, 1), (503, 1), (200, 2)]


def test_a_discarded_page_is_counted(
    http: responses.RequestsMock, connect: Callable[..., Zendesk], calls: list[Call]
) -> None:
    asked = threading.Event()

    def second(_request: Any) -> tuple[int, dict[str, str], str]:
        asked.set()
        return 200, {}, json.dumps(page(2, after=None))

    http.get(VIEW, json=page(1, after="b"))
    http.add_callback("GET", VIEW, second)
    pages = connect(may_read_ahead=lambda: True).view_tickets(7)
    next(pages)
    assert asked.wait(10)
    assert len(calls) == 1
    pages.close()  # type: ignore[attr-defined]
    assert [(call.kind, call.attempt) for call in calls] == [("read", 1)] * 2


def test_no_page_is_read_ahead_without_permission(
    http: responses.RequestsMock, connect: Callable[..., Zendesk], calls: list[Call]
) -> None:
    http.get(VIEW, json=page(1, after="b"), headers={"ratelimit-limit": "100", "ratelimit-remaining": "1"})
    pages = connect(may_read_ahead=lambda: True).view_tickets(7)
    next(pages)  # the answer says that the share of calls is used up
    assert len(calls) == 1
