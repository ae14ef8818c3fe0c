"""Which jobs a list shows, as its address says it: a tab of states, and what the small form above it asks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict

from jobs.models import Job, JobQuerySet
from jobs.states import ACTIVE, STOPPED, Status
from jobs.words import words

#: In place of a person's name: jobs that were asked for on the command line or by the clock.
NOBODY = "-"
#: No earlier or later day is asked for by anyone, and further ones overflow.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
#: More people and tools than these are not offered; an address may name any.
MOST_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Tab:
    """One choice of states, as the address names it."""

    name: str
    label: str
    statuses: frozenset[str]


TABS = (
    Tab("", "All", frozenset(Status.values)),
    Tab("active", "Active", frozenset(ACTIVE)),
    Tab("stopped", "Needs a person", frozenset(STOPPED)),
    Tab("finished", "Finished", frozenset({Status.SUCCEEDED, Status.PARTIAL})),
    Tab("cancelled", "Cancelled", frozenset({Status.CANCELLED})),
)


def tab_of(data: QueryDict) -> Tab:
    """The tab that `?show=` names; what it does not know is taken for all."""
    return next((tab for tab in TABS if tab.name == data.get("show", "")), TABS[0])


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        error_messages={"invalid": "Give a day as 2026-11-23."},
    )


class FilterForm(forms.Form):
    """What narrows the list. A value that cannot be used is told in words, and does not narrow."""

    q = forms.CharField(label="Title or number", required=False, max_length=200)
    tool = forms.CharField(label="Tool", required=False, max_length=64, widget=forms.Select)
    by = forms.CharField(label="Person", required=False, max_length=150, widget=forms.Select)
    tag = forms.CharField(label="Tag", required=False, max_length=255)
    since = _day("From")
    until = _day("To")

    def __init__(self, data: QueryDict, *, offer: bool = True) -> None:
        """With `offer` the known tools and people are read, two queries, for the form to show."""
        super().__init__(data, auto_id="filter-%s")
        for field in self.fields.values():
            look = "form-select" if isinstance(field.widget, forms.Select) else "form-control"
            field.widget.attrs["class"] = f"{look} {look}-sm"
        if offer:
            tools = Job.objects.order_by("tool").values_list("tool", flat=True).distinct()[:MOST_OFFERED]
            people = (
                get_user_model()
                .objects.filter(jobs__isnull=False)
                .order_by("username")
                .values_list("username", flat=True)
                .distinct()[:MOST_OFFERED]
            )
            self._offer("tool", "Any tool", [(slug, words().tool_name(slug)) for slug in tools])
            self._offer("by", "Anyone", [*((name, name) for name in people), (NOBODY, "Command line")])

    def _offer(self, name: str, all_of_them: str, choices: list[tuple[str, str]]) -> None:
        asked = str(self.data.get(name, ""))
        if asked and asked not in dict(choices):
            choices = [*choices, (asked, asked)]
        widget = self.fields[name].widget
        assert isinstance(widget, forms.Select)
        widget.choices = [("", all_of_them), *choices]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day is before the first one.")
        return cleaned

    @property
    def problems(self) -> list[str]:
        """What could not be used of the address, a sentence for each."""
        return [
            f"{self.fields[name].label}: {sentence} It was left out."
            for name, sentences in self.errors.items()
            for sentence in sentences
        ]

    @property
    def is_narrow(self) -> bool:
        """Something besides the tab narrows the list."""
        self.errors  # noqa: B018 - cleans the form
        return any(self.cleaned_data.values())

    def narrow(self, jobs: JobQuerySet) -> QuerySet[Job]:
        """Only the jobs that fit all that is asked."""
        self.errors  # noqa: B018 - cleans the form
        asked = self.cleaned_data
        if text := asked.get("q"):
            jobs = jobs.filter(_titled(text))
        if slug := asked.get("tool"):
            jobs = jobs.filter(tool=slug)
        if name := asked.get("by"):
            whose = Q(created_by__isnull=True) if name == NOBODY else Q(created_by__username=name)
            jobs = jobs.filter(whose)
        if tag := asked.get("tag"):
            jobs = jobs.alias(params_text=Cast("params", TextField())).filter(_tagged(tag.lower()))
        if since := asked.get("since"):
            jobs = jobs.filter(created_at__gte=_start_of(since))
        if until := asked.get("until"):
            jobs = jobs.filter(created_at__lt=_start_of(until + timedelta(days=1)))
        return jobs


def kept_query(data: QueryDict) -> str:
    """The part of an address that says which jobs: what stays when one turns a page or does something."""
    kept = QueryDict(mutable=True)
    for name in ("show", *FilterForm.base_fields):
        if value := data.get(name, "").strip():
            kept[name] = value
    return kept.urlencode()


def _titled(text: str) -> Q:
    """A part of the title, or the job's own number with or without #."""
    number = text.removeprefix("#")
    found = Q(title__icontains=text)
    if number.isascii() and number.isdigit() and len(number) < 19:
        found |= Q(pk=int(number))
    return found


def _tagged(tag: str) -> Q:
    """Jobs that add, remove or set the tag, or that chose their tickets by it.

    Looked for in the text of the parameters, as a JSON value: never followed by a colon, which a key is. One
    database keeps letters beyond ASCII as they are, the other escaped.
    """
    found = Q(source__tag=tag)
    for written in {json.dumps(tag), json.dumps(tag, ensure_ascii=False)}:
        for end in (",", "]", "}"):
            found |= Q(params_text__contains=written + end)
    return found


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)
