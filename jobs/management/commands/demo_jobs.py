"""`manage.py demo_jobs`: one made-up job in each state, to look at."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse

from jobs.cli.commands import JobCommand, cannot_run
from jobs.demo import gallery
from jobs.formatting import some


class Command(JobCommand):
    help = (
        "Hangs the gallery: one made-up job in each state, for looking at pages. Those that are there "
        "stay. The jobs called huge show numbers that their few stored tickets do not add up to, so "
        "check_jobs tells of them; all others add up."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clear", action="store_true", help="Remove the gallery and what follows it up.")
        parser.add_argument("--yes", action="store_true", help="Also where neither DEBUG nor the demo is on.")
        parser.add_argument("--output", choices=["text", "json"], default="text")

    def handle(self, **options: Any) -> None:
        if not (settings.DEBUG or settings.DEMO or options["yes"]):
            raise cannot_run(
                "These jobs are made up, and people would take them for real ones. The command is for a demo "
                "or a developer's database; give --yes if this is one."
            )
        if options["clear"]:
            gone = gallery.delete_gallery()
            self.tell(f"{some(gone, 'job was', 'jobs were')} removed.")
            return
        numbers = gallery.create_gallery()
        if options["output"] == "json":
            self.tell(json.dumps(numbers))
            return
        self.tell(*(f"{name:<22}{reverse('jobs:detail', args=[pk])}" for name, pk in numbers.items()))
