"""Work whose calls all return at once, so that a job takes only the engine's own time."""

# ruff: noqa: ARG002 - the protocol has arguments that this class does not need

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import count

from jobs.models import Job
from jobs.source_spec import Stored
from jobs.work import (
    Answer,
    Calls,
    Change,
    CompletedCall,
    DeliveryEvidence,
    Fit,
    Page,
    Payload,
    Phase,
    Plan,
    PreviousResult,
    Receipt,
    Result,
    SearchResult,
    Sendable,
    Snapshot,
    Verdict,
    Verify,
)

#: As in Zendesk: items on a page of the list, items in a call, batches in flight.
PAGE, BATCH, IN_FLIGHT = 100, 100, 10


class InstantWork:
    """Adds one tag to each of the source's `number` items; every call returns at once."""

    batch_size = BATCH
    max_in_flight = IN_FLIGHT
    filters_items = False
    verify = Verify.SAMPLE
    must_last = False
    own_failures: frozenset[str] = frozenset()

    def __init__(self, job: Job) -> None:
        self.number = int(job.source["number"])
        self.calls = Calls()
        self.reads_ids_only = False
        self.before_call: Callable[[], None] = lambda: None
        self.call_until = math.inf
        self.may_read_ahead: Callable[[], bool] = lambda: False
        self._sent: dict[str, list[int]] = {}
        self._answered: deque[list[int]] = deque(maxlen=2 * IN_FLIGHT)  # the batches reported as done last
        self._receipts = count()

    def close(self) -> None:
        pass

    def pages(self, source: Stored, cursor: str) -> Iterator[Page]:
        for start in range(int(cursor or 0), self.number, PAGE):
            end = min(start + PAGE, self.number)
            self.calls.read += 1
            items = [(ref, _snapshot(ref)) for ref in range(start + 1, end + 1)]
            yield Page(items, str(end) if end < self.number else None)

    def cursor_lifetime(self, source: Stored) -> None:
        return None

    def completeness_doubt(self, source: Stored, found: int, *, taken_out: bool) -> str:
        return ""

    def finds_refs_only(self, source: Stored) -> bool:
        return False

    def expected_size(self, source: Stored) -> int | None:
        return None

    def is_judged_alone(self, source: Stored) -> bool:
        return False

    def is_excluded_by_reading(self, source: Stored) -> bool:
        return False

    def fit(self, source: Stored, seen: Snapshot) -> Fit:
        return Fit.BELONGS

    def note_on_stale(self, number: int) -> str:
        return ""

    def note_on_taken_out(self, source: Stored) -> str:
        return ""

    def changed_at(self, seen: Snapshot) -> int | None:
        return None

    def read(self, refs: Sequence[int]) -> CompletedCall[dict[int, Snapshot]]:
        self.calls.read += 1
        return CompletedCall({ref: _snapshot(ref) for ref in refs})

    def plan(
        self, ref: int, now: Snapshot | None, earlier: PreviousResult | None, given: Payload | None
    ) -> Plan:
        return Change({"add": ["vip"]})

    def count(self, source: Stored) -> int | None:
        return None

    def why_unreadable(self, now: Snapshot) -> str:
        return ""

    def is_applied(self, change: Payload, now: Snapshot) -> bool:
        return set(change.get("add", ())) <= set(now["tags"])

    def is_visible(self, change: Payload) -> bool:
        return bool(change.get("add"))

    def read_back(self, refs: Sequence[int]) -> CompletedCall[dict[int, Snapshot]]:
        self.calls.verify += 1
        changed = set().union(*self._answered)
        return CompletedCall({ref: _snapshot(ref, changed=ref in changed) for ref in refs})

    def kind_of(self, change: Payload, *, own: bool) -> str:
        return ", ".join(change)

    def explain(self, item: Sendable, now: Snapshot | None, result: Result, *, kind_is_open: bool) -> Result:
        return Result(Verdict.REFUSED, result.code, result.text)

    def why_not_shown(self, item: Sendable, now: Snapshot) -> None:
        return None

    def why_not_made(self, item: Sendable, now: Snapshot) -> None:
        return None

    def is_untouched(self, item: Sendable, now: Snapshot, sent_at: datetime) -> bool:
        return item.before == now

    def find_trace(self, item: Sendable, now: Snapshot) -> DeliveryEvidence:
        return DeliveryEvidence.NOT_MADE

    def why_withheld(self, probe: str, code: str, text: str) -> str:
        return ""

    def send(self, change: Payload | None, items: Sequence[Sendable]) -> CompletedCall[Receipt]:
        self.calls.write += 1
        receipt = f"{next(self._receipts):032x}"
        self._sent[receipt] = [item.ref for item in items]
        return CompletedCall(Receipt(receipt))

    def poll(self, receipts: Sequence[str]) -> dict[str, Answer]:
        self.calls.status += 1
        done = Result(Verdict.DONE)
        sent = {receipt: self._sent.pop(receipt) for receipt in receipts}
        self._answered.extend(sent.values())
        return {receipt: Answer(Phase.OVER, dict.fromkeys(refs, done)) for receipt, refs in sent.items()}

    def find_lost(self, items: Sequence[Sendable], known: set[str], since: datetime) -> str | SearchResult:
        return SearchResult.ABSENT

    def find_evidence(self, items: Sequence[Sendable]) -> dict[int, DeliveryEvidence]:
        return {}


def _snapshot(ref: int, *, changed: bool = False) -> Snapshot:
    tags = [f"area_{ref % 17}", "billing", "germany", f"month_{ref % 12}", *(["vip"] if changed else [])]
    return {"tags": tags, "status": "open", "updated_at": "2026-11-01T08:00:00Z"}
