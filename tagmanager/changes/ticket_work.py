"""What a job on tickets asks of Zendesk: reading, planning by its tool, sending, asking, looking again."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from django.conf import settings

import zendesk as api
from jobs import errors
from jobs.followups import purpose_of
from jobs.models import Job
from jobs.source_spec import SourceSpec, Stored
from jobs.states import FollowUp, Outcome
from jobs.work import (
    Answer,
    Calls,
    Change,
    CompletedCall,
    DeliveryEvidence,
    Fit,
    Page,
    Payload,
    PendingCall,
    Phase,
    Plan,
    PreviousResult,
    Receipt,
    Result,
    SearchResult,
    Sendable,
    Skipped,
    Snapshot,
    Unchanged,
    Unreadable,
    Verdict,
    Verify,
)
from tagmanager.account import connection
from tagmanager.account.page_calls import KeptForPages
from tagmanager.changes import (
    ai_agents,
    closed_tickets,
    engine_adapter,
    evidence,
    guard_tag,
    undo,
    whole_count,
)
from tagmanager.changes.conditions import Conditions
from tagmanager.changes.job_options import JobOptions
from tagmanager.intake import sources
from tagmanager.inventory.tag_counts import COUNT_TOOL
from tagmanager.macros.application import ASKED_AT_ONCE, Application
from tagmanager.ticket_change import MacroPreview, TicketChange, TicketSnapshot, moved_by
from tagmanager.tools import UnknownTool, tool
from tagmanager.tools.base import Answer as ToolAnswer
from tagmanager.tools.base import AppliesMacro, ReadsCustomFields, SetsFields
from zendesk.transport import requestor  # noqa: F401  # a worker calls: `requests` is loaded before it is forked

#: How long a call may wait by itself, seconds: short, because a click must be noticed within two.
CALL_MAX_WAIT = 1.0
#: Zendesk's bulk jobs that are looked through for one whose answer was lost; the newest come first.
RECENT_JOBS = 300
#: A view's place is counted off from its start, and a search forgets one after an hour.
PLACE_LIVES = timedelta(minutes=10)
#: How many traces found in tickets' histories are kept in memory, so that a wait does not make them all be
#: looked up again.
TRACES_KEPT = 1_000
#: How far its clock may be from ours.
CLOCKS_DIFFER = timedelta(minutes=2)
DELETED = Skipped("deleted", "The ticket has been deleted.")
CLOSED = Skipped("closed", "The ticket is closed, and closed tickets were not included.")
#: The reason of tickets that are not, or no longer, what the job was asked to change.
NO_LONGER_MATCHES = "no_longer_matches"
CLOSED_SINCE = Skipped("closed", "The ticket is closed, and an undo leaves closed tickets out unless told.")
COMPLETED_AT = re.compile(r"at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \+0000")


def work_for(job: Job) -> TicketWork:
    """What `jobs` calls, by the setting JOBS_WORK; raises `NeedsPerson` where the settings forbid it."""
    try:
        return TicketWork(job)
    except (connection.NotConnected, UnknownTool) as exc:
        raise errors.NeedsPerson(str(exc)) from exc


class TicketWork:
    """`jobs.work.Work` for tickets of Zendesk."""

    batch_size: int = 100  # tickets in one call (developer.zendesk.com, tickets)

    def __init__(self, job: Job) -> None:
        self.max_in_flight: int = settings.ZENDESK_MAX_JOBS
        self.calls = Calls()
        self._job = job
        self._tool = tool(job.tool)
        self._errand = purpose_of(job)
        self._params = job.tool_params
        self._options = JobOptions.of(job)
        self._guard = self._options.guard
        self._conditions = Conditions.of(job)
        self._only = self._conditions.only
        # Whom a follow-up is about was chosen when its parent's list was made: nobody is missing in it.
        self.filters_items = bool(self._only) and not job.follow_up
        self.must_last = self._errand.kind is FollowUp.UNDO
        self.verify = Verify(self._options.verify or settings.VERIFY_WRITES)
        if self.must_last:
            self.verify = Verify.ALL
        self.own_failures = frozenset({evidence.AI_AGENT, undo.NOT_TAKEN_BACK})
        self._traces: dict[tuple[int, str], DeliveryEvidence] = {}  # by ref and stamp, those found already
        self._may_read_histories = True  # until Zendesk refuses one: others cost a call each for nothing
        self._fields = self._tool.fields_of(self._params) if isinstance(self._tool, SetsFields) else ()
        self._custom = self._tool.reads_of(self._params) if isinstance(self._tool, ReadsCustomFields) else ()
        self._along = moved_by(self._fields)
        self._doubtful: set[str] = set()  # receipts of batches with parts that Zendesk may not take back
        self._refusals: Counter[int] = Counter()  # how often it has refused a ticket with such parts
        self._macro: Application | None = None  # an undo takes back what one did, and applies none
        self.before_call: Callable[[], None] = _nothing
        self.call_until = math.inf
        self.reads_ids_only = False
        self.may_read_ahead: Callable[[], bool] = _never
        self._zendesk = connection.connect(
            on_call=self._count,
            before_call=self._may_call,
            may_read_ahead=self._may_read_ahead,
            until=lambda: self.call_until,
            kept_back=KeptForPages(),
            max_wait=CALL_MAX_WAIT,
            export_page=_export_page(job.limit if self._is_taken_whole else None),
        )
        if isinstance(self._tool, AppliesMacro) and self._errand.kind is FollowUp.NONE:
            self._macro = Application(self._zendesk, self._tool.macro_of(self._params), self._fields)
        self._asks_each = self._macro is not None and self._macro.macro.is_asked_for_each
        if self._asks_each:
            self.batch_size = ASKED_AT_ONCE

    @property
    def _is_taken_whole(self) -> bool:
        """Whether all that the source gives belongs to the list."""
        return SourceSpec.read(self._job.source).is_plain and not self.filters_items

    def close(self) -> None:
        self._zendesk.close()

    # Choosing

    def pages(self, source: Stored, cursor: str) -> Iterator[Page]:
        with engine_adapter.reading_pages(cursor):
            if self._job.tool == COUNT_TOOL:
                began = self._job.started_at or self._job.created_at
                yield from whole_count.pages(self._zendesk, cursor, began=began, listed=self._listed)
                return
            for page in sources.pages(self._zendesk, source, cursor):
                if self.finds_refs_only(source):
                    yield Page(
                        [(ticket.id, {}) for ticket in page.items],
                        page.next_cursor,
                        remark=engine_adapter.remark_on(page.unreadable),
                        broke_off=page.broke_off,
                    )
                    continue
                *first, last = self._pieces(page.items)
                for piece in first:  # the place stays that of the page
                    yield Page(list(self._snapshots(piece).items()), cursor)
                yield Page(
                    list(self._snapshots(last).items()),
                    page.next_cursor,
                    remark=engine_adapter.remark_on(page.unreadable),
                    broke_off=page.broke_off,
                )
                cursor = page.next_cursor or ""

    def _pieces(self, tickets: list[api.Ticket]) -> list[list[api.Ticket]]:
        """A page in pieces, where each of its tickets is asked about, after those that are listed already."""
        if not self._looks_ahead:
            return [tickets]
        listed = self._listed(tickets)
        fresh = [ticket for ticket in tickets if ticket.id not in listed]
        starts = range(0, len(fresh), self.batch_size)
        pieces = [fresh[start : start + self.batch_size] for start in starts]
        known = [ticket for ticket in tickets if ticket.id in listed]
        return [known, *pieces] if known or not pieces else pieces

    def _listed(self, tickets: Sequence[api.Ticket]) -> set[int]:
        refs = [ticket.id for ticket in tickets]
        return set(self._job.items.filter(ref__in=refs).values_list("ref", flat=True))

    def cursor_lifetime(self, source: Stored) -> timedelta | None:
        return None if sources.keeps_cursor(source) else PLACE_LIVES

    def completeness_doubt(self, source: Stored, found: int, *, taken_out: bool) -> str:
        return sources.completeness_doubt(self._zendesk, source, found, taken_out=taken_out)

    def finds_refs_only(self, source: Stored) -> bool:
        return sources.gives_refs_only(source)

    def expected_size(self, source: Stored) -> int | None:
        with engine_adapter.reading():
            return sources.expected_size(self._zendesk, source)

    def is_judged_alone(self, source: Stored) -> bool:
        return self._conditions.is_judged_alone(source)

    def is_excluded_by_reading(self, source: Stored) -> bool:
        return bool(sources.equal_tags(source))

    def fit(self, source: Stored, seen: Snapshot) -> Fit:
        ticket = TicketSnapshot.from_json(0, seen)
        if ticket.odd:
            return Fit.BELONGS  # people want to know of it
        if self._conditions.why_stale(ticket, sources.held_tags(source)):
            return Fit.STALE
        is_unwanted = self.filters_items and self._only.exclusion_reason(ticket)
        return Fit.UNWANTED if is_unwanted else Fit.BELONGS

    def note_on_stale(self, number: int) -> str:
        return self._conditions.note_on_stale(number)

    def note_on_taken_out(self, source: Stored) -> str:
        return sources.note_on_taken_out(source)

    def count(self, source: Stored) -> int | None:
        with engine_adapter.reading():
            return sources.count(self._zendesk, source)

    def changed_at(self, seen: Snapshot) -> int | None:
        try:
            return int(datetime.fromisoformat(seen["updated_at"]).timestamp())
        except ValueError:
            return None

    def read(self, refs: Sequence[int]) -> PendingCall[dict[int, Snapshot]]:
        if not refs:
            return CompletedCall({})
        with engine_adapter.reading():
            return engine_adapter.AdaptedCall(
                self._zendesk.begin_tickets(refs), self._snapshots, engine_adapter.reading
            )

    def _snapshots(self, tickets: Sequence[api.Ticket]) -> dict[int, Snapshot]:
        previews: dict[int, MacroPreview] = {}
        if self._macro is not None and self._looks_ahead:
            asked = [ticket for ticket in tickets if self._may_change(ticket) and not ticket.odd]
            if self._job.frozen_at is None:
                listed = self._listed(asked)
                asked = [
                    t
                    for t in asked
                    if t.id not in listed and not self._only.exclusion_reason(TicketSnapshot.from_ticket(t))
                ]
            previews = self._macro.preview(asked)
        return {
            ticket.id: TicketSnapshot.from_ticket(
                ticket, self._fields, previews.get(ticket.id), self._custom, self._along
            ).to_json()
            for ticket in tickets
        }

    @property
    def _looks_ahead(self) -> bool:
        """Whether it is to be asked what the macro makes of the tickets that are read."""
        return self._asks_each and not self.reads_ids_only

    def _may_change(self, ticket: TicketSnapshot | api.Ticket) -> bool:
        return not ticket.is_closed or self._options.include_closed

    # Planning

    def plan(
        self, ref: int, now: Snapshot | None, earlier: PreviousResult | None, given: Payload | None
    ) -> Plan:
        if now is None:
            return Skipped("not_found", "There is no such ticket, or the connected user may not see it.")
        seen = TicketSnapshot.from_json(ref, now)
        if seen.odd or seen.status == "deleted":
            return Unreadable("odd_record", self.why_unreadable(now)) if seen.odd else DELETED
        answer = self._wished(seen, earlier, given)
        if self._errand.kind is FollowUp.NONE and (why_not := self._why_unfit(seen, answer, earlier)):
            return Skipped(NO_LONGER_MATCHES, why_not)
        if not isinstance(answer, TicketChange):
            kind = Unchanged if isinstance(answer, Unchanged) else Skipped
            return kind(answer.reason, answer.detail)
        if seen.is_closed and (stays := self._stays_closed(answer)):
            return stays
        is_undo = self._errand.kind is FollowUp.UNDO
        reason, detail = undo.note_on(seen, earlier) if is_undo else ("", "")
        return Change(
            answer.to_json(),
            own=answer.is_own,
            once=bool(answer.comment),
            reason=reason,
            detail=detail,
            probe=closed_tickets.CLOSED if seen.is_closed else "",
            kinds=(*closed_tickets.kinds_of(seen, datetime.now(UTC)), *ai_agents.kinds_of(seen)),
        )

    def _why_unfit(self, seen: TicketSnapshot, answer: ToolAnswer, earlier: PreviousResult | None) -> str:
        """Why a ticket is not to be changed, whatever the tool answers; "" for no reason.

        Looked at again, because it may have changed since the list was made. What an earlier job of the
        family did to a ticket itself does not make it a stranger. A filter is not asked about one that needs
        no change.
        """
        is_done = isinstance(answer, Unchanged) and _shows(seen, earlier)
        if not is_done and (stale := self._conditions.why_stale(seen)):
            return stale
        return self._only.exclusion_reason(seen) if isinstance(answer, TicketChange) else ""

    def _wished(
        self, seen: TicketSnapshot, earlier: PreviousResult | None, given: Payload | None
    ) -> ToolAnswer:
        if self._errand.kind is FollowUp.UNGUARD:
            return guard_tag.unguarded(seen, earlier, self._guard)
        if self._errand.kind is FollowUp.UNDO:
            names, refusals = self._options.field_names, self._refusals[seen.id]
            answer = undo.change_for(seen, earlier, refusals=refusals, names=names)
        elif self._asks_each and not self._may_change(seen):
            return Skipped(CLOSED.reason, CLOSED.detail)
        else:
            # What was asked for this ticket alone stands above what was asked for all.
            answer = self._undoable(self._tool.change_for(seen, self._params | (given or {})))
        if self._guard and isinstance(answer, TicketChange):
            return guard_tag.guarded(answer, seen, earlier, self._guard)
        return answer

    def _undoable(self, answer: ToolAnswer) -> ToolAnswer:
        """A tool's answer, unless it sets a field that was not read: what stood there would be lost."""
        if not isinstance(answer, TicketChange):
            return answer
        if unread := answer.fields.keys() - set(self._fields):
            names = ", ".join(sorted(unread))
            return Skipped("field_not_read", f"The tool sets {names}, and does not name that in fields_of.")
        if numbers := answer.custom.keys() - set(self._custom):
            names = ", ".join(map(str, sorted(numbers)))
            return Skipped("field_not_read", f"The tool sets {names}, and does not name that in reads_of.")
        return answer

    def _stays_closed(self, change: TicketChange) -> Skipped | None:
        """Why a closed ticket is left as it is; None where the change is tried."""
        if not self._options.include_closed:
            return CLOSED_SINCE if self._errand.kind is FollowUp.UNDO else CLOSED
        problem = closed_tickets.why_not(change)
        return Skipped("closed_field", problem) if problem else None

    def why_withheld(self, probe: str, code: str, text: str) -> str:  # noqa: ARG002 - there is one kind
        return closed_tickets.why_withheld(text) if code == "closed" else ""

    def why_unreadable(self, now: Snapshot) -> str:
        odd = TicketSnapshot.from_json(0, now).odd
        return f"Zendesk sent a record of the ticket that cannot be read: {odd}." if odd else ""

    def is_applied(self, change: Payload, now: Snapshot) -> bool:
        ticket = TicketSnapshot.from_json(0, now)
        return not ticket.odd and TicketChange.from_json(change).is_shown_by(ticket)

    # Looking at what was sent

    def read_back(self, refs: Sequence[int]) -> PendingCall[dict[int, Snapshot]]:
        if not refs:
            return CompletedCall({})
        with engine_adapter.reading():
            pending = self._zendesk.begin_tickets(refs, kind="verify")
        return engine_adapter.AdaptedCall(pending, self._plain_snapshots, engine_adapter.reading)

    def _plain_snapshots(self, tickets: Sequence[api.Ticket]) -> dict[int, Snapshot]:
        """Without a preview of what the macro would make of them."""
        return {
            ticket.id: TicketSnapshot.from_ticket(
                ticket, self._fields, None, self._custom, self._along
            ).to_json()
            for ticket in tickets
        }

    def is_visible(self, change: Payload) -> bool:
        return TicketChange.from_json(change).is_visible

    def kind_of(self, change: Payload, *, own: bool) -> str:
        return ", ".join(sorted(_keys(TicketChange.from_json(change), own=own)))

    def explain(self, item: Sendable, now: Snapshot | None, result: Result, *, kind_is_open: bool) -> Result:
        before = TicketSnapshot.from_json(item.ref, item.before)
        seen = TicketSnapshot.from_json(item.ref, now) if now else None
        return evidence.explain(before, seen, result, closed_ones_can_change=kind_is_open)

    def why_not_shown(self, item: Sendable, now: Snapshot) -> Result | None:
        if self._errand.kind is not FollowUp.UNDO:
            return None
        change, seen = TicketChange.from_json(item.change), TicketSnapshot.from_json(item.ref, now)
        why = undo.why_not_back(change, seen, self._options.field_names)
        return Result(Verdict.REFUSED, undo.NOT_TAKEN_BACK, why) if why else None

    def why_not_made(self, item: Sendable, now: Snapshot) -> Result | None:
        if not TicketSnapshot.from_json(item.ref, now).is_ai_agent:
            return None
        ignored = f"{evidence.HELD_BY_AI_AGENT} Zendesk accepted the change and did not make it."
        return Result(Verdict.REFUSED, evidence.AI_AGENT, ignored)

    def is_untouched(self, item: Sendable, now: Snapshot, sent_at: datetime) -> bool:
        before, seen = (TicketSnapshot.from_json(item.ref, state) for state in (item.before, now))
        return evidence.is_untouched(before, seen, sent_at)

    def find_trace(self, item: Sendable, now: Snapshot) -> DeliveryEvidence:
        key = (item.ref, now["updated_at"])
        if key not in self._traces:
            if len(self._traces) >= TRACES_KEPT:
                self._traces.clear()
            found = self._look_up_trace(item, now)
            if found is DeliveryEvidence.NOT_MADE:  # it may still come: the next look asks again
                return found
            self._traces[key] = found
        return self._traces[key]

    def _look_up_trace(self, item: Sendable, now: Snapshot) -> DeliveryEvidence:
        before, seen = (TicketSnapshot.from_json(item.ref, state) for state in (item.before, now))
        if not self._may_read_histories:
            return DeliveryEvidence.UNCLEAR
        with engine_adapter.reading():
            try:
                history = list(self._zendesk.audits(item.ref, kind="verify"))
            except api.NotAllowed:
                self._may_read_histories = False
                return DeliveryEvidence.UNCLEAR
            except (api.NotFound, api.Refused):
                return DeliveryEvidence.UNCLEAR
        return evidence.trace_in(history, TicketChange.from_json(item.change), before, seen)

    # Sending

    def send(self, change: Payload | None, items: Sequence[Sendable]) -> PendingCall[Receipt]:
        with engine_adapter.sending():
            if change is None:
                each = [self._own(item) for item in items]
                keys = {"tickets"}.union(*each)
                pending = self._zendesk.begin_update_each(each)
            else:
                sent = _delta(change) | (self._macro.note() if self._macro else {})
                keys = {"ids", "ticket", *sent}
                pending = self._zendesk.begin_update_many([i.ref for i in items], sent)
        changes = [change] if change is not None else [item.change for item in items]
        convert = partial(self._receipt, changes, keys)
        return engine_adapter.AdaptedCall(pending, convert, engine_adapter.sending)

    def _receipt(self, changes: Sequence[Payload], keys: Set[str], status: api.JobStatus) -> Receipt:
        receipt = engine_adapter.receipt_of(status, keys)
        if self._errand.kind is FollowUp.UNDO and any(map(_is_doubtful, changes)):
            self._doubtful.add(receipt.id)
        return receipt

    def _own(self, item: Sendable) -> dict[str, object]:
        """The change of one ticket, refused by Zendesk when anybody has touched it since it was read."""
        seen, change = TicketSnapshot.from_json(item.ref, item.before), TicketChange.from_json(item.change)
        extras = self._macro.extras(item, change) if self._macro else {}
        return (
            _whole(change, seen)
            | extras
            | {"id": item.ref, "updated_stamp": seen.updated_at, "safe_update": True}
        )

    def poll(self, receipts: Sequence[str]) -> dict[str, Answer]:
        with engine_adapter.reading():
            statuses = {status.id: status for status in self._statuses(receipts)}
            statuses |= self._look_for([receipt for receipt in receipts if receipt not in statuses])
        gone = Answer(Phase.GONE, text="Zendesk does not know its bulk job any more.")
        return {
            receipt: self._answer(receipt, statuses[receipt]) if receipt in statuses else gone
            for receipt in receipts
        }

    def _answer(self, receipt: str, status: api.JobStatus) -> Answer:
        """What Zendesk says of a batch. A ticket that it refuses to undo as a whole is undone in part."""
        answer = engine_adapter.answer_of(status)
        if answer.phase is Phase.RUNNING or receipt not in self._doubtful:
            return answer
        self._doubtful.discard(receipt)
        refused = {
            ref: result
            for ref, result in answer.results.items()
            if result is not None and result.verdict in (Verdict.REFUSED, Verdict.UNEXPLAINED)
        }
        for ref in answer.results.keys() - refused.keys():
            del self._refusals[ref]
        self._refusals.update(refused.keys())
        later = {ref: replace(result, verdict=Verdict.LATER) for ref, result in refused.items()}
        return replace(answer, results={**answer.results, **later})

    def find_lost(self, items: Sequence[Sendable], known: set[str], since: datetime) -> str | SearchResult:
        refs = {item.ref for item in items}
        unclear = False
        # Without that list nobody can tell: after a while the tickets are read instead.
        with engine_adapter.reading(), suppress(api.NotFound):
            for status in islice(self._zendesk.recent_job_statuses(), RECENT_JOBS):
                if status.id in known or status.total not in (None, len(refs)):
                    continue
                if not status.is_over:
                    unclear = True
                elif _ended_before(status, since - CLOCKS_DIFFER) or not _names(status, refs):
                    continue
                elif self._macro is None or self._macro.made(status):
                    return status.id
            return SearchResult.UNCLEAR if unclear else SearchResult.ABSENT
        return SearchResult.UNCLEAR

    def find_evidence(self, items: Sequence[Sendable]) -> dict[int, DeliveryEvidence]:
        if self._macro is None:
            return {}
        done = self._job.items.filter(outcome=Outcome.CHANGED, batch__once=True)
        with engine_adapter.reading():
            return self._macro.find_evidence(items, done.values_list("ref", flat=True).first())

    def _statuses(self, receipts: Sequence[str]) -> list[api.JobStatus]:
        """None where Zendesk has no such list: each is then requested by itself."""
        try:
            return self._zendesk.job_statuses(receipts)
        except api.NotFound:
            return []

    def _look_for(self, receipts: Sequence[str]) -> dict[str, api.JobStatus]:
        """Those that show_many left out. Look-ups have failed where the list had it (zenpy issue 291)."""
        found: dict[str, api.JobStatus] = {}
        for receipt in receipts:
            with suppress(api.NotFound):
                found[receipt] = self._zendesk.job_status(receipt)
        missing = set(receipts) - found.keys()
        if missing:
            with suppress(api.NotFound):
                recent = islice(self._zendesk.recent_job_statuses(), RECENT_JOBS)
                found |= {status.id: status for status in recent if status.id in missing}
        return found

    def _may_call(self) -> None:
        self.before_call()

    def _may_read_ahead(self) -> bool:
        return self.may_read_ahead()

    def _count(self, call: api.Call) -> None:
        if call.kind != "token":  # signing in asks nothing about tickets
            setattr(self.calls, call.kind, getattr(self.calls, call.kind) + 1)


