"""A valid form as the command that asks for the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from jobs.source_spec import SourceSpec
from tagmanager.forms.page_forms import PageForms
from tagmanager.intake.source_kinds.base import NOT, Way
from tagmanager.intake.source_kinds.registry import kinds, of_kind
from tagmanager.intake.sources import Source
from tagmanager.intake.tables.given import Answers
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.tools.apply_macro import ALL, POSSIBLE, ApplyMacro
from tagmanager.tools.base import ChoosesTickets
from tagmanager.tools.bulk_tag import BulkTag


class NoCommand(Exception):
    """No command can ask for the same; the text says why."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option and its value; None: it takes none."""

    name: str
    value: str | None = None

    @property
    def words(self) -> list[str]:
        """As a shell splits them. A value that begins with a dash is joined, or it would be an option."""
        if self.value is None:
            return [self.name]
        return [f"{self.name}={self.value}"] if self.value.startswith("-") else [self.name, self.value]


def command_line(forms: PageForms) -> str:
    """The command for a shell: "python manage.py tag_tickets --view 360 --add vip". Raises `NoCommand`."""
    return shlex.join(["python", "manage.py", *arguments(forms)])


def arguments(forms: PageForms) -> list[str]:
    """The name of the command and its arguments. Raises `NoCommand`."""
    if forms.source_form is None:
        raise NoCommand("The rows of this form have no options. Save them as a file for --rows.")
    start, own = _tool(forms)
    options = [*own, *_sources(forms), *_only(forms.only), *_how(forms), *_files(forms)]
    return [*start, *(word for option in options for word in option.words)]


def _tool(forms: PageForms) -> tuple[list[str], list[Option]]:
    """The command, and the options that are the tool's own; every tool can be run by `run_tool`."""
    tool, cleaned = forms.tool, forms.tool_form.cleaned_data
    if tool.slug == BulkTag.slug:
        tags = [Option(f"--{name}", tag) for name in ("add", "remove", "set") for tag in cleaned[name]]
        return ["tag_tickets"], tags
    if tool.slug == ApplyMacro.slug:
        extent = cleaned["extent"]
        less = [] if extent == ALL else [Option("--without")]
        more = [Option("--with-comment")] if extent == POSSIBLE else []
        return ["apply_macro"], [Option("--macro", str(cleaned["macro"])), *less, *more]
    if any(forms.tool_form.files.get(name) for name in forms.tool_form.names_on_page().values()):
        raise NoCommand("A file of this form has no option. Use the command of its own.")
    filled = forms.tool_form.filling(forms.tool_form.params())
    known = forms.tool_form.base_fields
    fields = [
        Option("--field", f"{name}={value}")
        for name, value in filled.items()
        if name in known and value not in (None, "", False)
    ]
    return ["run_tool", tool.slug], fields


def _sources(forms: PageForms) -> Iterator[Option]:
    source = forms.source
    spec = SourceSpec.read(source.stored)
    is_own = isinstance(forms.tool, ChoosesTickets) and not (
        forms.source_form and (forms.source_form.named or forms.source_form.added.named)
    )
    ways = {way.name: way for kind in kinds() for way in kind.ways}
    for number in range(len(spec.parts)):
        if is_own and number == 0:
            continue  # the command takes the tool's own tickets, too, where no option names any
        yield _option(source, number, ways, NOT if number >= len(spec.of) else "")
    if spec.order:
        yield Option("--sort", spec.order.value)


def _option(source: Source, number: int, ways: dict[str, Way], prefix: str) -> Option:
    spec = SourceSpec.read(source.stored)
    part = spec.parts[number]
    refs = source.refs if spec.is_plain else source.lists.get(number, ())
    found = of_kind(part, lambda kind: kind.option_value(part, refs), None)
    if found is None:
        raise NoCommand("No option can name some of these tickets.")
    name, value = found
    way = ways[name]
    takes_none = way.argument.get("action") == "store_const"
    return Option(way.option_in(prefix), None if takes_none else value)


def _only(only: TicketFilter) -> Iterator[Option]:
    for name, words in (("having", only.having), ("lacking", only.lacking), ("status", only.statuses)):
        for word in sorted(words):
            yield Option(f"--{name}", word)
    if only.no_ai_agent:
        yield Option("--no-ai-agent")


def _how(forms: PageForms) -> Iterator[Option]:
    options = forms.options_form.cleaned_data
    for name, field in (("limit", "limit"), ("first", "canary"), ("guard", "guard")):
        if options[field]:
            yield Option(f"--{name}", str(options[field]))
    for name in ("guard_stays", "include_closed", "dry_run"):
        if options[name]:
            yield Option(f"--{name.replace('_', '-')}")
    if options["verify"]:
        yield Option("--verify", "all")


def _files(forms: PageForms) -> Iterator[Option]:
    """How to read the files: the options hold for every file, so files read differently have no command."""
    asked = forms.source_form
    if asked is None:
        return
    answers: set[tuple[tuple[str, ...], str, bool]] = set()
    for form in (asked, asked.added, asked.left_out):
        name = form.add_prefix("ids_file")
        if form.files.get(name):
            said = Answers.of(form.data, name)
            named = [f"{role}={column}" for role, column in said.named]
            placed = [f"{role}={place}" for place, role in enumerate(said.by_place, start=1) if role]
            answers.add(((*named, *placed), said.sheet, bool(form.cleaned_data.get("leave_out"))))
    if len(answers) > 1:
        raise NoCommand("The files are read in different ways, which one command cannot say.")
    for columns, sheet, skips in answers:
        yield from (Option("--column", column) for column in columns)
        if sheet:
            yield Option("--sheet", sheet)
        if skips:
            yield Option("--skip-bad-lines")
