"""Count every tag on every ticket. Changes nothing: each ticket is read, and kept with its tags."""

from __future__ import annotations

from typing import Any

from jobs.work import Unchanged
from tagmanager.account import connection
from tagmanager.intake import sources
from tagmanager.intake.sources import Source
from tagmanager.inventory.tag_counts import COUNT_TOOL
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools.base import Answer, ToolForm


class CountTagsForm(ToolForm):
    """A form without fields."""

    prefix: str | None = None

    def params(self) -> dict[str, Any]:
        return {"account": connection.address()}


class CountTags:
    """Its jobs are dry runs; `tagmanager.inventory.tag_counts` adds up what they read."""

    slug = COUNT_TOOL
    name = "Count all tags"
    summary = "Read all tickets, and count how many carry each tag."
    form_class = CountTagsForm
    own_tickets = "All tickets of the account"
    starts_at = "tag-inventory"

    def title(self, params: dict[str, Any], tickets: str) -> str:  # noqa: ARG002 - the same for every account
        return f"Count the tags of {tickets}"

    def source_for(self, params: dict[str, Any]) -> Source:  # noqa: ARG002 - the same for every account
        return sources.all_tickets()

    def asked_of(self, params: dict[str, Any]) -> TicketChange | None:  # noqa: ARG002 - it changes nothing
        return TicketChange()

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:  # noqa: ARG002 - whatever it is
        return Unchanged()
