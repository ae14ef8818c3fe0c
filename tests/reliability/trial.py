"""One job against one case of faults, to its end, and what can be said of it afterwards.

Waiting is not slept through: the job's time to go on is brought forward, and the demo Zendesk's clock goes on
by as much. Where the job stops for a person, the person mends the cause and resumes it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from jobs import actions
from jobs.engine import execution, lost_search, pipeline, selection
from jobs.models import Gate, Job
from jobs.reports import recount
from jobs.states import Status
from tagmanager.changes import ticket_work
from tagmanager.intake.source_kinds import view as view_kind
from tests.demo import ANA, Demo, demo_zendesk, outcomes, run, submit
from tests.reliability.cases import LONG_LIST, LONG_VIEW, ONE, TICKETS, Case
from zendesk import sandbox
from zendesk.transport import limits, requestor, retry

TAG = "mark"
#: The clock of the demo goes on by so much at each step of the engine, seconds.
STEP = 10.0
#: Turns of workers before a trial counts as endless; stops before all faults are mended.
MOST_TURNS, MOST_STOPS = 80, 6
#: Seconds of a try of a call, for cases in which no answer comes.
HURRY = 1.0


class Clock:
    """The demo Zendesk's time: the real one, and what was not slept through."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass(slots=True)
class Trial:
    """What became of a case."""

    status: str = ""
    waits: Counter[str] = field(default_factory=Counter)
    waited: float = 0.0  # seconds
    stops: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    searched: bool = False  # Zendesk's list of jobs was looked through for a batch
    sent_again: int = 0  # tickets in more than one call, the first of which had not changed them
    sent_twice: int = 0  # tickets changed more than once
    spared: list[str] = field(default_factory=list)  # faults that never struck
    lies: list[str] = field(default_factory=list)  # outcomes that are not what Zendesk's own record says


@contextmanager
def impatient(case: Case) -> Iterator[None]:
    """Pauses are too short to be felt, and longer waits are told instead of slept through."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "LONGEST_WAIT_IN_HAND", 0.0)
        patch.setattr(execution, "POLL_INTERVAL", 0.01)
        # A fault strikes the so manyth call: which batch that is must not be left to chance.
        patch.setattr(pipeline, "SENT_AT_ONCE", 1)
        patch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
        patch.setattr(pipeline, "SLOTS_BACK_OFF", 0.05)
        patch.setattr(pipeline, "SLOTS_BACK_OFF_MOST", 0.1)
        patch.setattr(ticket_work, "PATIENCE", 0.05)
        patch.setattr(view_kind, "DEPTH", TICKETS)
        patch.setattr(retry, "FIRST_PAUSE", 0.001)
        patch.setattr(limits, "SHORTEST_RETRY_AFTER", 0.01)
        if case.source == LONG_LIST:
            patch.setattr(selection, "READ_FIRST", 0)
        if case.hurried:
            patch.setattr(requestor, "TRY_TIMEOUT", HURRY)
        yield


def attempt(case: Case, settings: Any) -> Trial:
    """Run the case; needs a database of its own."""
    clock = Clock()
    with impatient(case), demo_zendesk(settings, clock=clock, scale=case.scale) as demo:
        return _run(case, demo, clock)


def _run(case: Case, demo: Demo, clock: Clock) -> Trial:
    trial = Trial()
    made, refs = _asked(case, demo)
    held = {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}
    if case.before:
        case.before(demo, refs)
    faults = [
        demo.account.faults.add(rule.on, rule.kind, **_params(rule.params, refs)) for rule in case.rules
    ]
    struck = False

    def tick() -> None:
        nonlocal struck
        clock.ahead += STEP
        if case.midway and not struck and made.job.items.exists():
            struck = True
            case.midway(demo, refs)

    job = run(made, tick=tick)
    for _ in range(MOST_TURNS):
        if job.is_ended:
            break
        if job.status == Status.ERRORED:
            trial.stops.append(job.error)
            if not case.rules or case.says or len(trial.stops) >= MOST_STOPS:
                demo.account.faults.clear()
            actions.resume(job=job, by=ANA)
        else:
            _pass_time(trial, job, clock)
            if trial.waited >= case.lasts:
                demo.account.faults.clear()
        job = run(job, tick=tick)
    trial.spared = [rule.kind for rule in faults if not rule.fired]
    _judge(trial, job, demo, held)
    return trial


def _asked(case: Case, demo: Demo) -> tuple[actions.Submission, list[int]]:
    if case.source == LONG_VIEW:
        demo.account.configure(view_depth=TICKETS)
        refs = demo.account.view_ticket_ids(sandbox.VIEW_UNSOLVED)[:TICKETS]
        return submit(view=sandbox.VIEW_UNSOLVED, add=[TAG]), refs
    if case.source == "view":
        refs = demo.account.view_ticket_ids(sandbox.VIEW_UNSOLVED)[:TICKETS]
        return submit(view=sandbox.VIEW_UNSOLVED, limit=TICKETS, add=[TAG]), refs
    refs = demo.open_tickets[:TICKETS]
    if case.source in ("ids", LONG_LIST):
        return submit(refs=refs, add=[TAG]), refs
    for ref in refs:
        demo.account.edit(ref, add=["chosen"])
    return submit(tag="chosen", add=[TAG]), refs


def _params(params: dict[str, Any], refs: list[int]) -> dict[str, Any]:
    return params | {"ids": [refs[42]]} if params.get("ids") == ONE else params


def _pass_time(trial: Trial, job: Job, clock: Clock) -> None:
    """Go on to the moment at which the job goes on by itself."""
    assert job.resumes_at is not None, f"job {job.pk} is {job.status} and waits for nothing"
    seconds = max((job.resumes_at - timezone.now()).total_seconds(), 0.0)
    trial.waits[job.waiting_for] += 1
    trial.waited += seconds
    clock.ahead += seconds
    Job.objects.filter(pk=job.pk).update(resumes_at=timezone.now())
    Gate.objects.all().delete()


def _judge(trial: Trial, job: Job, demo: Demo, held: dict[int, set[str]]) -> None:
    """Compare what the job says with what the demo Zendesk knows was done."""
    ledger = demo.account.ledger
    trial.status = str(job.status)
    told = outcomes(job)
    trial.outcomes = Counter(told.values())
    there = set(demo.account.ticket_ids())
    for ref, outcome in told.items():
        done = ref in there and TAG in demo.tags(ref)
        truly = {
            "changed": done and ledger.updates[ref] >= 1,
            "unchanged": TAG in held[ref] and not ledger.updates[ref],
            "skipped": not done and not ledger.updates[ref],
            "failed": not done,
            "unverified": True,
        }
        if not truly.get(outcome, False):
            trial.lies.append(f"{ref} is said to be {outcome}")
        if ref in there and demo.tags(ref) - {TAG} != held[ref]:
            trial.lies.append(f"{ref} has lost or won other tags")
    trial.lies += recount.drifts()
    trial.sent_twice = sum(ledger.updates[ref] > 1 for ref in told)
    trial.searched = ledger.calls["GET job_statuses"] > 0
    trial.sent_again = sum(ledger.sent[ref] > 1 for ref in told)
