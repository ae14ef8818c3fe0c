"""What the engine needs from a job's work: where its items come from, what each needs, how to send it.

The engine knows neither tickets nor Zendesk. The setting `JOBS_WORK` names the function that makes an object
of this shape for a job.
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

#: One item as it was read: small JSON without customers' texts.
Snapshot = dict[str, Any]
#: What to send for one item: JSON.
Payload = dict[str, Any]
#: The key of changes that share a batch although each item is sent its own.
OWN = "own"

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Change:
    """The item is to be sent. Items with equal payloads share a batch, unless `own` is set."""

    payload: Payload
    own: bool = False  # each item is sent with its own payload: one call, up to a hundred payloads
    once: bool = False  # made twice it does harm (a comment): sent again only if provably not made
    reason: str = ""
    detail: str = ""
    #: A kind of items that the other side may refuse as a whole: one is sent alone before the others
    #: (`jobs.guards.probes`). "" for none.
    probe: str = ""
    kinds: tuple[str, ...] = ()  # the kinds as which `Job.kinds` counts the item

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
    """The item needs no change."""

    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """The item is left out, for a reason."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The item's record cannot be understood, so nothing can be decided about it: it fails unsent."""

    reason: str
    detail: str


Plan = Change | Unchanged | Skipped | Unreadable


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a source, in its order."""

    items: list[tuple[int, Snapshot]]  # by ref; of a source of refs only, the snapshots are empty
    cursor: str | None  # where the next page begins; None: this is the last
    again: Mapping[int, Snapshot] = field(default_factory=dict)  # newer readings of items listed before
    remark: str = ""  # what people should know about items of this page that have no ref, in a sentence
    #: Why the list may go on although no further page can be read, in a sentence; "" for no doubt.
    broke_off: str = ""


@dataclass(frozen=True, slots=True)
class Sendable:
    """One item to be sent. `before` and `change` are set only where each item is sent its own change."""

    ref: int
    before: Snapshot = field(default_factory=dict)
    change: Payload = field(default_factory=dict)


class Fit(Enum):
    """Whether an item, as it was read, belongs to the list of a source."""

    BELONGS = "belongs"
    UNWANTED = "unwanted"  # the job does not take such items
    STALE = "stale"  # it is not what the source gave it as, or is so no longer


class Verdict(Enum):
    """What the other side reports about one item."""

    DONE = "done"
    LATER = "later"  # nothing was changed, for a reason that passes: the item is read and sent again
    MISSING = "missing"  # it does not exist (any more)
    REFUSED = "refused"  # nothing was changed, for good
    UNEXPLAINED = "unexplained"  # nothing was changed; the item itself shows why: it is read (`Work.explain`)


@dataclass(frozen=True, slots=True)
class Result:
    """A verdict with its reason: an item that fails by it is recorded with this code and text."""

    verdict: Verdict
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Slots:
    """How many batches the other side takes at a time, those of all its users together."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side has accepted a batch."""

    id: str
    slots: Slots | None = None  # this batch counted; None: not named
    #: The keys of what was sent that matter and that the other side says it ignores, by name; mostly none.
    ignored: tuple[str, ...] = ()


class Phase(Enum):
    """How far the other side is with a batch."""

    RUNNING = "running"
    OVER = "over"  # `results` are final; an item that they do not name has an unknown fate
    FAILED = "failed"  # broken off as a whole; `results` may name some items all the same
    GONE = "gone"  # the receipt is no longer known


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side knows of a batch that was sent."""

    phase: Phase
    #: By ref. `None`, as for an item that is missing here: nobody said what its fate is.
    results: Mapping[int, Result | None] = field(default_factory=dict)
    #: By place in the batch as sent, from 0, for results that name no ref.
    by_place: Mapping[int, Result | None] = field(default_factory=dict)
    text: str = ""  # a sentence for people, where the batch as a whole went wrong
    progress: float = 0.0  # the part that is done, 0 to 1, as far as it is reported


class SearchResult(Enum):
    """The result of a search that found no receipt."""

    ABSENT = "absent"  # the batch was not carried out, as far as the other side can tell
    UNCLEAR = "unclear"  # something under way may be the batch: search again a little later


class DeliveryEvidence(Enum):
    """What the other side's records say about a change that must not be made twice."""

    MADE = "made"
    NOT_MADE = "not made"
    UNCLEAR = "unclear"  # the records do not say


class Verify(Enum):
    """Which of the items that the other side reports as changed are read back."""

    SAMPLE = "sample"  # the first batch of each kind of change, and one in fifty after it
    ALL = "all"
    OFF = "off"


