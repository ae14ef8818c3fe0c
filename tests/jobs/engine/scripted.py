"""Work whose answers a test writes down in advance, and a clock that moves only while the worker waits."""

# ruff: noqa: ARG002 - the protocol has arguments that this class does not need

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution, pipeline
from jobs.errors import RemoteError
from jobs.models import Job
from jobs.source_spec import Stored
from jobs.work import (
    Answer,
    Change,
    CompletedCall,
    DeliveryEvidence,
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
from tests.benchmarks.instant_work import InstantWork

DONE = Result(Verdict.DONE)

#: What a poll tells of the refs that were sent.
Tells = Callable[[Sequence[int]], Answer]


@dataclass
class Script:
    """What happens to the calls of one job, and what was seen of them."""

    #: What each call that sends raises, and what is answered about its batch, in the order of sending; ()
    #: for a batch that goes well, as do all those that come after.
    sends: list[RemoteError | Tells | tuple[()]] = field(default_factory=list)
    plan: Callable[[int], Plan] = lambda _: Change({"add": ["vip"]})
    gone: set[int] = field(default_factory=set)  # cannot be seen any more once the list is written
    applied: set[int] = field(default_factory=set)  # look as if the change had been made
    not_shown_by: int = 0  # the first readings, which do not show yet what was `applied`
    touched: set[int] = field(default_factory=set)  # look as if somebody had changed them
    evidence: dict[int, DeliveryEvidence] = field(default_factory=dict)
    found: list[str | SearchResult] = field(default_factory=list)  # what searches for lost batches find
    withheld: dict[str, str] = field(default_factory=dict)  # kinds that one refusal speaks for
    verify: Verify = Verify.OFF
    must_last: bool = False
    traces: dict[int, DeliveryEvidence] = field(default_factory=dict)  # what the records of items say
    ignored: list[tuple[str, ...]] = field(default_factory=list)  # the keys that each call warns about
    batch_size: int = 100
    max_in_flight: int = 10

    cursors: list[str] = field(default_factory=list)  # from which each reading of the list began
    sent: list[list[int]] = field(default_factory=list)  # the refs of each call that sends
    sent_at: list[float] = field(default_factory=list)
    polled_at: list[float] = field(default_factory=list)
    searched: list[list[int]] = field(default_factory=list)  # the refs of each search for a lost batch
    searched_at: list[float] = field(default_factory=list)
    lost_since: list[float] = field(default_factory=list)  # when the batch of each search was sent
    known: list[set[str]] = field(default_factory=list)  # the receipts that each search leaves out
    read: list[list[int]] = field(default_factory=list)
    read_back: list[list[int]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)  # whose records were looked up
    under_way: dict[str, tuple[Sequence[int], Tells]] = field(default_factory=dict)  # by receipt


class ScriptedWork(InstantWork):
    """Does what `script` says, in any time slice."""

    script = Script()

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.batch_size, self.max_in_flight = self.script.batch_size, self.script.max_in_flight
        self.verify, self.must_last = self.script.verify, self.script.must_last

    def pages(self, source: Stored, cursor: str) -> Iterator[Page]:
        self.script.cursors.append(cursor)
        return super().pages(source, cursor)

    def plan(
        self, ref: int, now: Snapshot | None, earlier: PreviousResult | None, given: Payload | None
    ) -> Plan:
        return self.script.plan(ref)

    def read(self, refs: Sequence[int]) -> CompletedCall[dict[int, Snapshot]]:
        self.script.read.append(list(refs))
        return self._seen(refs)

    def read_back(self, refs: Sequence[int]) -> CompletedCall[dict[int, Snapshot]]:
        self.calls.verify += 1
        self.script.read_back.append(list(refs))
        return self._seen(refs)

    def _seen(self, refs: Sequence[int]) -> CompletedCall[dict[int, Snapshot]]:
        seen = super().read(refs).result()
        readings = len(self.script.read) + len(self.script.read_back)
        shown = self.script.applied if readings > self.script.not_shown_by else set()
        for ref in shown & seen.keys():
            seen[ref] = {**seen[ref], "applied": True}
        for ref in self.script.touched & seen.keys():
            seen[ref] = {**seen[ref], "tags": ["theirs"]}
        return CompletedCall({ref: snapshot for ref, snapshot in seen.items() if ref not in self.script.gone})

    def is_applied(self, change: Payload, now: Snapshot) -> bool:
        return "applied" in now

    def is_visible(self, change: Payload) -> bool:
        return "note" not in change

    def find_trace(self, item: Sendable, now: Snapshot) -> DeliveryEvidence:
        self.script.asked.append(item.ref)
        return self.script.traces[item.ref]

    def why_withheld(self, probe: str, code: str, text: str) -> str:
        return self.script.withheld.get(probe, "")

    def send(self, change: Payload | None, items: Sequence[Sendable]) -> CompletedCall[Receipt]:
        script, refs = self.script, [item.ref for item in items]
        script.sent.append(refs)
        script.sent_at.append(time.time())
        tells = script.sends[len(script.sent) - 1] if len(script.sent) <= len(script.sends) else ()
        if isinstance(tells, Exception):
            raise tells
        self.calls.write += 1
        receipt = f"{len(script.sent):032x}"
        script.under_way[receipt] = (refs, tells or goes_well)
        ignored = script.ignored[len(script.sent) - 1] if len(script.sent) <= len(script.ignored) else ()
        return CompletedCall(Receipt(receipt, ignored=ignored))

    def poll(self, receipts: Sequence[str]) -> dict[str, Answer]:
        self.calls.status += 1
        self.script.polled_at.append(time.time())
        answers = {}
        for receipt in receipts:
            refs, tells = self.script.under_way.get(receipt, ((), lambda _: Answer(Phase.GONE)))
            answers[receipt] = tells(refs)
        return answers

    def find_lost(self, items: Sequence[Sendable], known: set[str], since: Any) -> str | SearchResult:
        self.script.searched.append([item.ref for item in items])
        self.script.searched_at.append(time.time())
        self.script.lost_since.append(since.timestamp())
        self.script.known.append(known)
        return self.script.found.pop(0) if self.script.found else SearchResult.ABSENT

    def find_evidence(self, items: Sequence[Sendable]) -> dict[int, DeliveryEvidence]:
        return {
            item.ref: self.script.evidence[item.ref] for item in items if item.ref in self.script.evidence
        }


def goes_well(refs: Sequence[int]) -> Answer:
    return Answer(Phase.OVER, dict.fromkeys(refs, DONE))


def tells(special: dict[int, Result | None], phase: Phase = Phase.OVER, text: str = "") -> Tells:
    """An answer that names every ref as done, but for the special ones; `None` is not named at all."""

    def of(refs: Sequence[int]) -> Answer:
        named = {ref: special.get(ref, DONE) for ref in refs}
        return Answer(phase, {ref: result for ref, result in named.items() if result is not None}, text=text)

    return of


def silent(phase: Phase, text: str = "") -> Tells:
    """An answer that names no result."""
    return lambda _: Answer(phase, text=text)


class MovedClock:
    """The pipeline's event: waiting for it moves the clock."""

    clock: Any = None

    def set(self) -> None:
        self.is_set = True

    def clear(self) -> None:
        self.is_set = False

    def wait(self, seconds: float) -> None:
        if not self.is_set:
            self.clock.shift(seconds + 0.001)  # a wait of no time must not go on forever


def until(moment: float, then: Tells = goes_well) -> Tells:
    """The batch is under way until this time."""
    return lambda refs: then(refs) if time.time() >= moment else Answer(Phase.RUNNING)


@contextmanager
def scripted(script: Script, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs do what the script says; whenever the worker waits, the clock moves by as long as it waits."""
    settings.JOBS_WORK = "tests.jobs.engine.scripted.ScriptedWork"
    monkeypatch.setattr(ScriptedWork, "script", script)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        monkeypatch.setattr(time, "monotonic", time.time)
        monkeypatch.setattr(time, "sleep", clock.shift)
        monkeypatch.setattr(MovedClock, "clock", clock)
        monkeypatch.setattr(pipeline, "Event", MovedClock)
        yield


def submitted(number: int, **options: Any) -> Job:
    """A job for the items 1 to `number`."""
    return actions.submit(
        tool="bulk-tag",
        title="Add vip to some tickets",
        params={"add": ["vip"]},
        source={"kind": "instant", "number": number},
        by=Actor(name="ana"),
        **options,
    ).job


def run(job: Job, *, seconds: float = 3600, tick: Callable[[], None] | None = None) -> Job:
    """Run the job in this process and return it as stored afterwards; `tick` is called at every step."""
    execution.run(job.pk, seconds=seconds, on_step=tick)
    job.refresh_from_db()
    return job


def outcomes(job: Job) -> dict[int, tuple[str, str, str]]:
    """The outcome, reason and detail of each item that did not simply change."""
    rows = job.items.order_by("ref").values_list("ref", "outcome", "reason", "detail")
    ends = {ref: (str(outcome), reason, detail) for ref, outcome, reason, detail in rows}
    return {ref: end for ref, end in ends.items() if end != ("changed", "", "")}


def since(moment: float, times: Sequence[float]) -> list[float]:
    """Seconds since that moment, to a tenth."""
    return [round(one - moment, 1) for one in times]


def batches(job: Job, *columns: str) -> list[Any]:
    """These columns of the batches, in the order in which they were made."""
    return list(job.batches.order_by("id").values_list(*columns))
