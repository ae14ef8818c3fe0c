"""An installation as in production, in a folder of a test's own: gunicorn, and nginx with TLS in front."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.benchmarks.web import free_port
from tests.processes import await_that

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
NAME, PASSWORD = "root", "correct horse battery"
needs_nginx = pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SET_UP = f"""
from django.contrib.auth.models import User
User.objects.create_superuser("{NAME}", password="{PASSWORD}")
"""
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        client_max_body_size 202m;
        proxy_set_header Host $host:$server_port;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        {locations}
    }}
}}
"""


@dataclass(slots=True)
class House:
    """The installation; `environment` is what its settings come from."""

    folder: Path
    environment: dict[str, str]
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start_gunicorn(self, *options: str) -> str:
        """Serve as the units do; gives the address."""
        command = [str(Path(sys.executable).parent / "gunicorn"), "--config", "python:tagmanager.gunicorn"]
        self._start("web", *command, "--bind", f"{HOST}:0", "--workers", "1", *options)
        log = self.folder / "web.log"
        await_that(lambda: "Listening at" in log.read_text(), "gunicorn")
        found = re.search(r"Listening at: (\S+)", log.read_text())
        assert found
        address = found[1]
        await_that(lambda: get(f"{address}/healthz") is not None, "an answer of gunicorn's")
        return address

    def start_nginx(self, locations: str) -> str:
        """In front, with TLS and the blocks `locations`; gives the address."""
        if not (self.folder / "cert.pem").exists():
            make_certificate(self.folder)
        port = free_port()
        conf = self.folder / "nginx.conf"
        conf.write_text(NGINX.format(folder=self.folder, port=port, locations=locations))
        self._start("nginx", "nginx", "-c", str(conf), "-p", str(self.folder))
        address = f"https://{HOST}:{port}"
        await_that(lambda: get(f"{address}/", verify=self.certificate) is not None, "nginx")
        return address

    @property
    def certificate(self) -> str:
        return str(self.folder / "cert.pem")

    def browser(self) -> requests.Session:
        browser = requests.Session()
        browser.trust_env = False
        browser.verify = self.certificate
        return browser

    def sign_in(self, browser: requests.Session, address: str, password: str = PASSWORD) -> requests.Response:
        """Fill in the sign-in page at this address."""
        page = browser.get(address, timeout=60)
        found = TOKEN.search(page.text)
        assert found, page.text
        sent = {"username": NAME, "password": password, "csrfmiddlewaretoken": found[1]}
        return browser.post(address, sent, headers={"Referer": address}, timeout=60)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def close(self) -> None:
        for process in reversed(self._running):
            process.terminate()
            process.wait()

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running.append(
                subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
            )


def get(address: str, **options: Any) -> requests.Response | None:
    """The answer; None while nobody answers."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(address, timeout=60, allow_redirects=False, **options)
        except requests.ConnectionError:
            return None


def make_certificate(folder: Path) -> None:
    files = ("-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem")
    name = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=IP:{HOST}")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, *files]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def installed(folder: Path, bare: dict[str, str], **settings: str) -> Iterator[House]:
    """A production installation with one person and no job, on SQLite."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **bare,
        "VAR_DIR": str(folder / "var"),
        "SECRET_KEY": "a-key-for-this-test-alone-" + "0123456789abcdef" * 3,
        "ALLOWED_HOSTS": HOST,
        "ZENDESK_BASE_URL": "http://127.0.0.1:9",
        "ZENDESK_OAUTH_TOKEN": "a-token-of-this-test",
        **settings,
    }
    house = House(folder, environment)
    house.manage("migrate", "--verbosity", "0")
    house.manage("collectstatic", "--no-input", "--verbosity", "0")
    house.manage("shell", "--no-imports", "-c", SET_UP)
    try:
        yield house
    finally:
        house.close()
