"""Which tickets, and how: the part of every tool's form that is the same for all tools."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import BoundField

from jobs.source_spec import Order
from tagmanager.account.choices import Choices
from tagmanager.changes import guard_tag
from tagmanager.forms.source_form import ExtraSourceForm, SourceKindsForm
from tagmanager.intake import sources
from tagmanager.intake.fields import OneTagField, TagsField, WholeNumberField
from tagmanager.intake.source_kinds.base import AND, NOT
from tagmanager.intake.source_kinds.registry import kinds
from tagmanager.intake.sources import Source
from tagmanager.intake.ticket_filter import TicketFilter

#: The panel of tools that themselves say which tickets.
OWN = "own"
#: The states of a ticket, as Zendesk calls them.
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
#: The most tickets to try a job on first.
MOST_CANARY = 10_000


@dataclass(frozen=True, slots=True)
class Panel:
    """One way to say which tickets, with its tab and its part of the page."""

    name: str
    label: str
    template: str
    fields: Sequence[BoundField] = ()
    choices: Choices | None = None


class TicketFilterForm(forms.Form):
    """Which of the tickets; after `is_valid()`, `cleaned_data["only"]` is a `TicketFilter`."""

    having = TagsField(
        label="Tags that they must have", required=False, help_text="Where there are several, all of these."
    )
    lacking = TagsField(
        label="Those with a tag",
        required=False,
        help_text="One of several is enough. Looked at on each ticket, and again before it is changed.",
    )
    status = forms.MultipleChoiceField(
        label="Status that they must be in",
        required=False,
        choices=[(status, status) for status in STATUSES],
        widget=forms.CheckboxSelectMultiple,
        error_messages=dict.fromkeys(
            ("invalid_choice", "invalid_list"), f"The states are {', '.join(STATUSES)}."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        having, lacking, states = (
            frozenset(cleaned.get(name) or ()) for name in ("having", "lacking", "status")
        )
        if both := having & lacking:
            self.add_error("lacking", f"No ticket can both have {', '.join(sorted(both))} and lack it.")
        cleaned["only"] = TicketFilter(having, lacking, states)
        return cleaned

    @property
    def has_lacking(self) -> bool:
        """Whether tags to leave out are filled in or wrong: then the page shows them unfolded."""
        return bool(self["lacking"].value()) or "lacking" in self.errors

    @property
    def has_other_filters(self) -> bool:
        """Whether any other condition is filled in or wrong."""
        is_filled = bool(self["having"].value() or self["status"].value())
        return is_filled or bool(self.errors.keys() - {"lacking"})


class SourceForm(SourceKindsForm):
    """The tickets; after `is_valid()`, `chosen` gives their `Source`, and `only` the filter.

    It contains forms for tickets to add, tickets to leave out, and the filter.
    """

    def __init__(self, *args: Any, own_tickets: str = "", **kwargs: Any) -> None:
        """With `own_tickets` nothing need be chosen: the tool says which."""
        self.choices = {kind.kind: kind.choices() for kind in kinds()}
        super().__init__(*args, choices=self.choices, **kwargs)
        self.own_tickets = own_tickets
        # Where the page shows one panel at a time this names it, and what the others hold does not count.
        self.fields["kind"] = forms.ChoiceField(
            required=False,
            choices=[(panel, panel) for panel in (OWN, *self._ways_by_panel)],
            error_messages={"invalid_choice": "Choose one of the ways to say which tickets."},
        )
        data, files = (self.data, self.files) if self.is_bound else (None, None)
        self.added, self.left_out = (
            ExtraSourceForm(
                data,
                files,
                prefix=prefix,
                choices=self.choices,
                is_draft=self.is_draft,
                initial=self._initial_of(prefix),
            )
            for prefix in (AND, NOT)
        )
        self.filter_form = TicketFilterForm(data, initial=self.initial)

    def _initial_of(self, prefix: str) -> dict[str, Any]:
        start = f"{prefix}-"
        return {
            name.removeprefix(start): value for name, value in self.initial.items() if name.startswith(start)
        }

    @property
    def _ways_by_panel(self) -> dict[str, list[str]]:
        ways: dict[str, list[str]] = {}
        for way, kind in self.ways.items():
            ways.setdefault(kind.panel, []).append(way)
        return ways

    @property
    def parts(self) -> Sequence[forms.Form]:
        """The forms that stand in this one."""
        return self.added, self.left_out, self.filter_form

    @property
    def panels(self) -> list[Panel]:
        """The ways to say which tickets, as the tabs of the page."""
        own = Panel(OWN, self.own_tickets, "tool/_panel_own.html")
        chosen = sorted(self.names, key=lambda kind: kind.tab_place)
        panels = (
            Panel(kind.panel, kind.tab, kind.template, self.fields_of(kind), self.choices[kind.kind])
            for kind in chosen
        )
        return [*([own] if self.own_tickets else []), *panels]

    @property
    def notes(self) -> list[str]:
        """What a person reads about the tickets once the job is made, a sentence each."""
        return [*super().notes, *self.added.notes, *self.left_out.notes]

    @property
    def is_careful(self) -> bool:
        return super().is_careful or self.added.is_careful or self.left_out.is_careful

    @property
    def only(self) -> TicketFilter:
        """Of a valid form."""
        only: TicketFilter = self.filter_form.cleaned_data["only"]
        return only

    def chosen(self, own: Source | None = None, order: str = "") -> Source:
        """The tickets of a valid form; `own` are the tool's, used where nothing else names tickets."""
        first = [*self.named] or ([own] if own else [])
        return sources.combined([*first, *self.added.named], self.left_out.named, order)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        given = self.read(self._counted())
        if folded := list(self._wrong_parts()):
            raise ValidationError(f"Something under {' and '.join(folded)} has to be put right.", code="part")
        if not given and self.own_tickets and cleaned.get("kind", "") in ("", OWN):
            return cleaned
        if not given:
            raise ValidationError(
                "Say which tickets: choose a view, or give a search, a tag, ticket numbers or a file.",
                code="no_source",
            )
        if len(given) > 1:
            labels = [str(self.fields[name].label).lower() for name in given]
            raise ValidationError(
                f"Only one thing can say which tickets; there are {len(given)}: {', '.join(labels)}. "
                "Leave the others empty, or add them under “Add more tickets”.",
                code="many_sources",
            )
        if not self.errors:
            self.name(given)
        return cleaned

    def _wrong_parts(self) -> Iterator[str]:
        """The parts with an error, as the page calls them: they may be folded."""
        if self.added.errors:
            yield "“Add more tickets”"
        if self.left_out.errors or "lacking" in self.filter_form.errors:
            yield "“Leave some out”"
        if self.filter_form.errors.keys() - {"lacking"}:
            yield "“Only some of them”"

    def _counted(self) -> list[str]:
        """The fields of the panel that the page shows, or all; what is wrong in the others is forgotten."""
        panel = self.cleaned_data.get("kind", "")
        counted = [] if panel == OWN else self._ways_by_panel.get(panel, list(self.ways))
        for kind in self.names.keys() - {self.ways[way] for way in counted}:
            for name in self.names[kind]:
                self.errors.pop(name, None)
        return counted


