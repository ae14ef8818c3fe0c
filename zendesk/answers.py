"""Parsers for the answers of single endpoints. All raise UnexpectedAnswer for an unknown shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zendesk.errors import UnexpectedAnswer
from zendesk.job_status import JobStatus
from zendesk.pages import Page, parse_items
from zendesk.records import (
    Ticket,
)


def parse_tickets(answer: Any) -> list[Ticket]:
    return parse_items(answer, "tickets", Ticket.from_json)


def parse_queued_job(answer: Any) -> JobStatus:
    return JobStatus.from_json(answer.get("job_status"))


def parse_search_page(answer: Any, number: int) -> Page[Ticket]:
    found = [
        item for item in parse_items(answer, "results", dict) if item.get("result_type", "ticket") == "ticket"
    ]
    more = answer.get("next_page") is not None
    total = answer.get("count")
    return Page(
        items=[Ticket.from_json(item) for item in found],
        next_cursor=str(number + 1) if more else None,
        total=total if type(total) is int else None,
    )


def parse_incremental_page(answer: Any) -> Page[Ticket]:
    """A page of the incremental export. The last one has a cursor too, with which a later export resumes."""
    ended, cursor = answer.get("end_of_stream"), answer.get("after_cursor")
    if not isinstance(ended, bool):
        raise UnexpectedAnswer("Zendesk exported tickets without saying whether there are more.")
    if not ended and not (isinstance(cursor, str) and cursor):
        raise UnexpectedAnswer("Zendesk says there are more tickets but not how to get them.")
    resume = cursor if ended and isinstance(cursor, str) else ""
    return Page(parse_items(answer, "tickets", Ticket.from_json), None if ended else cursor, resume=resume)


def parse_count(answer: Any) -> int:
    count = answer.get("count")
    if type(count) is not int:
        raise UnexpectedAnswer("Zendesk answered the count of a search without a number.")
    return count


def parse_tag_names(answer: Any) -> list[str]:
    tags = answer.get("tags")
    if not isinstance(tags, list):
        raise UnexpectedAnswer("Zendesk answered the search for tags without a list of them.")
    return [tag for tag in tags if isinstance(tag, str)]


def parse_macro_preview(answer: Any) -> Mapping[str, Any]:
    result = answer.get("result")
    ticket = result.get("ticket") if isinstance(result, dict) else None
    if not isinstance(ticket, dict):
        raise UnexpectedAnswer("Zendesk answered the preview of a macro without a ticket.")
    return ticket
