"""Translates the client's calls, errors and bulk jobs into the terms of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, TypeVar

import zendesk as api
from jobs import errors
from jobs.states import WaitReason
from jobs.work import Answer, Phase, Receipt, Result, Slots, Verdict

S = TypeVar("S")
T = TypeVar("T")

#: Zendesk's code for a page beyond the last that it serves of a list.
TOO_DEEP = "InvalidPaginationDepth"
#: The statuses of a refusal that one ticket of a call may cause: 400 and 422 by its values, 413 and 414 by
#: its size. Any other is about the call, and fewer tickets fare no better.
MAY_BE_ONE_TICKET = frozenset({400, 413, 414, 422})
#: Keys that say which tickets a call updates. Those of the change, and of its stamps, matter beside them.
STRUCTURE = frozenset({"ids", "ticket", "tickets", "id"})
#: Keys that only leave a note in a ticket's history: without them the change is the same.
NOTES = frozenset({"macro_id", "macro_ids", "metadata"})


class AdaptedCall(Generic[S, T]):
    """A client call as a `jobs.work.PendingCall`.

    `convert` turns its answer into the engine's terms, `translating` its errors.
    """

    def __init__(
        self,
        pending: api.Pending[S],
        convert: Callable[[S], T],
        translating: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._pending = pending
        self._convert = convert
        self._translating = translating

    @property
    def is_done(self) -> bool:
        return self._pending.is_done

    def on_done(self, notify: Callable[[], None]) -> None:
        self._pending.on_done(notify)

    def result(self) -> T:
        with self._translating():
            return self._convert(self._pending.result())

    def discard(self) -> None:
        self._pending.discard()


@contextmanager
def as_engine_errors() -> Iterator[None]:
    """Raise the client's errors as those of `jobs.errors`."""
    try:
        yield
    except api.TooManyJobs as exc:
        receipts = exc.current_job_ids or None
        raise errors.QueueFull(exc.text, seconds=exc.retry_after, receipts=receipts) from exc
    except api.RateLimited as exc:
        raise errors.TryLater(exc.text, reason=WaitReason.RATE_LIMIT, seconds=exc.retry_after) from exc
    except (api.Unavailable, api.UnexpectedAnswer) as exc:
        if exc.fate_unknown:
            raise errors.FateUnknown(exc.text) from exc
        if isinstance(exc, api.UnexpectedAnswer | api.PageInstead):
            call = f" (The call was {exc.call}.)" if exc.call else ""
            raise errors.OddAnswer(f"{exc.text}{call}") from exc
        raise errors.TryLater(exc.text, reason=WaitReason.SERVICE_AWAY, seconds=exc.retry_after) from exc
    except (
        api.CredentialsRefused,
        api.AccountRefused,
        api.NotAllowed,
        api.NotFound,
        api.NoSuchAccount,
    ) as exc:
        raise errors.NeedsPerson(exc.text) from exc
    except api.Conflict as exc:
        raise errors.RefusedForNow(exc.text, code=_code_of_conflict(exc.code)) from exc
    except api.Refused as exc:
        raise errors.Refused(exc.text, code=exc.code or "refused") from exc


def _code_of_conflict(code: str) -> str:
    """One reason code for all of Zendesk's codes for a ticket that somebody changed meanwhile."""
    return "conflict" if code in ("", "Conflict", "UpdateConflict") else code


@contextmanager
def sending() -> Iterator[None]:
    """As `as_engine_errors`, for calls that send: a refusal that no ticket can have caused needs a person."""
    try:
        with as_engine_errors():
            yield
    except errors.RefusedForNow:
        raise
    except errors.Refused as exc:
        cause = exc.__cause__
        if isinstance(cause, api.ZendeskError) and cause.status not in MAY_BE_ONE_TICKET:
            raise errors.NeedsPerson(str(exc)) from exc
        raise


@contextmanager
def reading() -> Iterator[None]:
    """As `as_engine_errors`, for calls that read: a refusal needs a person, since a retry changes nothing."""
    try:
        with as_engine_errors():
            yield
    except errors.Refused as exc:
        raise errors.NeedsPerson(str(exc)) from exc


@contextmanager
def reading_pages(cursor: str) -> Iterator[None]:
    """As `reading`, for pages: a page refused after a saved cursor most likely means an expired cursor."""
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


def receipt_of(status: api.JobStatus, keys: Set[str]) -> Receipt:
    """The receipt of a call that sent these keys, the names of query parameters among them."""
    slots = status.slots
    return Receipt(
        status.id, Slots(slots.total, slots.free) if slots else None, _ignored(status.ignored, keys - NOTES)
    )


def _ignored(part: api.IgnoredPart | None, keys: Set[str]) -> tuple[str, ...]:
    if part is None:
        return ()
    if not part.keys:  # the words of every warning name the tickets
        keys -= STRUCTURE
    return tuple(sorted(key for key in keys if part.names(key)))


def answer_of(status: api.JobStatus) -> Answer:
    """A bulk job's status as the engine's answer about the batch that it carries.

    Results that contradict each other are left out: nobody knows the fate of their tickets.
    """
    if not status.is_over:
        return Answer(Phase.RUNNING, progress=(status.progress or 0) / status.total if status.total else 0.0)
    by_id: dict[int, list[Result | None]] = {}
    by_place: dict[int, list[Result | None]] = {}
    for item in status.results or []:
        if item.id is not None:
            by_id.setdefault(item.id, []).append(_result_of(item))
        elif item.index is not None:
            by_place.setdefault(item.index, []).append(_result_of(item))
    # An index that occurs twice, such as 0 in every failed item, tells nothing about any place.
    places_hold = all(len(found) == 1 for found in by_place.values())
    return Answer(
        Phase.OVER if status.succeeded else Phase.FAILED,
        {ref: _agreed(found) for ref, found in by_id.items()},
        {place: found[0] for place, found in by_place.items()} if places_hold else {},
        text=""
        if status.succeeded
        else f"Zendesk broke its bulk job off: {status.message or status.status}.",
    )


def _agreed(results: list[Result | None]) -> Result | None:
    """The result of a ticket; None where its items have no verdict, or not the same."""
    told = [result for result in results if result is not None]
    return told[0] if len({result.verdict for result in told}) == 1 else None


def _result_of(item: api.ItemResult) -> Result | None:
    """The verdict by what Zendesk's codes say; None without one.

    The details are in the language of the connected user (zenpy issue 257), so they decide nothing. A code
    that does not say why a ticket failed, such as TicketUpdateFailed or RecordInvalid, has it read.
    """
    if not item.has_verdict:
        return None
    if item.ok:
        return Result(Verdict.DONE)
    text = item.text or item.code or "Zendesk gave no reason."
    if item.is_conflict:  # Zendesk has several codes for it
        return Result(Verdict.LATER, "conflict", text)
    if item.is_passing:
        return Result(Verdict.LATER, item.code or "DatabaseConflict", text)
    if item.is_not_found:
        return Result(Verdict.MISSING, item.code, text)
    return Result(Verdict.UNEXPLAINED, item.code, text)


def remark_on(unreadable: Sequence[str]) -> str:
    """What the history says of records that name no ticket."""
    if not unreadable:
        return ""
    number, are = (
        ("1 record", "it is") if len(unreadable) == 1 else (f"{len(unreadable):,} records", "they are")
    )
    why = " ".join(dict.fromkeys(unreadable))
    return f"Zendesk listed {number} without a usable ticket number; {are} not in this job. {why}"
