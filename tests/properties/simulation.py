"""A simulation for one example: a demo Zendesk, a clock, workers that can be stopped anywhere, other people.

Everything happens in one thread. A "frozen" worker is an interrupted one: during its HTTP call, its sleep or
between two of its SQL statements, time passes, the reaper runs, another worker continues, or people click.
Then the worker continues as if nothing had happened.
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
from tests.properties.fake_calls import CallTiming, FakeEvent, FakeThreadPool
from tests.properties.fake_transport import BASE_URL, FakeTransport
from zendesk import sandbox as zd
from zendesk.client import Zendesk
from zendesk.sandbox.serving.app import App

#: Small, so that a few tickets make many batches and slots are always scarce.
BATCH, SLOTS, TICKETS = 3, 2, 10
#: Seconds that a call takes in each direction.
CALL_SECONDS = 0.05
#: Seconds; longer than any lease lives without a heartbeat.
PAST_LEASE = 100.0
#: Seconds after which a write that left a worker has reached Zendesk at the latest.
LONGEST_TRANSIT = 20.0

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
    "permanent conflict": (WRITE, {"kind": "conflict", "count": 1, "times": None}),
}
#: Faults after which the results of a bulk job do not say what it did.
HIDE_RESULTS = {"job_failed", "job_killed", "results_null", "results_object", "results_missing"}


class Crash(BaseException):
    """The process died: none of its code runs any more, and no `except Exception` catches this."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """An event that happens when a worker reaches a point of this kind for the `number`th time."""

    point: str  # "call", "answer", "read", "sleep" or "statement"
    number: int
    event: str


@dataclass(slots=True)
class WorkerRun:
    """One worker in its time slice."""

    worker: str
    job: int
    plan: list[Interruption]
    reached: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A batch that Zendesk accepted."""

    job: int
    receipt: str
    refs: frozenset[int]


