"""What a tool is: a form that says what to do, and a pure function that says what that means for one ticket.

All the rest (choosing tickets, sending, checking, undoing, pages, commands) is the same for every tool.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from django import forms

from jobs.work import Skipped, Unchanged
from tagmanager.intake.sources import Source
from tagmanager.macros.application import AppliedMacro
from tagmanager.macros.field_names import FieldNames
from tagmanager.renamed import moved
from tagmanager.ticket_change import TicketChange, TicketSnapshot

#: What a tool says of one ticket: change it so; it is as wished; or it is left out, and why.
Answer = TicketChange | Unchanged | Skipped


class ToolForm(forms.Form):
    """Base of the tools' forms: the border for people's input, on the web and on the command line alike.

    After `is_valid()`, `params()` holds what the job stores: JSON, domain values, nothing left to parse.
    """

    #: What the names of its fields begin with on the page, so that none meets a field of the page's own, such
    #: as `tag` or `status`. The tools of this project keep plain names, which people have in bookmarks: their
    #: forms say `prefix = None`. On the command line the names are plain for every tool.
    prefix: str | None = "tool"
    #: The template of its fields; this one shows them one after the other.
    part = "tools/_what.html"
    #: Whether the form itself lists the tickets; nothing else then says which.
    lists_tickets = False

    def params(self) -> dict[str, Any]:
        """What the job stores of this form."""
        return dict(self.cleaned_data)

    @property
    def listed(self) -> Source:
        """Of a valid form that lists the tickets: these, with what is asked for each alone."""
        raise NotImplementedError

    @property
    def notes(self) -> list[str]:
        """What a person is told about the form once the job is made, a sentence each."""
        return []

    @property
    def display_names(self) -> FieldNames:
        """Of a valid form: what people call the fields that it sets, and what stands in them."""
        return FieldNames()

    @property
    def writes_to_customers(self) -> bool:
        """Of a valid form: whether a real run sends mail; then a preview comes first, its number typed."""
        return False

    @classmethod
    def names_on_page(cls) -> dict[str, str]:
        """By the name of each field, what it is called on the page and in the page's address."""
        return {name: f"{cls.prefix}-{name}" if cls.prefix else name for name in cls.base_fields}

    @classmethod
    def filling(cls, params: dict[str, Any]) -> dict[str, Any]:
        """What `params()` gave, as people would type it into the fields."""
        return {name: _typed(value) for name, value in params.items()}

    @classmethod
    def refilled(cls, given: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        """Of a form that lists the tickets: what `listed` gave, as people would type it into the fields."""
        raise NotImplementedError


def _typed(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    return value


@runtime_checkable
class Tool(Protocol):
    """A tool, as the list of tools wants it; see `tagmanager.tools.bulk_tag` for one."""

    slug: str  # in addresses and in the job's row: never changed once jobs of it exist
    name: str  # on the card
    summary: str  # one sentence under the name
    form_class: type[ToolForm]

    def title(self, params: dict[str, Any], tickets: str) -> str:
        """What a job with these parameters does to `tickets`: "Add vip to tickets of view “Unsolved”"."""
        ...

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        """What is to be done with one ticket as it was read. Pure: no call, no clock, no database."""
        ...


@runtime_checkable
class ChoosesTickets(Protocol):
    """A tool whose parameters themselves say which tickets, where a person says nothing else."""

    own_tickets: str  # how people call them: "All tickets with an old tag"

    def source_for(self, params: dict[str, Any]) -> Source:
        """The tickets that a job with these parameters is about."""
        ...


@runtime_checkable
class StartsElsewhere(Protocol):
    """A tool whose jobs are started on a page of another kind, and not on a form of its own."""

    starts_at: str  # the name of that page's address


@runtime_checkable
class ReplacesTags(Protocol):
    """A tool that puts one tag in the place of another, whose preview counts each pair."""

    def pairs_of(self, params: dict[str, Any]) -> Mapping[str, str]:
        """Old tags and what becomes of each; "" where it is taken off."""
        ...


@runtime_checkable
class SetsFields(Protocol):
    """A tool that changes more of a ticket than its tags."""

    def fields_of(self, params: dict[str, Any]) -> Sequence[str]:
        """The fields, each in `tickets.SETTABLE`, that it sets: they are read and kept with each ticket."""
        ...


@runtime_checkable
class ReadsCustomFields(Protocol):
    """A tool whose answer depends on what stands in dropdowns or checkboxes of the account."""

    def reads_of(self, params: dict[str, Any]) -> Sequence[int]:
        """The ids of these fields: their values are read and kept with each ticket.

        They stand in `TicketSnapshot.custom`. No field of another kind can be read, because what people wrote
        is never kept.
        """
        ...


@runtime_checkable
class AppliesMacro(Protocol):
    """A tool that applies a macro of Zendesk's, which may say something on each ticket: once, never twice."""

    def macro_of(self, params: dict[str, Any]) -> AppliedMacro:
        """The macro as the job keeps it."""
        ...


def join(tags: list[str]) -> str:
    """Tags in a title: all of a few, the first of many."""
    shown = ", ".join(tags[:4])
    return shown if len(tags) <= 4 else f"{shown} and {len(tags) - 4} more"


__getattr__ = moved(__name__, {"NothingToDo": "jobs.work.Unchanged", "LeftOut": "jobs.work.Skipped"})
