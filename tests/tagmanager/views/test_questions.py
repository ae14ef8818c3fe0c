"""Which requests cause calls to Zendesk: none of a stranger, none of people who may only look."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client

from jobs.runtime import web_waits
from jobs.states import Outcome, Status
from tagmanager.models import TagList
from tests import factories
from tests.tagmanager.views.test_permissions import DOORS
from zendesk import sandbox

pytestmark = pytest.mark.once
HTMX = {"HX-Request": "true"}


def visit_everything(client: Client) -> None:
    factories.job(Status.RUNNING)
    preview = factories.job(Status.SUCCEEDED, dry_run=True, planned=1)
    factories.item(preview, 5, Outcome.PLANNED)
    for door in DOORS.values():
        for address in (door.address, door.address.replace("/2/", f"/{preview.pk}/")):
            client.get(address)
            client.get(address, headers=HTMX)
            client.post(address)


@pytest.mark.parametrize("person", ["stranger", "nobody", "viewer"])
def test_who_may_not_start_jobs_causes_no_call_by_any_address(
    client: Client, db: None, demo_zendesk: sandbox.Sandbox, person: str
) -> None:
    if person != "stranger":
        client.force_login(factories.user("bob", *(["view_job"] if person == "viewer" else [])))
    visit_everything(client)
    assert demo_zendesk.ledger.calls.total() == 0
    assert not TagList.objects.exists()


def test_who_may_only_look_sees_what_others_have_asked(
    client: Client, web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    viewer = Client()
    viewer.force_login(factories.user("bob", "view_job"))
    assert "Zendesk was not asked" in viewer.get("/connection", headers=HTMX).content.decode()
    assert "Connected as" in web.get("/connection", headers=HTMX).content.decode()
    page = viewer.get("/connection", headers=HTMX).content.decode()
    assert "Connected as" in page
    assert "<dt>Checked</dt>" in page
    assert "Zendesk was not asked" not in page


def test_a_page_without_its_lists_says_so_and_asks_again(web: Client, demo_zendesk: sandbox.Sandbox) -> None:
    with web_waits.place(), web_waits.place():
        page = web.get("/tools/bulk-tag/").content.decode()
        assert 'list="known-views"' in page
        assert "The views could not be read, so type the number of one. Zendesk is being asked for" in page
        assert 'hx-get="/tools/parts/views" hx-trigger="load delay:2s"' in page
        macros = web.get("/tools/apply-macro/").content.decode()
        assert 'hx-get="/tools/parts/macros" hx-trigger="load delay:2s"' in macros
        connection = web.get("/connection", headers=HTMX).content.decode()
        assert 'hx-get="/connection" hx-trigger="load delay:3s"' in connection
        count = web.get("/tools/parts/search-count", {"search": "x"}, headers=HTMX).content.decode()
        assert 'hx-get="/tools/parts/search-count?search=x" hx-trigger="load delay:3s"' in count
    assert demo_zendesk.ledger.calls.total() == 0
    part = web.get("/tools/parts/views", headers=HTMX).content.decode()
    assert f'<option value="{sandbox.VIEW_UNSOLVED}">' in part
    assert '<datalist id="known-views">' in part


def test_a_form_whose_choice_cannot_be_checked_starts_nothing(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    from jobs.models import Job

    typed = {"add": "vip", "nonce": "n", "view": str(sandbox.VIEW_UNSOLVED), "kind": "view"}
    with web_waits.place(), web_waits.place():
        page = web.post("/tools/bulk-tag/", typed).content.decode()
    assert "Zendesk is being asked for other people just now. Try again in a moment." in page
    assert not Job.objects.exists()
    cache.clear()


def test_a_small_job_is_left_to_a_worker_while_all_places_are_taken(
    web: Client, demo_zendesk: sandbox.Sandbox
) -> None:
    from django_q.models import OrmQ

    from jobs.models import Job

    typed = {"add": "brand-new", "nonce": "n", "ids": "1 2", "dry_run": "on"}
    with web_waits.place(), web_waits.place():
        assert web.post("/tools/bulk-tag/", typed).status_code == 302
    job = Job.objects.get()
    assert (job.status, job.lease_token, OrmQ.objects.count()) == ("queued", "", 1)
    assert job.is_active
