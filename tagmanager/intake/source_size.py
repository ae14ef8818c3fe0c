"""How many tickets a source holds, as far as that is known before its list is read."""

from __future__ import annotations

from typing import Any

from jobs.models import Job
from jobs.presentation.job_actions import CONFIRM_ABOVE
from jobs.source_spec import ITEMS, LISTED, SEVERAL, SourceSpec
from jobs.states import Outcome
from tagmanager.account import connection, suggestions
from tagmanager.intake.sources import Source, queries_of
from tagmanager.intake.ticket_filter import TicketFilter
from zendesk import ZendeskError


def known(source: Source) -> int | None:
    """The number of tickets, exact or as Zendesk counts them; None when nobody can say.

    Of several sources it is how many they are at most: a ticket may be in two of them, or be left out.
    """
    numbers = [_known(part) for part in SourceSpec.read(source.stored).of]
    return None if None in numbers else sum(filter(None, numbers))


def is_exact(source: Source) -> bool:
    """Whether `known` is certain: people or earlier jobs named the tickets, and all of them are meant."""
    return source.stored["kind"] in (LISTED, ITEMS)


def _known(stored: dict[str, Any]) -> int | None:
    try:
        match stored:
            case {"kind": "view", "id": view_id}:
                return suggestions.view_count(view_id).value
            case {"kind": "search" | "tag" | "tags"}:  # a ticket that several searches find counts for each
                return sum(suggestions.search_count(query) for query in queries_of(stored))
            case {"kind": kind, "number": number} if kind == LISTED:
                return int(number)
            case {"kind": kind, "job": pk, "outcomes": outcomes} if kind == ITEMS:
                job = Job.objects.filter(pk=pk).first()
                if job is None:  # deleted a moment ago; that is said when the new one is to be made
                    return None
                numbers = job.counts | {Outcome.PENDING.value: job.remaining}
                return sum(numbers[outcome] for outcome in outcomes)
    except (connection.NotConnected, ZendeskError):
        pass
    return None


def why_not_tried(source: Source, only: TicketFilter | None, limit: int | None, canary: int | None) -> str:
    """Why the job cannot be tried on so many of its tickets first, for people; "" when it can.

    Only where the number of tickets is known for certain; a preview tells the rest.
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
    """Why a real run of this source wants a preview first, for people; "" when it does not.

    Above 10,000 tickets a person types their number, which only a preview knows.
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
