"""Tags per row of a file: each ticket gets a change of its own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.source_spec import LISTED
from jobs.work import Skipped, Unchanged
from tagmanager.account import connection
from tagmanager.intake import tag_rows
from tagmanager.intake.sources import Source
from tagmanager.intake.tag_rows import Rows
from tagmanager.ticket_change import TicketChange, TicketSnapshot, too_long
from tagmanager.tools.base import Answer, ToolForm
from tagmanager.tools.fields import PastedTableField, TableField

#: Where fewer rows than this share a change on average, each ticket is sent with its whole list of tags and
#: the stamp of its reading, a hundred a call. Otherwise a call would carry only the few that share a change.
MIN_ROWS_PER_CHANGE = 10
#: Up to this many different changes get a call each, which leaves alone the tags that others add meanwhile.
MAX_SHARED_CHANGES = 20


class TagRowsForm(ToolForm):
    prefix: str | None = None
    lists_tickets = True

    typed_rows = PastedTableField(
        label="Rows",
        required=False,
        help_text="The first line names the columns. Several tags in a cell are separated by blanks.",
        widget=forms.Textarea(
            attrs={
                "rows": 8,
                "spellcheck": "false",
                "placeholder": "id,add,remove\n4711,vip,trial\n4712,gold vip,",
            }
        ),
    )
    rows = TableField(
        label="Or a file of rows",
        required=False,
        help_text="CSV, Excel or LibreOffice with columns such as Ticket ID, Add tags and Remove tags.",
        holds="Give a table with the columns id, add and remove.",
    )
    skip_bad_lines = forms.BooleanField(
        label="Leave out rows whose ticket number is none",
        required=False,
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def clean_skip_bad_lines(self) -> bool:
        """The tables, now that all that is said about them is known."""
        leave_out: bool = self.cleaned_data["skip_bad_lines"]
        self.file_name = ""
        for name, field in (("typed_rows", PastedTableField), ("rows", TableField)):
            given = field.given(self, name, leave_out=leave_out)
            try:
                self.cleaned_data[name] = tag_rows.read(given) if given else Rows()
            except ValidationError as problem:
                self.add_error(name, problem)
            if given and given.name:
                self.file_name = given.name
        return leave_out

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            connection.address()
            connection.credentials()
        except connection.NotConnected as problem:
            raise ValidationError(str(problem), "not_connected") from problem
        if self.errors:
            return cleaned
        typed, read = cleaned["typed_rows"], cleaned["rows"]
        if typed and read:
            raise ValidationError("Give the rows as text or as a file, not both.", "many_ways")
        if not (typed or read):
            raise ValidationError("Give at least one row: a ticket number, and tags to add or to remove.")
        return cleaned

    @property
    def given(self) -> Rows:
        """The rows of a valid form."""
        rows: Rows = self.cleaned_data["typed_rows"] or self.cleaned_data["rows"]
        return rows

    @property
    def listed(self) -> Source:
        rows, name = self.given, "" if self.cleaned_data["typed_rows"] else self.file_name
        number = len(rows.ids) - rows.doubles
        stored = {"kind": LISTED, "name": name, "number": number, "doubles": rows.doubles}
        return Source(stored, rows.ids, rows.given_changes())

    def params(self) -> dict[str, Any]:
        rows = self.given
        number = rows.number_of_changes
        differ = number > MAX_SHARED_CHANGES and number * MIN_ROWS_PER_CHANGE > len(rows.ids)
        return {"each_its_own": True} if differ else {}

    @property
    def notes(self) -> list[str]:
        told, number = [self.given.told()], self.given.doubles
        if number:
            what = "1 row says" if number == 1 else f"{number:,} rows say"
            told.append(
                f"{what} again what an earlier row says of the same ticket, and each ticket counts once."
            )
        return told

    @property
    def is_careful(self) -> bool:
        return self.given.reading.is_careful

    @classmethod
    def refilled(cls, given: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        return {"typed_rows": tag_rows.as_text(given)}


class TagRows:
    """Each ticket of a list gets the tags of its own row, and loses those of its own row."""

    slug = "tag-rows"
    name = "Tags per row"
    icon = "rows"
    summary = "Add and remove other tags on each ticket, row by row, from a spreadsheet."
    form_class = TagRowsForm

    def title(self, params: dict[str, Any], tickets: str) -> str:  # noqa: ARG002 - each row says its own
        return f"Change the tags of {tickets}, row by row"

    def asked_of(self, params: dict[str, Any]) -> TicketChange | None:
        """`params` hold what the ticket's row asks for."""
        return TicketChange(frozenset(params.get("add", ())), frozenset(params.get("remove", ())))

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        """`params` hold what the ticket's row asks for."""
        add, remove = frozenset(params.get("add", ())), frozenset(params.get("remove", ()))
        is_own = params.get("each_its_own", False)
        change = TicketChange(add - ticket.tags, remove & ticket.tags, exact=is_own)
        if not change:
            return Unchanged()
        if problem := too_long(change.applied_to(ticket.tags)):
            return Skipped("too_many_tags", problem)
        return change
