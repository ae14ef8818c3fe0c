"""What pages ask Zendesk: bounded in time, one process at a time, cached, within the pages' share of calls.

Never: a call for somebody who may not start jobs, or one that a job needs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from hashlib import blake2s
from typing import Any, Generic, TypeVar

from django.core.cache import BaseCache, cache
from django.core.cache.backends.locmem import LocMemCache

from jobs.runtime import web_waits
from tagmanager.account import connection, page_calls, patience, turns
from zendesk import RateLimited, Unavailable, Zendesk, ZendeskError

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds for which an answer is current, and for which a failure is not tried again.
CURRENT_SECONDS, FAILED_SECONDS = 60.0, 10.0
#: Seconds for which the last answer is shown where there is no newer one.
REMEMBERED_SECONDS = 24 * 3600
#: Of the time that a request may wait, seconds that remain for all but the answer.
RESERVE = 0.25
#: Whoever waited so long without an answer knows that there is none; after a page's short wait, a part of the
#: page asks once more. Seconds.
PATIENT = 3.0
#: With less time a question is not begun, seconds.
LEAST_SECONDS = 0.2
#: Seconds that a question may wait in all for the rate limit and between attempts.
MAX_WAIT = 3.0
#: Answers that are kept in memory only, since they hold words of customers.
_memory = LocMemCache("answers-with-words-of-customers", {"OPTIONS": {"MAX_ENTRIES": 100}})

STILL_ASKING = "Zendesk is still being asked. Ask again in a moment."
NOT_ASKED = "Zendesk was not asked, since your account may not start jobs."


def current_seconds(_answer: object) -> float:
    return CURRENT_SECONDS


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """A question that many people have."""

    name: str  # with everything that it depends on, but for the account
    read: Callable[[Zendesk], T]
    most_calls: int = 2  # one, and one for a token
    lasts: Callable[[T], float] = current_seconds  # how long an answer is current, seconds
    has_customers_words: bool = False


class State(Enum):
    """What is known of a question."""

    CURRENT = "current"
    FAILED = "failed"  # Zendesk did not answer, or refused
    ASKING = "asking"  # somebody is asking, or too many are asking other things
    NOT_ASKED = "not asked"  # the person may not cause calls


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """The last answer, and why it is not a newer one."""

    state: State
    answer: T | None = None  # also from earlier, where the state is not CURRENT
    at: datetime | None = None  # when Zendesk gave it
    problem: ZendeskError | connection.NotConnected | None = None

    @property
    def is_pending(self) -> bool:
        """Whether asking again in a moment helps."""
        return self.state is State.ASKING

    @property
    def is_withheld(self) -> bool:
        return self.state is State.NOT_ASKED

    @property
    def why_not_current(self) -> str:
        """A sentence; "" for a current answer."""
        if self.state is State.CURRENT:
            return ""
        if self.problem is not None:
            return str(self.problem)
        return NOT_ASKED if self.is_withheld else STILL_ASKING

    def current(self) -> T:
        """The answer, for what depends on it. Raises the problem where there is no current one."""
        if self.state is State.CURRENT:
            return self.answer  # type: ignore[return-value]  # which may be None
        raise self.problem or Unavailable(self.why_not_current)

    def latest(self) -> T:
        """The answer, also one from earlier. Raises the problem where there is none at all."""
        return self.current() if self.at is None else self.answer  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the cache holds; all moments are seconds since the epoch."""

    answer: Any = None
    at: float | None = None
    current_until: float = 0.0
    problem: ZendeskError | None = None
    failed_until: float = 0.0
    waited: float = 0.0  # how long the one who failed was ready to wait, seconds
    is_final: bool = True  # whether more patience would not have helped

    def known(self, state: State) -> Known[Any]:
        at = None if self.at is None else datetime.fromtimestamp(self.at, tz=UTC)
        return Known(state, self.answer, at, self.problem if state is State.FAILED else None)

    def failed(self) -> Known[Any]:
        return self.known(State.FAILED if self.is_final else State.ASKING)


