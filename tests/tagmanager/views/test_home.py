"""The first page: tools, what runs, what needs somebody, the connection."""

from __future__ import annotations

import html
import re
from datetime import timedelta

from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from jobs.models import Beat, Job
from jobs.states import FollowUp, Status
from jobs.workers import heartbeats
from tests import factories
from zendesk import sandbox

HTMX = {"HX-Request": "true"}


def section(page: str, name: str) -> str:
    found = re.search(rf'<section [^>]*aria-labelledby="{name}">.*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def test_a_fresh_installation_says_how_to_start(web: Client) -> None:
    page = web.get("/").content.decode()
    assert "No job has been started yet. Choose a tool, and look at a preview first" in page
    assert section(page, "running") == section(page, "latest") == ""


def test_jobs_that_need_attention_are_listed_until_handled(web: Client) -> None:
    long_ago = timezone.now() - timedelta(days=8)
    failed, retried, old, stopped, paused, fine = (
        factories.job(Status.PARTIAL, title="failed lately", failed=1),
        factories.job(Status.PARTIAL, title="failed and retried", failed=1),
        factories.job(Status.PARTIAL, title="failed long ago", failed=1, finished_at=long_ago),
        factories.job(Status.ERRORED, title="stopped long ago", created_at=long_ago),
        factories.job(Status.PAUSED, title="is paused"),
        factories.job(Status.SUCCEEDED, title="is fine"),
    )
    factories.job(Status.SUCCEEDED, title="the retry", parent=retried, follow_up=FollowUp.RETRY)
    # Some of its failures only, and a retry that was cancelled: the others still wait for somebody.
    some = {"kind": "items", "job": failed.pk, "outcomes": ["failed"], "reason": "closed"}
    factories.job(Status.SUCCEEDED, title="of some", parent=failed, follow_up=FollowUp.RETRY, source=some)
    factories.job(Status.CANCELLED, title="in vain", parent=failed, follow_up=FollowUp.RETRY)
    page = web.get("/").content.decode()
    named = {
        job.title
        for job in (failed, retried, old, stopped, paused, fine)
        if job.title in section(page, "attention")
    }
    assert named == {"failed lately", "stopped long ago", "is paused"}
    assert "is fine" in section(page, "latest")
    assert "is paused" not in section(page, "latest")


def test_running_jobs_update_with_one_request(web: Client) -> None:
    factories.job(Status.RUNNING, title="first", total=10)
    factories.job(Status.RUNNING, title="second", total=10)
    page = web.get("/").content.decode()
    address = re.search(r'hx-get="(/now\?version=[0-9a-f]+)" hx-trigger="every 3s"', page)
    assert address
    assert web.get(address[1], headers=HTMX).status_code == 204
    factories.job(Status.QUEUED, title="third")
    part = web.get(address[1], headers=HTMX).content.decode()
    assert "third" in section(part, "running")
    assert "<html" not in part


def test_an_ended_job_moves_to_its_section_without_a_reload(web: Client) -> None:
    failed = factories.job(Status.RUNNING, title="goes wrong", total=1)
    fine = factories.job(Status.RUNNING, title="fine", total=1)
    factories.job(Status.RUNNING, title="goes on")
    Job.objects.filter(pk=failed.pk).update(status=Status.PARTIAL, failed=1, finished_at=timezone.now())
    Job.objects.filter(pk=fine.pk).update(status=Status.SUCCEEDED, changed=1, finished_at=timezone.now())
    part = web.get("/now", headers=HTMX).content.decode()
    assert "goes wrong" in section(part, "attention")
    assert "goes on" in section(part, "running")
    assert "fine" in section(part, "latest")


def test_an_idle_home_page_polls_slowly_for_new_jobs(web: Client) -> None:
    assert 'hx-trigger="every 15s"' in web.get("/now").content.decode()


def test_the_home_page_links_to_further_jobs(web: Client) -> None:
    for _ in range(11):
        factories.job(Status.RUNNING)
    assert 'id="all-running" href="/jobs/?show=active"' in web.get("/").content.decode()
    assert "all-attention" not in web.get("/").content.decode()
    for _ in range(6):
        factories.job(Status.ERRORED)
    assert 'id="all-attention" href="/jobs/?show=attention"' in web.get("/").content.decode()


def test_people_who_may_only_look_read_whom_to_ask(client: Client, db: None) -> None:
    client.force_login(factories.user("bob", "view_job"))
    page = client.get("/").content.decode()
    assert "Ask an administrator of Tag Manager" in page
    assert 'href="/tools/bulk-tag/"' not in page


def test_parts_of_the_home_page_need_a_login(client: Client, db: None) -> None:
    for address in ("/now", "/connection"):
        assert client.get(address)["Location"].startswith("/login/")
    client.force_login(factories.user("eve"))
    assert client.get("/now").status_code == 403
    assert "Running now" not in client.get("/").content.decode()


def test_the_connection_is_checked_at_most_once_a_minute(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    web.get("/")
    assert sum(demo_zendesk.ledger.calls.values()) == 0
    page = web.get("/connection", headers=HTMX).content.decode()
    assert "Connected as" in page
    assert re.search(r"[\d,]+ of [\d,]+", page)
    assert demo_zendesk.ledger.calls["GET users/me"] == 1
    assert "<html" in web.get("/connection").content.decode()
    assert demo_zendesk.ledger.calls["GET users/me"] == 1


def test_a_broken_connection_is_reported_with_a_sentence(web: Client, settings: Settings) -> None:
    cache.clear()
    assert "set up" in web.get("/connection", headers=HTMX).content.decode()
    settings.ZENDESK_BASE_URL = "http://127.0.0.1:9"
    settings.ZENDESK_OAUTH_TOKEN = "secret-token"
    page = web.get("/connection", headers=HTMX).content.decode()
    assert "<b>Zendesk is not connected.</b>" in page
    assert "127.0.0.1:9 cannot be reached" in page
    assert "secret-token" not in page


def test_a_missing_worker_is_reported_with_the_remedy(web: Client) -> None:
    page = web.get("/connection", headers=HTMX).content.decode()
    assert "none is running; start one on the server" in page


def test_a_clock_that_is_far_off_is_reported_beside_the_worker(web: Client) -> None:
    heartbeats.beat()
    assert "Clocks differ" not in web.get("/connection", headers=HTMX).content.decode()
    Beat.objects.update(clock_ahead=-130.0)
    page = html.unescape(web.get("/connection", headers=HTMX).content.decode())
    assert "The clock of a server of Tag Manager is 2 min 10 s behind the database's." in page
    assert web.get("/healthz").json()["clock_offset_seconds"] == -130
