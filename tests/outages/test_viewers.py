"""People at pages while Zendesk hangs, drips or refuses: they get pages, and a job at work gets its calls."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_django import Settings

from tests.crowd import ASKED_BY_PAGES, PEOPLE, Visit, visit_all
from tests.demo import Demo, demo_zendesk
from tests.outages.postgres import own_postgres
from tests.outages.premises import Premises, premises
from tests.processes import await_that

pytestmark = pytest.mark.slow
#: Seconds: far more than the second that a page waits for Zendesk, and less than the thirty of one call, for
#: which each of the eight threads was held before.
GENEROUS = 20.0
#: Seconds between two questions for the same thing, where neither is answered (`tagmanager.account.asking`).
FAILED_SECONDS = 10.0
#: Read by Python at its start: a name server that answers after a minute.
SLOW_NAMES = """
import socket, time
look_up = socket.getaddrinfo
def slowly(host, *more, **options):
    if host == "localhost":
        time.sleep(60)
    return look_up(host, *more, **options)
socket.getaddrinfo = slowly
"""


@pytest.fixture
def demo(settings: Settings) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=1500) as running:
        yield running


@pytest.fixture(params=["sqlite"])
def place(request: pytest.FixtureRequest, demo: Demo, tmp_path: Path) -> Iterator[Premises]:
    with database(request.param, tmp_path) as address, premises(demo, tmp_path / "var", address) as running:
        yield running


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'viewers.sqlite3'}"
    else:
        with own_postgres() as server:
            yield server.url


def open_web(place: Premises, **options: Any) -> str:
    """Two processes, both up: what they load first is no wait for Zendesk."""
    web = place.start_web(**options)
    with ThreadPoolExecutor(PEOPLE) as crowd:
        answers = crowd.map(lambda _: place.ask(web, "/login/").status_code, range(2 * PEOPLE))
        assert set(answers) <= {200, 302}
    return web


def start_job(place: Premises, demo: Demo) -> None:
    """Job 1, of which three batches are with Zendesk, and stay there."""
    demo.account.hold()
    ids = ",".join(map(str, demo.open_tickets[:300]))
    assert place.run("tag_tickets", "--ids", ids, "--add", "brand-new", "--yes", "--detach").code == 0
    await_that(lambda: demo.calls("PUT tickets/update_many") == 3, "the three batches")


def finish_job(place: Premises, demo: Demo) -> None:
    demo.account.release()
    job = await_that(lambda: ended(place), "the end of the job")
    assert (job["status"], job["changed"], job["api_calls"]["write"]) == ("succeeded", 300, 3)


def ended(place: Premises) -> dict[str, Any]:
    """The job, or {} while it is at work."""
    job = place.job(1)
    return job if job["finished_at"] else {}


def check(visits: list[Visit]) -> None:
    """Everybody was answered, and nobody waited for those who waited."""
    failed = {(visit.path, visit.status) for visit in visits if visit.status not in (200, 503)}
    assert failed == set()
    assert {visit.path for visit in visits if visit.status == 503} == set()
    slow = [visit for visit in visits if visit.seconds > GENEROUS]
    assert (len(visits) > 100, slow) == (True, [])


@pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
def test_twelve_people_and_a_job_are_served_while_zendesk_hangs(place: Premises, demo: Demo) -> None:
    place.start_worker()
    web = open_web(place)
    start_job(place, demo)
    rules = {
        path: demo.account.faults.add(f"GET /api/v2/{path}", "hang", times=None) for path in ASKED_BY_PAGES
    }
    began = time.monotonic()
    check(visit_all(web, dict([place.cookie])))
    took = time.monotonic() - began
    # A page tries for a second, and its part for five; then all are told what is known for ten.
    asked = {path: rules[path].fired for path in ("users/me", "autocomplete")}
    most = 2 + 2 * took / FAILED_SECONDS
    assert {path: 1 <= number <= most for path, number in asked.items()} == dict.fromkeys(asked, True)
    finish_job(place, demo)
    assert "Traceback" not in place.log("web.log")


@pytest.mark.parametrize(
    ("kind", "params"),
    [("trickle", {"head": True}), ("rate_limited", {"retry_after": 600}), ("server_error_before", {})],
)
def test_people_and_a_job_are_served_whatever_zendesk_answers(
    place: Premises, demo: Demo, kind: str, params: dict[str, Any]
) -> None:
    place.start_worker()
    web = open_web(place)
    start_job(place, demo)
    for path in ASKED_BY_PAGES:
        demo.account.faults.add(f"GET /api/v2/{path}", kind, times=None, **params)
    check(visit_all(web, dict([place.cookie])))
    finish_job(place, demo)


@pytest.mark.parametrize("how", ["names resolved slowly", "connections refused", "tokens that hang"])
def test_people_are_served_without_a_way_to_zendesk(
    place: Premises, demo: Demo, tmp_path: Path, how: str
) -> None:
    asked = ("--ids", "1", "--add", "brand-new", "--yes", "--detach")
    assert place.run("tag_tickets", *asked).code == 0  # the job whose page is looked at
    environment = dict(place.environment)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        if how == "names resolved slowly":
            (tmp_path / "names").mkdir()
            (tmp_path / "names" / "sitecustomize.py").write_text(SLOW_NAMES)
            environment |= {
                "PYTHONPATH": str(tmp_path / "names"),
                "ZENDESK_BASE_URL": demo.url.replace("127.0.0.1", "localhost"),
            }
        elif how == "connections refused":
            environment["ZENDESK_BASE_URL"] = f"http://127.0.0.1:{taken.getsockname()[1]}"
        else:
            demo.account.faults.add("POST /oauth/tokens", "hang", times=None)
        web = open_web(place, env=environment)
        check(visit_all(web, dict([place.cookie])))


def test_a_small_job_leaves_its_request_while_zendesk_hangs_and_ends_in_the_background(
    place: Premises, demo: Demo
) -> None:
    place.start_worker()
    web = open_web(place)
    writes = demo.account.faults.add("PUT /api/v2/tickets/update_many", "hang", after_work=True)
    refs = demo.open_tickets[:3]
    with requests.Session() as browser:
        browser.trust_env = False
        browser.cookies.set(*place.cookie)
        page = browser.get(f"{web}/tools/bulk-tag/", timeout=60)
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        numbers = " ".join(map(str, refs))
        typed = {"csrfmiddlewaretoken": token, "nonce": "n", "add": "brand-new", "ids": numbers}
        began = time.monotonic()
        answer = browser.post(f"{web}/tools/bulk-tag/", typed, timeout=60, allow_redirects=False)
        took = time.monotonic() - began
    assert (answer.status_code, answer.headers["Location"], took < GENEROUS) == (302, "/jobs/1/", True)
    assert writes.fired == 1
    job = await_that(lambda: ended(place), "the end of the job")
    assert (job["status"], job["changed"]) == ("succeeded", 3)
    assert {ref: demo.account.ledger.updates[ref] for ref in refs} == dict.fromkeys(refs, 1)
