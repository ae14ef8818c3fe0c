"""The ways in which people name tickets: the same fields for those to take and for those to leave out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.models import Job
from jobs.states import Outcome
from tagmanager.account import connection, suggestions
from tagmanager.account.choices import Choices
from tagmanager.intake import sources, ticket_ids
from tagmanager.intake.fields import TagsField, WholeNumberField
from tagmanager.intake.sources import Source
from tagmanager.intake.text_file import TextFile, TextFileField
from tagmanager.intake.ticket_ids import TicketIds
from zendesk import NotFound, Refused, Zendesk, ZendeskError

#: The fields that name tickets, each in its own way.
SOURCE_KINDS = ("view", "search", "tag", "ids", "ids_file", "job")
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
#: A form does not wait longer for Zendesk than this, seconds.
PATIENCE = 3.0


class SourceKindsForm(forms.Form):
    """Tickets, named in any of the ways; after `is_valid()`, `named` has a `Source` for each way used."""

    view = WholeNumberField(
        label="A view",
        required=False,
        wrong="The number of a view is a whole number, such as 360001.",
        help_text="The number of a Zendesk view.",
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
    leave_out = forms.BooleanField(
        label="Leave out what is not a ticket number",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )
    ids = forms.CharField(
        label="Ticket numbers",
        required=False,
        help_text="Separated by spaces, commas or line breaks.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "null_characters_not_allowed": "The text holds a character that is not text. Paste it anew."
        },
    )
    ids_file = TextFileField(
        label="A file of ticket numbers",
        required=False,
        help_text="CSV with a column id or ticket_id, or one number a line.",
        holds="Give ticket numbers, one a line, or CSV with a column id.",
    )

    job = WholeNumberField(
        label="An earlier job",
        required=False,
        wrong="The number of a job is a whole number, such as 12.",
        help_text="The number of a job that has ended, such as 12.",
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

    def __init__(
        self, *args: Any, views: Choices | None = None, zendesk: Zendesk | None = None, **kwargs: Any
    ) -> None:
        """With a connection that one is used, and what fails on it is raised instead of told at a field."""
        super().__init__(*args, **kwargs)
        self.zendesk = zendesk
        self.file_name = ""
        self.given: TicketIds | None = None
        self.named: list[Source] = []
        self.views = views
        if views and views.choices:
            self._offer_views(views.choices)

    def _offer_views(self, choices: list[tuple[int, str]]) -> None:
        field = self.fields["view"]
        offered: list[tuple[Any, str]] = [("", "Choose a view…"), *choices]
        typed = str(self.data.get(self.add_prefix("view")) or self.initial.get("view") or "")
        if typed and typed not in {str(number) for number, _ in offered}:
            offered.append((typed, f"View {typed}"))
        field.widget = forms.Select(choices=offered)
        field.widget.is_required = False
        field.help_text = "A view of Zendesk's, with all its tickets."

    @property
    def notes(self) -> list[str]:
        """What a person is told about the numbers once the job is made."""
        left_out = [self.given.left_out] if self.given else []
        return [
            note for note in [*left_out, *(sources.told_once(each.stored) for each in self.named)] if note
        ]

    @property
    def may_leave_out(self) -> bool:
        """Whether to offer to go on without what is not a ticket number."""
        return bool(self.given and self.given.odd)

    @property
    def is_used(self) -> bool:
        """Whether anything is filled in, or wrong: then it is shown unfolded."""
        return bool(self.errors) or any(self[way].value() for way in SOURCE_KINDS if way in self.fields)

    def clean_ids(self) -> array[int]:
        return self._numbers(ticket_ids.words_in(self.cleaned_data["ids"]))

    def clean_ids_file(self) -> array[int] | None:
        file: TextFile | None = self.cleaned_data["ids_file"]
        if file is None:
            return None
        self.file_name = file.name
        return self._numbers(sources.words_in(file.lines()))

    def _numbers(self, words: Iterable[tuple[int, str]]) -> array[int]:
        given = ticket_ids.read(words)
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
        if not self.errors:
            self.name([way for way in SOURCE_KINDS if cleaned.get(way)])
        return cleaned

    def name(self, ways: Iterable[str]) -> None:
        """Make a source of each of these fields, or say at the field why there is none."""
        for way in ways:
            try:
                connection.address()
                connection.credentials()
                self.named.append(self._source(way, self.cleaned_data[way]))
            except (connection.NotConnected, ValidationError) as problem:
                self.add_error(way, problem if isinstance(problem, ValidationError) else str(problem))
            except ZendeskError as problem:
                if self.zendesk is not None:
                    raise
                self.add_error(way, str(problem))

    def _source(self, way: str, value: Any) -> Source:
        match way:
            case "view":
                return sources.view(value, self._title_of_view(value))
            case "search":
                self._try_search(value)
                return sources.search(value)
            case "ids":
                return sources.ids(value)
            case "ids_file":
                return sources.ids(value, name=self.file_name)
            case "job":
                return _earlier(value, self._outcomes())
        if len(value) > 1:
            raise ValidationError(
                "Give one tag. For tickets with any of several tags use a search: tags:vip tags:gold.",
                code="one_tag",
            )
        return sources.tag(value[0])

    def _outcomes(self) -> list[str]:
        """Those that were ticked; where nobody is asked, all."""
        if "outcomes" not in self.fields:
            return [str(outcome) for outcome in Outcome]
        ticked: list[str] = self.cleaned_data.get("outcomes") or []
        return ticked

    def _connection(self) -> AbstractContextManager[Zendesk]:
        return nullcontext(self.zendesk) if self.zendesk else connection.connect(patience=PATIENCE)

    def _title_of_view(self, view_id: int) -> str:
        try:
            with self._connection() as zendesk:
                return zendesk.view(view_id).title
        except NotFound as exc:
            raise ValidationError(
                f"There is no view {view_id} in Zendesk, or the connected user may not see it. Its number is "
                "at the end of the view's address in the browser.",
                code="no_view",
            ) from exc

    def _try_search(self, query: str) -> None:
        """Raises `ValidationError` when Zendesk does not understand the query."""
        try:
            if self.zendesk:
                self.zendesk.search_count(query)
            else:
                suggestions.search_count(query)
        except Refused as problem:
            raise ValidationError(f"Zendesk cannot search for this. {problem}", code="search") from problem
        except ZendeskError:
            if self.zendesk is not None:
                raise
            # A late answer is no fault: the job itself waits for Zendesk as long as it takes.


#: What the fields of further tickets are called, by the prefix of their form.
LABELS = {
    "and": {
        "view": "Another view",
        "search": "Another search",
        "tag": "Another tag",
        "ids": "More ticket numbers",
        "ids_file": "A file of more numbers",
        "job": "Another earlier job",
    },
    "not": {
        "view": "Those of a view",
        "search": "Those that a search finds",
        "ids": "Those with these numbers",
        "ids_file": "Those in a file",
        "job": "Those of an earlier job",
    },
}


class ExtraSourceForm(SourceKindsForm):
    """Tickets that are taken as well, or (`prefix="not"`) left out: of an earlier job all of them.

    A tag to leave out is no field of it: each ticket is looked at for that, because a search is behind.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["outcomes"]
        if self.prefix == "not":
            del self.fields["tag"]
        for name, label in LABELS.get(self.prefix or "", {}).items():
            self.fields[name].label = label
        self.fields["job"].help_text = "The number of a job that has ended: all tickets of it."
        self.fields["ids"].widget.attrs["rows"] = 2


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
