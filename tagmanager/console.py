"""What the commands that change tickets share: where the tickets come from, and a checked connection."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import CommandParser

from jobs.console import RunCommand, actor_named, add_run_options, impossible, wrong
from jobs.models import Job
from tagmanager import connections, guarding, numbers, sources
from tagmanager.asking import ask
from tagmanager.cautions import cautions_of
from tagmanager.fields import OneTagField, TagsField
from tagmanager.previews import tallies_of
from tagmanager.sources import Source
from tagmanager.tools.base import ChoosesTickets, Tool, ToolForm
from zendesk import ADMINS_ONLY, NotFound, RateLimited, Refused, Zendesk, ZendeskError, check

STDIN = "-"
#: Of the pairs of a mapping so many are told with their tickets.
MOST_PAIRS = 20
#: The options that name a list of Zendesk's.
KEPT_BY_ZENDESK = ("view", "search", "tag", "all")
#: A busy account is asked again so often, and after so many seconds where it does not say.
BUSY_TRIES, BUSY_WAIT = 3, 10.0
#: After each question for the number of tickets in a view that Zendesk still counts, seconds.
COUNTING = (0.5, 1.5, 0.0)


def connected() -> Zendesk:
    """A client for the account of the settings; `CommandError` says which setting is missing or wrong."""
    try:
        # Somebody sits and waits for the answer; the job itself is more patient.
        return connections.connect(patience=5.0)
    except (connections.NotConnected, ValueError) as problem:
        raise impossible(str(problem)) from problem


@contextmanager
def told() -> Iterator[None]:
    """The client's errors as sentences that end the command."""
    try:
        yield
    except ZendeskError as problem:
        raise impossible(problem.text) from problem


def add_source_options(parser: CommandParser, *, required: bool = True) -> Any:
    """One of the ways to say which tickets; more may be added to the group that it gives back."""
    group = parser.add_argument_group("source: which tickets (exactly one)")
    ways = group.add_mutually_exclusive_group(required=required)
    ways.add_argument("--view", type=int, metavar="ID", help="The tickets of a view.")
    ways.add_argument("--search", metavar="QUERY", help="The tickets that Zendesk's search finds.")
    ways.add_argument("--ids", metavar="1,2,3", help="These tickets.")
    ways.add_argument(
        "--ids-file",
        metavar="PATH",
        help="The tickets of a file: one number a line, or CSV with a column id. - is standard input.",
    )
    ways.add_argument("--tag", metavar="TAG", help="The tickets that carry this tag.")
    ways.add_argument(
        "--all",
        action="store_const",
        const=True,
        help="All tickets of the account, archived ones too; for admins.",
    )
    return ways


def add_ticket_options(parser: CommandParser) -> None:
    """The options of every command that makes a job on tickets."""
    parser.add_argument("--dry-run", action="store_true", help="Read everything, write nothing.")
    parser.add_argument("--include-closed", action="store_true", help="Try closed tickets too.")
    parser.add_argument(
        "--guard",
        metavar="TAG",
        help="Add this tag in the same write, so that triggers can exclude it; it is taken off afterwards.",
    )
    parser.add_argument(
        "--guard-stays",
        action="store_true",
        help="Leave the guard tag on; manage.py jobs unguard takes it off.",
    )
    parser.add_argument("--limit", type=_positive, metavar="N", help="The first N tickets only.")
    add_run_options(parser)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


_positive.__name__ = "number above 0"  # argparse names the type in its sentence


@dataclass(frozen=True, slots=True)
class Chosen:
    """A source, and how many tickets it holds as far as that is known before they are read."""

    source: Source
    number: int | None = None
    is_exact: bool = False

    @property
    def phrase(self) -> str:
        """As the end of a question: "about 10,400 tickets of view “All unsolved”"."""
        phrase = self.source.phrase
        return phrase if self.number is None or self.is_exact else f"about {self.number:,} {phrase}"


