"""The bulk jobs of `update_many`: queued, worked off ticket by ticket, and kept with their results.

Nothing runs in the background. Every call to the demo first runs `advance`, which updates all tickets that
are due by then, in due order across all jobs.
"""

import heapq
import math
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from zendesk.sandbox import timestamps
from zendesk.sandbox.errors import CONFLICT, not_found, too_many_jobs
from zendesk.sandbox.faults import FaultRule
from zendesk.sandbox.ledger import Ledger
from zendesk.sandbox.options import Options
from zendesk.sandbox.tickets.audits import Audits
from zendesk.sandbox.tickets.bulk_job import BulkJob, TicketUpdate, shown_result
from zendesk.sandbox.tickets.store import TicketStore
from zendesk.sandbox.tickets.updates import UpdateRejected, apply_change

# In zenpy's cassettes 1 ticket took 2 s, 50 took 5 s, 100 took 10 s, with the wait in the queue.
QUEUE_SECONDS = 1.0
TICKET_SECONDS = 0.09


class BulkJobs:
    """The account's bulk jobs."""

    def __init__(
        self, store: TicketStore, ledger: Ledger, audits: Audits, options: Callable[[], Options]
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._audits = audits
        self._options = options
        self._jobs: dict[str, BulkJob] = {}
        self._open: dict[str, BulkJob] = {}
        self._due: list[tuple[float, int, int, BulkJob]] = []
        self._serial = 0
        self._allowance: int | None = None  # jobs that may still begin; None: all
        self._held: deque[BulkJob] = deque()
        #: How many jobs were open since when, the newest last.
        self._open_since: deque[tuple[float, int]] = deque([(-math.inf, 0)], maxlen=1_000)

    def open_ids(self) -> list[str]:
        """The jobs queued or running, those of other users too."""
        return [*self._open, *(f"V3-{number:032x}" for number in range(self._options().other_jobs))]

    def named_as_open(self, now: float) -> int:
        """How many open jobs the header of an answer counts."""
        options = self._options()
        if options.slots_header == "queued":
            return sum(job.status == "queued" for job in self._open.values())
        if options.slots_header == "late":
            while len(self._open_since) > 1 and self._open_since[1][0] <= now - options.slots_lag:
                self._open_since.popleft()
            return self._open_since[0][1] + options.other_jobs
        return len(self._open) + options.other_jobs

    def queue(self, updates: list[TicketUpdate], faults: list[FaultRule], now: float) -> BulkJob:
        """Accept a job. Raises `ApiError` TooManyJobs if the limit of open jobs is reached."""
        options = self._options()
        if len(self._open) + options.other_jobs >= options.max_jobs:
            raise too_many_jobs(options.too_many_jobs_status, self.open_ids())
        job = BulkJob(
            id=f"V3-{uuid.uuid4().hex}",
            updates=updates,
            queued_at=now,
            queued_at_sequence=self._store.sequence,
            begins_at=math.inf,
            seconds_per_ticket=0.0,
            faults=faults,
        )
        self._jobs[job.id] = self._open[job.id] = job
        self._open_since.append((now, len(self._open)))
        self._ledger.jobs.append(job.id)
        self._ledger.most_jobs_at_once = max(self._ledger.most_jobs_at_once, len(self._open))
        self._ledger.sent.update(update.ticket_id for update in updates)
        self._held.append(job)
        self._begin_allowed(now)
        return job

    def hold(self, now: float, *, after: int = 0) -> None:
        """From now on only `after` more jobs begin, in the order of their calls; the others stay queued.

        A job that works goes on. Counts anew when called again.
        """
        queued = [job for *_, job in sorted(self._due) if job.status == "queued"]
        self._due = [entry for entry in self._due if entry[-1].status != "queued"]
        heapq.heapify(self._due)
        self._held.extendleft(reversed(queued))
        self._allowance = after
        self._begin_allowed(now)

    def release(self, now: float) -> None:
        """End the hold: the jobs that it kept in the queue take their time from now."""
        self._allowance = None
        self._begin_allowed(now)

    def _begin_allowed(self, now: float) -> None:
        while self._held and self._allowance != 0:
            if self._allowance is not None:
                self._allowance -= 1
            self._begin(self._held.popleft(), now)

    def _begin(self, job: BulkJob, now: float) -> None:
        scale = self._options().scale
        job.begins_at = now + scale * QUEUE_SECONDS
        job.seconds_per_ticket = scale * TICKET_SECONDS
        stuck = job.fault("job_stuck")
        if stuck is not None:
            job.begins_at = now + float(stuck.params.get("seconds", math.inf))
        self._serial += 1
        if job.begins_at < math.inf:
            heapq.heappush(self._due, (job.begins_at, self._serial, 0, job))

    def find(self, job_id: str, now: float) -> BulkJob:
        """The job with this id. Raises `ApiError` 404 if it is unknown, too old, or hidden by a fault."""
        job = self._jobs.get(job_id)
        if job is None or job.fault("job_gone") or now - job.queued_at > self._options().job_life:
            raise not_found()
        return job

    def all(self, now: float) -> list[BulkJob]:
        """The jobs that `find` knows: ended ones first, latest end first; then open ones, newest first."""
        life = self._options().job_life
        found = [
            job for job in self._jobs.values() if now - job.queued_at <= life and not job.fault("job_gone")
        ]
        return sorted(found, key=lambda job: (job.ended_at or 0.0, job.queued_at), reverse=True)

    def advance(self, now: float) -> None:
        """Do everything that is due by `now`, in due order."""
        while self._due and self._due[0][0] <= now:
            due, serial, done, job = heapq.heappop(self._due)
            if self._step(job, done, due):
                next_due = job.begins_at + (done + 1) * job.seconds_per_ticket
                heapq.heappush(self._due, (next_due, serial, done + 1, job))

    def _step(self, job: BulkJob, done: int, at: float) -> bool:
        """Start a job or update its next ticket. Returns whether the job is still open."""
        if done == 0:
            job.status = "working"
        else:
            update = job.updates[done - 1]
            job.items.extend(self._results(job, update, done, at))
            job.progress = done
            job.message = f"Updating ticket #{done}"
        if done == job.breaks_after:
            self._break(job, at)
        elif done == len(job.updates):
            self._complete(job, at)
        return job.is_open

    def _break(self, job: BulkJob, at: float) -> None:
        killed = job.fault("job_killed") is not None
        job.status = "killed" if killed else "failed"
        job.message = f"{'Killed' if killed else 'Failed'} at {timestamps.human(at)}"
        self._end(job, at)

    def _complete(self, job: BulkJob, at: float) -> None:
        job.status = "completed"
        job.message = f"Completed at {timestamps.human(at)}"
        self._end(job, at)

    def _end(self, job: BulkJob, at: float) -> None:
        job.ended_at = at
        job.updates = []
        self._open.pop(job.id, None)
        self._open_since.append((at, len(self._open)))

    def _results(
        self, job: BulkJob, update: TicketUpdate, done: int, at: float
    ) -> list[int | dict[str, Any]]:
        """Update one ticket and return its results: one, unless a fault says otherwise."""
        rule = _rule_for(job, update, "no_verdict", "two_verdicts", "both_verdicts")
        if rule is None:
            item = self._update_ticket(job, update, done, at)
            return [] if item is None else [item]
        if rule.params.get("applied", True):
            self._update_ticket(job, update, done, at)
        if rule.kind == "no_verdict":
            return [{"index": update.index, "id": update.ticket_id, "account_id": 1}]
        failed = _error(update, "TicketUpdateFailed", "Ticket: is being updated by something else")
        updated = shown_result(update.ticket_id)
        return [updated, failed] if rule.kind == "two_verdicts" else [failed | updated]

    def _update_ticket(
        self, job: BulkJob, update: TicketUpdate, done: int, at: float
    ) -> int | dict[str, Any] | None:
        """Update one ticket and return its result; None if the results omit it."""
        injected = _injected_error(job, update, done)
        if injected is not None:
            return injected
        vague = self._options().vague_errors
        slot = self._store.slot(update.ticket_id)
        if slot is None:
            missing = self._options().missing_ids == "omit"
            return None if missing else _error(update, "RecordNotFound", "Not found", vague=vague)
        if update.lacks_stamp:
            return _error(update, "TicketUpdateFailed", "UpdatedTicket stamp: is needed for a safe update")
        if self._is_outdated(job, update, slot):
            return _error(update, "UpdateConflict", CONFLICT, vague=vague)
        try:
            self._apply(job, slot, update, at)
        except UpdateRejected as refused:
            return _error(update, "TicketUpdateFailed", refused.problem.details, vague=vague)
        return update.ticket_id

    def _apply(self, job: BulkJob, slot: int, update: TicketUpdate, at: float) -> None:
        """Make the change, or what faults leave of it. Raises `UpdateRejected`."""
        dropped = _rule_for(job, update, "not_applied", "ignored_key")
        change = update.change if dropped is None else _without_dropped(update.change, dropped)
        if dropped is not None and not _changes_anything(change):
            if dropped.params.get("touched"):
                self._store.put(slot, at=at)
            return
        apply_change(
            self._store,
            slot,
            change,
            options=self._options(),
            ledger=self._ledger,
            audits=self._audits,
            at=at,
            many=True,
        )

    def _is_outdated(self, job: BulkJob, update: TicketUpdate, slot: int) -> bool:
        """Whether the ticket changed since its stamp or, without one, since the job was queued."""
        if update.stamp is None:
            return self._store.last_change.get(slot, 0) > job.queued_at_sequence
        return self._store.updated(slot) > timestamps.parse(update.stamp)


def _error(update: TicketUpdate, code: str, details: str, *, vague: bool = False) -> dict[str, Any]:
    if vague:
        code, details = "TicketUpdateFailed", "Ticket: konnte nicht aktualisiert werden"
    return {"index": update.index, "error": code, "id": update.ticket_id, "details": details}


def _rule_for(job: BulkJob, update: TicketUpdate, *kinds: str) -> FaultRule | None:
    """The first fault of these kinds that hits the ticket."""
    for rule in job.faults:
        ids = rule.params.get("ids")
        if rule.kind in kinds and (ids is None or update.ticket_id in ids):
            return rule
    return None


def _without_dropped(change: Mapping[str, Any], rule: FaultRule) -> Mapping[str, Any]:
    """The change without the keys that the fault has Zendesk drop."""
    if rule.kind == "ignored_key":
        if rule.params.get("applied"):
            return change
        return {name: value for name, value in change.items() if name != ignored_key(rule)}
    keys = rule.params.get("keys")
    return {name: value for name, value in change.items() if keys is not None and name not in keys}


def ignored_key(rule: FaultRule) -> str:
    return str(rule.params.get("key", "additional_tags"))


def _changes_anything(change: Mapping[str, Any]) -> bool:
    return bool(change.keys() - {"id", "updated_stamp", "safe_update", "macro_id", "metadata"})


def _injected_error(job: BulkJob, update: TicketUpdate, done: int) -> dict[str, Any] | None:
    for rule in job.faults:
        ids = rule.params.get("ids")
        if rule.kind == "item_error" and (ids is None or update.ticket_id in ids):
            text = str(rule.params.get("text", "Ticket: is being updated by something else"))
            if rule.params.get("shape") == "old":
                return {"id": update.ticket_id, "title": "Ticket", "success": False, "errors": text}
            failed = _error(update, str(rule.params.get("code", "TicketUpdateFailed")), text)
            return failed | {"index": rule.params.get("index", update.index)}
        if rule.kind == "conflict":
            hit = update.ticket_id in ids if ids is not None else done <= int(rule.params.get("count", 1))
            if hit:
                return _error(update, "UpdateConflict", CONFLICT)
    return None
