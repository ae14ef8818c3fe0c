"""`manage.py release`: end a hold of all jobs, or say that this copied database is the one that goes on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from jobs import holding
from jobs.cli.commands import JobCommand, actor_named, add_person_option
from jobs.common.formatting import some
from jobs.installation import standstill


class Command(JobCommand):
    help = "Ends a hold of all jobs, or (--this-database) says that this copied database is the one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--this-database",
            action="store_true",
            help="This copy (restored or cloned) goes on, and the other one is stopped; a hold stays.",
        )
        add_person_option(parser)

    def handle(self, *, this_database: bool, **options: Any) -> None:
        by = actor_named(options["username"])
        if this_database:
            self._confirm(holding.confirm_database(by=by))
        else:
            freed = holding.release(by=by)
            self.tell(f"All jobs are released: {some(freed, 'job')} to go on.")
        if stop := standstill.current():
            self.stderr.write(stop.sentence)

    def _confirm(self, paused: int) -> None:
        self.tell("This database is the one that goes on. Make sure that the other one sends nothing more.")
        if paused:
            self.tell(
                f"{some(paused, 'unfinished job')} paused: look at each with manage.py jobs show, then "
                "resume or cancel it."
            )
