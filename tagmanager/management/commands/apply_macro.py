"""`manage.py apply_macro`: apply a macro's tags, fields and comment to many tickets."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from jobs.cli.commands import add_mail_option
from tagmanager.cli.account import as_command_errors, connected
from tagmanager.cli.options import add_source_options, add_ticket_options
from tagmanager.cli.ticket_command import TicketCommand
from tagmanager.tools import tool
from tagmanager.tools.apply_macro import ALL, FIELDS, POSSIBLE, ApplyMacro
from zendesk import check


class Command(TicketCommand):
    help = (
        "Applies a macro to the tickets of a source: sets its tags and fields and posts its comment. Lists "
        "actions that are not supported, and skips them only on request."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_source_options(parser)
        parser.add_argument("--macro", type=int, required=True, metavar="ID", help="The number of the macro.")
        parser.add_argument(
            "--without",
            action="store_true",
            help="Skip the comment and unsupported actions, such as attachments.",
        )
        parser.add_argument(
            "--with-comment",
            action="store_true",
            help="With --without: post the comment, and skip only unsupported actions.",
        )
        add_ticket_options(parser)
        add_mail_option(parser)

    def handle(self, **options: Any) -> None:
        apply_macro = tool(ApplyMacro.slug)
        with connected() as zendesk, as_command_errors():
            check(zendesk)  # first, because the form would report a failed connection as a wrong number
        form = apply_macro.form_class({"macro": options["macro"], "extent": _extent(options)})
        self.make_and_run(apply_macro, form, options)


def _extent(options: dict[str, Any]) -> str:
    if not options["without"]:
        return ALL
    return POSSIBLE if options["with_comment"] else FIELDS
