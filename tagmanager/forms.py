"""Which tickets, and how: the part of every tool's form that is the same for all tools."""

from __future__ import annotations

import io
import secrets
from array import array
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from jobs.models import Job
from jobs.states import Outcome
from tagmanager import choices, connections, sources
from tagmanager.fields import MOST_ID, TagsField, TicketIdsField
from tagmanager.sources import Source
from zendesk import NotFound, ZendeskError

#: One of these, and only one, says which tickets.
SOURCES = ("view", "search", "tag", "ids", "ids_file", "job")
#: Where the page shows one way at a time, `kind` names it, and what the others hold does not count.
PANELS = {
    "view": ("view",),
    "search": ("search",),
    "ids": ("ids", "ids_file"),
    "tag": ("tag",),
    "job": ("job",),
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
#: A form does not wait longer for Zendesk than this, seconds.
PATIENCE = 3.0


class SourceForm(forms.Form):
    """The tickets; after `is_valid()`, `cleaned_data["source"]` is a `Source`."""

    view = forms.IntegerField(
        label="A view",
        required=False,
        min_value=1,
        max_value=MOST_ID,
        help_text="The number of a Zendesk view.",
    )
    search = forms.CharField(
        label="A search",
        required=False,
        max_length=2_000,
        help_text="As in Zendesk's search box, such as status:open created>2026-01-01.",
    )
    tag = TagsField(label="A tag", required=False, help_text="All tickets that carry it.")
    ids = TicketIdsField(
        label="Ticket numbers",
        required=False,
        help_text="Parted by blanks, commas or lines.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    ids_file = forms.FileField(
        label="A file of ticket numbers",
        required=False,
        help_text="CSV with a column id or ticket_id, or one number a line.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )

    job = forms.IntegerField(
        label="An earlier job",
        required=False,
        min_value=1,
        max_value=MOST_ID,
        help_text="The number of a job that has ended, such as 12.",
    )
    outcomes = forms.MultipleChoiceField(
        label="Its tickets that ended as",
        required=False,
        choices=EARLIER,
        initial=[Outcome.FAILED],
        widget=forms.CheckboxSelectMultiple,
    )
    kind = forms.ChoiceField(required=False, choices=[(name, name) for name in PANELS])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file_name = ""
        self.views = choices.views()
        if self.views.choices:
            self._offer_views()

    @property
    def panels(self) -> list[tuple[str, str]]:
        """The ways to say which tickets, as the tabs of the page."""
        labels = ("View", "Search", "Numbers", "Tag", "Earlier job")
        return list(zip(PANELS, labels, strict=True))

    def _offer_views(self) -> None:
        field = self.fields["view"]
        offered: list[tuple[Any, str]] = [("", "Choose a view…"), *self.views.choices]
        typed = str(self.data.get(self.add_prefix("view")) or self.initial.get("view") or "")
        if typed and typed not in {str(number) for number, _ in offered}:
            offered.append((typed, f"View {typed}"))
        field.widget = forms.Select(choices=offered)
        field.widget.is_required = False
        field.help_text = "A view of Zendesk's, with all its tickets."

    def clean_ids_file(self) -> array[int] | None:
        """The numbers, packed: a million of them as Python's own would take eight times the room."""
        file: UploadedFile[Any] | None = self.cleaned_data["ids_file"]
        if file is None:
            return None
        self.file_name = file.name or "a file"
        try:
            lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            return array("q", sources.ids_in(lines))
        except UnicodeDecodeError as exc:
            raise ValidationError(
                "The file is not a text file in UTF-8. Save it as CSV UTF-8, and choose it again.",
                code="encoding",
            ) from exc

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        counted = PANELS.get(cleaned.get("kind", ""), SOURCES)
        for name in set(SOURCES) - set(counted):
            self.errors.pop(name, None)
        given = [name for name in counted if cleaned.get(name) or name in self.errors]
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
            return sources.search(value)
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
        help_text="Only where the account allows closed tickets to be changed; otherwise they fail.",
    )
    limit = forms.IntegerField(
        label="At most",
        required=False,
        min_value=1,
        help_text="Stop the list after so many tickets. Empty: all of them.",
    )
    canary = forms.IntegerField(
        label="First only",
        required=False,
        min_value=1,
        max_value=MOST_CANARY,
        help_text="Change so many tickets, then hold and ask whether to go on. Empty: go through.",
    )
    nonce = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["nonce"].initial = secrets.token_urlsafe(24)

    def clean_limit(self) -> int | None:
        limit: int | None = self.cleaned_data["limit"]
        if limit is not None and limit > settings.JOB_TICKET_LIMIT:
            raise ValidationError(
                f"No job may have more than {settings.JOB_TICKET_LIMIT:,} tickets here.",
                code="limit",
            )
        return limit
