"""Tickets named by their numbers, typed or in a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.common.formatting import some
from jobs.models import Job, ListedRefs
from jobs.source_spec import LISTED, Stored
from tagmanager.intake import numbers_sorted, ticket_ids
from tagmanager.intake.source_kinds.base import AND, NOT, Counts, SourceKind, Way
from tagmanager.intake.source_kinds.earlier_job import tickets_of
from tagmanager.intake.source_kinds.source import Source
from tagmanager.intake.text_file import PastedTableField, TableField

#: More numbers than this are not put into a text box: the earlier job's tickets are named instead.
MOST_TYPED = 5_000
#: The code of the error about words that are no ticket numbers, which may be left out.
UNREADABLE = "ticket_id"


def ids(
    numbers: Sequence[int], *, name: str = "", notes: Sequence[str] = (), is_careful: bool = False
) -> Source:
    """Numbers in the order given; `name` is the file they come from.

    Each counts once: `number` is how many tickets they are, `doubles` how many numbers repeat an earlier one.
    """
    doubles = doubles_in(numbers)
    stored = {"kind": LISTED, "name": name, "number": len(numbers) - doubles, "doubles": doubles}
    told = [note for note in (*notes, _doubles_note(doubles)) if note]
    return Source(stored, numbers, notes=told, is_careful=is_careful)


def doubles_in(numbers: Sequence[int]) -> int:
    """How many of the numbers repeat another one."""
    return numbers_sorted.count(numbers_sorted.repeated(numbers))


def _doubles_note(doubles: int) -> str:
    if doubles == 1:
        return "1 number was given twice, and counts once."
    return f"{doubles:,} numbers repeat earlier ones, and each ticket counts once." if doubles else ""


class Numbers(SourceKind):
    kind = LISTED
    panel, tab, tab_place = "ids", "Numbers", 3
    template = "tool/_panel_ids.html"
    ways = (
        Way(
            "ids",
            help="{} with these numbers.",
            argument={"metavar": "1,2,3"},
            labels={AND: "More ticket numbers", NOT: "Those with these numbers"},
            empty="No ticket number was given. Give numbers such as 4711,4712.",
        ),
        Way(
            "ids_file",
            help="{} of a file: one number a line, or a table with a column id. - is standard input.",
            argument={"metavar": "PATH"},
            labels={AND: "A file of more numbers", NOT: "Those in a file"},
            takes_file=True,
            empty="No ticket number is in the file.",
        ),
    )
    is_exact = True

    def fields(self, *, extra: bool) -> dict[str, forms.Field]:
        typed = PastedTableField(
            label="Ticket numbers",
            required=False,
            help_text="Separated by spaces, commas or line breaks, or copied from a spreadsheet.",
            widget=forms.Textarea(attrs={"rows": 2 if extra else 3}),
        )
        file = TableField(
            label="A file of ticket numbers",
            required=False,
            help_text="CSV, Excel or LibreOffice with a column such as Ticket ID, or one number a line.",
            holds="Give ticket numbers, one a line, or a table with a column id.",
        )
        leave_out = forms.BooleanField(
            label="Leave out what is not a ticket number",
            required=False,
            widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
        )
        return {"ids": typed, "ids_file": file, "leave_out": leave_out}

    def hidden(self, form: forms.BaseForm) -> Sequence[str]:
        """The choice to go on without some words is offered only where there are such words."""
        is_wanted = form["leave_out"].value() or any(
            form.has_error(way.name, UNREADABLE) for way in self.ways
        )
        return () if is_wanted else ("leave_out",)

    def read(self, way: str, form: forms.BaseForm) -> Source | None:
        leave_out = bool(form.cleaned_data.get("leave_out"))
        field = TableField if isinstance(form.fields[way], TableField) else PastedTableField
        given = field.given(form, way, leave_out=leave_out)
        if given is None:
            return None
        found = ticket_ids.read(given)
        if found.problem and not leave_out:
            raise ValidationError(found.problem, code=UNREADABLE)
        if found.unreadable and not found.ids:
            raise ValidationError("None of this is a ticket number.", code="no_number")
        if not found.ids:
            return None
        told = found.told(doubles_in(found.ids))
        notes = [told, found.left_out_note]
        return ids(found.ids, name=given.name, notes=notes, is_careful=found.reading.is_careful)

    def option_value(self, stored: Stored, refs: Iterable[int]) -> tuple[str, str] | None:
        """A file by its name, numbers as they were typed; too many for one line are no option."""
        if stored["name"]:
            return "ids_file", stored["name"]
        typed = list(islice(refs, MOST_TYPED + 1))
        return ("ids", ",".join(map(str, typed))) if typed and len(typed) <= MOST_TYPED else None

    def filling(self, stored: Stored, *, job: Job, part: int, extra: bool) -> dict[str, Any]:
        words: list[str] = []
        for row in ListedRefs.in_order(job.listed.filter(part=part), at_once=1):
            words += row.refs.split()
            if len(words) > MOST_TYPED:
                return {} if extra else tickets_of(job)
        return {"kind": self.panel, "ids": " ".join(words)}

    def phrase(self, stored: Stored) -> str:
        number, name = stored.get("number"), stored["name"]
        tickets = "the tickets" if number is None else some(number, "ticket")
        return f"{tickets} {f'of {name}' if name else 'given by number'}"

    def words(self, stored: Stored) -> str:
        number, name, doubles = stored.get("number"), stored.get("name"), stored.get("doubles")
        if number is None:
            return f"The numbers in {name}" if name else "Given by number"
        repeated = f"; {some(doubles, 'repeated number')} left out" if doubles else ""
        return f"{some(number, 'ticket')} {f'named in {name}' if name else 'given by number'}{repeated}"

    def number(self, stored: Stored, counts: Counts) -> int | None:
        return int(stored["number"])
