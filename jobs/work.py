"""What `jobs` asks of the work it carries out: where the items come from, what to do with each, how to send.

The engine knows neither tickets nor Zendesk. The project names in `JOBS_WORK` the function that makes, for a
job, an object of this shape.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from django.conf import settings
from django.db.models import F
from django.utils.module_loading import import_string

from jobs.models import Job
from jobs.source_spec import Stored

#: One item as it was read: JSON, small, without texts of customers.
Snapshot = dict[str, Any]
#: What to send for one item: JSON.
Payload = dict[str, Any]
#: The key of changes that travel together although each item is sent its own.
OWN = "own"

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Change:
    """Something is to be sent. Items whose payloads are equal travel together, unless `own` is set."""

    payload: Payload
    own: bool = False  # each item is sent with its own payload, a hundred different ones in one call
    once: bool = False  # made twice it does harm (a letter, a posting): sent again only if surely not made
    reason: str = ""
    detail: str = ""
    #: A kind of items that the other side may not let be changed at all: one of them is sent alone before the
    #: others of the kind go (`probes`).
    probe: str = ""
    kinds: tuple[str, ...] = ()  # what the item counts as in `Job.kinds`

    @cached_property
    def key(self) -> str:
        """Equal for changes that may share a batch."""
        once = "once" if self.once else ""
        if self.own:
            return " ".join(filter(None, (OWN, once, self.probe)))
        text = json.dumps(self.payload, sort_keys=True, separators=(",", ":")) + self.probe + once
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The item is already as wished."""

    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """The item is left out, and why."""

    reason: str
    detail: str


Plan = Change | Unchanged | Skipped


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of the list, in order, and where the reading goes on (`None`: the list is complete)."""

    items: list[tuple[int, Snapshot]]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Sendable:
    """One item on its way out; what it was and its change are given where each is sent its own."""

    ref: int
    before: Snapshot = field(default_factory=dict)
    change: Payload = field(default_factory=dict)


class Verdict(Enum):
    """What the other side reports about one item."""

    DONE = "done"
    LATER = "later"  # nothing was changed, for a reason that passes: the item is read and sent again
    MISSING = "missing"  # it does not exist (any more)
    REFUSED = "refused"  # nothing was changed, for good


@dataclass(frozen=True, slots=True)
class Result:
    """A verdict with its reason: an item that fails by it is recorded with this code and text."""

    verdict: Verdict
    code: str = ""
    text: str = ""


class Phase(Enum):
    RUNNING = "running"
    OVER = "over"  # `results` are final; items they do not name have an unknown fate
    FAILED = "failed"  # over, and broken off as a whole; `results` may name some items all the same
    GONE = "gone"  # the receipt is not known any more


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a batch that was sent."""

    phase: Phase
    results: Mapping[int, Result] = field(default_factory=dict)  # by ref
    by_place: Mapping[int, Result] = field(default_factory=dict)  # by place in the batch as it was sent
    text: str = ""
    progress: float = 0.0  # part that is done, 0 to 1, as far as it is told


class SearchResult(Enum):
    """What a search for a batch without a receipt found besides a receipt."""

    ABSENT = "absent"  # it was not carried out, as far as the other side can tell
    UNCLEAR = "unclear"  # something is under way that may be it: look again a little later


class DeliveryEvidence(Enum):
    """What the other side's own records say of a change that must not be made twice."""

    MADE = "made"
    NOT_MADE = "not made"
    UNCLEAR = "unclear"  # they do not tell


class PendingCall(Protocol[T_co]):
    """A call that was begun and is made while the worker does other things."""

    @property
    def is_done(self) -> bool:
        """Whether `result` comes without waiting, or the call could not be begun before it."""
        ...

    def on_done(self, tell: Callable[[], None]) -> None:
        """Have it called, in any thread, once `is_over`."""
        ...

    def result(self) -> T_co:
        """What came of it, to be taken once; waits for it. May raise `RemoteError`."""
        ...

    def discard(self) -> None:
        """Nobody wants to know any more; only of a call that changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class CompletedCall(Generic[T_co]):
    """A call that was made at once."""

    value: T_co
    is_done: bool = True

    def on_done(self, tell: Callable[[], None]) -> None:
        tell()

    def result(self) -> T_co:
        return self.value

    def discard(self) -> None:
        pass


@dataclass(slots=True)
class Calls:
    """Calls made to the other side since they were last taken."""

    read: int = 0
    write: int = 0
    status: int = 0

    def take(self) -> dict[str, Any]:
        """What to write to the job's row to count them there; from here on they count as told."""
        told = {
            f"calls_{name}": F(f"calls_{name}") + number for name, number in asdict(self).items() if number
        }
        self.read = self.write = self.status = 0
        return told