class PendingCall(Protocol[T_co]):
    """A call that goes on while the worker does other things."""

    @property
    def is_done(self) -> bool:
        """Whether `result` will not wait for the call; true also of one that begins only with `result`."""
        ...

    def on_done(self, notify: Callable[[], None]) -> None:
        """Call `notify` once `is_done`, in any thread."""
        ...

    def result(self) -> T_co:
        """Wait for the call and return its result, once. May raise `RemoteError`."""
        ...

    def discard(self) -> None:
        """Give up the result; only for calls that change nothing."""
        ...


@dataclass(frozen=True, slots=True)
class CompletedCall(Generic[T_co]):
    """A call that is over."""

    value: T_co
    is_done: bool = True

    def on_done(self, notify: Callable[[], None]) -> None:
        notify()

    def result(self) -> T_co:
        return self.value

    def discard(self) -> None:
        pass


@dataclass(slots=True)
class Calls:
    """The number of calls to the other side since they were last taken."""

    read: int = 0
    write: int = 0
    status: int = 0
    verify: int = 0  # that look at items after they were sent

    def take(self) -> dict[str, Any]:
        """The increments that count the calls in the job's row; the counts here begin again at 0."""
        increments = {
            f"calls_{name}": F(f"calls_{name}") + number for name, number in asdict(self).items() if number
        }
        self.read = self.write = self.status = self.verify = 0
        return increments


