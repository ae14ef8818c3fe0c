"""A world for one example: a demo Zendesk, a clock, workers that can be stopped anywhere, and other people.

Everything happens in one thread. A worker that is "frozen" is simply interrupted: whatever is to happen
meanwhile (time passes, the reaper comes, another worker goes on, people click) happens inside its outside
call, its nap or between two of its statements; then it goes on as if nothing had been.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.db import connection, transaction

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution
from jobs.models import Item, Job
from jobs.states import ENDED, FollowUp, Outcome, Status
from jobs.workers import reaper
from tagmanager.changes.ticket_work import TicketWork
from tests.properties.clock import Clock
from tests.properties.fake_calls import Calls, News, When
from tests.properties.fake_transport import BASE, Wire
from zendesk import sandbox as zd
from zendesk.client import Zendesk
from zendesk.sandbox.serving.app import App

#: Small, so that a few tickets make many batches and the places in flight are always short.
BATCH, PLACES, TICKETS = 3, 2, 10
#: Seconds that a call takes.
CALL = 0.05
#: Longer than any lease lives without a beat, seconds.
LONG = 100.0
#: A write that left a worker is with Zendesk after so long at the latest, seconds.
ON_THE_WAY = 20.0

WRITE = "PUT /api/v2/tickets/update_many"
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "limited": ("* /api/v2", {"kind": "rate_limited", "retry_after": 2}),
    "limited for long": ("* /api/v2", {"kind": "rate_limited", "retry_after": 90}),
    "limited as html": (WRITE, {"kind": "rate_limited", "retry_after": None, "html": True}),
    "trouble": ("* /api/v2", {"kind": "server_error_before", "times": 3}),
    "trouble after": (WRITE, {"kind": "server_error_after"}),
    "reset": ("* /api/v2", {"kind": "reset_before"}),
    "reset after": (WRITE, {"kind": "reset_after", "times": 2}),
    "half": (WRITE, {"kind": "truncated"}),
    "half of all": ("* /api/v2", {"kind": "truncated", "times": 2}),
    "html": (WRITE, {"kind": "html"}),
    "queue full": (WRITE, {"kind": "too_many_jobs", "times": 5}),
    "revoked": ("* /api/v2", {"kind": "unauthorized", "times": None}),
    "failed": (WRITE, {"kind": "job_failed", "done": 1}),
    "killed": (WRITE, {"kind": "job_killed", "done": 2}),
    "stuck": (WRITE, {"kind": "job_stuck", "seconds": 60}),
    "no results": (WRITE, {"kind": "results_null"}),
    "results as object": (WRITE, {"kind": "results_object"}),
    "results missing": (WRITE, {"kind": "results_missing", "count": 2, "times": 2}),
    "refused": (WRITE, {"kind": "item_error"}),
    "conflict": (WRITE, {"kind": "conflict", "count": 2, "times": 2}),
    "conflict for ever": (WRITE, {"kind": "conflict", "count": 1, "times": None}),
}
#: Faults of a bulk job after which its results do not tell what it did.
HIDING = {"job_failed", "job_killed", "results_null", "results_object", "results_missing"}


class Crash(BaseException):
    """The process is gone: nothing of it runs any more, no `except Exception` sees it."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """At the so manyth place of this kind that a worker passes, something happens."""

    place: str  # "call", "answer", "nap" or "statement"
    number: int
    event: str


@dataclass(slots=True)
class Run:
    """One worker's turn, as it is under way."""

    worker: str
    job: int
    plan: list[Interruption]
    passed: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Sent:
    """One batch that Zendesk took."""

    job: int
    receipt: str
    refs: frozenset[int]


