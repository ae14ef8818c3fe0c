"""Which tickets, and how: the part of every tool's form that is the same for all tools."""

from __future__ import annotations

import io
import secrets
from array import array
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from jobs.models import Job
from jobs.numerals import MOST
from jobs.states import Outcome
from tagmanager import choices, connections, guarding, numbers, sources, suggestions
from tagmanager.fields import OneTagField, TagsField
from tagmanager.glance import glance
from tagmanager.numbers import Numbers
from tagmanager.sources import Source
from zendesk import ADMINS_ONLY, NotFound, Refused, ZendeskError

#: One of these, and only one, says which tickets.
SOURCES = ("view", "search", "tag", "ids", "ids_file", "job", "all_tickets")
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
#: Of an earlier job, as people read them.
EARLIER = (
    (Outcome.FAILED, "failed"),
    (Outcome.UNVERIFIED, "unverified"),
    (Outcome.PENDING, "not attempted"),
    (Outcome.SKIPPED, "skipped"),
    (Outcome.CHANGED, "changed"),
    (Outcome.UNCHANGED, "unchanged"),
    (Outcome.PLANNED, "would be changed (of a preview)"),
)
#: The most tickets that a careful start may have.
MOST_CANARY = 10_000
#: What Django calls the ways in which a number can be none.
NO_NUMBER = ("invalid", "min_value", "max_value")
#: A form does not wait longer for Zendesk than this, seconds.
PATIENCE = 3.0


class SourceForm(forms.Form):
    """The tickets; after `is_valid()`, `cleaned_data["source"]` is a `Source`."""

    view = forms.IntegerField(
        label="A view",
        required=False,
        min_value=1,
        max_value=MOST,
        help_text="The number of a Zendesk view.",
        error_messages=dict.fromkeys(NO_NUMBER, "The number of a view is a whole number, such as 360001."),
    )
    search = forms.CharField(
        label="A search",
        required=False,
        max_length=2_000,
        error_messages={
            "max_length": "The search is too long: it may have 2,000 characters.",
            "null_characters_not_allowed": "The search holds a character that is not text. Type it anew.",
        },
        help_text="As in Zendesk's search box, such as status:open created>2026-01-01.",
    )
    tag = TagsField(label="A tag", required=False, help_text="All tickets that carry it.")
    # Before the numbers, which look at it.
    leave_out = forms.BooleanField(label="Leave out what is not a ticket number", required=False)
    ids = forms.CharField(
        label="Ticket numbers",
        required=False,
        help_text="Separated by spaces, commas or line breaks.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "null_characters_not_allowed": "The text holds a character that is not text. Paste it anew."
        },
    )
    ids_file = forms.FileField(
        label="A file of ticket numbers",
        required=False,
        help_text="CSV with a column id or ticket_id, or one number a line.",
        max_length=255,
        error_messages={
            "empty": "The file is empty. Give ticket numbers, one a line, or CSV with a column id.",
            "invalid": "The file did not arrive. Choose it again.",
            "missing": "The file did not arrive. Choose it again.",
            "max_length": "The name of the file is too long. Shorten it, and choose the file again.",
        },
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )

    job = forms.IntegerField(
        label="An earlier job",
        required=False,
        min_value=1,
        max_value=MOST,
        help_text="The number of a job that has ended, such as 12.",
        error_messages=dict.fromkeys(NO_NUMBER, "The number of a job is a whole number, such as 12."),
    )
    outcomes = forms.MultipleChoiceField(
        label="Its tickets that ended as",
        required=False,
        choices=EARLIER,
        initial=[Outcome.FAILED],
        widget=forms.CheckboxSelectMultiple,
        error_messages=dict.fromkeys(
            ("invalid_choice", "invalid_list"), "Tick one of the choices that are offered."
        ),
    )
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
        """With `own_tickets` nothing need be chosen: `source` is then None, and the tool says which."""
        super().__init__(*args, **kwargs)
        self.own_tickets = own_tickets
        self.file_name = ""
        self.given: Numbers | None = None
        self.views = choices.views()
        if self.views.choices:
            self._offer_views()

    @property
    def panels(self) -> list[tuple[str, str]]:
        """The ways to say which tickets, as the tabs of the page."""
        labels = (self.own_tickets, "View", "Search", "Numbers", "Tag", "Earlier job", "All")
        return [(name, label) for name, label in zip(PANELS, labels, strict=True) if label]

    def _offer_views(self) -> None:
        field = self.fields["view"]
        offered: list[tuple[Any, str]] = [("", "Choose a view…"), *self.views.choices]
        typed = str(self.data.get(self.add_prefix("view")) or self.initial.get("view") or "")
        if typed and typed not in {str(number) for number, _ in offered}:
            offered.append((typed, f"View {typed}"))
        field.widget = forms.Select(choices=offered)
        field.widget.is_required = False
        field.help_text = "A view of Zendesk's, with all its tickets."

    @property
    def notes(self) -> list[str]:
        """What a person is told about the numbers once the job is made."""
        source: Source | None = self.cleaned_data.get("source")
        if self.given is None or source is None:
            return []
        return [note for note in (self.given.left_out, sources.told_once(source.stored)) if note]

    @property
    def may_leave_out(self) -> bool:
        """Whether to offer to go on without what is not a ticket number."""
        return bool(self.given and self.given.odd)

    def clean_ids(self) -> array[int]:
        return self._numbers(numbers.words_in(self.cleaned_data["ids"]))

    def clean_ids_file(self) -> array[int] | None:
        file: UploadedFile[Any] | None = self.cleaned_data["ids_file"]
        if file is None:
            return None
        self.file_name = file.name or "a file"
        try:
            return self._numbers(sources.words_in(io.TextIOWrapper(file, encoding="utf-8-sig", newline="")))
        except UnicodeDecodeError as exc:
            raise ValidationError(
                "The file is not a text file in UTF-8. Save it as CSV UTF-8, and choose it again.",
                code="encoding",
            ) from exc

    def _numbers(self, words: Iterable[tuple[int, str]]) -> array[int]:
        given = numbers.read(words)
        if not (given.ids or given.odd):
            return given.ids
        self.given = given
        if given.problem and not self.cleaned_data["leave_out"]:
            raise ValidationError(given.problem, code="ticket_id")
        if not given.ids:
            raise ValidationError("None of this is a ticket number.", code="no_number")
        return given.ids

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        counted = PANELS.get(cleaned.get("kind", ""), SOURCES)
        for name in set(SOURCES) - set(counted):
            self.errors.pop(name, None)
        given = [name for name in counted if cleaned.get(name) or name in self.errors]
        if not given and self.own_tickets and cleaned.get("kind", "") in ("", OWN):
            cleaned["source"] = None
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
                "Leave the others empty.",
                code="many_sources",
            )
        if not self.errors:
            self._clean_source(cleaned, given[0])
        return cleaned

    def _clean_source(self, cleaned: dict[str, Any], name: str) -> None:
        try:
            connections.address()
            connections.credentials()
            if name == "job":
                cleaned["source"] = _earlier(cleaned["job"], cleaned.get("outcomes") or [])
            else:
                cleaned["source"] = self._source(name, cleaned[name])
        except (connections.NotConnected, ZendeskError, ValidationError) as problem:
            self.add_error(name, problem if isinstance(problem, ValidationError) else str(problem))

    def _source(self, name: str, value: Any) -> Source:
        if name == "view":
            return sources.view(value, _title_of_view(value))
        if name == "search":
            _try_search(value)
            return sources.search(value)
        if name == "all_tickets":
            _must_be_admin()
            return sources.all_tickets()
        if name == "ids":
            return sources.ids(value)
        if name == "ids_file":
            return sources.ids(value, name=self.file_name)
        if len(value) > 1:
            raise ValidationError(
                "Give one tag. For tickets with any of several tags use a search: tags:vip tags:gold.",
                code="one_tag",
            )
        return sources.tag(value[0])


