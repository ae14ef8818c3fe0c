"""`manage.py run_tool`: run any tool by name, with its form's fields as options."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from jobs.cli.commands import add_mail_option, usage_error
from tagmanager.cli.options import add_source_options, add_ticket_options
from tagmanager.cli.ticket_command import TicketCommand
from tagmanager.tools import UnknownTool, tool


class Command(TicketCommand):
    help = "Runs any tool by name, such as one of your own, with the fields of its form as options."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tool", metavar="TOOL", help="The tool's name in addresses, such as bulk-tag.")
        parser.add_argument(
            "--field",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="A field of the tool's form. May be repeated, also for several values of one field.",
        )
        add_source_options(parser)
        add_ticket_options(parser)
        add_mail_option(parser)

    def handle(self, **options: Any) -> None:
        try:
            chosen = tool(options["tool"])
        except UnknownTool as problem:
            raise usage_error(str(problem)) from problem
        form = chosen.form_class(_filled(options["field"], list(chosen.form_class.base_fields)), prefix="")
        self.make_and_run(chosen, form, options)


def _filled(given: list[str], known: list[str]) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for part in given:
        name, equals, value = part.partition("=")
        if not equals or name not in known:
            raise usage_error(
                f"--field {part}: give NAME=VALUE; the fields of this tool are {', '.join(known)}."
            )
        filled[name] = f"{filled[name]} {value}" if name in filled else value
    return filled
