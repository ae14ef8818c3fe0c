"""`manage.py zendesk_sandbox`: the demo Zendesk alone, as `python -m zendesk.sandbox` runs it."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from zendesk.sandbox import __main__ as sandbox


class Command(BaseCommand):
    help = "Runs a demo Zendesk in memory until Ctrl-C. Needs no settings and no database."
    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **_: Any) -> CommandParser:
        """Take only the demo Zendesk's own options, without Django's."""
        parser = CommandParser(prog=f"{prog_name} {subcommand}", description=self.help, add_help=False)
        parser.add_argument("rest", nargs="*")
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(sandbox.main(argv[2:]))

    def handle(self, **options: Any) -> None:
        sandbox.main(options["rest"])