class Work(Protocol):
    """One job's work. What reads, sends, asks and finds calls the other side and may raise `RemoteError`."""

    batch_size: int  # most items in one call
    max_in_flight: int  # most batches under way at once, of all jobs together
    filters_items: bool  # the job takes only some of the items of its sources: `wants` says which
    calls: Calls
    #: Set by the engine, and to be called right before each call, which ends within half a minute: it keeps
    #: the worker's right to the job alive, and raises when that is lost.
    before_call: Callable[[], None]
    #: Set by the engine while it reads what no item is made of: nothing that planning alone needs is wanted.
    reads_ids_only: bool
    #: Set by the engine: whether the next page of a list may be asked for while the one before is written.
    #: One that is then not wanted has cost a call.
    may_read_ahead: Callable[[], bool]

    def pages(self, source: Stored, cursor: str) -> Iterator[Page]:
        """The items of a source from the cursor on ("": from its start). Not asked for what people gave."""
        ...

    def cursor_lifetime(self, source: Stored) -> timedelta | None:
        """A place in this source that is older is not trusted: the list may have shifted, or the other side
        may have forgotten it. The reading starts over, and what is listed stays listed. None: it stays good.
        """
        ...

    def completeness_doubt(self, source: Stored, found: int, *, taken_out: bool) -> str:
        """What speaks against a source of `found` items, read to its end, being all of them; "" for nothing.

        A sentence for people. Asked once it was read, when the list is about to be frozen; of a source that
        is `taken_out` of the list before the first item is made, and a doubt then stops the job.
        """
        ...

    def includes(self, seen: Snapshot) -> bool:
        """Whether an item as it was read belongs to the list."""
        ...

    def changed_at(self, seen: Snapshot) -> int | None:
        """When an item was last changed, as a number that grows, where that is known; for sorting."""
        ...

    def read(self, refs: Sequence[int]) -> PendingCall[dict[int, Snapshot]]:
        """Begin to read the items as they are now, at most `batch_size`; those that cannot be seen are left
        out of what it gives.
        """
        ...

    def plan(
        self, ref: int, now: Snapshot | None, earlier: PreviousResult | None, given: Payload | None
    ) -> Plan:
        """What is to be done with one item as it was read (`None`: it cannot be seen).

        `earlier` is what the job that this one is about did to it (`errands`), where there is one; `given`
        what was asked for this item alone.
        """
        ...

    def why_withheld(self, probe: str, code: str, text: str) -> str:
        """What it means that one of a kind was refused, for people; "" when it says nothing of the others.

        With a sentence no more of the kind is sent until a person has resumed the job.
        """
        ...

    def is_applied(self, change: Payload, now: Snapshot) -> bool:
        """Whether an item as it is now looks as if the change had been made."""
        ...

    def send(self, change: Payload | None, items: Sequence[Sendable]) -> PendingCall[str]:
        """Begin to send the items, with one change for all or (`None`) each its own; it gives the receipt.

        May raise `ReadAgain`, before anything was sent: then the items are read, planned and sent anew.
        """
        ...

    def poll(self, receipts: Sequence[str]) -> dict[str, Answer]:
        """What is known of each receipt; every receipt gets an answer."""
        ...

    def find_lost(self, items: Sequence[Sendable], known: set[str], since: datetime) -> str | SearchResult:
        """Look for a batch sent at `since` whose answer was lost; `known` receipts are other batches'."""
        ...

    def close(self) -> None:
        """No more is asked of it; what is still under way is not waited for."""
        ...

    def find_evidence(self, items: Sequence[Sendable]) -> dict[int, DeliveryEvidence]:
        """Whether changes that must not be made twice were made, now or by an earlier job of the family.

        Asked for items that were sent and whose fate nobody named; those that cannot be seen are left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class PreviousResult:
    """What an earlier job recorded for the item."""

    before: Snapshot | None
    change: Payload | None
    outcome: str


def work_for(job: Job) -> Work:
    """The work of this job; raises `NeedsPerson` when the settings do not allow it."""
    make: Any = import_string(settings.JOBS_WORK)
    work: Work = make(job)
    return work
