"""`manage.py rename_tags`: replace old tags with new ones, by pairs or by a file of pairs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.datastructures import MultiValueDict

from jobs.cli.commands import usage_error
from tagmanager.cli.choosing import open_file
from tagmanager.cli.options import (
    STDIN,
    add_source_options,
    add_ticket_options,
    files,
    table_answers,
)
from tagmanager.cli.ticket_command import TicketCommand
from tagmanager.tools import tool
from tagmanager.tools.rename_tags import RenameTags


class Command(TicketCommand):
    help = (
        "Renames tags, merges several into one, or removes them, on all tickets or on those of a source. "
        "Writes to each ticket once; all other tags stay."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        ways = parser.add_mutually_exclusive_group(required=True)
        ways.add_argument(
            "--pair",
            action="append",
            metavar="OLD=NEW",
            help="Rename this tag; may be repeated. With nothing after the =, remove it.",
        )
        ways.add_argument(
            "--mapping",
            metavar="FILE",
            help="Read pairs from a table old,new. An empty new removes the tag. - is standard input.",
        )
        parser.add_argument(
            "--follow-chains",
            action="store_true",
            help="If a new tag is itself renamed by another pair, use the last one directly.",
        )
        add_source_options(parser)
        add_ticket_options(parser)

    def handle(self, **options: Any) -> None:
        rename_tags = tool(RenameTags.slug)
        filled = {"follow_chains": options["follow_chains"]}
        if options["pair"] is not None:
            form = rename_tags.form_class(filled | {"pairs": _pairs(options["pair"])})
            self.make_and_run(rename_tags, form, options)
            return
        if options["mapping"] == STDIN and STDIN in files(options):
            raise usage_error("Both --mapping and a file of numbers read standard input. Give one as a file.")
        with open_file(options["mapping"]) as file:
            filled |= table_answers(options, "mapping_file")
            form = rename_tags.form_class(filled, MultiValueDict({"mapping_file": [file]}))
            self.make_and_run(rename_tags, form, options)


def _pairs(given: list[str]) -> str:
    """The pairs as lines, which no header comes before: "old=new" names no columns."""
    if odd := next((pair for pair in given if "=" not in pair), None):
        raise usage_error(
            f"--pair {odd}: put an = between the old tag and the new one, as in --pair old=new."
        )
    return "\n".join(given)
