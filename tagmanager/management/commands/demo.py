"""`manage.py demo`: the whole app at work on a demo Zendesk, on this machine, with one command."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from jobs.cli.commands import Command as SentenceCommand
from jobs.cli.commands import impossible
from tagmanager.cli.demo import (
    POLL_INTERVAL,
    AlreadyTold,
    DemoFolder,
    DemoProcesses,
    Failed,
    Signals,
    address_in,
    answer_of,
)
from zendesk.sandbox import CLIENT_ID, CLIENT_SECRET, VIEW_UNSOLVED

USER = PASSWORD = "demo"  # noqa: S105 - of a server that only this machine reaches
TAG = "spring_campaign"


class Command(SentenceCommand):
    help = (
        "Shows the app at work: a demo Zendesk, web server and worker, and one tag on all unsolved tickets."
    )
    # Whatever a developer's environment says about a real Zendesk: the demo does not look at it.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tickets", type=int, default=12_000, metavar="N", help="In the demo Zendesk.")
        parser.add_argument(
            "--port", type=int, metavar="P", help="Of the web server (8000 or the next free)."
        )
        parser.add_argument("--exit", action="store_true", help="End with the job, with its exit code.")
        parser.add_argument(
            "--scale",
            type=float,
            default=0.1,
            help="How long the demo Zendesk takes, beside the real one (0.1).",
        )

    def handle(self, **options: Any) -> None:
        signals = Signals()
        try:
            place = DemoFolder(options["port"])
        except Failed as problem:
            raise impossible(str(problem)) from problem
        household = DemoProcesses(place, signals)
        is_done = False
        try:
            self._bring_up(household, place, options)
            code = self._show_main_job(household, place)
            is_done = True
            if not options["exit"]:
                self._say(f"The demo stays up at {place.url}. Ctrl-C ends it.")
                while True:
                    household.check()
                    time.sleep(POLL_INTERVAL)
        except Failed as problem:
            raise impossible(str(problem)) from problem
        except AlreadyTold as told:
            code = 0 if is_done and told.number == signal.SIGINT else 128 + told.number
        finally:
            household.stop()
            place.leave()
        if code:
            sys.exit(code)

    def _bring_up(self, household: DemoProcesses, place: DemoFolder, options: dict[str, Any]) -> None:
        self._say("Starting a demo Zendesk, the web server and a worker …")
        household.start(
            "zendesk",
            *household.manage("zendesk_sandbox", "--port", "0", "--quiet"),
            *("--tickets", str(options["tickets"]), "--scale", str(options["scale"])),
        )
        household.run("migrate", "migrate", "--no-input")
        household.run(
            "createsuperuser",
            *("createsuperuser", "--no-input", "--username", USER, "--email", "demo@example.com"),
            more={"DJANGO_SUPERUSER_PASSWORD": PASSWORD},
        )
        household.wait(lambda: bool(address_in(household.log_of("zendesk"))), "The demo Zendesk")
        household.environment |= {
            "ZENDESK_BASE_URL": address_in(household.log_of("zendesk")),
            "ZENDESK_OAUTH_CLIENT_ID": CLIENT_ID,
            "ZENDESK_OAUTH_CLIENT_SECRET": CLIENT_SECRET,
        }
        household.start("worker", *household.manage("run_worker"))
        household.start(
            "web",
            *(sys.executable, "-m", "gunicorn", "tagmanager.wsgi", "--chdir", str(settings.BASE_DIR)),
            *("--bind", f"127.0.0.1:{place.port}", "--workers", "1", "--threads", "4"),
        )
        health = f"{place.url}/healthz"
        household.wait(lambda: (answer_of(health) or {}).get("database") == "ok", "The web server")
        household.wait(lambda: (answer_of(health) or {}).get("worker") is True, "The worker")
        self._say(
            f"Tag Manager runs at {place.url}, login {USER}, password {PASSWORD}.",
            f"The demo Zendesk is at {household.environment['ZENDESK_BASE_URL']}.",
            f"Logs: {os.path.relpath(place.folder)}",
        )

    def _show_main_job(self, household: DemoProcesses, place: DemoFolder) -> int:
        made = household.run(
            "tag_tickets",
            *("tag_tickets", "--view", str(VIEW_UNSOLVED), "--add", TAG),
            *("--detach", "--yes", "--output", "json", "--as", USER),
        )
        job = json.loads(made)
        self._say(
            f"Job {job['id']} is queued for the worker: {job['title']}",
            f"Its page: {place.url}/jobs/{job['id']}/",
        )
        return household.show("jobs", "watch", str(job["id"]), "--no-hints")

    def _say(self, *lines: str) -> None:
        self.tell(*lines)
        self.stdout.flush()
