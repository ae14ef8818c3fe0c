"""The app below a path of a host: every link, form and part of every page begins with it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from tests.doors.house import House, get, installed, needs_nginx

pytestmark = [pytest.mark.slow, pytest.mark.once, needs_nginx]

PREFIX = "/tags"
#: Attributes whose value a browser asks for or goes to.
FOLLOWED = {"href", "src", "action", "formaction", "hx-get", "hx-post", "data-home", "data-jobs", "data-tool",
            "data-suggestions", "data-root"}  # fmt: skip
#: Pages of one kind differ by a number or a query only; so many of a kind are looked at.
OF_A_KIND = 3
MOST_PAGES = 300


class Links(HTMLParser):
    """The addresses on a page, each with its attribute."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(name, value or "") for name, value in attrs if name in FOLLOWED]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("sub-path")
    bare = {"PATH": os.environ["PATH"], "TAGMANAGER_ENV_FILE": str(folder / "none.env")}
    with installed(folder, bare, SCRIPT_NAME=PREFIX, TRUST_PROXY="True") as house:
        house.manage("demo_jobs", "--yes")
        yield house


@pytest.fixture(scope="module")
def upstream(house: House) -> str:
    return house.start_gunicorn()


@pytest.fixture(scope="module")
def site(house: House, upstream: str) -> str:
    """nginx passes the path on as it is, and takes the prefix off below /stripped."""
    return house.start_nginx(
        f"location {PREFIX} {{ proxy_pass {upstream}; }}\n"
        f"location /stripped{PREFIX}/ {{ proxy_pass {upstream}/; }}\n"
    )


def kind_of(address: str) -> str:
    parts = urlsplit(address)
    names = ",".join(sorted(part.partition("=")[0] for part in parts.query.split("&")))
    return re.sub(r"\d+", "N", parts.path) + "?" + names


def is_below(address: str, page: str = "/tags/jobs/") -> bool:
    """Whether it leads from the page to one below the prefix, or elsewhere on purpose."""
    if address.startswith(("data:", "http://127.0.0.1:9/")):
        return True
    target = urlsplit(urljoin(page, address))
    return not target.netloc and (target.path == PREFIX or target.path.startswith(f"{PREFIX}/"))


class Walk:
    """Follows what pages link to, a few of each kind, and notes what leads astray or fails."""

    def __init__(self, browser: requests.Session, site: str) -> None:
        self.astray: dict[str, tuple[str, str]] = {}
        self.failed: dict[str, int] = {}
        self.seen: set[str] = set()
        self.kinds: dict[str, list[str]] = {}
        self._browser, self._site = browser, site
        self._waiting = [f"{PREFIX}/"]

    def go(self) -> None:
        while self._waiting and len(self.seen) < MOST_PAGES:
            path = self._waiting.pop(0)
            if path not in self.seen:
                self.seen.add(path)
                self._look_at(path)

    def _look_at(self, path: str) -> None:
        answer = self._browser.get(f"{self._site}{path}", timeout=60, allow_redirects=False)
        if answer.status_code >= 400:
            self.failed[path] = answer.status_code
        found = Links(answer.text).found if "text/html" in answer.headers.get("Content-Type", "") else []
        if answer.is_redirect:
            found.append(("Location", answer.headers["Location"]))
        for name, address in found:
            if not is_below(address, path):
                self.astray[path] = (name, address)
            elif name not in ("action", "formaction", "hx-post"):
                self._note(urljoin(path, address.partition("#")[0]))

    def _note(self, target: str) -> None:
        same = self.kinds.setdefault(kind_of(target), [])
        if len(same) < OF_A_KIND and target.startswith(PREFIX):
            same.append(target)
            self._waiting.append(target)


def test_every_address_on_every_page_begins_with_the_prefix(house: House, site: str) -> None:
    browser = house.browser()
    assert house.sign_in(browser, f"{site}{PREFIX}/login/").url == f"{site}{PREFIX}/"
    walk = Walk(browser, site)
    walk.go()
    assert (walk.astray, walk.failed) == ({}, {})
    # It was a walk: through jobs, tools, the admin, parts, exports and static files.
    walked = {kind.split("?")[0].removeprefix(PREFIX) for kind in walk.kinds}
    assert walked >= {
        *("/jobs/N/", "/jobs/N/undo", "/jobs/N/live", "/jobs/N/export.csv", "/tools/bulk-tag/", "/password/"),
        *("/admin/", "/admin/jobs/job/", "/admin/jobs/job/N/change/"),
    }
    assert any(path.startswith(f"{PREFIX}/static/") for path in walk.seen)
    assert len(walk.seen) > 60


def test_sign_in_sign_out_errors_and_cookies_stay_below_the_prefix(house: House, site: str) -> None:
    browser = house.browser()
    asked = browser.get(f"{site}{PREFIX}/jobs/?show=active", timeout=60)
    assert asked.url == f"{site}{PREFIX}/login/?next=%2Ftags%2Fjobs%2F%3Fshow%3Dactive"
    signed_in = house.sign_in(browser, asked.url)
    assert signed_in.url == f"{site}{PREFIX}/jobs/?show=active"
    cookies = {re.sub("-[0-9a-f]{8}$", "", each.name): (each.path, each.secure) for each in browser.cookies}
    assert cookies == {
        "__Secure-tagmanager-csrf": ("/tags/", True),
        "__Secure-tagmanager-session": ("/tags/", True),
    }
    for path, status in (("/nonsense", 404), ("/jobs/4711/", 404), ("/admin/jobs/job/?q=%00", 400)):
        page = browser.get(f"{site}{PREFIX}{path}", timeout=60)
        assert page.status_code == status
        assert [each for _, each in Links(page.text).found if not is_below(each)] == []
    forged = browser.post(f"{site}{PREFIX}/logout/", {}, headers={"Referer": site}, timeout=60)
    assert forged.status_code == 403
    assert [each for _, each in Links(forged.text).found if not is_below(each)] == []
    redirect = browser.get(f"{site}{PREFIX}?x=1", timeout=60, allow_redirects=False)
    assert redirect.headers["Location"] in (f"{PREFIX}/?x=1", f"{site}{PREFIX}/?x=1")


def test_a_proxy_may_take_the_prefix_off_and_probes_need_none(house: House, site: str, upstream: str) -> None:
    browser, prefixes = house.browser(), (PREFIX, f"/stripped{PREFIX}")
    whole, stripped = (browser.get(f"{site}{prefix}/login/", timeout=60) for prefix in prefixes)
    assert (whole.status_code, stripped.status_code) == (200, 200)
    assert Links(whole.text).found == Links(stripped.text).found
    for path in ("/healthz", f"{PREFIX}/healthz"):
        answer = get(upstream + path)
        assert answer is not None
        assert (answer.status_code, answer.json()["database"]) == (200, "ok")


def test_the_walk_would_see_a_link_astray() -> None:
    astray = ("/", "/jobs/", "/tagsx/", "//evil.example/", "../../", "https://evil.example/tags/")
    assert [address for address in astray if is_below(address)] == []
    assert [is_below(address) for address in ("/tags/", "#main", "?show=active", "/tags")] == [True] * 4
