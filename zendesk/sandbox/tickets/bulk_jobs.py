"""`update_many` as it happens: a job is queued, works ticket by ticket, and leaves results.

Nothing runs in the background. Whoever asks the demo anything first lets the clock catch up (`settle`): every
ticket that was due by then is updated, in the order in which it was due, across all jobs.
"""

import heapq
import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from zendesk.sandbox import moments
from zendesk.sandbox.faults import Rule
from zendesk.sandbox.ledger import Ledger
from zendesk.sandbox.options import Options
from zendesk.sandbox.replies import CONFLICT, not_found, too_many_jobs
from zendesk.sandbox.tickets import updates
from zendesk.sandbox.tickets.audits import Audits
from zendesk.sandbox.tickets.store import Store

# In zenpy's cassettes 1 ticket took 2 s, 50 took 5 s, 100 took 10 s, with the wait in the queue.
QUEUE_SECONDS = 1.0
TICKET_SECONDS = 0.09

JobStatus = Literal["queued", "working", "completed", "failed", "killed"]


@dataclass(frozen=True, slots=True)
class TicketUpdate:
    """One ticket of a job. `index` is its place in the call."""

    index: int
    ticket_id: int
    change: Mapping[str, Any]
    stamp: str | None = None
    stamp_is_missing: bool = False


@dataclass(slots=True)
class Job:
    id: str
    works: list[TicketUpdate]
    queued_at: float
    queued_at_sequence: int
    begins_at: float
    seconds_per_ticket: float
    faults: list[Rule] = field(default_factory=list)
    status: JobStatus = "queued"
    progress: int | None = None
    message: str | None = None
    ended_at: float | None = None
    items: list[int | dict[str, Any]] = field(default_factory=list)
    """What became of the tickets: an updated one's number (they are many), or the item of one that failed."""
    total: int = 0

    def __post_init__(self) -> None:
        self.total = len(self.works)

    def fault(self, *kinds: str) -> Rule | None:
        return next((rule for rule in self.faults if rule.kind in kinds), None)

    @property
    def is_open(self) -> bool:
        return self.status in ("queued", "working")

    @property
    def breaks_after(self) -> int | None:
        """Tickets done before the whole job breaks; None: it does not."""
        rule = self.fault("job_failed", "job_killed", "poison")
        return None if rule is None else min(int(rule.params.get("done", 0)), len(self.works))

    def _results(self) -> Any:
        if self.status != "completed" or self.fault("results_null"):
            return None
        if self.fault("results_object"):
            return {"success": True}
        missing = self.fault("results_missing")
        count = 0 if missing is None else int(missing.params.get("count", 1))
        return [_shown(item) for item in self.items[: max(0, len(self.items) - count)]]

    def to_json(self, base: str, *, with_type: bool) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": self.id}
        if with_type:
            shown["job_type"] = "Bulk Update Ticket"
        return shown | {
            "url": f"{base}/api/v2/job_statuses/{self.id}.json",
            "total": self.total,
            "progress": self.progress,
            "status": self.status,
            "message": self.message,
            "results": self._results(),
        }