def _shows(ticket: TicketSnapshot, earlier: PreviousResult | None) -> bool:
    """Whether the ticket looks as an earlier job wished to make it."""
    if earlier is None or earlier.change is None or earlier.outcome == Outcome.PLANNED:
        return False
    return TicketChange.from_json(earlier.change).is_shown_by(ticket)


def _export_page(limit: int | None) -> int:
    """The most tickets on a page of an export: no more than a job with a limit needs, in full batches."""
    size = TicketWork.batch_size
    return api.MAX_EXPORT_PAGE if limit is None else min(-(-limit // size) * size, api.MAX_EXPORT_PAGE)


def _never() -> bool:
    """Before anybody has said that the list may be read ahead."""
    return False


def _nothing() -> None:
    """Before a call of work that no worker holds a job for."""


def _is_doubtful(change: Payload) -> bool:
    return undo.is_doubtful(TicketChange.from_json(change))


def _delta(change: Payload) -> dict[str, object]:
    """Add and remove, never a whole list: what others tagged stays."""
    wanted = TicketChange.from_json(change)
    sent = _fields(wanted)
    if wanted.added:
        sent["additional_tags"] = sorted(wanted.added)
    if wanted.remove:
        sent["remove_tags"] = sorted(wanted.remove)
    return sent


def _keys(change: TicketChange, *, own: bool) -> set[str]:
    """The keys that carry the change of a ticket."""
    sent = {*_fields(change), *(["comment"] if change.comment else ())}
    if change.added:
        sent.add("tags" if own else "additional_tags")
    if change.remove:
        sent.add("tags" if own else "remove_tags")
    return sent


def _whole(change: TicketChange, seen: TicketSnapshot) -> dict[str, object]:
    """The change with the whole list of tags, where any of them changes.

    Older documents of Zendesk's confine add and remove to the form with `?ids=`; in this one they may be
    ignored. Tags that are added come last: of two options of a dropdown the later one counts.
    """
    sent = _fields(change)
    if change.added or change.remove:
        kept = change.applied_to(seen.tags) - change.added
        sent["tags"] = [*sorted(kept), *sorted(change.added)]
    return sent


def _fields(change: TicketChange) -> dict[str, object]:
    """The fields of a change, as an update names them."""
    sent: dict[str, object] = dict(change.fields)
    if change.custom:
        sent["custom_fields"] = [{"id": number, "value": value} for number, value in change.custom.items()]
    return sent


def _names(status: api.JobStatus, refs: set[int]) -> bool:
    """Whether the results are about these tickets."""
    named = {result.id for result in status.results or [] if result.id is not None}
    return bool(named) and named <= refs


def _ended_before(status: api.JobStatus, moment: datetime) -> bool:
    told = COMPLETED_AT.search(status.message)
    if told is None:
        return False
    return datetime.strptime(told[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) < moment
