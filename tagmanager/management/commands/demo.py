"""`manage.py demo`: the whole app with a demo Zendesk on this machine."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from jobs.cli.commands import JobCommand, cannot_run
from tagmanager.cli.demo import (
    POLL_INTERVAL,
    DemoFolder,
    DemoProcesses,
    Failed,
    Signals,
    Stopped,
    address_in,
    answer_of,
)
from zendesk.sandbox import CLIENT_ID, CLIENT_SECRET, VIEW_UNSOLVED

USER = PASSWORD = "demo"  # noqa: S105 - of a server that only this machine reaches
TAG = "spring_campaign"


class Command(JobCommand):
    help = (
        "Runs the app with a demo Zendesk, a web server and a worker, and adds a tag to all unsolved tickets."
    )
    # The demo ignores settings for a real Zendesk in the developer's environment.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--tickets",
            type=int,
            default=12_000,
            metavar="N",
            help="Number of tickets in the demo Zendesk (12000).",
        )
        parser.add_argument(
            "--port", type=int, metavar="P", help="Port of the web server (8000 or the next free one)."
        )
        parser.add_argument("--exit", action="store_true", help="Exit when the job ends, with its exit code.")
        parser.add_argument(
            "--scale",
            type=float,
            default=0.1,
            help="Duration of bulk jobs compared with the real Zendesk (0.1).",
        )
        parser.add_argument(
            "--reload",
            action="store_true",
            help="For developing: a changed file restarts web and worker; errors show details; runs no job.",
        )

    def handle(self, **options: Any) -> None:
        signals = Signals()
        try:
            folder = DemoFolder(options["port"])
        except Failed as problem:
            raise cannot_run(str(problem)) from problem
        demo = DemoProcesses(folder, signals)
        is_done = False
        try:
            self._bring_up(demo, folder, options)
            code = 0 if options["reload"] else self._show_main_job(demo, folder)
            is_done = True
            if options["reload"] or not options["exit"]:
                self._say(f"The demo stays up at {folder.url}. Ctrl-C ends it.")
                while True:
                    demo.check()
                    time.sleep(POLL_INTERVAL)
        except Failed as problem:
            raise cannot_run(str(problem)) from problem
        except Stopped as stopped:
            code = 0 if is_done and stopped.number == signal.SIGINT else 128 + stopped.number
        finally:
            demo.stop()
            folder.leave()
        if code:
            sys.exit(code)

    def _bring_up(self, demo: DemoProcesses, folder: DemoFolder, options: dict[str, Any]) -> None:
        self._say("Starting a demo Zendesk, the web server and a worker …")
        demo.start(
            "zendesk",
            *demo.manage("zendesk_sandbox", "--port", "0", "--quiet"),
            *("--tickets", str(options["tickets"]), "--scale", str(options["scale"])),
        )
        demo.run("migrate", "migrate", "--no-input")
        demo.run(
            "createsuperuser",
            *("createsuperuser", "--no-input", "--username", USER, "--email", "demo@example.com"),
            more={"DJANGO_SUPERUSER_PASSWORD": PASSWORD},
        )
        demo.wait(lambda: bool(address_in(demo.log_of("zendesk"))), "The demo Zendesk")
        demo.environment |= {
            "ZENDESK_BASE_URL": address_in(demo.log_of("zendesk")),
            "ZENDESK_OAUTH_CLIENT_ID": CLIENT_ID,
            "ZENDESK_OAUTH_CLIENT_SECRET": CLIENT_SECRET,
        }
        start = self._start_reloading if options["reload"] else self._start
        start(demo, folder.port)
        health = f"{folder.url}/healthz"
        demo.wait(lambda: (answer_of(health) or {}).get("database") == "ok", "The web server")
        demo.wait(lambda: (answer_of(health) or {}).get("worker") is True, "The worker")
        self._say(
            f"Tag Manager runs at {folder.url}, login {USER}, password {PASSWORD}.",
            f"The demo Zendesk is at {demo.environment['ZENDESK_BASE_URL']}.",
            f"Logs: {os.path.relpath(folder.path)}",
        )

    def _start(self, demo: DemoProcesses, port: int) -> None:
        demo.start("worker", *demo.manage("run_worker"))
        demo.start(
            "web",
            *(sys.executable, "-m", "gunicorn", "--config", "python:tagmanager.gunicorn"),
            *("--chdir", str(settings.BASE_DIR), "--bind", f"127.0.0.1:{port}", "--workers", "1"),
        )

    def _start_reloading(self, demo: DemoProcesses, port: int) -> None:
        """Both restart by themselves when Python changes; templates and static files need no restart."""
        demo.environment |= {"DEBUG": "True"}
        demo.start(
            "worker",
            *(sys.executable, "-m", "watchfiles", "--filter", "python", "--sigint-timeout", "5"),
            shlex.join(demo.manage("run_worker")),
            *(str(settings.BASE_DIR / package) for package in ("jobs", "tagmanager", "zendesk")),
        )
        demo.start("web", *demo.manage("runserver", str(port)))

    def _show_main_job(self, demo: DemoProcesses, folder: DemoFolder) -> int:
        made = demo.run(
            "tag_tickets",
            *("tag_tickets", "--view", str(VIEW_UNSOLVED), "--add", TAG),
            *("--detach", "--yes", "--output", "json", "--as", USER),
        )
        job = json.loads(made)
        self._say(
            f"Job {job['id']} is queued for the worker: {job['title']}",
            f"Its page: {folder.url}/jobs/{job['id']}/",
        )
        return demo.show("jobs", "watch", str(job["id"]), "--no-hints")

    def _say(self, *lines: str) -> None:
        self.tell(*lines)
        self.stdout.flush()
