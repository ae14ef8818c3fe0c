"""The tickets of a view."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.models import Job
from jobs.source_spec import Stored
from tagmanager.account import choices
from tagmanager.account.choices import Choices
from tagmanager.intake.fields import WholeNumberField
from tagmanager.intake.source_kinds.base import AND, NOT, Counts, SourceKind, Way, connected
from tagmanager.intake.source_kinds.source import Source
from zendesk import NotFound, Page, Ticket, Zendesk, ZendeskError
from zendesk.error_body import one_line

#: Tickets after which the pages of a view may end although there are more: how deep they reach is not
#: documented, and those of other lists end here (developer.zendesk.com, pagination).
DEPTH = 10_000


def view(view_id: int, title: str) -> Source:
    """The title is Zendesk's, so it is stored as one line that any database and any page can take."""
    return Source({"kind": "view", "id": view_id, "title": one_line(title)})


class View(SourceKind):
    kind = "view"
    panel, tab, tab_place = "view", "View", 1
    template = "tool/_panel_view.html"
    ways = (
        Way(
            "view",
            help="{} of a view.",
            argument={"type": int, "metavar": "ID"},
            labels={AND: "Another view", NOT: "Those of a view"},
        ),
    )

    def fields(self, *, extra: bool) -> dict[str, forms.Field]:
        number = WholeNumberField(
            label="A view",
            required=False,
            wrong="The number of a view is a whole number, such as 360001.",
            help_text="The number of a Zendesk view.",
        )
        return {"view": number}

    def choices(self) -> Choices:
        return choices.views()

    def offer(self, form: forms.BaseForm, choices: Choices) -> None:
        field = form.fields["view"]
        if not choices.choices:
            field.widget.attrs["list"] = choices.list_id
            return
        offered: list[tuple[Any, str]] = [("", "Choose a view…"), *choices.choices]
        typed = str(form.data.get(form.add_prefix("view")) or form.initial.get("view") or "")
        if typed and typed not in {str(number) for number, _ in offered}:
            offered.append((typed, f"View {typed}"))
        field.widget = forms.Select(choices=offered)
        field.widget.is_required = False
        field.help_text = "A view of Zendesk's, with all its tickets."

    def read(self, way: str, form: forms.BaseForm) -> Source | None:
        number: int | None = form.cleaned_data.get(way)
        return view(number, "") if number else None

    def checked(self, source: Source, zendesk: Zendesk | None) -> Source:
        view_id: int = source.stored["id"]
        try:
            with connected(zendesk) as client:
                return view(view_id, client.view(view_id).title)
        except NotFound as exc:
            raise ValidationError(
                f"There is no view {view_id} in Zendesk, or the connected user may not see it. Its number is "
                "at the end of the view's address in the browser.",
                code="no_view",
            ) from exc

    def assumed(self, source: Source, choices: Choices | None) -> Source:
        number: int = source.stored["id"]
        titles = dict(choices.choices) if choices else {}
        return view(number, titles.get(number, ""))

    def option_value(self, stored: Stored, refs: Iterable[int]) -> tuple[str, str]:
        return "view", str(stored["id"])

    def filling(self, stored: Stored, *, job: Job, part: int, extra: bool) -> dict[str, Any]:
        return {"kind": self.panel, "view": stored["id"]}

    def phrase(self, stored: Stored) -> str:
        title = stored["title"]
        return f"tickets of view “{title}”" if title else f"tickets of view {stored['id']}"

    def words(self, stored: Stored) -> str:
        return f"The view {stored.get('title') or stored['id']}"

    def number(self, stored: Stored, counts: Counts) -> int | None:
        return counts.view(stored["id"])

    def pages(self, zendesk: Zendesk, stored: Stored, cursor: str) -> Iterator[Page[Ticket]]:
        return zendesk.view_tickets(stored["id"], cursor=cursor or None)

    def count(self, zendesk: Zendesk, stored: Stored) -> int | None:
        """A view's own count is up to 90 minutes old and may be rounded, so only a fresh one counts."""
        try:
            count = zendesk.view_count(stored["id"])
        except ZendeskError:
            return None
        return count.value if count.fresh else None

    def completeness_doubt(self, zendesk: Zendesk, stored: Stored, found: int, *, taken_out: bool) -> str:
        """Only a count that is well above what was found speaks for more."""
        if found < DEPTH:
            return ""
        count = self.count(zendesk, stored)
        if count is None or count - found <= max(found // 100, 100):
            return ""
        counted = f"Zendesk counts {count:,} tickets in this view, and its pages ended after {found:,}"
        if taken_out:
            return (
                f"{counted}: which others are to be left out is not known, so nothing was begun. Cancel this "
                "job, and name the tickets to leave out by a search, which has no such end."
            )
        return (
            f"But {counted}: the others are not in this job. Choose them by a search, which has no such end."
        )
