"""The guard tag: added in the same write as a change, taken off later, so that triggers can leave it alone.

A trigger looks at a ticket as an update leaves it, so one whose condition excludes the guard tag does nothing
about a change that brings the tag along. The tag is the job's own: it is no part of what was wished, an undo
does not bring it back, and a ticket that carried it before keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jobs.states import Outcome
from jobs.work import PreviousResult, Skipped, Unchanged
from tagmanager.ticket_change import TicketChange, TicketSnapshot, too_long
from tagmanager.tools.base import Answer

#: What to call it where nobody has said.
USUAL = "bulk_update"
#: Where the parameters of tools name tags that they add or remove.
NAMED_IN = ("add", "remove", "set", "old", "new")
#: The outcomes of tickets that may carry the guard tag of their job.
SENT = (Outcome.CHANGED, Outcome.UNVERIFIED)


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition by which a trigger leaves guarded changes alone, to be copied into Zendesk."""

    tag: str

    @property
    def words(self) -> str:
        """As Zendesk's page for triggers calls it (support.zendesk.com, article 4408893545882)."""
        return f"Ticket > Tags · Contains none of the following · {self.tag}"

    @property
    def json(self) -> str:
        """As its API takes it, among the conditions under `all`."""
        return json.dumps({"field": "current_tags", "operator": "not_includes", "value": self.tag})


def guarded(change: TicketChange, ticket: TicketSnapshot, earlier: PreviousResult | None, tag: str) -> Answer:
    """The change with the guard tag, where the ticket does not carry one of somebody else's."""
    if tag in change.add:
        return Skipped("guard_tag", f"The change itself adds {tag}, so that tag cannot guard it.")
    # A ticket that has it already keeps it; triggers do not run on a closed one.
    change = replace(change, remove=change.remove - {tag})
    if not change:
        return Unchanged()
    is_anothers = tag in ticket.tags and not _is_of(earlier, tag)
    if ticket.is_closed or is_anothers:
        return change
    # On a ticket that the earlier job left guarded the tag only stays: this change does not add it.
    with_guard = replace(change, guard=tag, is_guard_held=tag in ticket.tags)
    if problem := too_long(with_guard.applied_to(ticket.tags)):
        return Skipped("too_many_tags", f"{problem} The guard tag counts too.")
    return with_guard


def unguarded(ticket: TicketSnapshot, earlier: PreviousResult | None, tag: str) -> Answer:
    """What takes the guard tag off, where the earlier job put it on and nobody has taken it off since."""
    if not _is_of(earlier, tag):
        return Unchanged(
            "not_ours", "The job did not put the guard tag on this ticket, so it stays as it is."
        )
    return TicketChange(remove=frozenset({tag})) if tag in ticket.tags else Unchanged()


def _is_of(earlier: PreviousResult | None, tag: str) -> bool:
    """Whether the earlier job sent the ticket with this guard tag."""
    if earlier is None or earlier.outcome not in SENT:
        return False
    return TicketChange.from_json(earlier.change or {}).guard == tag


def why_not_guarded(
    tag: str, params: Mapping[str, Any], given: Iterable[Mapping[str, Any]] | None = None
) -> str:
    """Why this tag cannot guard what these parameters ask for, for people; "" when it can."""
    if any(tag in _named(each) for each in (params, *(given or ()))):
        return (
            f"The change itself adds or removes {tag}, so that tag cannot guard it. Take another, such as "
            f"{USUAL}."
        )
    return ""


def _named(params: Mapping[str, Any]) -> set[str]:
    named = {name for key in NAMED_IN if isinstance(params.get(key), list) for name in params[key]}
    pairs = params.get("pairs")
    return named | ({*pairs, *pairs.values()} if isinstance(pairs, dict) else set())
