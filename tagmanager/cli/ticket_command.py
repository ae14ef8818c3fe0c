"""What the commands that change tickets share: where the tickets come from, and a checked connection."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.management.base import CommandParser

from jobs.actions import Submission, follow_up
from jobs.actors import Actor
from jobs.cli.commands import RunCommand, actor_named, add_run_options, cannot_run, usage_error
from jobs.cli.runner import Exit
from jobs.input import whole_number
from jobs.models import Job
from jobs.presentation.job_actions import JOB_ACTIONS, warning
from jobs.source_spec import SEVERAL, Order, SourceSpec, Stored
from jobs.states import FollowUp
from tagmanager.account import connection
from tagmanager.changes import guard_tag
from tagmanager.forms import submit
from tagmanager.forms.job_form import OptionsForm, TicketFilterForm
from tagmanager.forms.source_form import SOURCE_KINDS, ExtraSourceForm, SourceKindsForm
from tagmanager.intake import source_size, sources
from tagmanager.intake.fields import OneTagField
from tagmanager.intake.sources import Source
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.inventory import tag_counts
from tagmanager.inventory.tag_counts import TagLists
from tagmanager.previews.preview import tallies_of
from tagmanager.previews.warnings import warnings_of
from tagmanager.tools.base import ChoosesTickets, Tool, ToolForm
from tagmanager.tools.demands import why_not_made, why_not_read
from zendesk import ADMINS_ONLY, RateLimited, Zendesk, ZendeskError, check

STDIN = "-"
#: Of the pairs of a mapping so many are told with their tickets.
MOST_PAIRS = 20
#: The options of which one at least says which tickets.
NAMED = "--view, --search, --ids, --ids-file, --tag, --job or --all"
#: A busy account is asked again so often, and after so many seconds where it does not say.
BUSY_TRIES, BUSY_WAIT = 3, 10.0
#: After each question for the number of tickets in a view that Zendesk still counts, seconds.
COUNTING = (0.5, 1.5, 0.0)


def connected() -> Zendesk:
    """A client for the account of the settings; `CommandError` says which setting is missing or wrong."""
    try:
        # Somebody sits and waits for the answer; the job itself is more patient.
        return connection.connect(patience=5.0)
    except (connection.NotConnected, ValueError) as problem:
        raise cannot_run(str(problem)) from problem


@contextmanager
def as_command_errors() -> Iterator[None]:
    """The client's errors as sentences that end the command."""
    try:
        yield
    except ZendeskError as problem:
        raise cannot_run(problem.text) from problem


def add_source_options(parser: CommandParser) -> None:
    """The ways to say which tickets, which to leave out, and which to keep to."""
    take = parser.add_argument_group("source: which tickets (several are taken together)")
    for prefix, group, what in (
        ("", take, "The tickets"),
        ("not-", parser.add_argument_group("leave out, all of these may be repeated"), "Not the tickets"),
    ):
        group.add_argument(
            f"--{prefix}view", type=int, action="append", metavar="ID", help=f"{what} of a view."
        )
        group.add_argument(
            f"--{prefix}search",
            action="append",
            metavar="QUERY",
            help=f"{what} that Zendesk's search finds.",
        )
        group.add_argument(
            f"--{prefix}ids", action="append", metavar="1,2,3", help=f"{what} with these numbers."
        )
        group.add_argument(
            f"--{prefix}ids-file",
            action="append",
            metavar="PATH",
            help=f"{what} of a file: one number a line, or CSV with a column id. - is standard input.",
        )
        group.add_argument(
            f"--{prefix}job", type=int, action="append", metavar="ID", help=f"{what} of an earlier job."
        )
    take.add_argument("--tag", action="append", metavar="TAG", help="The tickets that carry this tag.")
    take.add_argument(
        "--all",
        action="store_const",
        const=True,
        help="All tickets of the account, archived ones too; for admins.",
    )
    only = parser.add_argument_group("only some of them")
    only.add_argument("--having", action="append", metavar="TAG", help="Only tickets that have this tag.")
    only.add_argument(
        "--lacking",
        "--not-tag",
        action="append",
        metavar="TAG",
        help="Only tickets that do not have this tag.",
    )
    only.add_argument("--status", action="append", help="Only tickets in this state, such as open.")


def _taking(options: dict[str, Any]) -> list[str]:
    """The options given that name tickets to take."""
    return [_as_option(name) for name in (*SOURCE_KINDS, "all") if options[name] is not None]


def _narrowing(options: dict[str, Any]) -> list[str]:
    """The options given that leave tickets out or put them in order."""
    names = [*(f"not_{way}" for way in SOURCE_KINDS if way != "tag"), "having", "lacking", "status", "sort"]
    return [_as_option(name) for name in names if options[name] is not None]


def _as_option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


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
    parser.add_argument(
        "--sort",
        choices=[order.value for order in Order if order],
        help="By ticket number, or by the last change; --limit then takes the first of these.",
    )
    parser.add_argument(
        "--first",
        type=_positive,
        metavar="N",
        help="Change the first N, then ask whether to go on. With --yes, or without a terminal, the job "
        f"stays paused, and the command ends with {Exit.HELD:d}.",
    )
    add_run_options(parser)


