"""The state of the demo Zendesk, without HTTP."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from zendesk.sandbox import timestamps
from zendesk.sandbox.access import Access
from zendesk.sandbox.account import fields, macros, people, views
from zendesk.sandbox.account.field_values import STATUS_RANK, STATUSES
from zendesk.sandbox.faults import Faults
from zendesk.sandbox.ledger import Ledger
from zendesk.sandbox.limits import Limits
from zendesk.sandbox.lists.incremental import IncrementalIndex
from zendesk.sandbox.lists.search_index import SearchIndex
from zendesk.sandbox.lists.view_counts import ViewCounts
from zendesk.sandbox.lists.view_members import ViewMembers
from zendesk.sandbox.options import Options
from zendesk.sandbox.tickets import field_rules, tags
from zendesk.sandbox.tickets.audits import Audits, FieldChange
from zendesk.sandbox.tickets.bulk_jobs import BulkJobs
from zendesk.sandbox.tickets.store import TicketStore

_CHANGEABLE = frozenset(
    {
        "scale", "latency", "runtime_scale", "rate_limit", "token_life", "max_jobs", "allow_closed",
        "header_style",
        "too_many_jobs_status", "missing_ids", "search_lag", "readding_tag", "require_resolution", "role",
        "allowed_scopes", "granted_scopes", "brands", "agent_brands", "brands_listed",
        "paging", "page_size", "jobs_show_many",
        "job_life", "ai_agent_updates", "setup_lists", "withheld", "missing_lists", "routing_enabled",
        "autorouting_tag", "view_depth", "view_end", "triggers", "keeps_metadata",
        "other_jobs", "slots_header", "slots_lag",
        "batch_tag_changes", "back_to_new", "nulls", "type_drops", "custom_statuses",
        "audits", "vague_errors",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TicketState:
    """A ticket's true current state.

    `updated_at` is in Zendesk's format; `sequence` distinguishes updates within one second.
    """

    id: int
    status: str
    tags: tuple[str, ...]
    updated_at: str
    sequence: int


class Sandbox:
    """A Zendesk account in memory. Every method may be called from any thread."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.lock = threading.RLock()
        self.faults = Faults()
        self.store = TicketStore(self.options.tickets, self.options.seed, self.now())
        self.store.hand_to_ai_agent(self.options.ai_agent_tickets)
        self.access = Access(lambda: self.options)
        self.limits = Limits(lambda: self.options)
        self.search_index = SearchIndex(self.store, lambda: self.options)
        self.incremental_index = IncrementalIndex(self.store)
        self.view_counts = ViewCounts(lambda: self.options)
        self._ledger = Ledger()
        self.audits = Audits()
        self.macros = macros.MACROS
        self.macros_edited_at: dict[int, float] = {}
        self.jobs = BulkJobs(self.store, self._ledger, self.audits, lambda: self.options)
        self._view_members: dict[int, ViewMembers] = {}
        self.store.on_before_change.append(self.search_index.record_old_state)

    def now(self) -> float:
        return self.options.clock()

    def advance(self) -> float:
        """Run jobs and the search index up to the current time. Returns that time."""
        now = self.now()
        with self.lock:
            self.jobs.advance(now)
            self.search_index.expire(now)
        return now

    @property
    def ledger(self) -> Ledger:
        """Everything received and done so far."""
        self.advance()
        return self._ledger

    def configure(self, **values: Any) -> None:
        """Change options at run time. Raises ValueError with the names of options that are fixed."""
        fixed = set(values) - _CHANGEABLE
        if fixed:
            raise ValueError(f"These cannot be changed at run time: {', '.join(sorted(fixed))}.")
        with self.lock:
            self.advance()
            self.options = replace(self.options, **values)

    def hold(self, *, after: int = 0) -> None:
        """Keep bulk jobs in the queue until `release`, but for the next `after` of them."""
        with self.lock:
            self.jobs.hold(self.advance(), after=after)
            self.advance()

    def release(self) -> None:
        """End `hold`: the jobs that it kept go on."""
        with self.lock:
            self.jobs.release(self.advance())
            self.advance()

    def view_members(self, view_id: int) -> ViewMembers:
        """The tickets of a view. Raises KeyError if there is no such view."""
        found = self._view_members.get(view_id)
        if found is None:
            found = self._view_members[view_id] = ViewMembers(self.store, views.BY_ID[view_id].criteria)
        return found

    def ticket_ids(self) -> list[int]:
        """The ids of all tickets that were not deleted."""
        with self.lock:
            self.advance()
            return [
                number for number, gone in zip(self.store.ids, self.store.deleted, strict=True) if not gone
            ]

    def view_ticket_ids(self, view_id: int) -> list[int]:
        """The ids of a view's tickets, ascending."""
        with self.lock:
            self.advance()
            return [self.store.ids[slot] for slot in self.view_members(view_id).slots]

    def ticket(self, ticket_id: int) -> TicketState:
        """A ticket's current state. Raises KeyError if there is no such ticket."""
        with self.lock:
            self.advance()
            slot = self._slot(ticket_id)
            return TicketState(
                id=ticket_id,
                status=STATUSES[self.store.status[slot]],
                tags=self.store.tags(slot),
                updated_at=timestamps.iso(self.store.updated(slot)),
                sequence=self.store.last_change.get(slot, 0),
            )

    def edit(
        self,
        ticket_id: int,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        status: str | None = None,
        by: str = "another agent",  # noqa: ARG002 - documents the call site
        *,
        comment: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """Change a ticket as another user: outside the ledger and all limits. KeyError: no such ticket.

        `values` are those of fields, such as `priority`, which an agent may empty.
        """
        with self.lock:
            now = self.advance()
            slot = self._slot(ticket_id)
            before = self.store.tags(slot)
            held = set(before)
            fields.add_tags(held, tags.normalise(list(add)))
            held -= set(tags.normalise(list(remove)))
            given = {**(values or {}), **({} if status is None else {"status": status})}
            # Agents in Zendesk may do what the API may not.
            free = replace(self.options, back_to_new="done", nulls="done")
            wished = field_rules.resolved(given, status=STATUSES[self.store.status[slot]], options=free)
            field_rules.store(self.store, slot, wished, self.options)
            rank = STATUS_RANK[wished["status"]] if "status" in wished else None
            self.store.put(slot, at=now, tags=frozenset(held), status=rank)
            now_held = self.store.tags(slot)
            changed = FieldChange("tags", sorted(before), sorted(now_held))
            self.audits.add(
                ticket_id,
                {"comment": comment},
                at=now,
                by=people.AGENT_IDS[1],
                changes=(changed,) if set(before) != set(now_held) else (),
                channel="web",
            )

    def set_ai_agent(self, ticket_id: int, *, holds: bool) -> None:
        """Hand a ticket to an AI agent, or escalate it to people, which updates it."""
        with self.lock:
            now = self.advance()
            slot = self._slot(ticket_id)
            (self.store.ai_agent.add if holds else self.store.ai_agent.discard)(slot)
            self.store.put(slot, at=now)

    def edit_macro(self, macro_id: int, **changes: Any) -> None:
        """Edit a macro as another user, such as its `title` or its `actions`; without any, it is only saved.

        Makes one with this id if there is none.
        """
        with self.lock:
            known = {macro.id: macro for macro in self.macros}
            before = known.get(macro_id, macros.Macro(macro_id, "A new macro", ()))
            self.macros = tuple((known | {macro_id: replace(before, **changes)}).values())
            self.macros_edited_at[macro_id] = self.advance()

    def delete(self, ticket_id: int) -> None:
        """Delete a ticket as another user. Raises KeyError if there is no such ticket."""
        with self.lock:
            now = self.advance()
            self.store.delete(self._slot(ticket_id), at=now)

    def _slot(self, ticket_id: int) -> int:
        slot = self.store.slot(ticket_id)
        if slot is None:
            raise KeyError(f"There is no ticket {ticket_id}.")
        return slot
