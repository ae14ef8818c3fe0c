"""Runs one job against one case of faults to its end, and compares its records with Zendesk's.

Nothing sleeps through a wait: `resumes_at` moves to now, and the demo Zendesk's clock moves ahead by the same
time. When the job stops for a person, the trial fixes the cause and resumes it.
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
from jobs.states import FollowUp, Status
from tagmanager.changes import ticket_work
from tagmanager.intake import sources
from tagmanager.intake.source_kinds import view as view_kind
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.macros.application import digest_of
from tests.demo import ANA, Demo, demo_zendesk, outcomes, run, submit
from tests.reliability.cases import (
    CHOSEN,
    HAVING,
    HELD,
    LEFT_OUT,
    LONG_LIST,
    LONG_SEARCH,
    LONG_VIEW,
    ONE_TICKET,
    PAUSED,
    PREVIEWED,
    RENAMED,
    THEIRS,
    TICKETS,
    UNDO_OF_EMPTY,
    UNDO_OF_NEW,
    WITH_A_NOTE,
    Case,
)
from zendesk import Action, Macro, sandbox
from zendesk.transport import attempt as http_attempt
from zendesk.transport import limits, retry

TAG = "mark"
#: The number of a macro made for a trial.
MACRO = 4711
#: Seconds that the demo's clock moves at each step of the engine.
STEP = 10.0
#: Time slices before a trial counts as endless; stops before all faults are cleared.
MOST_SLICES, MOST_STOPS = 80, 6
#: Seconds until a call times out, for cases in which no answer comes.
SHORT_TIMEOUT = 1.0


class Clock:
    """The demo Zendesk's time: real time plus the skipped waits."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass(slots=True)
class Trial:
    """The result of one case."""

    status: str = ""
    waits: Counter[str] = field(default_factory=Counter)
    waited: float = 0.0  # seconds
    resumed: int = 0  # how often a person resumed it after a pause
    stops: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    searched: bool = False  # Zendesk's list of jobs was searched for a batch
    resent: int = 0  # tickets sent in more than one call
    changed_twice: int = 0  # tickets changed more than once
    unused_faults: list[str] = field(default_factory=list)  # kinds of faults that never fired
    false_records: list[str] = field(default_factory=list)  # outcomes that contradict Zendesk's own record