class Simulation:
    """Everything in one example; `problems` lists the broken promises seen so far."""

    def __init__(self, *, tickets: int = 40, batch: int = BATCH, slots: int = SLOTS) -> None:
        self.slots = slots
        self.call_seconds = CALL_SECONDS
        self.problems: list[str] = []
        self.sent: list[SentBatch] = []
        self.edited: set[int] = set()  # tickets that other people edited
        self.tags_of_others: dict[int, set[str]] = defaultdict(set)  # tags that they added and that must stay
        self.dead_processes: set[str] = set()
        self.thread_pool = FakeThreadPool()
        self._runs: list[WorkerRun] = []
        self._names = count(1)
        self._tags = count(1)
        self._stack = ExitStack()
        self.clock = Clock(lambda: self._reach("sleep"))
        self._stack.callback(self.clock.stop)
        self._stack.enter_context(_rolled_back())
        self._depth = len(connection.savepoint_ids)
        self.account = zd.Sandbox(
            zd.Options(tickets=tickets, rate_limit=1_000_000, job_life=1e9, clock=self.clock.time)
        )
        self.refs = self._prepare_tickets()
        self.initial_tags = {ref: self.tags(ref) for ref in self.refs}
        self.clock.move(10)
        self._patch(batch)

    def close(self) -> None:
        self._stack.close()

    @staticmethod
    def configure(settings: Any) -> None:
        """Set what all examples of a test need."""
        settings.ZENDESK_BASE_URL, settings.ZENDESK_OAUTH_TOKEN = BASE_URL, zd.BEARER_TOKEN
        settings.ZENDESK_MAX_JOBS = SLOTS

    # The environment

    def _prepare_tickets(self) -> list[int]:
        open_ = [ref for ref in self.account.ticket_ids() if self.account.ticket(ref).status != "closed"]
        refs = open_[:TICKETS]
        for index, ref in enumerate(refs):
            tags = [tag for tag, every in (("old", 2), ("vip", 3), ("keep", 1)) if index % every == 0]
            self.account.edit(ref, remove=self.account.ticket(ref).tags)
            self.account.edit(ref, add=tags)
        return refs

    def _patch(self, batch: int) -> None:
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
        patch.setattr("jobs.common.process_id.this_process", self._this_process)
        patch.setattr("jobs.common.process_id.is_dead", self.dead_processes.__contains__)
        patch.setattr(TicketWork, "batch_size", batch)
        patch.setattr("zendesk.transport.requestor.ThreadPoolExecutor", self.thread_pool)
        patch.setattr("jobs.engine.pipeline.Event", lambda: FakeEvent(self.clock.sleep))
        transport = FakeTransport(
            App(self.account), on_request=self._on_request, on_response=self._on_response
        )
        patch.setattr(
            requests.Session,
            "request",
            lambda _session, *arguments, **options: transport.request(*arguments, **options),
        )
        self._stack.enter_context(connection.execute_wrapper(self._on_statement))

    def _client(self, *arguments: Any, **options: Any) -> Zendesk:
        return Zendesk(
            *arguments, **options, sleep=self.clock.sleep, clock=self.clock.time, jitter=lambda: 1.0
        )

    def _this_process(self) -> str:
        return self._runs[-1].worker if self._runs else "here/boot/0/1"

    # Workers

    def work(self, job: int, *, seconds: float, plan: list[Interruption] | None = None) -> None:
        """One worker claims the job, if it can, and runs it for a time slice of `seconds`."""
        run = WorkerRun(f"here/boot/{next(self._names)}/1", job, list(plan or ()))
        self._runs.append(run)
        before = self.thread_pool.count()
        try:
            execution.run(job, seconds=seconds)
        except Crash:
            run.plan.clear()
            if self.thread_pool.timing is CallTiming.LATE:
                for call in self.thread_pool.calls_since(before):
                    call.run()
        finally:
            self._runs.pop()

    def _reach(self, point: str) -> None:
        """A worker reaches a point: run the events planned for it."""
        if not self._runs:
            return
        run = self._runs[-1]
        run.reached[point] += 1
        here = [one for one in run.plan if one.point == point and one.number <= run.reached[point]]
        for one in here:
            if one in run.plan and (one.event.startswith("crash") or not self._in_transaction):
                run.plan.remove(one)
                with self._as_others():
                    self._interrupt(run, point, one.event)

    @contextmanager
    def _as_others(self) -> Iterator[None]:
        """Do not count what others do in between as points of the worker."""
        self._runs.append(WorkerRun("here/boot/0/1", 0, []))
        try:
            yield
        finally:
            self._runs.pop()

    def _interrupt(self, run: WorkerRun, point: str, event: str) -> None:
        match event:
            case "crash":
                raise Crash
            case "crash seen":
                self.dead_processes.add(run.worker)
                raise Crash
            case "frozen" if point == "call":
                self.clock.move(LONGEST_TRANSIT)
            case "frozen":
                self.clock.move(PAST_LEASE)
                self.reap()
                self.work(run.job, seconds=5)
            case "another worker":
                self.work_on_other_jobs(run.job)
            case "pause" | "resume" | "cancel":
                self.click(run.job, event, by="bob")
            case "time passes":
                self.clock.move(PAST_LEASE)
            case "reaped":
                self.reap()
            case _:
                self.edit(self.refs[run.reached[point] % TICKETS], event)

    def _on_statement(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        # A crash never leaves a database with an unreleased savepoint.
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            self._reach("statement")
        return execute(sql, *rest)

    @property
    def _in_transaction(self) -> bool:
        return len(connection.savepoint_ids) > self._depth

    def reap(self) -> None:
        reaper.reap()

    def work_on_other_jobs(self, job: int) -> None:
        busy = {run.job for run in self._runs}
        for other in Job.objects.claimable().exclude(pk__in=busy | {job}).values_list("pk", flat=True)[:2]:
            self.work(other, seconds=3)

    # People

    def click(self, job: int, what: str, *, by: str) -> None:
        """Someone presses a button. If the action is no longer possible, it says so and changes nothing."""
        row = Job.objects.get(pk=job)
        before = _row(job)
        entries = row.transitions.count()
        try:
            getattr(actions, what)(job=row, by=Actor(name=by))
        except actions.NotPossible as sentence:
            self._expect(_row(job) == before, f"{what} refused ({sentence}), and job {job} changed")
            self._expect(row.transitions.count() == entries, f"{what} refused, and job {job} has a new entry")
        else:
            self._expect(
                row.transitions.count() == entries + 1, f"{what} of job {job} wrote no entry, or two"
            )

    def follow_up(self, job: int, kind: FollowUp) -> int | None:
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
        """Another agent edits a ticket. Zendesk's timestamps are whole seconds: each edit gets its own."""
        self.edited.add(ref)
        self.clock.move(1)
        match what:
            case "they tag":
                tag = f"other-{next(self._tags)}"
                self.tags_of_others[ref].add(tag)
                self.account.edit(ref, add=[tag])
            case "they untag":
                self.account.edit(ref, remove=["vip", "new", *sorted(self.tags_of_others[ref])[:1]])
                self.tags_of_others[ref] -= set(sorted(self.tags_of_others[ref])[:1])
            case "they do it too":
                self.account.edit(ref, add=["vip", "new"], remove=["old"])
            case _:
                raise ValueError(what)
        self.clock.move(1)

    def fault(self, name: str, *, after: int) -> None:
        """Make Zendesk fail in this way, after `after` calls that the fault applies to have succeeded."""
        match, params = FAULTS[name]
        self.account.faults.add(match, **params, after=after)

    # Requests

    def _on_request(self, method: str, target: str, body: bytes) -> None:
        self._expect(not self._in_transaction, f"{method} {target} inside a transaction")
        self._reach("call" if method == "PUT" else "read")
        self.clock.move(self.call_seconds)
        if method == "PUT":
            self._check_write(_refs_of(target, body))

    def _on_response(self, method: str) -> None:
        if method == "PUT":
            known = {one.receipt for one in self.sent}
            for receipt in self.account.ledger.jobs:
                if receipt not in known:
                    updates = self.account.jobs._jobs[receipt].updates
                    refs = frozenset(update.ticket_id for update in updates)
                    self.sent.append(SentBatch(self._runs[-1].job, receipt, refs))
            open_ = len(self.account.jobs.open_ids()) - self.account.options.other_jobs
            self._expect(open_ <= self.slots, f"{open_} batches are in flight, {self.slots} are allowed")
        self.clock.move(self.call_seconds)
        self._reach("answer")

    def _check_write(self, refs: frozenset[int]) -> None:
        job = Job.objects.get(pk=self._runs[-1].job)
        self._expect(
            job.status not in (*ENDED, Status.PAUSED, Status.ERRORED),
            f"job {job.pk} sends although it is {job.status}",
        )
        self._expect(not job.dry_run, f"job {job.pk} sends although it is a dry run")
        self._expect(job.frozen_at is not None, f"job {job.pk} sends before its list is complete")
        self.account.advance()
        for one in self.sent:
            if one.job == job.pk:
                for ref in refs & one.refs:
                    self._check_resend(job.pk, ref, one)

    def _check_resend(self, job: int, ref: int, earlier: SentBatch) -> None:
        """A job may resend a ticket only if its outcome was known, or cannot be known."""
        bulk = self.account.jobs._jobs[earlier.receipt]
        self._expect(not bulk.is_open, f"job {job}: ticket {ref} is resent while its batch is in flight")
        hidden = any(rule.kind in HIDE_RESULTS for rule in bulk.faults)
        if ref in self.updated_by(earlier) and (not hidden or self.only_written_by(ref, job)):
            self.problems.append(f"job {job}: ticket {ref} is resent although it was updated")

    # What Zendesk holds

    def tags(self, ref: int) -> frozenset[str]:
        return frozenset(self.account.ticket(ref).tags)

    def updated_by(self, sent: SentBatch) -> set[int]:
        """The tickets that this batch updated at Zendesk."""
        self.account.advance()
        return {item for item in self.account.jobs._jobs[sent.receipt].items if isinstance(item, int)}

    def update_count(self, job: int, ref: int) -> int:
        return sum(ref in self.updated_by(one) for one in self.sent if one.job == job)

    def only_written_by(self, ref: int, job: int) -> bool:
        """Whether this job alone ever wrote to the ticket."""
        return ref not in self.edited and {one.job for one in self.sent if ref in one.refs} <= {job}

    def lost_tags(self) -> list[str]:
        """Tags of other people that are gone, except those that a job recorded as removed."""
        return [
            f"ticket {ref} lost {tag}"
            for ref, tags in self.tags_of_others.items()
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
    # A pending change may have been carried out already.
    recorded = [Outcome.CHANGED, Outcome.PENDING, Outcome.UNVERIFIED]
    exact = Item.objects.filter(ref=ref, outcome__in=recorded, change__has_key="exact")
    return iter(exact.values_list("change", flat=True))
