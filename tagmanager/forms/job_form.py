"""Which tickets, and how: the part of every tool's form that is the same for all tools."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from jobs.source_spec import Order
from tagmanager.account import choices
from tagmanager.account.status import account_status
from tagmanager.changes import guard_tag
from tagmanager.forms.source_form import SOURCE_KINDS, ExtraSourceForm, SourceKindsForm
from tagmanager.intake import sources
from tagmanager.intake.fields import OneTagField, TagsField, WholeNumberField
from tagmanager.intake.sources import Source
from tagmanager.intake.ticket_filter import TicketFilter
from zendesk import ADMINS_ONLY

#: One of these, and only one, says which tickets; more are added in a part of their own.
SOURCES = (*SOURCE_KINDS, "all_tickets")
#: The way in which the tool itself says which tickets, for tools that can.
OWN = "own"
#: Where the page shows one way at a time, `kind` names it, and what the others hold does not count.
PANELS: dict[str, tuple[str, ...]] = {
    OWN: (),
    "view": ("view",),
    "search": ("search",),
    "ids": ("ids", "ids_file"),
    "tag": ("tag",),
    "job": ("job",),
    "all": ("all_tickets",),
}
#: The states of a ticket, as Zendesk calls them.
STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
#: The most tickets that a careful start may have.
MOST_CANARY = 10_000


class TicketFilterForm(forms.Form):
    """Which of the tickets; after `is_valid()`, `cleaned_data["only"]` is an `Only`."""

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
    def leaves_out(self) -> bool:
        """Whether tags to leave out are filled in, or wrong: then they are shown unfolded."""
        return bool(self["lacking"].value()) or "lacking" in self.errors

    @property
    def narrows(self) -> bool:
        """The same for what is kept to."""
        is_filled = bool(self["having"].value() or self["status"].value())
        return is_filled or bool(self.errors.keys() - {"lacking"})


class SourceForm(SourceKindsForm):
    """The tickets; after `is_valid()`, `chosen` gives their `Source`, and `only` says which of them.

    Further forms stand in it, for those to take as well, those to leave out, and those to keep to.
    """

    all_tickets = forms.BooleanField(
        label="All tickets of the account",
        required=False,
        help_text="Archived and closed ones too. Zendesk lists them for admins only, 10,000 a minute.",
    )
    kind = forms.ChoiceField(
        required=False,
        choices=[(name, name) for name in PANELS],
        error_messages={"invalid_choice": "Choose one of the ways to say which tickets."},
    )

    def __init__(self, *args: Any, own_tickets: str = "", **kwargs: Any) -> None:
        """With `own_tickets` nothing need be chosen: the tool says which."""
        super().__init__(*args, views=choices.views(), **kwargs)
        self.own_tickets = own_tickets
        data, files = (self.data, self.files) if self.is_bound else (None, None)
        self.more, self.less = (
            ExtraSourceForm(data, files, prefix=prefix, views=self.views, initial=self._initial_of(prefix))
            for prefix in ("and", "not")
        )
        self.which = TicketFilterForm(data, initial=self.initial)

    def _initial_of(self, prefix: str) -> dict[str, Any]:
        start = f"{prefix}-"
        return {
            name.removeprefix(start): value for name, value in self.initial.items() if name.startswith(start)
        }

    @property
    def parts(self) -> Sequence[forms.Form]:
        """The forms that stand in this one."""
        return self.more, self.less, self.which

    @property
    def panels(self) -> list[tuple[str, str]]:
        """The ways to say which tickets, as the tabs of the page."""
        labels = (self.own_tickets, "View", "Search", "Numbers", "Tag", "Earlier job", "All")
        return [(name, label) for name, label in zip(PANELS, labels, strict=True) if label]

    @property
    def notes(self) -> list[str]:
        """What a person is told about the numbers once the job is made."""
        return [*super().notes, *self.more.notes, *self.less.notes]

    @property
    def only(self) -> TicketFilter:
        """Of a valid form."""
        only: TicketFilter = self.which.cleaned_data["only"]
        return only

    def chosen(self, own: Source | None = None, order: str = "") -> Source:
        """The tickets of a valid form; `own` are those that the tool itself says, where nobody else does."""
        first = [*self.named] or ([own] if own else [])
        return sources.combined([*first, *self.more.named], self.less.named, order)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        counted = PANELS.get(cleaned.get("kind", ""), SOURCES)
        for name in set(SOURCES) - set(counted):
            self.errors.pop(name, None)
        given = [name for name in counted if cleaned.get(name) or name in self.errors]
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
        """What the page calls the parts in which something is wrong; they may lie folded."""
        if self.more.errors:
            yield "“Add more tickets”"
        if self.less.errors or "lacking" in self.which.errors:
            yield "“Leave some out”"
        if self.which.errors.keys() - {"lacking"}:
            yield "“Only some of them”"

    def _source(self, way: str, value: Any) -> Source:
        if way == "all_tickets":
            _must_be_admin()
            return sources.all_tickets()
        return super()._source(way, value)


def _must_be_admin() -> None:
    """Raises `ValidationError` where that is known; else the job is told."""
    found = account_status()
    if found.role and found.role != "admin":
        raise ValidationError(
            f"{ADMINS_ONLY} The connected user, {found.user}, is an {found.role}.", code="no_admin"
        )


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
