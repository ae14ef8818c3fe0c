"""`manage.py hold`: stop all jobs of the installation until `manage.py release`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from jobs import holding
from jobs.cli.commands import JobCommand, actor_named, add_person_option
from jobs.common.formatting import some
from jobs.models import Job


class Command(JobCommand):
    help = "Holds all jobs: what is in flight is settled, and nothing new is sent until manage.py release."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--why", default="", metavar="TEXT", help="Shown on every page.")
        add_person_option(parser)

    def handle(self, *, why: str, **options: Any) -> None:
        holding.hold(by=actor_named(options["username"]), why=why)
        at_work = Job.objects.active().exclude(lease_token="").count()
        settling = f" {some(at_work, 'job')} at work: what is in flight is settled first." if at_work else ""
        self.tell(f"All jobs are held; nothing new is sent, undo included.{settling}")
        self.tell("manage.py release lets them go on.")
