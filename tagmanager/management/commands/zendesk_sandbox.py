"""`manage.py zendesk_sandbox`: the demo Zendesk alone; the same as `python -m zendesk.sandbox`."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from zendesk.sandbox import __main__ as sandbox


class Command(BaseCommand):
    help = "Serves a Zendesk in memory, until Ctrl-C. It needs no settings and no database."
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **_: Any) -> CommandParser:
        """Only what the demo Zendesk itself knows; Django's own options would be two lists in one."""
        parser = CommandParser(prog=f"{prog_name} {subcommand}", description=self.help, add_help=False)
        parser.add_argument("rest", nargs="*")
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(sandbox.main(argv[2:]))

    def handle(self, **options: Any) -> None:
        sandbox.main(options["rest"])
