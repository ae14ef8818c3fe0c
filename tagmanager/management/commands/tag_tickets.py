"""`manage.py tag_tickets`: add, remove or set tags on many tickets."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.datastructures import MultiValueDict

from jobs.cli.commands import usage_error
from tagmanager.cli.choosing import open_file
from tagmanager.cli.options import add_source_options, add_ticket_options, table_answers
from tagmanager.cli.ticket_command import TicketCommand
from tagmanager.tools import tool
from tagmanager.tools.bulk_tag import BulkTag
from tagmanager.tools.tag_rows import TagRows

SET_WARNING = (
    "WARNING: --set replaces ALL tags of each ticket. Every other tag is lost, and dropdown or checkbox "
    "fields whose tags vanish are cleared. To keep other tags use --add and --remove."
)


class Command(TicketCommand):
    help = "Adds, removes or sets tags on the tickets of a source. All other tags stay, except with --set."

    def add_arguments(self, parser: CommandParser) -> None:
        add_source_options(parser)
        parser.add_argument(
            "--rows",
            metavar="FILE",
            help="A change for each ticket: a table with the columns id, add and remove. Spaces separate the "
            "tags in a cell. - is standard input.",
        )
        for name, what in (("add", "Add"), ("remove", "Remove"), ("set", "Replace all tags with")):
            parser.add_argument(
                f"--{name}",
                action="append",
                default=[],
                metavar="TAG",
                help=f"{what} this tag, or several separated by spaces or commas; may be repeated.",
            )
        add_ticket_options(parser)

    def handle(self, **options: Any) -> None:
        if options["rows"] is not None:
            if any(options[name] for name in ("add", "remove", "set")):
                raise usage_error("With --rows each row says its tags. Leave --add, --remove and --set out.")
            self._by_rows(options)
            return
        bulk_tag = tool(BulkTag.slug)
        form = bulk_tag.form_class({name: options[name] for name in ("add", "remove", "set")})
        if options["set"]:
            self.stderr.write(SET_WARNING)
        self.make_and_run(bulk_tag, form, options)

    def _by_rows(self, options: dict[str, Any]) -> None:
        tag_rows = tool(TagRows.slug)
        with open_file(options["rows"]) as file:
            form = tag_rows.form_class(table_answers(options, "rows"), MultiValueDict({"rows": [file]}))
            self.make_and_run(tag_rows, form, options)
