"""The pages' share of the account's calls, and what jobs leave of it alone."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from pytest_django import Settings

from tagmanager.account import page_calls
from tagmanager.account.page_calls import KeptForPages, UsedUp, reserve, share_of
from tagmanager.models import PageCalls
from zendesk import RateLimit, RateLimited


@pytest.fixture(autouse=True)
def account(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ZENDESK_SUBDOMAIN = "acme"
    monkeypatch.setattr(page_calls, "known_limit", lambda: 700)
    set_clock(monkeypatch, 30.0)  # no test reaches into the next minute


def set_clock(monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    clock = SimpleNamespace(time=lambda: now, monotonic=time.monotonic)
    monkeypatch.setattr("tagmanager.account.page_calls.time", clock)


@pytest.mark.parametrize(("limit", "share"), [(10, 3), (200, 20), (400, 28), (700, 49), (2_500, 175)])
def test_the_share_is_a_tenth_of_ours_or_what_a_page_needs(limit: int, share: int) -> None:
    assert share_of(limit) == share


def used() -> int:
    return sum(PageCalls.objects.values_list("calls", flat=True))


def test_calls_that_were_not_made_are_given_back() -> None:
    with reserve(10) as calls:
        calls.take()
        calls.take()
        assert used() == 10
    assert used() == 2
    with pytest.raises(LookupError), reserve(10) as calls:
        raise LookupError(calls.left)
    assert used() == 2


def test_a_question_gets_what_is_left_unless_that_is_too_little() -> None:
    with reserve(40), reserve(10) as rest:
        assert rest.left == 9
        for _ in range(9):
            rest.take()
        with pytest.raises(RateLimited, match="more calls than pages may make"):
            rest.take()
        with pytest.raises(UsedUp, match="possible in 30 seconds"), reserve(1):
            pytest.fail("there was a call left")
    with reserve(35), pytest.raises(UsedUp), reserve(30):
        pytest.fail("fourteen calls are too few for thirty")


def test_a_new_minute_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with reserve(49) as calls:
        calls.left = 0
    set_clock(monkeypatch, 90.0)
    with reserve(49) as calls:
        assert calls.left == 49
    assert PageCalls.objects.count() == 1


def test_jobs_leave_alone_what_pages_have_not_used() -> None:
    near, far = RateLimit(700, 230, 20.0), RateLimit(700, 400, 20.0)
    assert (KeptForPages()(far), KeptForPages()(near)) == (0.0, 49.0)
    with reserve(40) as calls:
        calls.left = 0
    assert KeptForPages()(near) == 9.0
    # Of 700 calls 490 are ours. Jobs stop at 441 while the pages have used none, and at 481 now.
    assert near.hold_for(0.7, 49.0) == 20.0
    assert near.hold_for(0.7, 9.0) == 0.0
    assert RateLimit(700, 218, 20.0).hold_for(0.7, 9.0) == 20.0