def given_ids(options: dict[str, Any]) -> Chosen | None:
    """The source where the numbers themselves were given; read before anybody is called."""
    if options["ids"] is not None:
        return _listed(numbers.words_in(options["ids"]), name="")
    if options["ids_file"] == STDIN:
        return _listed(sources.words_in(sys.stdin), name="standard input")
    if options["ids_file"] is not None:
        path = Path(options["ids_file"])
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                return _listed(sources.words_in(lines), name=path.name)
        except OSError as problem:
            raise wrong(f"{path} cannot be read: {problem.strerror}.") from problem
    return None


@contextmanager
def open_given(name: str) -> Iterator[UploadedFile[Any]]:
    """A file named on the command line, as a form takes it; - is standard input."""
    if name == STDIN:
        content = sys.stdin.buffer.read()
        yield UploadedFile(io.BytesIO(content), "standard input", size=len(content))
        return
    path = Path(name)
    try:
        file = path.open("rb")
    except OSError as problem:
        raise wrong(f"{path} cannot be read: {problem.strerror}.") from problem
    with file:
        yield UploadedFile(file, path.name, size=path.stat().st_size)


def _listed(words: Iterable[tuple[int, str]], *, name: str) -> Chosen:
    # All of them before the job is made: its transaction must not wait for a slow pipe.
    try:
        given = numbers.read(words)
    except ValidationError as problem:
        raise wrong(" ".join(problem.messages)) from problem
    if given.problem:
        raise wrong(given.problem)
    if not given.ids:
        raise wrong("No ticket number was given. Give numbers such as 4711,4712.")
    source = sources.ids(given.ids, name=name)
    return Chosen(source, source.stored["number"], is_exact=True)


def kept_by_zendesk(options: dict[str, Any], zendesk: Zendesk) -> Chosen:
    """The source where Zendesk keeps the list: a view, a search, a tag, or all. Asks how long it is."""
    if options["view"] is not None:
        try:
            view = zendesk.view(options["view"])
        except NotFound as problem:
            raise wrong(
                f"There is no view {options['view']} in this Zendesk, or the connected user may not see it. "
                "Its number is at the end of the view's address in the browser."
            ) from problem
        will_ask = not (options["yes"] or options["dry_run"])
        number = _view_count(zendesk, view.id) if will_ask else None
        return Chosen(sources.view(view.id, view.title), number)
    if options["all"]:
        _must_be_admin(zendesk)
        return Chosen(sources.all_tickets())
    if options["search"] is not None:
        query = options["search"].strip()
        if not query:
            raise wrong("The search is empty. Say what to search for, such as --search 'status<solved'.")
        return Chosen(sources.search(query), _found(zendesk, query))
    try:
        tags = TagsField().clean(options["tag"])
    except ValidationError as problem:
        raise wrong(f"--tag: {' '.join(problem.messages)}") from problem
    if len(tags) != 1:
        raise wrong(
            "--tag takes one tag. For tickets that carry one of several use --search 'tags:a tags:b'."
        )
    return Chosen(sources.tag(tags[0]), _found(zendesk, sources.tag_query(tags[0])))


def _must_be_admin(zendesk: Zendesk) -> None:
    if (role := zendesk.me().role) != "admin":
        raise impossible(f"{ADMINS_ONLY} The connected user is an {role}.")


def _view_count(zendesk: Zendesk, view_id: int) -> int | None:
    """About how many tickets a view holds; Zendesk counts a view when it is asked first, and tells later."""
    try:
        for pause in COUNTING:
            number = zendesk.view_count(view_id).value
            if number is not None:
                return number
            time.sleep(pause)
    except ZendeskError:
        pass  # five questions a minute and view are allowed, and this one is only a courtesy
    return None


def _found(zendesk: Zendesk, query: str) -> int:
    try:
        return zendesk.search_count(query)
    except Refused as problem:
        raise wrong(problem.text) from problem


def sentences_of(form: forms.Form) -> str:
    """What is wrong with a form, for somebody who typed options."""
    return "\n".join(
        str(message) if name == NON_FIELD_ERRORS else f"--{name.replace('_', '-')}: {message}"
        for name, messages in form.errors.items()
        for message in messages
    )


