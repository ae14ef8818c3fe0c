"""How many tickets a source holds, before its list is read."""

from __future__ import annotations

from jobs.presentation.job_actions import CONFIRM_ABOVE
from jobs.source_spec import SEVERAL, SourceSpec, Stored
from tagmanager.account import connection, suggestions
from tagmanager.intake.source_kinds.base import Counts
from tagmanager.intake.source_kinds.registry import of_kind
from tagmanager.intake.sources import Source
from tagmanager.intake.ticket_filter import TicketFilter
from zendesk import ZendeskError


class RecentCounts:
    """Counts that Zendesk gave within the last minute, for pages: five a minute and view are allowed."""

    def view(self, view_id: int) -> int | None:
        return suggestions.view_count(view_id).current().value

    def search(self, query: str) -> int:
        return suggestions.search_count(query).current()


def number_of(source: Source, counts: Counts) -> int | None:
    """How many tickets a source holds; None when nobody can say. Raises what `counts` raises.

    Of several sources it is an upper bound: a ticket may be in two of them, or be left out.
    """
    numbers = [_number(part, counts) for part in SourceSpec.read(source.stored).of]
    return None if None in numbers else sum(filter(None, numbers))


def _number(stored: Stored, counts: Counts) -> int | None:
    return of_kind(stored, lambda kind: kind.number(stored, counts), None)


def known(source: Source) -> int | None:
    """As `number_of`, exact or as Zendesk counts them; None also where it does not answer."""
    try:
        return number_of(source, RecentCounts())
    except (connection.NotConnected, ZendeskError):
        return None


def is_exact(source: Source) -> bool:
    """Whether `known` is certain: people or earlier jobs named the tickets, and all of them are meant."""
    return of_kind(source.stored, lambda kind: kind.is_exact, otherwise=False)


def why_not_tried(source: Source, only: TicketFilter | None, limit: int | None, canary: int | None) -> str:
    """Why the job cannot be tried on `canary` tickets first, a sentence; "" when it can.

    Only where the number of tickets is certain; a preview finds the other cases.
    """
    if canary is None or only or not is_exact(source):
        return ""
    number = known(source)
    if number is None or canary < number or (limit is not None and limit < number):
        return ""
    have = "There is one ticket" if number == 1 else f"There are {number:,} tickets"
    advice = "Leave this empty." if number == 1 else "Give fewer, or leave this empty."
    return f"{have}, so it cannot be tried on {canary:,} first. {advice}"


def why_preview_first(source: Source, only: TicketFilter | None, limit: int | None) -> str:
    """Why a real run of this source needs a preview first, a sentence; "" when it does not.

    Above `CONFIRM_ABOVE` tickets a person types their number, which only a preview knows.
    """
    if limit is not None and limit <= CONFIRM_ABOVE:
        return ""
    number = known(source)
    if number is None:
        return (
            "How many tickets these are is not known yet, so a preview comes first. Press Preview: it counts "
            "them, writes nothing, and starts the job from there."
        )
    if number <= CONFIRM_ABOVE:
        return ""
    about = "may be up to" if only or source.stored["kind"] == SEVERAL else "are about"
    return (
        f"These {about} {number:,} tickets. Above {CONFIRM_ABOVE:,} a preview comes first, in which you type "
        "their number to confirm. Press Preview: it writes nothing, and starts the job from there."
    )
