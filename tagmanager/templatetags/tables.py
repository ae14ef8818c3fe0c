"""What a page shows beside a field for a table: its question, its problems, and the file that is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import template
from django.forms import BoundField

from tagmanager.intake.tables.given import DIGEST, HEADER, KEPT, PLACE, SHEET, Answers
from tagmanager.intake.tables.problems import Question, Unclear
from tagmanager.intake.tag_pairs import MappingError

register = template.Library()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a question, with the choice above it."""

    number: int
    name: str
    chosen: str


@dataclass(frozen=True, slots=True)
class TableState:
    """What stands beside one field."""

    name: str  # of the field, as it is sent
    question: Question | None = None
    mapping: MappingError | None = None
    token: str = ""  # of the file that is kept
    file_name: str = ""
    hidden: list[tuple[str, str]] = field(default_factory=list)  # answers given before, to be sent again

    @property
    def columns(self) -> list[Column]:
        """The columns of the question, named by its header where there seems to be one."""
        if self.question is None:
            return []
        names = next((cells for line, cells in self.question.rows if line == self.question.header), ())
        return [
            Column(place + 1, names[place] if place < len(names) else "", chosen)
            for place, chosen in enumerate(self.question.proposed)
        ]


@register.simple_tag
def table_state(bound: BoundField) -> TableState:
    """The state of a field that takes a table."""
    form, name = bound.form, bound.html_name
    problems: list[Any] = form.errors.as_data().get(bound.name, []) if form.is_bound else []
    question = next((one.question for one in problems if isinstance(one, Unclear)), None)
    mapping = next((one for one in problems if isinstance(one, MappingError)), None)
    token, file_name = getattr(form, "kept_files", {}).get(bound.name, ("", ""))
    hidden = [(name + KEPT, token)] if token else []
    if form.is_bound:
        answers = Answers.of(form.data, name)
        if answers.sheet and not (question and question.sheets):
            hidden.append((name + SHEET, answers.sheet))
        if answers.by_place and question is None:
            hidden += [(name + PLACE, role) for role in answers.by_place]
            hidden += [(name + HEADER, str(answers.header or 0)), (name + DIGEST, answers.digest)]
    return TableState(name, question, mapping, token, file_name, hidden)