@contextmanager
def shorten_waits(case: Case) -> Iterator[None]:
    """Make pauses negligible, and make every longer wait put the job down instead of sleeping."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "LONGEST_WAIT_IN_HAND", 0.0)
        patch.setattr(execution, "POLL_INTERVAL", 0.01)
        # Rules count calls, so the order of the batches must not be left to chance.
        patch.setattr(pipeline, "SENT_AT_ONCE", 1)
        patch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
        patch.setattr(pipeline, "SECOND_LOOK_AFTER", 0.01)
        patch.setattr(pipeline, "SLOTS_BACK_OFF", 0.05)
        patch.setattr(pipeline, "SLOTS_BACK_OFF_MOST", 0.1)
        patch.setattr(ticket_work, "CALL_MAX_WAIT", 0.05)
        patch.setattr(view_kind, "DEPTH", TICKETS)
        patch.setattr(retry, "FIRST_BACKOFF", 0.001)
        patch.setattr(limits, "MIN_RETRY_AFTER", 0.01)
        if case.source in (LONG_LIST, LONG_SEARCH):
            patch.setattr(selection, "READ_LATE_ABOVE", 0)
        if case.short_timeout:
            patch.setattr(http_attempt, "ATTEMPT_TIMEOUT", SHORT_TIMEOUT)
        yield


@dataclass(slots=True)
class Others:
    """What others do to the tickets of a case, and to its job, on its way."""

    case: Case
    demo: Demo
    refs: list[int]
    initial: dict[int, set[str]]  # the tags before the job; kept true for tickets that it has not sent
    acted_midway: bool = False
    acted_meanwhile: bool = False

    def act_midway(self, job: Job) -> None:
        """Once the job has listed tickets, and once it has sent some."""
        if self.case.midway and not self.acted_midway and job.items.exists():
            self.acted_midway = True
            self.case.midway(self.demo, self.refs)
        if self.case.stands_still == PAUSED and self.demo.account.ledger.sent and not self.acted_meanwhile:
            job.refresh_from_db()
            if job.status == Status.RUNNING:
                actions.pause(job=job, by=ANA)

    def act_meanwhile(self) -> None:
        """When the job stands still for the first time."""
        if self.case.meanwhile and not self.acted_meanwhile:
            self.acted_meanwhile = True
            self.case.meanwhile(self.demo, self.refs)
            unsent = [ref for ref in self.initial if not self.demo.account.ledger.sent[ref]]
            self.initial |= {ref: self.demo.tags(ref) for ref in unsent}


def run_case(case: Case, settings: Any) -> Trial:
    """Run the case; expects an empty database."""
    clock = Clock()
    if case.stands_still:
        settings.ZENDESK_MAX_JOBS = 1  # something is left to send
    with shorten_waits(case), demo_zendesk(settings, clock=clock, scale=case.scale) as demo:
        return _run(case, demo, clock)


def _run(case: Case, demo: Demo, clock: Clock) -> Trial:
    trial = Trial()
    made, refs = _submit(case, demo)
    if case.before:
        case.before(demo, refs)
    initial = {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}
    faults = [
        demo.account.faults.add(rule.on, rule.kind, **_params(rule.params, refs)) for rule in case.rules
    ]
    others = Others(case, demo, refs, initial)

    def tick() -> None:
        clock.ahead += STEP
        others.act_midway(made.job)

    job = run(made, tick=tick)
    for _ in range(MOST_SLICES):
        if job.is_ended:
            break
        if job.status == Status.ERRORED:
            trial.stops.append(job.error)
            if not case.rules or case.stop_messages or len(trial.stops) >= MOST_STOPS:
                demo.account.faults.clear()
            actions.resume(job=job, by=ANA)
        else:
            others.act_meanwhile()
            _skip_wait(trial, job, clock)
            if trial.waited >= case.outage_seconds:
                demo.account.faults.clear()
        job = run(job, tick=tick)
    trial.unused_faults = [rule.kind for rule in faults if not rule.fired]
    _compare(case, trial, job, demo, initial)
    return trial


def _submit(case: Case, demo: Demo) -> tuple[actions.Submission, list[int]]:
    if case.source == LONG_VIEW:
        demo.account.configure(view_depth=TICKETS)
        refs = demo.account.view_ticket_ids(sandbox.VIEW_UNSOLVED)[:TICKETS]
        return submit(view=sandbox.VIEW_UNSOLVED, add=[TAG]), refs
    if case.source == "view":
        refs = demo.account.view_ticket_ids(sandbox.VIEW_UNSOLVED)[:TICKETS]
        return submit(view=sandbox.VIEW_UNSOLVED, limit=TICKETS, add=[TAG]), refs
    refs = demo.open_tickets[:TICKETS]
    if case.source in (UNDO_OF_NEW, UNDO_OF_EMPTY):
        return _submit_undo(case, demo, refs), refs
    if case.source in (WITH_A_NOTE, PREVIEWED):
        return _submit_note(demo, refs, is_filled=case.source == PREVIEWED), refs
    if case.source in ("ids", LONG_LIST):
        return submit(refs=refs, add=[TAG]), refs
    return _submit_search(case, demo, refs), refs


def _submit_search(case: Case, demo: Demo, refs: list[int]) -> actions.Submission:
    for ref in refs:
        demo.account.edit(ref, add=[CHOSEN])
    if case.source == RENAMED:
        return _submit_rename()
    chosen = sources.search(f"tags:{CHOSEN}")
    if case.source == HAVING:
        return submit(chosen=chosen, only=TicketFilter(having=frozenset({CHOSEN})), add=[TAG])
    if case.source == LEFT_OUT:
        return submit(chosen=sources.combined([sources.ids(refs)], [chosen]), add=[TAG])
    return submit(tag=CHOSEN, add=[TAG], canary=50 if case.stands_still == HELD else None)


def _submit_rename() -> actions.Submission:
    pairs = {CHOSEN: TAG}
    return actions.submit(
        tool="rename-tags",
        title="Rename a tag",
        params={"pairs": pairs},
        source=sources.any_of(list(pairs)).stored,
        by=ANA,
        here=True,
    )


def _submit_undo(case: Case, demo: Demo, refs: list[int]) -> actions.Submission:
    """The undo of a job that set status and priority, and took the tag off."""
    for ref in refs:
        demo.account.edit(ref, add=[TAG], values=_old_values(case, refs, ref))
    change = {"add": [], "remove": [TAG], "set": [], "fields": {"status": "solved", "priority": "high"}}
    made = actions.submit(
        tool="apply-macro",
        title="Apply the macro “Solved”",
        params=change | {"macro": MACRO, "macro_title": "Solved", "left_out": []},
        source={"kind": "ids", "name": ""},
        refs=refs,
        by=ANA,
        here=True,
    )
    job = run(made)
    demo.account.ledger.updates.clear()
    demo.account.ledger.sent.clear()
    return actions.follow_up(job=job, kind=FollowUp.UNDO, by=ANA, here=True)


def _old_values(case: Case, refs: list[int], ref: int) -> dict[str, Any]:
    one: dict[str, dict[str, Any]] = {UNDO_OF_NEW: {"status": "new"}, UNDO_OF_EMPTY: {"priority": None}}
    return {"status": "open", "priority": "low"} | (one[case.source] if ref == refs[42] else {})


def _submit_note(demo: Demo, refs: list[int], *, is_filled: bool) -> actions.Submission:
    """A macro that adds the tag and posts a note: the same on each ticket, or filled in for each."""
    text = "Checked: {{ticket.id}}" if is_filled else "Checked."
    does = (("current_tags", TAG), ("comment_value", text), ("comment_mode_is_public", "false"))
    demo.account.edit_macro(MACRO, actions=does)
    change = {"add": [TAG], "remove": [], "set": [], "fields": {}, "left_out": []}
    macro = {"macro": MACRO, "macro_title": "Note", "internal_note": text, "mark": "7" * 24}
    if is_filled:
        known = Macro(MACRO, "Note", True, tuple(Action(*each) for each in does))
        macro |= {"as_of": "2026-01-01T00:00:00Z", "does": digest_of(known)}
    return actions.submit(
        tool="apply-macro",
        title="Apply the macro “Note”",
        params=change | macro,
        source={"kind": "ids", "name": ""},
        refs=refs,
        by=ANA,
        here=True,
    )


def _params(params: dict[str, Any], refs: list[int]) -> dict[str, Any]:
    return params | {"ids": [refs[42]]} if params.get("ids") == ONE_TICKET else params


def _skip_wait(trial: Trial, job: Job, clock: Clock) -> None:
    """Move time to the moment at which the job continues by itself, or have a person resume it."""
    if job.status == Status.PAUSED:
        trial.resumed += 1
        actions.resume(job=job, by=ANA)
        return
    assert job.resumes_at is not None, f"job {job.pk} is {job.status} but has no time to resume at"
    seconds = max((job.resumes_at - timezone.now()).total_seconds(), 0.0)
    trial.waits[job.waiting_for] += 1
    trial.waited += seconds
    clock.ahead += seconds
    Job.objects.filter(pk=job.pk).update(resumes_at=timezone.now())
    Gate.objects.all().delete()


def _compare(case: Case, trial: Trial, job: Job, demo: Demo, initial: dict[int, set[str]]) -> None:
    """Compare the job's records with what the demo Zendesk did."""
    ledger = demo.account.ledger
    trial.status = str(job.status)
    recorded = outcomes(job)
    trial.outcomes = Counter(recorded.values())
    existing = set(demo.account.ticket_ids())
    refs = sorted(recorded)
    for ref, outcome in recorded.items():
        done = ref in existing and TAG in demo.tags(ref)
        is_true = {
            "changed": (done or case.undone) and ledger.updates[ref] >= 1,
            "unchanged": TAG in initial[ref] and not ledger.updates[ref],
            "skipped": not done and not ledger.updates[ref],
            "failed": not done,
            "unverified": True,
        }
        if case.source in (UNDO_OF_NEW, UNDO_OF_EMPTY):
            old, slot = _old_values(case, refs, ref), demo.account.store.slot(ref) or 0
            now = {"status": demo.account.ticket(ref).status, "priority": demo.account.store.priority(slot)}
            is_true |= {"changed": done and now == old, "failed": done and now != old}
        if not is_true.get(outcome, False):
            trial.false_records.append(f"ticket {ref} is recorded as {outcome}")
        ours = {TAG, THEIRS} | ({CHOSEN} if case.source == RENAMED else set())
        if ref in existing and demo.tags(ref) - ours != initial[ref] - ours:
            trial.false_records.append(f"ticket {ref} lost or gained other tags")
    trial.false_records += recount.drifts()
    trial.changed_twice = sum(ledger.updates[ref] > 1 for ref in recorded)
    trial.searched = ledger.calls["GET job_statuses"] > 0
    trial.resent = sum(ledger.sent[ref] > 1 for ref in recorded)
