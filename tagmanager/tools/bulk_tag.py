"""Add tags, remove tags, or set the tags exactly."""

from __future__ import annotations

from typing import Any

from django import forms

from jobs.work import Skipped, Unchanged
from tagmanager.ticket_change import TicketChange, TicketSnapshot, too_long
from tagmanager.tools.base import Answer, ToolForm, join
from tagmanager.tools.fields import TagsField


class BulkTagForm(ToolForm):
    prefix: str | None = None
    part = "tools/bulk_tag.html"

    add = TagsField(label="Tags to add", required=False, help_text="All other tags stay as they are.")
    remove = TagsField(label="Tags to remove", required=False, help_text="All other tags stay as they are.")
    set = TagsField(
        label="Or set exactly these tags",
        required=False,
        help_text=(
            "Replaces all tags of each ticket: every other tag is lost, and dropdown or checkbox fields "
            "whose tags vanish are cleared."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        add, remove, exact = (cleaned.get(name) or [] for name in ("add", "remove", "set"))
        if exact and (add or remove):
            raise forms.ValidationError(
                "Setting the tags exactly replaces all of them, so it cannot be combined with adding or "
                "removing. Put all the tags that the tickets are to have into the one list.",
                code="exact_and_delta",
            )
        if not (add or remove or exact) and not self.errors:
            raise forms.ValidationError(
                "Say at least one tag to add, to remove or to set.", code="nothing_to_do"
            )
        both = sorted(set(add) & set(remove))
        if both:
            raise forms.ValidationError(
                f"{join(both)} cannot be both added and removed. Take it out of one of the lists.",
                code="both",
            )
        problem = too_long(frozenset(add)) or too_long(frozenset(exact))
        if problem:
            raise forms.ValidationError(problem, code="too_long")
        return cleaned


class BulkTag:
    """Adds and removes tags and leaves every other tag alone; or sets the tags exactly."""

    slug = "bulk-tag"
    name = "Add and remove tags"
    icon = "tags"
    summary = "Add tags to tickets, or remove them, and leave all other tags alone."
    form_class = BulkTagForm

    def title(self, params: dict[str, Any], tickets: str) -> str:
        add, remove, exact = join(params["add"]), join(params["remove"]), join(params["set"])
        if exact:
            return f"Set the tags to exactly {exact} on {tickets}"
        if add and remove:
            return f"Add {add} and remove {remove} on {tickets}"
        return f"Add {add} to {tickets}" if add else f"Remove {remove} from {tickets}"

    def asked_of(self, params: dict[str, Any]) -> TicketChange | None:
        """Setting tags exactly removes what a ticket carries, and that differs."""
        return None if params["set"] else TicketChange(frozenset(params["add"]), frozenset(params["remove"]))

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        if params["set"]:
            wished = frozenset(params["set"])
            change = TicketChange(wished - ticket.tags, ticket.tags - wished, exact=True)
        else:
            change = TicketChange(
                frozenset(params["add"]) - ticket.tags, frozenset(params["remove"]) & ticket.tags
            )
        if not change:
            return Unchanged()
        if problem := too_long(change.applied_to(ticket.tags)):
            return Skipped("too_many_tags", problem)
        return change