def _positive(text: str) -> int:
    number = whole_number(text, least=1)
    if number is None:
        raise ValueError(text)
    return number


_positive.__name__ = "number above 0"  # argparse names the type in its sentence


@dataclass(frozen=True, slots=True)
class ChosenTickets:
    """A source with what is said of it, and how many tickets it holds as far as anybody knows yet."""

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
        return f"about {self.number:,} {self.source.phrase}"


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
        raise usage_error(f"{path} cannot be read: {problem.strerror}.") from problem
    with file:
        yield UploadedFile(file, path.name, size=path.stat().st_size)


#: Said of an option that was given and names nothing.
EMPTY = {
    "ids": "No ticket number was given. Give numbers such as 4711,4712.",
    "search": "The search is empty. Say what to search for, such as --search 'status<solved'.",
    "tag": "The tag is empty. Name one, such as --tag refund.",
}


def named(options: dict[str, Any], zendesk: Zendesk, prefix: str = "") -> Iterator[SourceKindsForm]:
    """A valid form for each ticket source among the options; those with the prefix are to be left out."""
    for way in SOURCE_KINDS:
        for value in options.get(f"{prefix}_{way}" if prefix else way) or ():
            with open_given(value) if way == "ids_file" else nullcontext(value) as given:
                place = f"{prefix}-{way}" if prefix else way
                filled: dict[str, Any] = {place: given}
                form = ExtraSourceForm(filled, filled, prefix=prefix or None, zendesk=zendesk)
                if not form.is_valid():
                    raise usage_error(sentences_of(form))
            if not form.named:
                raise usage_error(EMPTY[way])
            yield form


def must_be_admin(zendesk: Zendesk) -> None:
    if (role := zendesk.me().role) != "admin":
        raise cannot_run(f"{ADMINS_ONLY} The connected user is an {role}.")


def tags_are_known(tell: Callable[[str], None]) -> TagLists:
    """Wait until the lists of tags are complete, which with 20,000 of them takes minutes."""
    while True:
        try:
            found = tag_counts.tag_lists(seconds=5.0)
        except connection.NotConnected as problem:
            raise cannot_run(str(problem)) from problem
        if found.problem and not isinstance(found.problem, RateLimited):
            if found.by:
                return found
            raise cannot_run(f"The tags of the account could not be read. {found.problem}")
        if not (found.being_read or found.being_added):
            return found
        if found.being_read:
            tell(f"Reading Zendesk's own list of tags: {len(found.being_read.counts):,} so far.")
        if isinstance(found.problem, RateLimited):
            time.sleep(found.problem.retry_after or BUSY_WAIT)


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


def _number(zendesk: Zendesk, source: Source) -> int | None:
    """About how many tickets a source holds, or at most; None when nobody can say."""
    numbers = [_number_of(zendesk, part) for part in SourceSpec.read(source.stored).of]
    return None if None in numbers else sum(filter(None, numbers))


def _number_of(zendesk: Zendesk, stored: Stored) -> int | None:
    if stored["kind"] == "view":
        return _view_count(zendesk, stored["id"])
    if queries := sources.queries_of(stored):
        return sum(map(zendesk.search_count, queries))
    return source_size.known(Source(stored))


def sentences_of(form: forms.Form) -> str:
    """What is wrong with a form, for somebody who typed options."""
    return "\n".join(
        str(message) if name == NON_FIELD_ERRORS else f"{_option(form, name)}: {message}"
        for name, messages in form.errors.items()
        for message in messages
    )


#: Fields that options call otherwise.
OPTIONS = {"canary": "first", "order": "sort"}


def _option(form: forms.Form, name: str) -> str:
    return _as_option(OPTIONS.get(name, form.add_prefix(name)))


