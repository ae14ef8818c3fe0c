"""Calls of the client as the engine knows them: their errors, and those that are under way.

The one place where the errors of the client become those of `jobs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, TypeVar

import zendesk as api
from jobs import errors
from jobs.states import WaitReason

S = TypeVar("S")
T = TypeVar("T")

#: Zendesk's word for a page past the end of what it gives of a list.
TOO_DEEP = "InvalidPaginationDepth"


class AdaptedCall(Generic[S, T]):
    """A client call as a `jobs.work.PendingCall`: its answer and its errors in the terms of the engine."""

    def __init__(
        self,
        pending: api.Pending[S],
        then: Callable[[S], T],
        told: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._pending = pending
        self._then = then
        self._told = told

    @property
    def is_done(self) -> bool:
        return self._pending.is_done

    def on_done(self, tell: Callable[[], None]) -> None:
        self._pending.on_done(tell)

    def result(self) -> T:
        with self._told():
            return self._then(self._pending.result())

    def discard(self) -> None:
        self._pending.discard()


@contextmanager
def as_engine_errors() -> Iterator[None]:
    """The client's errors as the engine knows them."""
    try:
        yield
    except api.TooManyJobs as exc:
        raise errors.TryLater(exc.text, reason=WaitReason.JOB_SLOTS, seconds=exc.retry_after) from exc
    except api.RateLimited as exc:
        raise errors.TryLater(exc.text, reason=WaitReason.RATE_LIMIT, seconds=exc.retry_after) from exc
    except (api.Unavailable, api.UnexpectedAnswer) as exc:
        if exc.fate_unknown:
            raise errors.FateUnknown(exc.text) from exc
        seconds = exc.retry_after if isinstance(exc, api.Unavailable) else None
        raise errors.TryLater(exc.text, reason=WaitReason.SERVICE_AWAY, seconds=seconds) from exc
    except (api.CredentialsRefused, api.NotAllowed, api.NotFound, api.NoSuchAccount) as exc:
        raise errors.NeedsPerson(exc.text) from exc
    except api.Refused as exc:
        raise errors.Refused(exc.text, code=exc.code or "refused") from exc


@contextmanager
def reading() -> Iterator[None]:
    """A reading that Zendesk refuses cannot be repaired by sending less: somebody has to look."""
    try:
        with as_engine_errors():
            yield
    except errors.Refused as exc:
        raise errors.NeedsPerson(str(exc)) from exc


@contextmanager
def reading_pages(cursor: str) -> Iterator[None]:
    """The same, but a page refused after a saved cursor most likely means that the cursor has expired."""
    try:
        with as_engine_errors():
            yield
    except errors.Refused as exc:
        if exc.code == TOO_DEEP:
            raise errors.NeedsPerson(
                "Zendesk gives no more pages of this list, and there are more tickets. Cancel this job, and "
                "choose the tickets by a search, which has no such end."
            ) from exc
        if cursor:
            raise errors.CursorExpired(str(exc)) from exc
        raise errors.NeedsPerson(str(exc)) from exc
