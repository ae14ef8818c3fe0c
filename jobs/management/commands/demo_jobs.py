"""`manage.py demo_jobs`: make one made-up job in each state, to look at."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse

from jobs.cli.commands import JobCommand, cannot_run
from jobs.common.formatting import some
from jobs.demo import gallery


class Command(JobCommand):
    help = (
        "Makes the gallery: one made-up job in each state, for viewing pages. Jobs that exist already are "
        "kept. The jobs called huge show larger numbers than their few stored tickets add up to, so "
        "check_jobs reports them; all others add up."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clear", action="store_true", help="Remove the gallery and its follow-ups.")
        parser.add_argument("--yes", action="store_true", help="Do it even without DEBUG or the demo.")
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
