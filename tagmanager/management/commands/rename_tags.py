"""`manage.py rename_tags`: replace old tags with new ones, by pairs or by a file of pairs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from jobs.cli.commands import usage_error
from tagmanager.cli.options import STDIN, add_source_options, add_ticket_options, files
from tagmanager.cli.ticket_command import TicketCommand
from tagmanager.intake import tag_pairs
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
            help="Read pairs from a file: CSV old,new. An empty new removes the tag. - is standard input.",
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
        form = rename_tags.form_class({"pairs": _pairs(options), "follow_chains": options["follow_chains"]})
        self.make_and_run(rename_tags, form, options)


def _pairs(options: dict[str, Any]) -> str:
    if options["pair"] is not None:
        if odd := next((pair for pair in options["pair"] if "=" not in pair), None):
            raise usage_error(
                f"--pair {odd}: put an = between the old tag and the new one, as in --pair old=new."
            )
        pairs = (pair.partition("=") for pair in options["pair"])
        return tag_pairs.as_text((old, new) for old, _, new in pairs)
    if options["mapping"] == STDIN:
        if STDIN in files(options):
            raise usage_error("Both --mapping and a file of numbers read standard input. Give one as a file.")
        return sys.stdin.read()
    path = Path(options["mapping"])
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise usage_error(f"{path} cannot be read: {problem.strerror}.") from problem
    except UnicodeDecodeError as problem:
        raise usage_error(f"{path} is not a text file in UTF-8. Save it as CSV UTF-8.") from problem
