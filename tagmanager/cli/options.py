"""The options of the commands that make jobs on tickets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import CommandParser

from jobs.cli.commands import add_run_options, usage_error
from jobs.cli.runner import Exit
from jobs.common.input import whole_number
from jobs.source_spec import Order
from jobs.work import Verify
from tagmanager.intake.source_kinds.base import NOT, Way
from tagmanager.intake.source_kinds.registry import kinds
from tagmanager.intake.tables.given import COLUMN, SHEET
from tagmanager.intake.tables.headers import ID, IDS, IGNORE, LABELS, MAPPING, ROWS
from tagmanager.intake.tables.problems import Unclear

#: An option that names a file: this is standard input.
STDIN = "-"
#: The options that keep to some of the tickets.
FILTERS = ("having", "lacking", "status")
#: Fields of the forms whose options have other names.
OPTIONS = {"canary": "first", "order": "sort", "mapping_file": "mapping", "pairs": "pairs"}
#: What a column of a file may be.
ROLES = tuple(LABELS)
#: Options of single commands that name a file, and what it is for.
USES = {"rows": ROWS, "mapping": MAPPING}


def ways() -> list[Way]:
    """All ways to name tickets."""
    return [way for kind in kinds() for way in kind.ways]


def add_source_options(parser: CommandParser) -> None:
    """The ways to say which tickets, which to leave out, and which to keep to."""
    take = parser.add_argument_group("source: which tickets (several are taken together)")
    leave_out = parser.add_argument_group("leave out, all of these may be repeated")
    for way in ways():
        way.add_to(take, "The tickets")
        if NOT in way.labels:
            way.add_to(leave_out, "Not the tickets", NOT)
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


def add_ticket_options(parser: CommandParser) -> None:
    """The options of every command that makes a job on tickets."""
    parser.add_argument("--dry-run", action="store_true", help="Read everything, write nothing.")
    parser.add_argument("--include-closed", action="store_true", help="Try closed tickets too.")
    parser.add_argument(
        "--no-ai-agent",
        action="store_true",
        help="Leave out tickets that an AI agent handles: Zendesk keeps them read-only until a person takes "
        "over.",
    )
    parser.add_argument(
        "--verify",
        choices=[way.value for way in Verify],
        help="What is read back of the tickets that Zendesk called updated: a sample, all, or none (off). By "
        "default as the setting VERIFY_WRITES says.",
    )
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
    add_table_options(parser)
    add_run_options(parser)


def _positive(text: str) -> int:
    number = whole_number(text, least=1)
    if number is None:
        raise ValueError(text)
    return number


_positive.__name__ = "number above 0"  # argparse names the type in its sentence


def add_table_options(parser: CommandParser) -> None:
    """What a person says about a file with a table, where it may be read in several ways."""
    table = parser.add_argument_group("files: how to read them")
    table.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="ROLE=NAME",
        help=f"Which column is which, by its name or number; may be repeated. ROLE is {', '.join(ROLES)}.",
    )
    table.add_argument("--sheet", metavar="NAME", help="The sheet of a workbook.")
    table.add_argument(
        "--skip-bad-lines",
        action="store_true",
        help="Leave out what is not a ticket number, and say how many lines that were.",
    )


def table_answers(options: dict[str, Any], name: str) -> dict[str, Any]:
    """The same for a form, as fields beside the one of this name."""
    return {
        name + COLUMN: options["column"],
        name + SHEET: options["sheet"] or "",
        "skip_bad_lines": options["skip_bad_lines"],
    }


def check_table_answers(options: dict[str, Any]) -> None:
    """Raises `CommandError` for a role that is none, or that no file of this command has."""
    roles = [role for option, use in USES.items() if options.get(option) is not None for role in use.roles]
    roles += IDS.roles if files(options) and ID not in roles else []
    for given in options["column"]:
        role, equals, name = given.partition("=")
        if not (equals and name and role in ROLES):
            raise usage_error(f"--column {given}: give ROLE=NAME; the roles are {', '.join(ROLES)}.")
        if role not in (*roles, IGNORE):
            known = f"Its columns are {', '.join(roles)}." if roles else "No file is given."
            raise usage_error(f"--column {given}: there is no such column here. {known}")


def source_options() -> str:
    """The options of which one at least names tickets: "--view, --search or --all"."""
    *names, last = (way.option_in() for way in ways())
    return f"{', '.join(names)} or {last}"


def given_sources(options: dict[str, Any]) -> list[str]:
    """The options given that name tickets to take."""
    return [way.option_in() for way in ways() if options[way.dest_in()] is not None]


def given_filters(options: dict[str, Any]) -> list[str]:
    """The options given that leave tickets out, keep to some, or put them in order."""
    out = [
        way.option_in(NOT) for way in ways() if NOT in way.labels and options[way.dest_in(NOT)] is not None
    ]
    return [*out, *(f"--{name}" for name in (*FILTERS, "sort") if options[name] is not None)]


def files(options: dict[str, Any]) -> list[str]:
    """The files named for tickets to take and to leave out."""
    dests = [way.dest_in(prefix) for way in ways() if way.takes_file for prefix in ("", NOT)]
    return [name for dest in dests for name in options.get(dest) or ()]


def sentences_of(form: forms.Form) -> str:
    """What is wrong with a form, for somebody who typed options."""
    return "\n".join(
        sentence if name == NON_FIELD_ERRORS else f"{_option(form, name)}: {sentence}"
        for name, problems in form.errors.as_data().items()
        for problem in problems
        for sentence in _sentences(problem)
    )


def _sentences(problem: ValidationError) -> Iterator[str]:
    """The messages of an error; of a question also how a command answers it."""
    for message in problem.messages:
        yield f"{message} {problem.advice}" if isinstance(problem, Unclear) else message


def _option(form: forms.Form, name: str) -> str:
    for way in ways():
        if way.name == name:
            return way.option_in(form.prefix or "")
    return f"--{OPTIONS.get(name, form.add_prefix(name)).replace('_', '-')}"