def _earlier(number: int, outcomes: list[str]) -> Source:
    job = Job.objects.filter(pk=number).first()
    if job is None:
        raise ValidationError(f"There is no job {number} here.", code="no_job")
    if not job.is_ended:
        raise ValidationError(
            f"Job {number} has not ended yet, so its tickets may still end otherwise. Wait for it, or "
            "cancel it.",
            code="not_ended",
        )
    if not outcomes:
        raise ValidationError("Tick which of its tickets: failed, skipped, and so on.", code="no_outcome")
    counts = job.counts | {Outcome.PENDING.value: job.remaining}
    if not any(counts[outcome] for outcome in outcomes):
        words = " or ".join(label for outcome, label in EARLIER if outcome in outcomes)
        raise ValidationError(f"Job {number} has no ticket that is {words}.", code="no_tickets")
    return sources.items(number, outcomes)


def _must_be_admin() -> None:
    """Raises `ValidationError` where that is known; else the job is told."""
    found = glance()
    if found.role and found.role != "admin":
        raise ValidationError(
            f"{ADMINS_ONLY} The connected user, {found.user}, is an {found.role}.", code="no_admin"
        )


def _try_search(query: str) -> None:
    """Raises `ValidationError` when Zendesk does not understand the query; a late answer is no fault."""
    try:
        suggestions.search_count(query)
    except Refused as problem:
        raise ValidationError(f"Zendesk cannot search for this. {problem}", code="search") from problem
    except ZendeskError:
        return  # the job itself waits for Zendesk as long as it takes


def _title_of_view(view_id: int) -> str:
    try:
        with connections.connect(patience=PATIENCE) as zendesk:
            return zendesk.view(view_id).title
    except NotFound as exc:
        raise ValidationError(
            f"There is no view {view_id} in Zendesk, or the connected user may not see it.", code="no_view"
        ) from exc


class OptionsForm(forms.Form):
    """How the job is to be run."""

    dry_run = forms.BooleanField(required=False)  # the button "Preview"
    include_closed = forms.BooleanField(
        label="Include closed tickets",
        required=False,
        help_text="One is tried first; where the account does not allow it, the others are not sent.",
    )
    limit = forms.IntegerField(
        label="At most this many tickets",
        required=False,
        min_value=1,
        help_text="Ends the list after so many. Empty: all of them.",
        error_messages=dict.fromkeys(NO_NUMBER, "Give a whole number from 1 on, or leave this empty."),
    )
    canary = forms.IntegerField(
        label="Try on this many tickets first",
        required=False,
        min_value=1,
        max_value=MOST_CANARY,
        help_text="Changes so many tickets, then holds and asks whether to go on. Empty: goes through.",
        error_messages=dict.fromkeys(
            NO_NUMBER, f"Give a whole number from 1 to {MOST_CANARY:,}, or leave this empty."
        ),
    )
    guard = OneTagField(
        label="Guard tag",
        required=False,
        help_text="Added in the same write as the change, so that triggers can leave it alone.",
        widget=forms.TextInput(attrs={"placeholder": guarding.USUAL}),
    )
    guard_stays = forms.BooleanField(
        label="Leave the guard tag on until I take it off",
        required=False,
        help_text="Otherwise it is taken off by itself when the job has ended.",
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