class BulkJobs:
    """The account's jobs."""

    def __init__(self, store: Store, ledger: Ledger, audits: Audits, options: Callable[[], Options]) -> None:
        self._store = store
        self._ledger = ledger
        self._audits = audits
        self._options = options
        self._jobs: dict[str, Job] = {}
        self._open: dict[str, Job] = {}
        self._due: list[tuple[float, int, int, Job]] = []
        self._serial = 0

    def open_ids(self) -> list[str]:
        return list(self._open)

    def queue(self, works: list[TicketUpdate], faults: list[Rule], now: float) -> Job:
        """Accept a job; `Refusal` TooManyJobs if as many as allowed are queued or running."""
        options = self._options()
        if len(self._open) >= options.max_jobs:
            raise too_many_jobs(options.too_many_jobs_status, self.open_ids())
        job = Job(
            id=f"V3-{uuid.uuid4().hex}",
            works=works,
            queued_at=now,
            queued_at_sequence=self._store.sequence,
            begins_at=now + options.scale * QUEUE_SECONDS,
            seconds_per_ticket=options.scale * TICKET_SECONDS,
            faults=faults,
        )
        stuck = job.fault("job_stuck")
        if stuck is not None:
            job.begins_at = now + float(stuck.params.get("seconds", math.inf))
        self._jobs[job.id] = self._open[job.id] = job
        self._ledger.jobs.append(job.id)
        self._ledger.most_jobs_at_once = max(self._ledger.most_jobs_at_once, len(self._open))
        self._ledger.sent.update(work.ticket_id for work in works)
        self._serial += 1
        if job.begins_at < math.inf:
            heapq.heappush(self._due, (job.begins_at, self._serial, 0, job))
        return job

    def find(self, job_id: str, now: float) -> Job:
        """A job by its id; `Refusal` 404 if it is unknown, too old, or gone by a fault."""
        job = self._jobs.get(job_id)
        if job is None or job.fault("job_gone") or now - job.queued_at > self._options().job_life:
            raise not_found()
        return job

    def all(self, now: float) -> list[Job]:
        """The jobs that can be asked for: ended ones first, by their end, then by creation, latest first."""
        life = self._options().job_life
        found = [
            job for job in self._jobs.values() if now - job.queued_at <= life and not job.fault("job_gone")
        ]
        return sorted(found, key=lambda job: (job.ended_at or 0.0, job.queued_at), reverse=True)

    def settle(self, now: float) -> None:
        """Do all that was due by now, in its order."""
        while self._due and self._due[0][0] <= now:
            due, serial, done, job = heapq.heappop(self._due)
            if self._step(job, done, due):
                next_due = job.begins_at + (done + 1) * job.seconds_per_ticket
                heapq.heappush(self._due, (next_due, serial, done + 1, job))

    def _step(self, job: Job, done: int, at: float) -> bool:
        """Move a job on by one: begin it, or do its next ticket. Says whether there is more to do."""
        if done == 0:
            job.status = "working"
        else:
            work = job.works[done - 1]
            item = self._outcome(job, work, done, at)
            if item is not None:
                job.items.append(item)
            job.progress = done
            job.message = f"Updating ticket #{done}"
        if done == job.breaks_after:
            self._break(job, at)
        elif done == len(job.works):
            self._complete(job, at)
        return job.is_open

    def _break(self, job: Job, at: float) -> None:
        killed = job.fault("job_killed") is not None
        job.status = "killed" if killed else "failed"
        job.message = f"{'Killed' if killed else 'Failed'} at {moments.spoken(at)}"
        self._end(job, at)

    def _complete(self, job: Job, at: float) -> None:
        job.status = "completed"
        job.message = f"Completed at {moments.spoken(at)}"
        self._end(job, at)

    def _end(self, job: Job, at: float) -> None:
        job.ended_at = at
        job.works = []
        self._open.pop(job.id, None)

    def _outcome(self, job: Job, work: TicketUpdate, done: int, at: float) -> int | dict[str, Any] | None:
        """Update one ticket and say what became of it; None: the results will not mention it."""
        injected = _injected_error(job, work, done)
        if injected is not None:
            return injected
        slot = self._store.slot(work.ticket_id)
        if slot is None:
            missing = self._options().missing_ids == "omit"
            return None if missing else _error(work, "RecordNotFound", "Not found")
        if work.stamp_is_missing:
            return _error(work, "TicketUpdateFailed", "Updated stamp: is needed for a safe update")
        if self._is_outdated(job, work, slot):
            return _error(work, "UpdateConflict", CONFLICT)
        try:
            updates.apply(
                self._store,
                slot,
                work.change,
                options=self._options(),
                ledger=self._ledger,
                audits=self._audits,
                at=at,
                many=True,
            )
        except updates.ChangeRefused as refused:
            return _error(work, "TicketUpdateFailed", refused.problem.details)
        return work.ticket_id

    def _is_outdated(self, job: Job, work: TicketUpdate, slot: int) -> bool:
        """Bulk jobs are safe updates: with no stamp of its own, a ticket has that of the queuing."""
        if work.stamp is None:
            return self._store.last_change.get(slot, 0) > job.queued_at_sequence
        return self._store.updated(slot) > moments.parse(work.stamp)


def _shown(item: int | dict[str, Any]) -> dict[str, Any]:
    """A result item. Those of updated tickets have no `index`, those of failed ones no `success`."""
    if isinstance(item, int):
        return {"action": "update", "status": "Updated", "success": True, "id": item}
    return item


def _error(work: TicketUpdate, code: str, details: str) -> dict[str, Any]:
    return {"index": work.index, "error": code, "id": work.ticket_id, "details": details}


def _injected_error(job: Job, work: TicketUpdate, done: int) -> dict[str, Any] | None:
    for rule in job.faults:
        ids = rule.params.get("ids")
        if rule.kind == "item_error" and (ids is None or work.ticket_id in ids):
            text = str(rule.params.get("text", "Ticket: is being updated by something else"))
            if rule.params.get("shape") == "old":
                return {"id": work.ticket_id, "title": "Ticket", "success": False, "errors": text}
            return _error(work, str(rule.params.get("code", "TicketUpdateFailed")), text)
        if rule.kind == "conflict":
            hit = work.ticket_id in ids if ids is not None else done <= int(rule.params.get("count", 1))
            if hit:
                return _error(work, "UpdateConflict", CONFLICT)
    return None
