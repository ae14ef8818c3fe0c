"""The site of "Below a path of another site": a real nginx with the page's snippet, the program behind it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from pytest_django import Settings

from tests.demo import demo_zendesk
from tests.outages.premises import Premises, premises
from tests.processes import await_that
from tests.production.page import files_of

pytestmark = [pytest.mark.slow, pytest.mark.once]

NGINX = shutil.which("nginx", path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")
FILES = files_of("how-to/run-in-production.md")
SNIPPET = FILES["/etc/nginx/snippets/tag-manager.conf"]
ZONES = "\n".join(
    re.findall(r"^limit_\w+_zone .+;$", FILES["/etc/nginx/sites-available/tag-manager"], re.MULTILINE)
)
#: A site with a front page of its own, and a rule that every file of a known kind is one of its files.
SITE = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {zones}
    server {{
        listen 127.0.0.1:{port};
        absolute_redirect off;
        location / {{ return 200 "the site"; }}
        location ~ \\.(css|js|svg|csv)$ {{ return 410; }}
        include {folder}/snippet;
    }}
}}
"""
PASSWORD = "correct horse battery"


@pytest.fixture
def place(settings: Settings, tmp_path: Path) -> Iterator[Premises]:
    with (
        demo_zendesk(settings, tickets=10) as demo,
        premises(
            demo,
            tmp_path / "var",
            f"sqlite:///{tmp_path / 'path.sqlite3'}",
            SCRIPT_NAME="/tags",
            TRUST_PROXY="True",
            METRICS_TOKEN="a-token-for-this-test-alone",
        ) as running,
    ):
        yield running


@pytest.fixture
def site(place: Premises, tmp_path: Path) -> Iterator[str]:
    """The address of the nginx in front."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    web = place.start_web()
    folder = tmp_path / "nginx"
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "snippet").write_text(SNIPPET.replace("http://127.0.0.1:8000", web))
    (folder / "nginx.conf").write_text(SITE.format(folder=folder, zones=ZONES, port=port))
    with (folder / "said").open("wb") as said:
        nginx = subprocess.Popen([NGINX, "-c", str(folder / "nginx.conf")], stdout=said, stderr=said)
        try:

            def answers() -> bool:
                assert nginx.poll() is None, (folder / "said").read_text()
                with suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    return True
                return False

            await_that(answers, "nginx")
            yield f"http://127.0.0.1:{port}"
        finally:
            nginx.terminate()
            nginx.wait()


def test_people_work_below_the_path_and_the_special_locations_hold_there(place: Premises, site: str) -> None:
    made = place.manage(
        *("createsuperuser", "--no-input", "--username", "root", "--email", "root@example.com"),
        env=place.environment | {"DJANGO_SUPERUSER_PASSWORD": PASSWORD},
    )
    out, err = made.communicate()
    assert made.returncode == 0, out + err
    with requests.Session() as browser:
        browser.trust_env = False

        assert browser.get(f"{site}/").text == "the site"
        moved = browser.get(f"{site}/tags?a=b", allow_redirects=False)
        assert (moved.status_code, moved.headers["Location"]) == (308, "/tags/?a=b")
        page = browser.get(f"{site}/tags/")
        assert page.url == f"{site}/tags/login/?next=%2Ftags%2F"
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token
        home = browser.post(
            page.url, {"username": "root", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        )
        assert (home.status_code, home.url) == (200, f"{site}/tags/")

        # Every link of the page lies below the path, and the files that it needs are there.
        linked = set(re.findall(r'(?:href|src|action|hx-get)="(/[^"#]*)"', home.text))
        assert len(linked) > 10
        assert [link for link in linked if not link.startswith("/tags/")] == []
        files = [link for link in linked if "/static/" in link]
        assert {link: browser.get(site + link).status_code for link in files} == dict.fromkeys(files, 200)
        assert {link.rpartition(".")[2].partition("?")[0] for link in files} >= {"css", "js"}

        # The export's address is the app's, although the site itself ends what looks so.
        absent = browser.get(f"{site}/tags/jobs/1/export.csv")
        assert (absent.status_code, "Tag Manager" in absent.text) == (404, True)
        assert browser.get(f"{site}/other.csv").status_code == 410

        token_of_prometheus = {"Authorization": "Bearer a-token-for-this-test-alone"}
        hidden = browser.get(f"{site}/tags/metrics", headers=token_of_prometheus)
        assert (hidden.status_code, "nginx" in hidden.text) == (404, True)
        large = browser.post(f"{site}/tags/login/", data=b"x" * 66_000)
        assert (large.status_code, "nginx" in large.text) == (413, True)

        def sign_in_page(_: int) -> int:
            return requests.get(f"{site}/tags/login/", timeout=60).status_code

        with ThreadPoolExecutor(4) as strangers:
            statuses = set(strangers.map(sign_in_page, range(60)))
        assert statuses == {200, 429}
