"""Cancelling many jobs at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from jobs.models import Job
from jobs.presentation.job_actions import ALLOWED_IN
from jobs.states import Status
from jobs.views import bulk
from jobs.views.filters import TABS, Tab
from tests import factories


def hidden(page: bytes) -> dict[str, list[str]]:
    """What the form that asks would send."""
    fields: dict[str, list[str]] = {}
    form = page.decode().split('action="/jobs/cancel"')[1]
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form):
        fields.setdefault(name, []).append(value)
    fields.pop("csrfmiddlewaretoken", None)
    return fields


def statuses() -> list[str]:
    return list(Job.objects.order_by("pk").values_list("status", flat=True))


def words(response: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode().split("<main", 1)[1]))


def test_only_jobs_that_can_be_cancelled_can_be_ticked(web: Client) -> None:
    jobs = {status: factories.job(status).pk for status in Status}
    ticks = {int(pk) for pk in re.findall(r'name="job" value="(\d+)"', web.get("/jobs/").content.decode())}
    assert ticks == {
        jobs[status]
        for status in Status
        if status not in (Status.SUCCEEDED, Status.PARTIAL, Status.CANCELLED, Status.CANCELLING)
    }
    assert 'type="checkbox"' not in web.get("/jobs/?show=finished").content.decode()


def test_the_ticked_jobs_are_confirmed_and_then_cancelled(web: Client) -> None:
    first, second, third = (factories.job(Status.PAUSED, changed=3, total=10) for _ in range(3))
    asked = web.get(f"/jobs/cancel?job={first.pk}&job={third.pk}&q=vip")
    assert "Cancel 2 jobs?" in words(asked)
    assert "6 tickets are changed and stay changed." in words(asked)
    assert statuses() == ["paused"] * 3
    fields = hidden(asked.content)
    assert fields == {"q": ["vip"], "job": [str(first.pk), str(third.pk)]}
    done = web.post("/jobs/cancel", fields, follow=True)
    assert done.redirect_chain == [("/jobs/?q=vip", 302)]
    assert "2 jobs were told to stop." in words(done)
    assert statuses() == ["cancelled", "paused", "cancelled"]
    assert third.transitions.latest("pk").actor == "ana"
    assert second.transitions.count() == 1


def test_all_that_match_are_cancelled_and_none_made_since(web: Client) -> None:
    for _ in range(30):
        factories.job(title="Spring")
    other, ended = factories.job(title="Autumn"), factories.job(Status.SUCCEEDED, title="Spring")
    page = web.get("/jobs/?q=Spring").content.decode()
    assert 'href="/jobs/cancel?all=yes&amp;q=Spring">Cancel all 30 that match' in page
    asked = web.get("/jobs/cancel?all=yes&q=Spring")
    assert "Cancel 30 jobs?" in words(asked)
    later = factories.job(title="Spring")
    done = web.post("/jobs/cancel", hidden(asked.content), follow=True)
    assert "30 jobs were told to stop." in words(done)
    for job in (other, ended, later):
        job.refresh_from_db()
    assert (other.status, ended.status, later.status) == ("queued", "succeeded", "queued")
    assert Job.objects.filter(status=Status.CANCELLED).count() == 30


def test_an_invalid_filter_chooses_nothing(web: Client) -> None:
    factories.job()
    asked = web.get("/jobs/cancel?all=yes&since=yesterday")
    assert "No job was chosen that can be cancelled." in words(asked)
    web.post("/jobs/cancel", {"all": "yes", "since": "yesterday"})
    assert statuses() == ["queued"]


def test_a_stale_choice_is_reported_and_harms_nothing(web: Client) -> None:
    over, open_ = factories.job(Status.SUCCEEDED), factories.job()
    asked = web.get(f"/jobs/cancel?job={over.pk}&job={open_.pk}")
    assert "Cancel 1 job?" in words(asked)
    assert "1 of the chosen has ended meanwhile" in words(asked)
    done = web.post("/jobs/cancel", {"job": [over.pk, open_.pk]}, follow=True)
    assert "1 job was told to stop." in words(done)
    assert "1 of the chosen jobs had already ended" in words(done)
    again = web.post("/jobs/cancel", {"job": [over.pk, open_.pk]}, follow=True)
    assert "none of those chosen can be cancelled any more" in words(again)
    assert statuses() == ["succeeded", "cancelled"]
    assert "there is nothing to cancel" in words(web.get(f"/jobs/cancel?job={over.pk}"))


def test_more_than_the_cap_is_reported(web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 2)
    for _ in range(3):
        factories.job()
    asked = web.get("/jobs/cancel?all=yes")
    assert "No more than 2 jobs are cancelled at once." in words(asked)
    done = web.post("/jobs/cancel", hidden(asked.content), follow=True)
    assert "2 jobs were told to stop." in words(done)
    assert "there are more" in words(done)
    assert statuses() == ["queued", "cancelled", "cancelled"]


@pytest.mark.parametrize("data", [{}, {"job": ["x", "-1", "9" * 40]}, {"job": ["4711"]}])
def test_nonsense_chooses_nothing(web: Client, data: dict[str, list[str]]) -> None:
    factories.job()
    assert "No job was chosen" in words(web.get("/jobs/cancel", data))
    assert web.post("/jobs/cancel", data).status_code == 302
    assert statuses() == ["queued"]


def test_people_who_may_only_view_can_neither_tick_nor_cancel(client: Client, db: None) -> None:
    job = factories.job()
    client.force_login(factories.user("bob", "view_job"))
    assert 'type="checkbox"' not in client.get("/jobs/").content.decode()
    for method in ("get", "post"):
        response = getattr(client, method)("/jobs/cancel", {"job": [job.pk]})
        assert response.status_code == 403
        assert "“Can run, pause, resume, cancel and undo jobs”" in response.content.decode()
    assert statuses() == ["queued"]


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab.name or "all")
def test_each_tab_knows_how_many_can_be_cancelled(web: Client, tab: Tab) -> None:
    for number, status in enumerate(Status, start=1):
        for _ in range(number):
            factories.job(status)
    found = web.get(f"/jobs/?show={tab.name}").context["can_cancel"]
    assert found == tab.of(Job.objects.all()).filter(status__in=ALLOWED_IN["cancel"]).count()
    assert (found > 0) is (tab.name not in ("finished", "cancelled"))