class World:
    """All that one example has; `problems` holds what should never have been seen."""

    def __init__(self, *, tickets: int = 40, batch: int = BATCH, places: int = PLACES) -> None:
        self.places = places
        self.call_takes = CALL
        self.problems: list[str] = []
        self.sent: list[Sent] = []
        self.edited: set[int] = set()  # tickets that other people touched
        self.theirs: dict[int, set[str]] = defaultdict(set)  # tags of theirs that are to be there
        self.dead: set[str] = set()
        self.calls = Calls()
        self._runs: list[Run] = []
        self._names = count(1)
        self._tags = count(1)
        self._stack = ExitStack()
        self.clock = Clock(lambda: self._pass("nap"))
        self._stack.callback(self.clock.stop)
        self._stack.enter_context(_rolled_back())
        self._depth = len(connection.savepoint_ids)
        self.account = zd.Sandbox(
            zd.Options(tickets=tickets, rate_limit=1_000_000, job_life=1e9, clock=self.clock.time)
        )
        self.refs = self._tickets()
        self.first = {ref: self.tags(ref) for ref in self.refs}
        self.clock.move(10)
        self._stand_in(batch)

    def close(self) -> None:
        self._stack.close()

    @staticmethod
    def set_up(settings: Any) -> None:
        """What the settings must say, once for all examples of a test."""
        settings.ZENDESK_BASE_URL, settings.ZENDESK_OAUTH_TOKEN = BASE, zd.BEARER_TOKEN
        settings.ZENDESK_MAX_JOBS = PLACES

    # The surroundings

    def _tickets(self) -> list[int]:
        open_ = [ref for ref in self.account.ticket_ids() if self.account.ticket(ref).status != "closed"]
        refs = open_[:TICKETS]
        for place, ref in enumerate(refs):
            given = [tag for tag, every in (("old", 2), ("vip", 3), ("keep", 1)) if place % every == 0]
            self.account.edit(ref, remove=self.account.ticket(ref).tags)
            self.account.edit(ref, add=given)
        return refs

    def _stand_in(self, batch: int) -> None:
        patch = pytest.MonkeyPatch()
        self._stack.callback(patch.undo)
        for module in (
            "jobs.engine.execution",
            "jobs.engine.in_flight",
            "jobs.engine.lost_search",
            "jobs.engine.pipeline",
            "jobs.runtime.lease",
            "jobs.runtime.time_slice",
            "tagmanager.account.shared_gate",
        ):
            patch.setattr(f"{module}.time", self.clock)
        patch.setattr("tagmanager.account.connection.Zendesk", self._client)
        patch.setattr("jobs.process_id.this_process", self._this_process)
        patch.setattr("jobs.process_id.is_dead", self.dead.__contains__)
        patch.setattr(TicketWork, "batch_size", batch)
        patch.setattr("zendesk.transport.requestor.ThreadPoolExecutor", self.calls)
        patch.setattr("jobs.engine.pipeline.Event", lambda: News(self.clock.sleep))
        wire = Wire(App(self.account), arrives=self._arrives, answered=self._answered)
        patch.setattr(
            requests.Session, "request", lambda _session, *given, **named: wire.carry(*given, **named)
        )
        self._stack.enter_context(connection.execute_wrapper(self._statement))

    def _client(self, *given: Any, **named: Any) -> Zendesk:
        return Zendesk(*given, **named, sleep=self.clock.sleep, clock=self.clock.time, jitter=lambda: 1.0)

    def _this_process(self) -> str:
        return self._runs[-1].worker if self._runs else "here/boot/0/1"

    # Workers

    def work(self, job: int, *, seconds: float, plan: list[Interruption] | None = None) -> None:
        """One worker takes the job, if it is there to be taken, for a turn of so many seconds."""
        run = Run(f"here/boot/{next(self._names)}/1", job, list(plan or ()))
        self._runs.append(run)
        mark = self.calls.mark()
        try:
            execution.run(job, seconds=seconds)
        except Crash:
            run.plan.clear()
            if self.calls.when is When.LATE:
                for call in self.calls.begun_since(mark):
                    call.run()
        finally:
            self._runs.pop()

    def _pass(self, place: str) -> None:
        """A worker passes a place: what is planned for it happens."""
        if not self._runs:
            return
        run = self._runs[-1]
        run.passed[place] += 1
        here = [one for one in run.plan if one.place == place and one.number <= run.passed[place]]
        for one in here:
            if one in run.plan and (one.event.startswith("crash") or not self._in_transaction):
                run.plan.remove(one)
                with self._aside():
                    self._happen(run, place, one.event)

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """What is done by others in between is none of the worker's own steps."""
        self._runs.append(Run("here/boot/0/1", 0, []))
        try:
            yield
        finally:
            self._runs.pop()

    def _happen(self, run: Run, place: str, event: str) -> None:
        match event:
            case "crash":
                raise Crash
            case "crash seen":
                self.dead.add(run.worker)
                raise Crash
            case "frozen" if place == "call":
                self.clock.move(ON_THE_WAY)
            case "frozen":
                self.clock.move(LONG)
                self.reap()
                self.work(run.job, seconds=5)
            case "another updates":
                self.work_on_others(run.job)
            case "pause" | "resume" | "cancel":
                self.click(run.job, event, by="bob")
            case "time passes":
                self.clock.move(LONG)
            case "reaped":
                self.reap()
            case _:
                self.edit(self.refs[run.passed[place] % TICKETS], event)

    def _statement(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        # A savepoint that is not released is no state that a database can be left in.
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self._pass("statement")
        return execute(sql, *rest)

    @property
    def _in_transaction(self) -> bool:
        return len(connection.savepoint_ids) > self._depth

    def reap(self) -> None:
        reaper.reap()

    def work_on_others(self, job: int) -> None:
        busy = {run.job for run in self._runs}
        for other in Job.objects.claimable().exclude(pk__in=busy | {job}).values_list("pk", flat=True)[:2]:
            self.work(other, seconds=3)

    # People

    def click(self, job: int, what: str, *, by: str) -> None:
        """Somebody presses a button; one that does not fit any more says so and changes nothing."""
        row = Job.objects.get(pk=job)
        before = _row(job)
        lines = row.transitions.count()
        try:
            getattr(actions, what)(job=row, by=Actor(name=by))
        except actions.NotPossible as sentence:
            self._expect(_row(job) == before, f"{what} refused ({sentence}), and job {job} changed")
            self._expect(row.transitions.count() == lines, f"{what} refused, and job {job} has a new line")
        else:
            self._expect(row.transitions.count() == lines + 1, f"{what} of job {job} wrote no line, or two")

    def follow(self, job: int, kind: FollowUp) -> int | None:
        try:
            return actions.follow_up(job=Job.objects.get(pk=job), kind=kind, by=Actor(name="cyd")).job.pk
        except actions.NotPossible:
            return None

    def submit(self, refs: list[int], *, dry_run: bool, canary: int | None, **change: list[str]) -> int:
        params = {"add": [], "remove": [], "set": [], "include_closed": False} | change
        return actions.submit(
            tool="bulk-tag",
            title="A job",
            params=params,
            source={"kind": "ids", "name": ""},
            refs=refs,
            dry_run=dry_run,
            canary=canary,
            by=Actor(name="ana"),
        ).job.pk

    def edit(self, ref: int, what: str) -> None:
        """Another agent touches a ticket. Zendesk's stamps are whole seconds: an edit has one of its own."""
        self.edited.add(ref)
        self.clock.move(1)
        match what:
            case "they tag":
                tag = f"theirs-{next(self._tags)}"
                self.theirs[ref].add(tag)
                self.account.edit(ref, add=[tag])
            case "they untag":
                self.account.edit(ref, remove=["vip", "new", *sorted(self.theirs[ref])[:1]])
                self.theirs[ref] -= set(sorted(self.theirs[ref])[:1])
            case "they do it too":
                self.account.edit(ref, add=["vip", "new"], remove=["old"])
            case _:
                raise ValueError(what)
        self.clock.move(1)

    def fault(self, name: str, *, after: int) -> None:
        """Zendesk has trouble of this kind, not before so many calls that it is for have gone well."""
        match, params = FAULTS[name]
        self.account.faults.add(match, **params, after=after)

    # The wire

    def _arrives(self, method: str, target: str, body: bytes) -> None:
        self._expect(not self._in_transaction, f"{method} {target} inside a transaction")
        self._pass("call" if method == "PUT" else "read")
        self.clock.move(self.call_takes)
        if method == "PUT":
            self._check_write(_refs_of(target, body))

    def _answered(self, method: str) -> None:
        if method == "PUT":
            known = {one.receipt for one in self.sent}
            for receipt in self.account.ledger.jobs:
                if receipt not in known:
                    updates = self.account.jobs._jobs[receipt].updates
                    refs = frozenset(work.ticket_id for work in updates)
                    self.sent.append(Sent(self._runs[-1].job, receipt, refs))
            open_ = len(self.account.jobs.open_ids())
            self._expect(open_ <= self.places, f"{open_} batches of ours are under way, {self.places} may be")
        self.clock.move(self.call_takes)
        self._pass("answer")

    def _check_write(self, refs: frozenset[int]) -> None:
        job = Job.objects.get(pk=self._runs[-1].job)
        self._expect(
            job.status not in (*ENDED, Status.PAUSED, Status.ERRORED),
            f"job {job.pk} is {job.status}, and sends",
        )
        self._expect(not job.dry_run, f"job {job.pk} is a dry run, and sends")
        self._expect(job.frozen_at is not None, f"job {job.pk} sends before its list is complete")
        self.account.advance()
        for one in self.sent:
            if one.job == job.pk:
                for ref in refs & one.refs:
                    self._check_again(job.pk, ref, one)

    def _check_again(self, job: int, ref: int, earlier: Sent) -> None:
        """The same ticket goes again in the same job: only where its fate was known, or cannot be."""
        bulk = self.account.jobs._jobs[earlier.receipt]
        self._expect(not bulk.is_open, f"job {job}: {ref} goes again while its batch is under way")
        hidden = any(rule.kind in HIDING for rule in bulk.faults)
        if ref in self.done_by(earlier) and (not hidden or self.is_ours_alone(ref, job)):
            self.problems.append(f"job {job}: {ref} goes again although it was done")

    # What is true

    def tags(self, ref: int) -> frozenset[str]:
        return frozenset(self.account.ticket(ref).tags)

    def done_by(self, sent: Sent) -> set[int]:
        """The tickets that this batch really updated."""
        self.account.advance()
        return {item for item in self.account.jobs._jobs[sent.receipt].items if isinstance(item, int)}

    def times_done(self, job: int, ref: int) -> int:
        return sum(ref in self.done_by(one) for one in self.sent if one.job == job)

    def is_ours_alone(self, ref: int, job: int) -> bool:
        """Nobody but this job ever wrote to the ticket."""
        return ref not in self.edited and {one.job for one in self.sent if ref in one.refs} <= {job}

    def missing_tags(self) -> list[str]:
        """Tags of other people that are gone, and not by a job that says that it took them."""
        return [
            f"ticket {ref} lost {tag}"
            for ref, tags in self.theirs.items()
            for tag in tags - self.tags(ref)
            if not any(tag in (change or {}).get("remove", ()) for change in _changes_of(ref))
        ]

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.problems.append(otherwise)


@contextmanager
def _rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _row(job: int) -> dict[str, Any]:
    return dict(Job.objects.filter(pk=job).values().get())


def _refs_of(target: str, body: bytes) -> frozenset[int]:
    if ids := parse_qs(urlsplit(target).query).get("ids"):
        return frozenset(map(int, ids[0].split(",")))
    return frozenset(map(int, re.findall(rb'"id": (\d+)', body)))


def _changes_of(ref: int) -> Iterator[Any]:
    # One that is still pending may have been carried out already.
    told = [Outcome.CHANGED, Outcome.PENDING, Outcome.UNVERIFIED]
    exact = Item.objects.filter(ref=ref, outcome__in=told, change__has_key="exact")
    return iter(exact.values_list("change", flat=True))