class OptionsForm(forms.Form):
    """How the job is to be run."""

    dry_run = forms.BooleanField(required=False)  # the button "Preview"
    include_closed = forms.BooleanField(
        label="Include closed tickets",
        required=False,
        help_text="One is tried first; where the account does not allow it, the others are not sent.",
    )
    limit = WholeNumberField(
        label="At most this many tickets",
        required=False,
        most=None,
        wrong="Give a whole number from 1 on, or leave this empty.",
        help_text="Ends the list after so many. Empty: all of them.",
    )
    canary = WholeNumberField(
        label="Try on this many tickets first",
        required=False,
        most=MOST_CANARY,
        wrong=f"Give a whole number from 1 to {MOST_CANARY:,}, or leave this empty.",
        help_text="Changes so many tickets, then holds and asks whether to go on. Empty: goes through.",
    )
    no_ai_agent = forms.BooleanField(
        label="Leave out tickets that an AI agent handles",
        required=False,
        help_text="Zendesk keeps these read-only until a person takes over.",
    )
    verify = forms.BooleanField(
        label="Read every changed ticket back",
        required=False,
        help_text="One more call for each hundred tickets. Otherwise a sample is read back.",
    )
    guard = OneTagField(
        label="Guard tag",
        required=False,
        help_text="Added in the same write as the change, so that triggers can leave it alone.",
        widget=forms.TextInput(attrs={"placeholder": guard_tag.USUAL}),
    )
    guard_stays = forms.BooleanField(
        label="Leave it on until I take it off",
        required=False,
        help_text="Otherwise it is taken off by itself when the job has ended.",
    )
    order = forms.ChoiceField(
        label="In which order",
        required=False,
        choices=Order.choices,
        help_text="By ticket number, or by the last change. What comes first stays when the list ends early.",
        error_messages={"invalid_choice": "Choose one of the orders that are offered."},
    )
    nonce = forms.CharField(
        max_length=64,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ("required", "max_length", "null_characters_not_allowed"),
            "The form did not arrive whole. Load the page anew, and fill it in again.",
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["nonce"].initial = secrets.token_urlsafe(24)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        limit, canary = cleaned.get("limit"), cleaned.get("canary")
        if limit and canary and canary >= limit:
            self.add_error(
                "canary",
                f"The job ends after {limit:,} tickets, so {canary:,} cannot be tried first. Give fewer.",
            )
        if cleaned.get("guard_stays") and not cleaned.get("guard") and "guard" not in self.errors:
            self.add_error("guard", "Say which tag is to be left on, or take out the tick below.")
        return cleaned

    def clean_limit(self) -> int | None:
        limit: int | None = self.cleaned_data["limit"]
        if limit is not None and limit > settings.JOB_TICKET_LIMIT:
            raise ValidationError(
                f"No job may have more than {settings.JOB_TICKET_LIMIT:,} tickets here.",
                code="limit",
            )
        return limit
