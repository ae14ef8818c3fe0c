"""The options of the commands that make jobs on tickets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.management.base import CommandParser

from jobs.cli.commands import add_run_options
from jobs.cli.runner import Exit
from jobs.input import whole_number
from jobs.source_spec import Order
from jobs.work import Verify
from tagmanager.intake.source_kinds.base import NOT, Way
from tagmanager.intake.source_kinds.registry import kinds

#: An option that names a file: this is standard input.
STDIN = "-"
#: The options that keep to some of the tickets.
FILTERS = ("having", "lacking", "status")
#: Fields of the forms whose options have other names.
OPTIONS = {"canary": "first", "order": "sort"}


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
    add_run_options(parser)


def _positive(text: str) -> int:
    number = whole_number(text, least=1)
    if number is None:
        raise ValueError(text)
    return number


_positive.__name__ = "number above 0"  # argparse names the type in its sentence


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
        str(message) if name == NON_FIELD_ERRORS else f"{_option(form, name)}: {message}"
        for name, messages in form.errors.items()
        for message in messages
    )


def _option(form: forms.Form, name: str) -> str:
    for way in ways():
        if way.name == name:
            return way.option_in(form.prefix or "")
    return f"--{OPTIONS.get(name, form.add_prefix(name)).replace('_', '-')}"
