"""What pages ask: once for all people, by one process at a time, in the time that they have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError
from django.db.models import QuerySet

from jobs.runtime import web_waits
from tagmanager.account import asking, page_calls, patience, turns
from tagmanager.account.asking import Known, Question, State, ask
from tagmanager.models import PageCalls, Turn
from tests.demo import Demo
from zendesk import Refused, Unavailable, Zendesk

#: Seconds that a request of these tests waits: for an answer, and for none.
LONG, SHORT = 30.0, 0.6
ME = Question("me", Zendesk.me)


def known_to_a_page(question: Question[Any] = ME, *, seconds: float = LONG) -> Known[Any]:
    with patience.for_seconds(seconds):
        return ask(question)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock of the answers on."""
    moved = 0.0

    def move(seconds: float) -> None:
        nonlocal moved
        moved += seconds

    clock = SimpleNamespace(time=lambda: time.time() + moved)
    monkeypatch.setattr("tagmanager.account.asking.time", clock)
    return move


@pytest.fixture
def busy() -> Iterator[None]:
    """All threads that may wait are waiting."""
    with web_waits.place() as first, web_waits.place() as second:
        assert first
        assert second
        yield


def test_an_answer_is_asked_for_once_and_kept_for_a_minute(
    demo: Demo, later: Callable[[float], None]
) -> None:
    first, second = known_to_a_page(), known_to_a_page()
    assert (first.state, second.state, second.at == first.at) == (State.CURRENT, State.CURRENT, True)
    assert demo.calls("GET users/me") == 1
    later(asking.CURRENT_SECONDS + 1)
    assert known_to_a_page().state is State.CURRENT
    assert demo.calls("GET users/me") == 2
    assert not Turn.objects.exists()


def test_a_clock_that_was_set_back_makes_no_answer_last(demo: Demo, later: Callable[[float], None]) -> None:
    known_to_a_page()
    later(-3600)
    known_to_a_page()
    assert demo.calls("GET users/me") == 2


def test_a_failure_is_told_for_ten_seconds_beside_the_last_answer(
    demo: Demo, later: Callable[[float], None]
) -> None:
    answered = known_to_a_page()
    later(asking.CURRENT_SECONDS + 1)
    demo.fault("server_error_before", on="GET /api/v2/users/me", times=None)
    failed, again = known_to_a_page(), known_to_a_page()
    assert (failed.state, failed.answer, failed.at) == (State.FAILED, answered.answer, answered.at)
    assert (again.why_not_current, again.state) == (failed.why_not_current, State.FAILED)
    assert again.latest() == answered.answer
    with pytest.raises(Unavailable):
        again.current()
    fired = demo.account.faults.rules[0].fired
    later(asking.FAILED_SECONDS + 1)
    known_to_a_page()
    assert demo.account.faults.rules[0].fired > fired


def test_a_refusal_keeps_its_kind_in_the_cache(demo: Demo) -> None:
    demo.fault("refused", on="GET /api/v2/users/me", status=422, times=None)
    for _ in range(2):
        with pytest.raises(Refused):
            known_to_a_page().current()
    assert demo.account.faults.rules[0].fired == 1


def test_while_one_asks_the_others_are_told_so_at_once(demo: Demo) -> None:
    with turns.turn(asking._key("me"), 5.0) as is_ours:
        assert is_ours
        known = known_to_a_page()
        assert (known.state, known.answer, known.why_not_current) == (
            State.ASKING, None, asking.STILL_ASKING,
        )  # fmt: skip
    assert demo.account.ledger.calls.total() == 0
    assert known_to_a_page().state is State.CURRENT


def test_the_turn_of_a_process_that_died_runs_out(demo: Demo) -> None:
    with turns.turn("me", -turns.GRACE - 1.0) as dead, turns.turn("me", 5.0) as alive:
        assert (dead, alive) == (True, True)
    with turns.turn("me", 5.0) as first, turns.turn("me", 5.0) as second, turns.turn("you", 5.0) as other:
        assert (first, second, other) == (True, False, True)
    assert not Turn.objects.exists()


def test_a_page_gives_up_soon_and_a_part_of_it_tries_longer(demo: Demo) -> None:
    rule = demo.account.faults.add("GET /api/v2/users/me", "hang", times=None)
    impatient = [known_to_a_page(seconds=SHORT).state for _ in range(2)]
    assert (impatient, rule.fired) == ([State.ASKING] * 2, 1)
    demo.account.faults.clear()
    assert known_to_a_page().state is State.CURRENT


def test_who_may_not_ask_sees_what_is_known_and_causes_no_call(
    demo: Demo, later: Callable[[float], None]
) -> None:
    unknown = known_to_a_page(seconds=0.0)
    assert (unknown.state, unknown.why_not_current) == (State.NOT_ASKED, asking.NOT_ASKED)
    assert demo.account.ledger.calls.total() == 0
    answered, calls = known_to_a_page(), demo.account.ledger.calls.total()
    assert known_to_a_page(seconds=0.0).state is State.CURRENT
    later(asking.CURRENT_SECONDS + 1)
    old = known_to_a_page(seconds=0.0)
    assert (old.state, old.answer) == (State.NOT_ASKED, answered.answer)
    assert demo.account.ledger.calls.total() == calls


def test_with_all_places_taken_nobody_is_asked(demo: Demo, busy: None) -> None:
    assert known_to_a_page().is_pending
    with pytest.raises(asking.Busy), patience.for_seconds(LONG), asking.asking(1):
        pytest.fail("there was a place")
    assert demo.account.ledger.calls.total() == 0


def test_a_command_asks_without_a_place_or_a_turn(demo: Demo, busy: None) -> None:
    with turns.turn(asking._key("me"), 5.0):
        assert ask(ME).state is State.CURRENT
    assert PageCalls.objects.count() == 0


def test_a_database_that_cannot_be_written_means_no_turn(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("database is locked")

    monkeypatch.setattr(QuerySet, "bulk_create", fail)
    known = known_to_a_page()
    assert (known.state, demo.account.ledger.calls.total()) == (State.ASKING, 0)


def test_words_of_customers_stay_in_memory(demo: Demo, later: Callable[[float], None]) -> None:
    asked = Question("subjects", lambda _: "My leg hurts", has_customers_words=True)
    assert known_to_a_page(asked).answer == "My leg hurts"
    assert cache.get(asking._key("subjects")) is None
    assert known_to_a_page(asked).state is State.CURRENT


def test_the_share_of_the_pages_is_theirs_and_used_up_only_by_them(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    known_to_a_page()
    monkeypatch.setattr(page_calls, "known_limit", lambda: 200)
    states = []
    with patience.for_seconds(LONG):
        for number in range(page_calls.share_of(200) + 5):
            found = ask(Question(f"me:{number}", Zendesk.me, most_calls=1))
            states.append(found.state)
        found = ask(Question("one-more", Zendesk.me, most_calls=1))
    assert set(states) <= {State.CURRENT, State.ASKING}
    assert demo.calls("GET users/me") <= page_calls.share_of(200)
    assert (found.state, "the jobs have their own" in found.why_not_current) == (State.ASKING, True)


def test_a_page_that_is_refused_for_minutes_holds_no_job(demo: Demo) -> None:
    from tagmanager.account.shared_gate import SharedGate

    demo.fault("rate_limited", on="GET /api/v2/users/me", retry_after=600)
    assert known_to_a_page().state is State.FAILED
    assert SharedGate().not_before() == 0.0
    other = known_to_a_page(Question("other", lambda zendesk: zendesk.search_count("")))
    assert (other.state, demo.calls("GET search/count")) == (State.FAILED, 0)
