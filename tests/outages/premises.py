"""Our processes on a database of a test's own, beside a demo Zendesk that counts what is written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import requests

from tests import factories
from tests.demo import Demo
from tests.processes import Ran, await_that, descendants, end_of, exists

#: Makes Ana, who may see and run jobs, and signs her in; prints the cookie's name and value.
SIGN_IN = """
from django.conf import settings
from django.test import Client
from tests import factories
client = Client()
client.force_login(factories.runner("ana"))
name = settings.SESSION_COOKIE_NAME
print(name, client.cookies[name].value)
"""
#: The hidden fields of a form that asks.
FIELDS = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')


class Premises:
    """Starts commands and the web server; all of them end with the test."""

    def __init__(self, demo: Demo, folder: Path, database: str, **environment: str) -> None:
        self.demo = demo
        self.folder = folder
        self.environment = (
            dict(os.environ)
            | {
                "DATABASE_URL": database,
                "VAR_DIR": str(folder),
                "PYTHONUNBUFFERED": "1",
                "ZENDESK_BASE_URL": demo.url,
                "ZENDESK_OAUTH_CLIENT_ID": "demo-client",
                "ZENDESK_OAUTH_CLIENT_SECRET": "demo-secret",
            }
            | environment
        )
        self.started: list[subprocess.Popen[str]] = []
        self._logs: list[IO[str]] = []

    def manage(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """A command whose output the test reads."""
        return self._start([sys.executable, "manage.py", *arguments], **options)

    def run(self, *arguments: str) -> Ran:
        return end_of(self.manage(*arguments))

    def prepare(self) -> None:
        assert self.run("migrate", "--verbosity", "0").code == 0
        name, value = self.run("shell", "--no-imports", "-c", SIGN_IN).out.split()
        self.cookie = (name, value)

    def start_worker(self, *, until: str = "The worker is up", **options: Any) -> subprocess.Popen[str]:
        worker = self._logged("worker.log", [sys.executable, "manage.py", "run_worker"], **options)
        await_that(lambda: until in self.log("worker.log"), "the worker")
        return worker

    def start_web(self, **options: Any) -> str:
        """Two processes with four threads each; gives their address."""
        command = [str(Path(sys.executable).parent / "gunicorn"), "tagmanager.wsgi", "--bind", "127.0.0.1:0"]
        more = ["--workers", "2", "--threads", "4", "--no-control-socket"]
        self._logged("web.log", [*command, *more], **options)
        await_that(lambda: "Listening at" in self.log("web.log"), "the web server")
        found = re.search(r"Listening at: (\S+)", self.log("web.log"))
        assert found
        return found[1]

    def log(self, name: str) -> str:
        return (self.folder / name).read_text(errors="replace")

    def ask(self, address: str, path: str, **options: Any) -> requests.Response:
        """What Ana's browser gets; redirects are not followed."""
        with requests.Session() as browser:
            browser.trust_env = False
            browser.cookies.set(*self.cookie)
            return browser.request(
                options.pop("method", "GET"), address + path, timeout=60, allow_redirects=False, **options
            )

    @contextmanager
    def form(self, address: str, path: str) -> Iterator[Callable[[], requests.Response]]:
        """The page that asks, read now; what it gives presses its button, as often as it is called."""
        with requests.Session() as browser:
            browser.trust_env = False
            browser.cookies.set(*self.cookie)
            page = browser.get(address + path, timeout=60)
            fields = dict(FIELDS.findall(page.text))
            yield lambda: browser.post(address + path, fields, timeout=60, allow_redirects=False)

    def job(self, pk: int) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run("jobs", "show", str(pk), "--output", "json").out)
        return answer

    def close(self) -> None:
        for process in reversed(self.started):
            left = descendants(process.pid)
            process.kill()
            process.wait()
            await_that(lambda left=left: not any(map(exists, left)), "the end of its children")  # type: ignore[misc]
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
        for log in self._logs:
            log.close()

    def _logged(self, name: str, command: list[str], **options: Any) -> subprocess.Popen[str]:
        log = (self.folder / name).open("w")
        self._logs.append(log)
        return self._start(command, stdout=log, stderr=log, **options)

    def _start(self, command: list[str], **options: Any) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        settings: dict[str, Any] = {"env": self.environment, "stdin": subprocess.DEVNULL, "text": True}
        process = subprocess.Popen(command, **(pipes | settings | options))
        self.started.append(process)
        return process


@contextmanager
def premises(demo: Demo, folder: Path, database: str, **environment: str) -> Iterator[Premises]:
    folder.mkdir(exist_ok=True)
    place = Premises(demo, folder, database, **environment)
    try:
        place.prepare()
        yield place
    finally:
        place.close()


__all__ = ["Premises", "factories", "premises"]