class TicketCommand(RunCommand):
    """A command that makes a job of one tool on tickets."""

    def make_and_run(self, tool: Tool, form: ToolForm, options: dict[str, Any]) -> None:
        """Check all that can be checked before the job is made, ask, make it, run it."""
        if not form.is_valid():
            raise wrong(sentences_of(form))
        by, guard = actor_named(options["username"]), _guard(form, options)
        if not options["dry_run"]:
            self.must_be_sure(options)
        listed = _listed_by(form) if form.lists_tickets else given_ids(options)
        with connected() as zendesk, told():
            chosen = self._chosen(tool, form, listed, options, zendesk)
        if not options["dry_run"]:
            self.ask(f"{tool.title(form.params(), chosen.phrase)}?", options)
        self.carry_out(
            lambda here: ask(
                tool,
                form,
                chosen.source,
                by=by,
                limit=options["limit"],
                dry_run=options["dry_run"],
                include_closed=options["include_closed"],
                guard=guard,
                guard_stays=options["guard_stays"],
                here=here,
            ),
            by=by,
            options=options,
            notes=lambda job: [*form.notes, *_notes(chosen), *_foreseen(job)],
        )

    def _chosen(
        self,
        tool: Tool,
        form: ToolForm,
        listed: Chosen | None,
        options: dict[str, Any],
        zendesk: Zendesk,
    ) -> Chosen:
        """The source, over a connection that works; a busy account is waited for."""
        for _ in range(BUSY_TRIES):
            try:
                check(zendesk)
                return listed or self._kept(tool, form, options, zendesk)
            except RateLimited as busy:
                seconds = busy.retry_after or BUSY_WAIT
                self.stderr.write(f"{busy.text} Trying again in {seconds:.0f} s.", lambda text: text)
                time.sleep(seconds)
        check(zendesk)
        return listed or self._kept(tool, form, options, zendesk)

    def _kept(self, tool: Tool, form: ToolForm, options: dict[str, Any], zendesk: Zendesk) -> Chosen:
        """The source that Zendesk keeps; the tool's own where none is named."""
        if isinstance(tool, ChoosesTickets) and not any(options[way] for way in KEPT_BY_ZENDESK):
            source = tool.source_for(form.params())
            return Chosen(source, sum(_found(zendesk, query) for query in sources.queries_of(source.stored)))
        return kept_by_zendesk(options, zendesk)


def _guard(form: ToolForm, options: dict[str, Any]) -> str:
    """The guard tag for a valid form; "" where none is wished."""
    try:
        guard = OneTagField(required=False).clean(options["guard"])
    except ValidationError as problem:
        raise wrong(f"--guard: {' '.join(problem.messages)}") from problem
    if options["guard_stays"] and not guard:
        raise wrong("--guard-stays needs a tag. Say --guard TAG, such as --guard bulk_update.")
    given = form.listed.given if form.lists_tickets else None
    if guard and (why := guarding.objection(guard, form.params(), given)):
        raise wrong(f"--guard: {why}")
    return guard


def _listed_by(form: ToolForm) -> Chosen:
    source = form.listed
    return Chosen(source, source.stored["number"], is_exact=True)


def _foreseen(job: Job) -> Iterator[str]:
    """What a preview says besides its figures, as on its page."""
    if not (job.dry_run and job.is_ended and job.planned):
        return
    pairs = tallies_of(job)
    for pair in pairs[:MOST_PAIRS]:
        becomes = f"becomes {pair.new}" if pair.new else "is taken off"
        yield f"{pair.old} {becomes}: {pair.tickets:,} ticket{'' if pair.tickets == 1 else 's'}"
    if len(pairs) > MOST_PAIRS:
        more = len(pairs) - MOST_PAIRS
        yield f"and {more:,} more pairs, on fewer tickets; the preview's page names them all"
    found = cautions_of(job)
    for caution in found.all:
        yield f"{caution.text} {caution.address}".rstrip()
    if found.problem:
        yield f"What in the account names these tags could not be looked up. {found.problem}"


def _notes(chosen: Chosen) -> Iterator[str]:
    """Numbers that were given more than once, which a person who counts would miss."""
    if chosen.source.given is None and (told := sources.told_once(chosen.source.stored)):
        yield told
