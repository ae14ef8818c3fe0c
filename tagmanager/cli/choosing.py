"""From the options of a command to the tickets of its job."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
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
    table_answers,
    ways,
)
from tagmanager.forms import submit
from tagmanager.forms.job_form import TicketFilterForm
from tagmanager.forms.source_form import ExtraSourceForm, SourceKindsForm
from tagmanager.intake import source_size, sources
from tagmanager.intake.source_kinds.base import NOT
from tagmanager.intake.source_kinds.registry import phrase_of
from tagmanager.intake.sources import Source
from tagmanager.intake.tables.given import printable_name
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.tools.base import ChoosesTickets, Tool, ToolForm
from tagmanager.tools.demands import why_not_read
from zendesk import Zendesk

#: Bytes copied at once from a pipe.
CHUNK = 1 << 20


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
    """A file named on the command line, as a form takes it; - is standard input.

    A pipe is copied to a file first, because a table is read more than once. Raises `CommandError`.
    """
    if name == STDIN:
        with _spooled(sys.stdin.buffer) as copy:
            yield _upload(copy, "standard input")
        return
    path = Path(name)
    try:
        with path.open("rb") as file:
            if file.seekable() and stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                yield _upload(file, path.name)
                return
            with _spooled(file) as copy:
                yield _upload(copy, path.name)
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "its name cannot be one"
        raise usage_error(f"{printable_name(name)} cannot be read: {why}.") from problem


def _spooled(source: IO[bytes]) -> IO[bytes]:
    """A copy of what a pipe gives, up to one byte more than a file may have."""
    copy: IO[bytes] = TemporaryFile()  # noqa: SIM115 - the caller closes it
    left = settings.UPLOAD_LIMIT + 1
    while left > 0 and (chunk := source.read(min(left, CHUNK))):
        copy.write(chunk)
        left -= len(chunk)
    copy.seek(0)
    return copy


def _upload(file: IO[bytes], name: str) -> UploadedFile[Any]:
    size = os.fstat(file.fileno()).st_size
    return UploadedFile(file, printable_name(name), size=size)


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
                filled: dict[str, Any] = {name: given} | _answers(options, name, prefix)
                form = ExtraSourceForm(filled, filled, prefix=prefix or None, zendesk=zendesk)
                if not form.is_valid():
                    raise usage_error(sentences_of(form))
            if not form.named:
                raise usage_error(way.empty or f"{way.option_in(prefix)} names no ticket.")
            yield form


def _answers(options: dict[str, Any], name: str, prefix: str) -> dict[str, Any]:
    """What is said of the file, as a form with this prefix takes it."""
    answers = table_answers(options, name)
    leave_out = f"{prefix}-leave_out" if prefix else "leave_out"
    return answers | {leave_out: options["skip_bad_lines"]}