def ask(question: Question[T]) -> Known[T]:
    """The answer, from the cache or from Zendesk; never raises.

    Within a request it waits as long as `patience` says; outside of one, as the client does.
    """
    try:
        key = _key(question.name)
        connection.credentials()
    except connection.NotConnected as problem:
        return Known(State.FAILED, problem=problem)
    where = _memory if question.has_customers_words else cache
    kept = _kept(where, key)
    if patience.is_request() or _is_current(kept):
        if known := _without_asking(kept):
            return known
        with turns.turn(key, patience.seconds_left()) as is_ours:
            if not is_ours:
                return kept.known(State.ASKING)
            kept = _kept(where, key)  # the one whose turn it was may have just stored it
            return _without_asking(kept) or _ask_and_keep(question, where, key, kept)
    return _ask_and_keep(question, where, key, kept)


def _without_asking(kept: _Kept) -> Known[Any] | None:
    """What is to be said without a question to Zendesk; None where one is due."""
    seconds = patience.seconds_left()
    if _is_current(kept):
        return kept.known(State.CURRENT)
    if not patience.until():
        return kept.known(State.NOT_ASKED)
    if time.time() < kept.failed_until and seconds <= kept.waited + RESERVE:
        return kept.failed()
    return kept.known(State.ASKING) if seconds < LEAST_SECONDS else None


@contextmanager
def asking(most_calls: int) -> Iterator[Zendesk]:
    """A client for this request, or for a command; it gives up when the request may wait no longer.

    Raises `NotConnected`, and `ZendeskError` where nothing may be asked now.
    """
    if not patience.is_request():
        with connection.for_pages(max_wait=MAX_WAIT) as zendesk:
            yield zendesk
        return
    if not patience.until():
        raise Unavailable(NOT_ASKED)
    with web_waits.place() as is_free:
        if not is_free:
            raise Busy("Zendesk is being asked for other people just now. Try again in a moment.")
        with page_calls.reserve(most_calls) as calls:
            until = patience.until() - RESERVE
            with connection.for_pages(before_call=calls.take, until=until, max_wait=MAX_WAIT) as zendesk:
                try:
                    yield zendesk
                finally:
                    page_calls.remember_limit(zendesk.rate)


class Busy(Unavailable):
    """Nobody was asked: as many threads as may wait for Zendesk are waiting."""


def forget_words_of_customers() -> None:
    """Drop the answers that are kept in memory only."""
    _memory.clear()


def _ask_and_keep(question: Question[T], where: BaseCache, key: str, kept: _Kept) -> Known[T]:
    waited = patience.seconds_left()
    try:
        with asking(question.most_calls) as zendesk:
            answer = question.read(zendesk)
    except (Busy, page_calls.UsedUp) as problem:
        return replace(kept.known(State.ASKING), problem=problem)
    except ZendeskError as problem:
        logger.info("No answer for %s: %s", question.name.partition(":")[0], problem)
        now = time.time()
        pause = min(problem.retry_after or 0.0, CURRENT_SECONDS) if isinstance(problem, RateLimited) else 0.0
        kept = replace(
            kept,
            problem=problem,
            failed_until=now + max(FAILED_SECONDS, pause),
            waited=waited,
            is_final=waited >= PATIENT or patience.seconds_left() > RESERVE,
        )
        if patience.is_request():
            where.set(key, kept, REMEMBERED_SECONDS)
        return kept.failed()
    except connection.NotConnected as problem:
        return Known(State.FAILED, problem=problem)
    now = time.time()
    kept = _Kept(answer, now, now + question.lasts(answer))
    where.set(key, kept, REMEMBERED_SECONDS)
    return kept.known(State.CURRENT)


def _key(name: str) -> str:
    """A digest: what people type must not become part of a file name in the cache."""
    digest = blake2s(f"{connection.address()} {name}".encode(), digest_size=16).hexdigest()
    return f"{name.partition(':')[0]}:{digest}"


def _kept(where: BaseCache, key: str) -> _Kept:
    found = where.get(key)
    return found if isinstance(found, _Kept) else _Kept()


def _is_current(kept: _Kept) -> bool:
    return kept.at is not None and kept.at <= time.time() < kept.current_until