class TicketCommand(RunCommand):
    """A command that makes a job of one tool on tickets."""

    def make_and_run(self, tool: Tool, form: ToolForm, options: dict[str, Any]) -> None:
        """Check all that can be checked before the job is made, ask, make it, run it."""
        _check_form(tool, form)
        how = _how(options)
        _check_taking(tool, form, options)
        by, guard = actor_named(options["username"]), _guard(form, options)
        if not options["dry_run"]:
            self.require_yes(options)
        with connected() as zendesk, as_command_errors():
            chosen = self._chosen(tool, form, options, zendesk)
        if why := source_size.why_not_tried(chosen.source, chosen.only, how["limit"], how["canary"]):
            raise usage_error(f"--first: {why}")
        looks_first = form.writes_to_customers and not options["dry_run"]

        def make(here: bool) -> Submission:
            return submit.submit(
                tool,
                form,
                chosen.source,
                by=by,
                only=chosen.only,
                limit=how["limit"],
                canary=how["canary"],
                dry_run=options["dry_run"] or looks_first,
                include_closed=options["include_closed"],
                guard=guard,
                guard_stays=options["guard_stays"],
                here=here,
            )

        def notes(job: Job) -> list[str]:
            return [*form.notes, *chosen.notes, *_foreseen(job)]

        run: Callable[[bool], Submission] = make
        if looks_first:
            preview = self.preview(make, by=by, options=options)
            if not preview.planned:  # it is all there is to tell
                self.report(preview, as_json=options["output"] == "json", notes=notes(preview))
                return
            run = self._real_run(preview, by=by, options=options)
        if not options["dry_run"]:
            self.ask(f"{tool.title(form.params(), chosen.phrase(how['limit']))}?", options)
        self.run_job(run, by=by, options=options, notes=notes)

    def _real_run(self, preview: Job, *, by: Actor, options: dict[str, Any]) -> Callable[[bool], Submission]:
        """The run of what a preview has counted, if exactly that is meant."""
        number = preview.planned
        self.require_yes_email(warning(JOB_ACTIONS["run"], preview, number), number, options)
        return lambda here: follow_up(job=preview, kind=FollowUp.RUN, by=by, here=here)

    def _chosen(self, tool: Tool, form: ToolForm, options: dict[str, Any], zendesk: Zendesk) -> ChosenTickets:
        """The source, over a connection that works; a busy account is waited for."""
        for _ in range(BUSY_TRIES):
            try:
                check(zendesk)
                return _choose(tool, form, options, zendesk)
            except RateLimited as busy:
                seconds = busy.retry_after or BUSY_WAIT
                self.stderr.write(f"{busy.text} Trying again in {seconds:.0f} s.", lambda text: text)
                time.sleep(seconds)
        check(zendesk)
        return _choose(tool, form, options, zendesk)


def _check_form(tool: Tool, form: ToolForm) -> None:
    """Raises `CommandError` for what is wrong with the fields, or with what the tool makes of them."""
    if not form.is_valid():
        raise usage_error(sentences_of(form))
    if why := why_not_made(tool, form.params()):
        raise usage_error(why)


def _check_taking(tool: Tool, form: ToolForm, options: dict[str, Any]) -> None:
    """Raises `CommandError` where the options do not say once and clearly which tickets to take."""
    taking = _taking(options)
    if form.lists_tickets and (unfit := [*taking, *_narrowing(options)]):
        raise usage_error(f"Each row says its ticket. Leave out {', '.join(unfit)}.")
    if not (form.lists_tickets or isinstance(tool, ChoosesTickets) or taking):
        raise usage_error(f"Say which tickets: give {NAMED}.")
    if [*(options["ids_file"] or ()), *(options["not_ids_file"] or ())].count(STDIN) > 1:
        raise usage_error("Only one thing can be read from standard input. Give the other as a file.")


def _guard(form: ToolForm, options: dict[str, Any]) -> str:
    """The guard tag for a valid form; "" where none is wished."""
    try:
        guard = OneTagField(required=False).clean(options["guard"])
    except ValidationError as problem:
        raise usage_error(f"--guard: {' '.join(problem.messages)}") from problem
    if options["guard_stays"] and not guard:
        raise usage_error("--guard-stays needs a tag. Say --guard TAG, such as --guard bulk_update.")
    given = form.listed.given if form.lists_tickets else None
    if guard and (why := guard_tag.why_not_guarded(guard, form.params(), given)):
        raise usage_error(f"--guard: {why}")
    return guard


def _how(options: dict[str, Any]) -> dict[str, Any]:
    """The options that are the same for all tools, as their form takes them."""
    filled = {"limit": options["limit"], "canary": options["first"], "order": options["sort"] or ""}
    form = OptionsForm(filled | {"nonce": "given by nobody"})
    if not form.is_valid():
        raise usage_error(sentences_of(form))
    return form.cleaned_data


def _choose(tool: Tool, form: ToolForm, options: dict[str, Any], zendesk: Zendesk) -> ChosenTickets:
    """What the options say; the tool's own tickets where none are named."""
    if why := why_not_read(tool, form.params(), zendesk):
        raise usage_error(why)
    if form.lists_tickets:
        return ChosenTickets(form.listed)
    which = TicketFilterForm({name: options[name] or () for name in ("having", "lacking", "status")})
    if not which.is_valid():
        raise usage_error(sentences_of(which))
    taken, out = list(named(options, zendesk)), list(named(options, zendesk, "not"))
    of = [source for each in taken for source in each.named]
    if options["all"]:
        must_be_admin(zendesk)
        of.append(sources.all_tickets())
    if not of and isinstance(tool, ChoosesTickets):
        of = [tool.source_for(form.params())]
    source = sources.combined(of, [each for form in out for each in form.named], options["sort"] or "")
    will_ask = not (options["yes"] or options["dry_run"])
    notes = [note for each in (*taken, *out) for note in each.notes]
    return ChosenTickets(
        source, which.cleaned_data["only"], _number(zendesk, source) if will_ask else None, notes
    )


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
    found = warnings_of(job)
    for caution in found.all:
        yield f"{caution.text} {caution.address}".rstrip()
    if found.problem:
        yield f"What in the account names these tags could not be looked up. {found.problem}"
