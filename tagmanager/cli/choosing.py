"""From the options of a command to the tickets of its job."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from jobs.cli.commands import usage_error
from jobs.source_spec import SEVERAL
from tagmanager.cli.account import LiveCounts
from tagmanager.cli.options import (
    FILTERS,
    STDIN,
    files,
    given_filters,
    given_sources,
    sentences_of,
    source_options,
    ways,
)
from tagmanager.forms import submit
from tagmanager.forms.job_form import TicketFilterForm
from tagmanager.forms.source_form import ExtraSourceForm, SourceKindsForm
from tagmanager.intake import source_size, sources
from tagmanager.intake.source_kinds.base import NOT
from tagmanager.intake.source_kinds.registry import phrase_of
from tagmanager.intake.sources import Source
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.tools.base import ChoosesTickets, Tool, ToolForm
from tagmanager.tools.demands import why_not_read
from zendesk import Zendesk


@dataclass(frozen=True, slots=True)
class ChosenTickets:
    """A source, its filter, notes for the person, and about how many tickets it holds (None: not known)."""

    source: Source
    only: TicketFilter = field(default_factory=TicketFilter)
    number: int | None = None
    notes: Sequence[str] = ()

    def phrase(self, limit: int | None) -> str:
        """As the end of a question: "about 10,400 tickets of view “All unsolved”"."""
        if self.number is None or source_size.is_exact(self.source):
            return submit.phrase(self.source, self.only, limit)
        if self.only or self.source.stored["kind"] == SEVERAL:
            return f"{submit.phrase(self.source, self.only, limit)} (at most {self.number:,})"
        return f"about {self.number:,} {phrase_of(self.source.stored)}"


@contextmanager
def open_file(name: str) -> Iterator[UploadedFile[Any]]:
    """A file named on the command line, as a form takes it; - is standard input."""
    if name == STDIN:
        content = sys.stdin.buffer.read()
        yield UploadedFile(io.BytesIO(content), "standard input", size=len(content))
        return
    path = Path(name)
    try:
        file = path.open("rb")
    except OSError as problem:
        raise usage_error(f"{path} cannot be read: {problem.strerror}.") from problem
    with file:
        yield UploadedFile(file, path.name, size=path.stat().st_size)


def check_given(tool: Tool, form: ToolForm, options: dict[str, Any]) -> None:
    """Raises `CommandError` where the options do not say once and clearly which tickets to take."""
    taking = given_sources(options)
    if form.lists_tickets and (unfit := [*taking, *given_filters(options)]):
        raise usage_error(f"Each row says its ticket. Leave out {', '.join(unfit)}.")
    if not (form.lists_tickets or isinstance(tool, ChoosesTickets) or taking):
        raise usage_error(f"Say which tickets: give {source_options()}.")
    if files(options).count(STDIN) > 1:
        raise usage_error("Only one thing can be read from standard input. Give the other as a file.")


def choose(tool: Tool, form: ToolForm, options: dict[str, Any], zendesk: Zendesk) -> ChosenTickets:
    """What the options say; the tool's own tickets where none are named."""
    if why := why_not_read(tool, form.params(), zendesk):
        raise usage_error(why)
    if form.lists_tickets:
        return ChosenTickets(form.listed, TicketFilter(no_ai_agent=options["no_ai_agent"]))
    which = TicketFilterForm({name: options[name] or () for name in FILTERS})
    if not which.is_valid():
        raise usage_error(sentences_of(which))
    taken, out = list(_forms(options, zendesk)), list(_forms(options, zendesk, NOT))
    of = [source for each in taken for source in each.named]
    if not of and isinstance(tool, ChoosesTickets):
        of = [tool.source_for(form.params())]
    source = sources.combined(of, [each for form in out for each in form.named], options["sort"] or "")
    will_ask = not (options["yes"] or options["dry_run"])
    number = source_size.number_of(source, LiveCounts(zendesk)) if will_ask else None
    notes = [note for each in (*taken, *out) for note in each.notes]
    only = replace(which.cleaned_data["only"], no_ai_agent=options["no_ai_agent"])
    return ChosenTickets(source, only, number, notes)


def _forms(options: dict[str, Any], zendesk: Zendesk, prefix: str = "") -> Iterator[SourceKindsForm]:
    """A valid form for each source among the options; those with the prefix `NOT` are to be left out."""
    for way in ways():
        for value in options.get(way.dest_in(prefix)) or ():
            with open_file(value) if way.takes_file else nullcontext(value) as given:
                name = f"{prefix}-{way.name}" if prefix else way.name
                filled: dict[str, Any] = {name: given}
                form = ExtraSourceForm(filled, filled, prefix=prefix or None, zendesk=zendesk)
                if not form.is_valid():
                    raise usage_error(sentences_of(form))
            if not form.named:
                raise usage_error(way.empty or f"{way.option_in(prefix)} names no ticket.")
            yield form
