"""PostgreSQL stopped and started again while a worker, the web and a command are at work."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.demo import Demo, demo_zendesk
from tests.outages.postgres import FAST, IMMEDIATE, Server, own_postgres
from tests.outages.premises import Premises, premises
from tests.processes import await_that, end_of

pytestmark = pytest.mark.slow

PLAIN, TOKEN = "text/plain; charset=utf-8", "a-token-of-this-test-0123456789"


@pytest.fixture
def demo(settings: Settings) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=2500) as running:
        yield running


@pytest.fixture
def postgres() -> Iterator[Server]:
    with own_postgres() as server:
        yield server


@pytest.fixture
def place(demo: Demo, postgres: Server, tmp_path: Path) -> Iterator[Premises]:
    with premises(demo, tmp_path / "var", postgres.url, METRICS_TOKEN=TOKEN) as running:
        yield running


def written(demo: Demo) -> int:
    return sum(demo.account.ledger.updates.values())


def sending(postgres: Server) -> list[int]:
    """The jobs that have sent something."""
    sent = postgres.ask("SELECT DISTINCT job_id FROM jobs_batch WHERE sent_at IS NOT NULL ORDER BY job_id")
    return [job for (job,) in sent]


def press(place: Premises, web: str, path: str) -> None:
    with place.form(web, path) as button:
        assert button().status_code == 302


def test_all_go_on_by_themselves_and_nothing_is_sent_twice(
    demo: Demo, postgres: Server, place: Premises
) -> None:
    web = place.start_web()
    refs = demo.open_tickets[:2000]
    ids = [",".join(map(str, part)) for part in (refs[:1000], refs[1000:])]
    demo.account.hold(after=2)  # both jobs stay under way, until the last outage is over
    assert place.run("tag_tickets", "--ids", ids[0], "--add", "brand-new", "--yes", "--detach").code == 0
    # The worker's job begins when the command has come to its own: both are to be at work when it happens.
    press(place, web, "/jobs/1/pause")
    place.start_worker()
    command = place.manage("tag_tickets", "--ids", ids[1], "--add", "brand-new", "--yes")
    await_that(lambda: sending(postgres) == [2], "the command")
    press(place, web, "/jobs/1/resume")
    await_that(lambda: sending(postgres) == [1, 2], "the worker")
    for how in (FAST, IMMEDIATE):
        before = written(demo)
        demo.account.hold(after=2)
        await_that(lambda before=before: written(demo) > before, "some tickets")  # type: ignore[misc]
        postgres.stop(how)
        demo.account.hold(after=2)  # some of what was in flight ends while nobody can write it down
        page = place.ask(web, "/jobs/1/")
        assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
        assert "<h1>The database does not answer</h1>" in page.text
        script = place.ask(web, "/jobs/1/status")
        assert script.status_code == 503
        assert script.json()["error"].startswith("The database does not answer.")
        part = place.ask(web, "/jobs/1/live", headers={"HX-Request": "true"})
        assert (part.status_code, part.headers["Content-Type"]) == (503, PLAIN)
        click = place.ask(web, "/jobs/1/pause", method="POST")
        assert click.status_code in (403, 503)
        assert place.ask(web, "/healthz").json()["database"] == "away"
        scrape = place.ask(web, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert (scrape.status_code, scrape.text) == (503, "The database does not answer.\n")
        assert (scrape.headers["Retry-After"], scrape.headers["Content-Type"]) == ("5", PLAIN)
        assert "Traceback" not in page.text + script.text + part.text
        postgres.start()
        assert place.ask(web, "/jobs/1/").status_code == 200
    demo.account.release()
    ended = end_of(command)
    assert (ended.code, ended.err) == (0, "")
    assert "The database does not answer. Trying again; nothing is lost." in ended.out
    await_that(
        lambda: postgres.ask("SELECT count(*) FROM jobs_job WHERE finished_at IS NULL") == [(0,)], "the end"
    )
    assert postgres.ask("SELECT status, changed, crash_count FROM jobs_job") == [("succeeded", 1000, 0)] * 2
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}
    assert written(demo) == 2000
    assert place.run("check_jobs").code == 0
    assert "Traceback" not in html.unescape(place.log("web.log"))