class Work(Protocol):
    """One job's work.

    Every method that calls the other side may raise `RemoteError`: `pages`, `read`, `read_back`, `send`,
    `poll`, `find_lost`, `find_trace` and `find_evidence`.
    """

    batch_size: int  # most items in one call
    max_in_flight: int  # most batches in flight, of all jobs together
    filters_items: bool  # the job has a filter of its own: an item of any source may not fit
    verify: Verify
    #: Whether an item ends as changed only if its change is still there when it is read back. By default one
    #: that was made and undone by others since ends as changed too.
    must_last: bool
    #: The reasons of failures that are the item's own: the circuit breaker does not count them.
    own_failures: frozenset[str]
    calls: Calls
    #: Set by the engine; to be called right before each call, which must end within 30 seconds. It keeps the
    #: lease alive, and raises when that is lost.
    before_call: Callable[[], None]
    #: Set by the engine: a moment of `time.monotonic` at which calls give up, those under way too. One that
    #: changes something then has an unknown fate.
    call_until: float
    #: Set by the engine while it lists refs only: nothing needs to be fetched that only planning uses.
    reads_ids_only: bool
    #: Set by the engine: whether the next page may be requested while the last one is written. A page that is
    #: then not needed has cost a call.
    may_read_ahead: Callable[[], bool]

    def pages(self, source: Stored, cursor: str) -> Iterator[Page]:
        """The items of a remote source from the cursor on ("": from its start)."""
        ...

    def cursor_lifetime(self, source: Stored) -> timedelta | None:
        """How long a cursor of this source can be trusted; None: forever.

        After that the list may have shifted, or the other side may have forgotten the cursor. The source is
        then read from its start, and what is listed stays listed.
        """
        ...

    def finds_refs_only(self, source: Stored) -> bool:
        """Whether the pages of a source only say which items it found.

        What it tells of their state is hearsay: each is read before anything is decided about it.
        """
        ...

    def expected_size(self, source: Stored) -> int | None:
        """About how many items a source of refs only will give; None: not known. May call the other side."""
        ...

    def is_judged_alone(self, source: Stored) -> bool:
        """Whether an item must still be what this source found it as, and only if no other source gave it.

        Such an item is read as it is found. Later, in a list of several sources, nobody knows who found it.
        """
        ...

    def is_excluded_by_reading(self, source: Stored) -> bool:
        """Whether `fit` and `plan` know what an excluded source excludes, so that its list is not needed."""
        ...

    def fit(self, source: Stored, seen: Snapshot) -> Fit:
        """Whether an item that this source gave belongs to the list, by a reading after that."""
        ...

    def note_on_stale(self, number: int) -> str:
        """A sentence for people about as many items that did not fit because they are `Fit.STALE`."""
        ...

    def note_on_taken_out(self, source: Stored) -> str:
        """What people should know of the items that an excluded source named; "" for nothing."""
        ...

    def completeness_doubt(self, source: Stored, found: int, *, taken_out: bool) -> str:
        """Why a source that gave `found` items may have more, as a sentence for people; "" for no doubt.

        Called when the source has been read to its end. A doubt about a source that is `taken_out` of the
        list stops the job before its first item.
        """
        ...

    def count(self, source: Stored) -> int | None:
        """How many items the other side counts in a source now; None where it does not say for sure."""
        ...

    def changed_at(self, seen: Snapshot) -> int | None:
        """When an item was last changed, as a number that grows with time; None: not known. For sorting."""
        ...

    def read(self, refs: Sequence[int]) -> PendingCall[dict[int, Snapshot]]:
        """Begin to read at most `batch_size` items as they are now.

        The result leaves out those that cannot be seen.
        """
        ...

    def plan(
        self, ref: int, now: Snapshot | None, earlier: PreviousResult | None, given: Payload | None
    ) -> Plan:
        """Decide what one item needs, by its present state (`None`: it cannot be seen).

        `earlier` is what the job that this one follows up did to the item (`jobs.followups`), if any. `given`
        is the request for this item alone.
        """
        ...

    def why_withheld(self, probe: str, code: str, text: str) -> str:
        """Why the refusal of one item speaks for all of its kind, for people; "" if it does not.

        With a reason, no more of the kind are sent until a person has resumed the job.
        """
        ...

    def why_unreadable(self, now: Snapshot) -> str:
        """Why the item's present state cannot be told from its record, in a sentence; "" if it can."""
        ...

    def is_applied(self, change: Payload, now: Snapshot) -> bool:
        """Whether the item's present state shows the change."""
        ...

    def is_visible(self, change: Payload) -> bool:
        """Whether an item's state can show the change at all: a comment alone shows in none."""
        ...

    def read_back(self, refs: Sequence[int]) -> PendingCall[dict[int, Snapshot]]:
        """As `read`, for items that were sent: counted apart, and without what only planning needs."""
        ...

    def kind_of(self, change: Payload, *, own: bool) -> str:
        """The kind of a change: which keys are sent, whatever their values. For people too."""
        ...

    def explain(self, item: Sendable, now: Snapshot | None, result: Result, *, kind_is_open: bool) -> Result:
        """Why an item was refused, by its state after that; the result's verdict is UNEXPLAINED.

        The verdict of the answer is LATER, MISSING or REFUSED. With `kind_is_open` others of its kind
        (`Change.probe`) have been changed, so that its kind is not why.
        """
        ...

    def why_not_shown(self, item: Sendable, now: Snapshot) -> Result | None:
        """How an item ends that was changed, but not to what the job is for, if the work knows why.

        Asked about each item that is read back, before any record is looked up. `None`: its state decides,
        and where that does not show the change, the records (`is_untouched`, `find_trace`).
        """
        ...

    def why_not_made(self, item: Sendable, now: Snapshot) -> Result | None:
        """How an item ends that was accepted and provably not changed, if that is for a reason of its own.

        `None`: nothing about the item explains it, so other items may fare no better.
        """
        ...

    def is_untouched(self, item: Sendable, now: Snapshot, sent_at: datetime) -> bool:
        """Whether the state proves by itself that nothing at all was done to the item since it was read."""
        ...

    def find_trace(self, item: Sendable, now: Snapshot) -> DeliveryEvidence:
        """Whether the records say that the item's change was made since it was read, by whatever undone."""
        ...

    def send(self, change: Payload | None, items: Sequence[Sendable]) -> PendingCall[Receipt]:
        """Begin to send the items with one change for all, or (`None`) each with its own.

        May raise `ReadAgain` before anything was sent: the items are then read and
        planned again.
        """
        ...

    def poll(self, receipts: Sequence[str]) -> dict[str, Answer]:
        """Answer for every receipt."""
        ...

    def find_lost(self, items: Sequence[Sendable], known: set[str], since: datetime) -> str | SearchResult:
        """Search for a batch sent at `since` whose answer was lost; it has none of the `known` receipts."""
        ...

    def close(self) -> None:
        """Release connections, without waiting for calls under way."""
        ...

    def find_evidence(self, items: Sequence[Sendable]) -> dict[int, DeliveryEvidence]:
        """Whether changes that must not be made twice were made, by this job or an earlier one of its family.

        Called for items that were sent without a known result; leaves out those that cannot be seen.
        """
        ...


@dataclass(frozen=True, slots=True)
class PreviousResult:
    """What an earlier job recorded about the item."""

    before: Snapshot | None
    change: Payload | None
    outcome: str


def work_for(job: Job) -> Work:
    """The job's work; raises `NeedsPerson` when the settings do not allow it."""
    make: Any = import_string(settings.JOBS_WORK)
    work: Work = make(job)
    return work
