"""The whole app for a browser: web server, worker and demo Zendesk, as they run on a real machine."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests import factories
from tests.demo import Demo
from tests.processes import await_that
from zendesk import sandbox as zd

ROOT = Path(__file__).resolve().parents[2]
SET_UP = """
import json
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from tests import factories
call_command("migrate", verbosity=0)
people = {
    "ana": factories.runner("ana", is_staff=True, is_superuser=True),
    "vera": factories.user("vera", "view_job"),
}
sessions = {}
for name, person in people.items():
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    sessions[name] = browser.cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps([settings.SESSION_COOKIE_NAME, sessions]))
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Office:
    """Everything under one roof; the database, the cache and the logs are in `folder`."""

    def __init__(self, folder: Path, account: zd.Sandbox, zendesk_url: str) -> None:
        self.demo = Demo(account, zendesk_url)
        self.host = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.host}"
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "VAR_DIR": str(folder),
            "ZENDESK_BASE_URL": zendesk_url,
            "ZENDESK_OAUTH_CLIENT_ID": zd.CLIENT_ID,
            "ZENDESK_OAUTH_CLIENT_SECRET": zd.CLIENT_SECRET,
            # Few at a time, so that a job is neither done nor sent whole when one first sees it move.
            "ZENDESK_MAX_JOBS": "4",
        }
        self.cookie, sessions = json.loads(self.shell(SET_UP))
        #: The value of the session's `cookie` of who is signed in, by name.
        self.sessions: dict[str, str] = sessions
        self._worker = self._start("worker", sys.executable, "manage.py", "run_worker")
        self.open_web()
        await_that(lambda: self.health().get("worker"), "a worker")

    def manage(self, *arguments: str) -> str:
        """What a command of the project writes to standard output; it has to succeed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, source: str) -> str:
        """What a piece of Python writes that runs in the app."""
        return self.manage("shell", "--no-imports", "-c", source)

    def start_job(self, refs: Iterable[int], tag: str) -> str:
        """Ask for a job in the background; the address of its page."""
        numbers = ",".join(map(str, refs))
        options = ("--add", tag, "--detach", "--yes", "--output", "json", "--as", "ana")
        made = json.loads(self.manage("tag_tickets", "--ids", numbers, *options))
        return f"{self.url}/jobs/{made['id']}/"

    @contextmanager
    def half_done(self, *, after: int = 2) -> Iterator[zd.Sandbox]:
        """Inside, only the first batches of what is sent are done; the rest waits in Zendesk's queue."""
        account = self.demo.account
        account.hold(after=after)
        try:
            yield account
        finally:
            account.release()

    def await_end(self, address: str) -> None:
        """Until the job of this page has ended, asked of the database and of no page."""
        ask = "SELECT finished_at IS NOT NULL FROM jobs_job WHERE id = ?"
        with closing(sqlite3.connect(self._folder / "demo.sqlite3")) as database:
            number = address.split("/")[-2]
            await_that(lambda: database.execute(ask, (number,)).fetchone() == (1,), f"the end of {address}")

    def open_web(self) -> None:
        """Start the web server, at the same address each time."""
        self._web = self._start(
            "web",
            *(sys.executable, "-m", "gunicorn", "tagmanager.wsgi", "--bind", self.host, "--threads", "4"),
            "--no-control-socket",
        )
        await_that(lambda: self.health().get("database") == "ok", "the web server")

    def close_web(self) -> None:
        self._web.terminate()
        self._web.wait()

    def health(self) -> dict[str, Any]:
        """What /healthz says; nothing while nobody answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
        with suppress(OSError, ValueError), opener.open(f"{self.url}/healthz", timeout=5) as answer:
            return dict(json.load(answer))
        return {}

    def close(self) -> None:
        self.close_web()
        os.killpg(self._worker.pid, signal.SIGKILL)
        self._worker.wait()

    def _start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )


#: Who signs in, and with what.
NAME, PASSWORD = "ana", factories.PASSWORD
