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

#: What a tool answers for one ticket: a change; nothing to change; or left out, with the reason.
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
    #: Whether the form itself lists the tickets, so that no other source can be chosen.
    lists_tickets = False

    def params(self) -> dict[str, Any]:
        """What the job stores of this form."""
        return dict(self.cleaned_data)

    @property
    def listed(self) -> Source:
        """The tickets that a valid form lists, with what is asked for each of them."""
        raise NotImplementedError

    @property
    def notes(self) -> list[str]:
        """Sentences to show once the job is made."""
        return []

    @property
    def is_careful(self) -> bool:
        """Whether something in a valid form was interpreted or left out; people read it first."""
        return False

    @property
    def display_names(self) -> FieldNames:
        """Names that people know, for the fields that a valid form sets and for their values."""
        return FieldNames()

    @property
    def writes_to_customers(self) -> bool:
        """Whether a real run of a valid form sends mail. A preview is then required, and its number typed."""
        return False

    #: Whether checking the form asks Zendesk, which a page does only once the form is sent.
    asks_zendesk = False

    @classmethod
    def names_on_page(cls) -> dict[str, str]:
        """By the name of each field, what it is called on the page and in the page's address."""
        return {name: f"{cls.prefix}-{name}" if cls.prefix else name for name in cls.base_fields}

    @classmethod
    def filling(cls, params: dict[str, Any]) -> dict[str, Any]:
        """Initial values of the fields for what `params()` returned: what people would type."""
        return {name: _typed(value) for name, value in params.items()}

    @classmethod
    def refilled(cls, given: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        """The same for what `listed` returned, in a form that lists the tickets."""
        raise NotImplementedError


def _typed(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    return value


@runtime_checkable
class Tool(Protocol):
    """A tool, as `TOOLS` names it; see `tagmanager.tools.bulk_tag` for one."""

    slug: str  # in addresses and in the job's row: never changed once jobs of it exist
    name: str  # on the card
    summary: str  # one sentence under the name
    form_class: type[ToolForm]

    def title(self, params: dict[str, Any], tickets: str) -> str:
        """What a job with these parameters does to `tickets`: "Add vip to tickets of view “Unsolved”"."""
        ...

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        """What to do with one ticket as it was read. Pure: no call, no clock, no database."""
        ...


@runtime_checkable
class ChoosesTickets(Protocol):
    """A tool whose parameters say which tickets, unless a person chooses others."""

    own_tickets: str  # how people call them: "All tickets with an old tag"

    def source_for(self, params: dict[str, Any]) -> Source:
        """The tickets that a job with these parameters is about."""
        ...


@runtime_checkable
class StartsElsewhere(Protocol):
    """A tool whose jobs are started on another page, without a form of its own."""

    starts_at: str  # the name of that page's URL


@runtime_checkable
class ReplacesTags(Protocol):
    """A tool that replaces tags, whose preview counts each pair."""

    def pairs_of(self, params: dict[str, Any]) -> Mapping[str, str]:
        """The new tag of each old one; "" where it is removed."""
        ...


@runtime_checkable
class SetsFields(Protocol):
    """A tool that changes more of a ticket than its tags."""

    def fields_of(self, params: dict[str, Any]) -> Sequence[str]:
        """The fields that it sets, each in `ticket_change.SETTABLE`: their values are kept for undo."""
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
    """A tool that applies a Zendesk macro, which may post a comment on each ticket: once, never twice."""

    def macro_of(self, params: dict[str, Any]) -> AppliedMacro:
        """The macro as the job stores it."""
        ...


@runtime_checkable
class AsksAlike(Protocol):
    """A tool whose parameters say what it does, whatever a ticket carries.

    Exports tell it of tickets that were not read.
    """

    def asked_of(self, params: dict[str, Any]) -> TicketChange | None:
        """What every ticket is to gain and to lose; None where that depends on the ticket after all."""
        ...


def join(tags: list[str]) -> str:
    """Tags in a title: all of a few, the first of many."""
    shown = ", ".join(tags[:4])
    return shown if len(tags) <= 4 else f"{shown} and {len(tags) - 4} more"


__getattr__ = moved(__name__, {"NothingToDo": "jobs.work.Unchanged", "LeftOut": "jobs.work.Skipped"})
