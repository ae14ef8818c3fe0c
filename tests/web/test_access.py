"""Who may come in, and what is said to who may not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from jobs.states import Status
from tests import factories

OPEN = {"login", "logout", "healthz"}
ACTS = ("pause", "resume", "cancel", "retry", "rest", "run", "undo")
SEES = ("", "live", "account", "status", "export.csv", "export.json", "export.ndjson")


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, str]]:
    """Name and route of every address but the admin's own."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.name or "", before + str(entry.pattern)
        elif entry.app_name != "admin":
            yield from patterns(entry, before + str(entry.pattern))


def addresses() -> list[str]:
    def fill(route: str) -> str:
        return route.replace("<int:pk>", "1").replace("<slug:slug>", "bulk-tag").replace("<slug:kind>", "csv")

    return ["/" + fill(route) for name, route in patterns(get_resolver()) if name not in OPEN]


@pytest.mark.parametrize("address", addresses())
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_page_shows_anything_to_strangers(db: None, client: Client, address: str, method: str) -> None:
    factories.job(Status.SUCCEEDED, changed=1)
    response = getattr(client, method)(address)
    assert response.status_code in (302, 401, 405)
    if response.status_code == 302:
        assert response["Location"].startswith("/login/?next=")


def test_one_comes_back_to_where_one_was(db: None, client: Client) -> None:
    job = factories.job()
    factories.runner("ana")
    response = client.get(f"/jobs/{job.pk}/?outcome=failed")
    assert response["Location"] == f"/login/?next=%2Fjobs%2F{job.pk}%2F%3Foutcome%3Dfailed"
    response = client.post(response["Location"], {"username": "ana", "password": factories.PASSWORD})
    assert response["Location"] == f"/jobs/{job.pk}/?outcome=failed"


def test_a_session_that_ended_is_told_and_parts_of_a_page_lead_the_whole_page_to_sign_in(
    web: Client,
) -> None:
    job = factories.job(Status.RUNNING)
    web.session.flush()
    response = web.get(
        f"/jobs/{job.pk}/live",
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver/jobs/{job.pk}/"},
    )
    assert (response.status_code, response.content) == (200, b"")
    assert response["HX-Redirect"] == f"/login/?next=%2Fjobs%2F{job.pk}%2F&ended=1"
    assert "Your session has ended" in web.get(response["HX-Redirect"]).content.decode()


def test_signing_in_never_leads_to_another_site(client: Client, db: None) -> None:
    factories.runner("ana")
    response = client.post(
        "/login/?next=https://evil.example/", {"username": "ana", "password": factories.PASSWORD}
    )
    assert response["Location"] == "/"


@pytest.mark.parametrize("address", ["/jobs/", "/jobs/rows", *(f"/jobs/1/{part}" for part in (*SEES, *ACTS))])
def test_who_may_not_see_jobs_is_told_whom_to_ask(client: Client, db: None, address: str) -> None:
    factories.job(pk=1)
    client.force_login(factories.user("bob"))
    response = client.get(address)
    assert response.status_code == 403
    said = (
        response.json()["error"] if address.endswith(("status", "csv", "json")) else response.content.decode()
    )
    assert "Ask an administrator of Tag Manager to give it the permission “Can view job”." in said


@pytest.mark.parametrize("address", ["/tools/bulk-tag/", *(f"/jobs/1/{part}" for part in ACTS)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_only_look_cannot_act(client: Client, db: None, address: str, method: str) -> None:
    job = factories.job(pk=1, status=Status.RUNNING)
    client.force_login(factories.user("bob", "view_job"))
    response = getattr(client, method)(address)
    assert response.status_code == 403
    assert "“Can run, pause, resume, cancel and undo jobs”" in response.content.decode()
    job.refresh_from_db()
    assert job.status == Status.RUNNING


def test_who_may_only_look_is_offered_no_action(client: Client, db: None) -> None:
    job = factories.job(Status.RUNNING)
    client.force_login(factories.user("bob", "view_job"))
    assert "Cancel the job" not in client.get(job.get_absolute_url()).content.decode()
    client.force_login(factories.runner())
    assert "Cancel the job" in client.get(job.get_absolute_url()).content.decode()


def test_the_first_page_shows_no_jobs_to_who_may_not_see_them(client: Client, db: None) -> None:
    factories.job(Status.RUNNING, title="A secret job")
    client.force_login(factories.user("bob"))
    page = client.get("/").content.decode()
    assert "A secret job" not in page
    assert "Add and remove tags" in page


def test_a_script_that_is_not_signed_in_gets_json(client: Client, db: None) -> None:
    job = factories.job()
    response = client.get(f"/jobs/{job.pk}/status")
    assert (response.status_code, response.json()) == (
        401,
        {"error": "Not signed in. Send the session cookie of a signed-in user."},
    )


def test_a_form_without_its_token_is_refused_in_words(ana: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    job = factories.job(Status.PAUSED)
    response = client.post(f"/jobs/{job.pk}/cancel")
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
    job.refresh_from_db()
    assert job.status == Status.PAUSED
