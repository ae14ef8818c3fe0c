"""Tools as people outside this project write them, for tests that name them in `TOOLS`."""

from __future__ import annotations

from typing import Any

from django import forms

from jobs.work import Unchanged
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools.base import Answer, ToolForm
from tagmanager.tools.bulk_tag import BulkTag, BulkTagForm
from tagmanager.tools.fields import OneTagField
from zendesk.sandbox.account.fields import FIELD_FOLLOW_UP, FIELD_PLAN


class SameNamesForm(ToolForm):
    """Its fields are called as those of the page, and as what every job is asked."""

    only = forms.CharField()
    guard = forms.CharField()
    include_closed = forms.CharField()
    field_names = forms.CharField()
    status = forms.CharField()
    tag = OneTagField()


class SameNames:
    """Adds its tag to each ticket, and asserts that it is given its own parameters."""

    slug = "same-names"
    name = "A tool with the page's own names"
    summary = "Add one tag."
    form_class = SameNamesForm

    def title(self, params: dict[str, Any], tickets: str) -> str:
        return f"Add {params['tag']} to {tickets} because of {params['only']}"

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        assert sorted(params) == sorted(SameNamesForm.base_fields), params
        return TicketChange(add=frozenset({params["tag"]}) - ticket.tags) or Unchanged()


class SameNamesPlain(SameNames):
    slug = "same-names-plain"

    class form_class(SameNamesForm):  # noqa: N801 - a part of the tool
        prefix = None


class Extended(SameNames):
    """A form of this project's with one field more keeps the plain names of the others, not of this one."""

    slug = "extended"

    class form_class(BulkTagForm):  # noqa: N801
        status = forms.CharField()


class Reusing(BulkTag):
    slug = "reusing"

    class form_class(BulkTagForm):  # noqa: N801
        prefix = "tool"
        status = forms.CharField(required=False)


class Subject(SameNames):
    slug = "subject"

    def fields_of(self, params: dict[str, Any]) -> list[str]:  # noqa: ARG002
        return ["priority", "subject"]


class FieldForm(ToolForm):
    field = forms.CharField()
    value = forms.CharField()


class AnyField:
    """Sets the field that is named in its form, as if every field could be set."""

    slug = "any-field"
    name = "Set a field"
    summary = "Set any field."
    form_class: type[ToolForm] = FieldForm

    def title(self, params: dict[str, Any], tickets: str) -> str:
        return f"Set {params['field']} of {tickets}"

    def fields_of(self, params: dict[str, Any]) -> list[str]:
        return [params["field"]]

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        field, value = params["field"], params["value"]
        if ticket.fields[field] == value:
            return Unchanged()
        return TicketChange(fields={field: value}, stamped=True)


class Unread(AnyField):
    """Sets a field that it does not name."""

    slug = "unread"

    def fields_of(self, params: dict[str, Any]) -> list[str]:  # noqa: ARG002
        return []

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:  # noqa: ARG002
        return TicketChange(fields={params["field"]: params["value"]})


class DateForm(ToolForm):
    day = forms.DateField()


class NoJson(AnyField):
    slug = "no-json"
    form_class: type[ToolForm] = DateForm


class PlanForm(ToolForm):
    number = forms.IntegerField(initial=FIELD_PLAN)


class Escalate:
    """Raises the priority by the plan, a dropdown, and where a checkbox is ticked."""

    slug = "escalate"
    name = "Priority by plan"
    summary = "Set the priority of tickets by the customer's plan."
    form_class = PlanForm

    def title(self, params: dict[str, Any], tickets: str) -> str:  # noqa: ARG002
        return f"Set the priority of {tickets} by plan"

    def fields_of(self, params: dict[str, Any]) -> list[str]:  # noqa: ARG002
        return ["priority"]

    def reads_of(self, params: dict[str, Any]) -> list[int]:
        return [params["number"], FIELD_FOLLOW_UP]

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        is_urgent = ticket.custom[FIELD_FOLLOW_UP] or ticket.custom[params["number"]] == "plan_enterprise"
        wished = "urgent" if is_urgent else "low"
        if ticket.fields["priority"] == wished:
            return Unchanged()
        return TicketChange(fields={"priority": wished}, stamped=True)
