"""The same button in two tabs, the same form twice, two people at once: over HTTP, against two processes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from jobs.models import Job, Transition
from jobs.states import FollowUp, Outcome, Status
from tests import factories
from tests.conftest import environment_of_processes
from tests.cookies import session_cookie_at
from tests.demo import Demo, demo_zendesk
from tests.outages.premises import FIELDS, Premises

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
#: How often each pair of people presses at once.
ROUNDS = 4


class Tab:
    """One tab of a signed-in person's browser."""

    def __init__(self, address: str, person: User) -> None:
        client = Client()
        client.force_login(person)
        self.address = address
        self._browser = requests.Session()
        self._browser.trust_env = False
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        self._browser.cookies.set(session_cookie_at(address), value)
        self._fields: list[tuple[str, Any]] = []
        self._path = ""

    def open(self, path: str, **more: Any) -> Tab:
        """Read the page with the form; `more` is filled in."""
        page = self._browser.get(self.address + path, timeout=60)
        assert page.status_code == 200, page.text
        self._path = path
        self._fields = [
            (name, html.unescape(value)) for name, value in FIELDS.findall(page.text) if name not in more
        ]
        self._fields += [
            (name, each)
            for name, value in more.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        return self

    def press(self) -> str:
        """Send the form; gives what the page it leads to says, as text."""
        answer = self._browser.post(self.address + self._path, self._fields, timeout=60)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with demo_zendesk(SimpleNamespace(), tickets=300) as running:
        yield running


@pytest.fixture(scope="module")
def web(django_db_setup: None, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One web server for all tests here; up to three tickets are worked on in the request."""
    database = environment_of_processes()["DATABASE_URL"]
    place = Premises(demo, tmp_path_factory.mktemp("web"), database, SYNC_TICKET_LIMIT="3")
    try:
        yield place.start_web()
    finally:
        place.close()


def at_once(*presses: Callable[[], str]) -> list[str]:
    """All of them, let go at the same moment."""
    gate = Barrier(len(presses))

    def go(press: Callable[[], str]) -> str:
        gate.wait(60)
        return press()

    with ThreadPoolExecutor(len(presses)) as threads:
        return list(threads.map(go, presses))


def running_job() -> Job:
    """In the hands of a worker of another host, whose beat is fresh."""
    from django.utils import timezone

    return factories.job(
        Status.RUNNING,
        total=3,
        lease_token="a-token",
        lease_owner="another-host//4711/1",
        beat_at=timezone.now(),
    )


def steps(job: Job) -> list[tuple[str, str]]:
    moves = Transition.objects.filter(job=job).order_by("id")
    return [(str(move.from_status), str(move.to_status)) for move in moves][1:]


@pytest.mark.journey
def test_a_button_in_two_tabs_moves_the_job_once_and_the_second_press_says_so(web: str) -> None:
    ana = factories.runner("ana")
    for name, make, moved in (
        ("pause", running_job, ("running", "pausing")),
        ("pause", lambda: factories.job(Status.QUEUED), ("queued", "paused")),
        ("resume", lambda: factories.job(Status.PAUSED, total=3), ("paused", "queued")),
        ("cancel", running_job, ("running", "cancelling")),
        ("cancel", lambda: factories.job(Status.PAUSED, total=3), ("paused", "cancelled")),
    ):
        job = make()
        tabs = [Tab(web, ana).open(f"/jobs/{job.pk}/{name}") for _ in range(2)]
        said = at_once(*(tab.press for tab in tabs))
        assert steps(job) == [moved], name
        refused = [words for words in said if f"Job {job.pk} cannot be " in words]
        assert len(refused) == 1, (name, said)
        assert "by ana" in refused[0]
        job.refresh_from_db()
        Job.objects.filter(pk=job.pk).delete()


def test_a_follow_up_in_two_tabs_is_made_once(web: str, demo: Demo) -> None:
    ana = factories.runner("ana")
    refs = demo.open_tickets[:4]
    for name, kind, status, outcome, more in (
        ("retry", FollowUp.RETRY, Status.PARTIAL, Outcome.FAILED, {"failed": 4}),
        ("undo", FollowUp.UNDO, Status.SUCCEEDED, Outcome.CHANGED, {"changed": 4}),
        ("rest", FollowUp.REST, Status.CANCELLED, Outcome.PENDING, {"total": 4}),
        ("run", FollowUp.RUN, Status.SUCCEEDED, Outcome.PLANNED, {"planned": 4, "dry_run": True}),
    ):
        job = factories.job(status, **more)
        for ref in refs:
            factories.item(job, ref, outcome, change={"add": ["vip"]})
        tabs = [Tab(web, ana).open(f"/jobs/{job.pk}/{name}") for _ in range(2)]
        said = at_once(*(tab.press for tab in tabs))
        child = job.children.get()
        assert child.follow_up == kind
        at_it = (f"Job {child.pk} is at this already", f"Job {child.pk} is already undoing job {job.pk}")
        assert sum(at_it[name == "undo"] in words for words in said) == 1, (name, said)


@pytest.mark.journey
def test_a_form_sent_twice_makes_one_job(web: str, demo: Demo) -> None:
    ana = factories.runner("ana")
    tab, other = Tab(web, ana), Tab(web, ana)
    ids = " ".join(map(str, demo.open_tickets[:3]))
    tab.open("/tools/bulk-tag/", kind="ids", ids=ids, add="brand-new")
    other.address, other._path, other._fields = tab.address, tab._path, tab._fields
    other._browser.cookies = tab._browser.cookies
    said = at_once(tab.press, other.press, tab.press)
    job = Job.objects.get()
    assert [f"Job {job.pk}" in words for words in said] == [True] * 3, said
    assert {demo.account.ledger.updates[ref] for ref in demo.open_tickets[:3]} == {1}


def test_many_jobs_cancelled_in_two_tabs_are_cancelled_once(web: str) -> None:
    ana = factories.runner("ana")
    jobs = [factories.job(Status.QUEUED) for _ in range(5)]
    chosen = "&".join(f"job={job.pk}" for job in jobs)
    tabs = [Tab(web, ana).open(f"/jobs/cancel?{chosen}") for _ in range(2)]
    said = at_once(*(tab.press for tab in tabs))
    assert [steps(job) for job in jobs] == [[("queued", "cancelled")]] * 5
    told = sum(int(n) for words in said for n in re.findall(r"(\d) jobs? (?:was|were) told to stop", words))
    assert told == 5


def test_an_action_of_the_admin_in_two_tabs_moves_the_job_once(web: str) -> None:
    root = User.objects.create_superuser("root")
    job = running_job()
    sent = {"action": "pause", "_selected_action": str(job.pk), "confirmed": "yes"}
    tabs = [Tab(web, root).open("/admin/jobs/job/", **sent) for _ in range(2)]
    said = at_once(*(tab.press for tab in tabs))
    assert steps(job) == [("running", "pausing")]
    assert sum("cannot be paused" in words for words in said) == 1, said


@pytest.mark.parametrize(
    ("status", "first", "second", "orders"),
    [
        (
            Status.RUNNING,
            "cancel",
            "pause",
            {
                (("running", "cancelling"),): "pause",
                (("running", "pausing"), ("pausing", "cancelling")): None,
            },
        ),
        (
            Status.PAUSED,
            "cancel",
            "resume",
            {
                (("paused", "cancelled"),): "resume",
                (("paused", "queued"), ("queued", "cancelled")): None,
            },
        ),
        (
            Status.QUEUED,
            "pause",
            "cancel",
            {
                (("queued", "cancelled"),): "pause",
                (("queued", "paused"), ("paused", "cancelled")): None,
            },
        ),
    ],
)
def test_two_people_at_once_get_one_of_the_serial_orders_and_both_are_told_the_truth(
    web: str,
    status: Status,
    first: str,
    second: str,
    orders: dict[tuple[tuple[str, str], ...], str | None],
) -> None:
    people = {first: factories.runner("ana"), second: factories.runner("ben")}
    for _ in range(ROUNDS):
        job = running_job() if status == Status.RUNNING else factories.job(status)
        tabs = {name: Tab(web, who).open(f"/jobs/{job.pk}/{name}") for name, who in people.items()}
        said = dict(zip(tabs, at_once(*(tab.press for tab in tabs.values())), strict=True))
        happened = tuple(steps(job))
        assert happened in orders
        refused = {name for name, words in said.items() if f"Job {job.pk} cannot be " in words}
        assert refused == ({orders[happened]} if orders[happened] else set())
        Job.objects.filter(pk=job.pk).update(
            status=Status.CANCELLED, finished_at=job.created_at, lease_token=""
        )
