"""The pages of errors: what happened and what to do, in the same clothes as the others."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.test import Client, RequestFactory
from django.views import defaults
from pytest_django import Settings

from jobs.states import Status
from tests import factories

FORM = "/tools/bulk-tag/"


def words(page: bytes) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.decode())))


def wears_our_clothes(page: bytes) -> bool:
    text = page.decode()
    return "app.css" in text and 'class="brand"' in text and text.count("<h1>") == 1


@pytest.fixture
def wary(ana: User) -> Client:
    """A browser in which Ana is signed in, and that is asked for the token of each form."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    return client


def test_a_missing_page_links_back(web: Client) -> None:
    for address in ("/nonsense", "/jobs/4711/", "/jobs/99999999999999999999/", "/tools/nonsense/"):
        answer = web.get(address)
        assert answer.status_code == 404
        assert wears_our_clothes(answer.content)
        assert "There is nothing here" in words(answer.content)
        assert "Sign out" in words(answer.content)
        assert 'href="/"' in answer.content.decode()


def test_the_error_for_a_list_too_long_for_a_text_box_suggests_a_file(web: Client) -> None:
    answer = web.post(FORM, {"add": "vip", "ids": "1234567 " * 350_000})
    assert answer.status_code == 400
    assert wears_our_clothes(answer.content)
    assert "For a long list of ticket numbers use a file." in words(answer.content)


@pytest.mark.parametrize("fault", [BadRequest("x"), SuspiciousOperation("<b>x</b>")])
def test_a_malformed_request_is_refused_without_repeating_it(fault: Exception) -> None:
    answer = defaults.bad_request(RequestFactory().get("/"), fault)
    assert answer.status_code == 400
    assert wears_our_clothes(answer.content)
    assert b"<b>x</b>" not in answer.content


def test_the_error_page_needs_no_request_no_user_and_no_database() -> None:
    """Without the fixture of a database, each question to one is an error of the test."""
    answer = defaults.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert wears_our_clothes(answer.content)
    assert "Jobs are not harmed by it" in words(answer.content)
    assert 'href="/jobs/"' in answer.content.decode()


def test_a_bug_shows_nothing_of_itself(web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the program")

    monkeypatch.setattr("jobs.views.job_detail.request_summary", broken)
    web.raise_request_exception = False
    answer = web.get(factories.job().get_absolute_url())
    assert (answer.status_code, wears_our_clothes(answer.content)) == (500, True)
    assert b"secret" not in answer.content
    assert "Content-Security-Policy" in answer


@pytest.mark.parametrize(
    ("address", "again", "sentence"),
    [
        (FORM, f"{FORM}?restore=1", "what you had typed is filled in, only a file has to be chosen again"),
        ("/jobs/1/cancel", "/jobs/1/cancel", "what you had typed is still there when you go back"),
        ("/jobs/1/retry?reason=closed", "/jobs/1/retry?reason=closed", "Nothing was done."),
        ("/password/", "/password/", "Nothing was done."),
        ("/logout/", "/", "Nothing was done."),
        ("/nonsense/", None, ""),
    ],
)
def test_a_form_without_its_token_does_nothing_and_links_back(
    wary: Client, address: str, again: str | None, sentence: str
) -> None:
    job = factories.job(Status.PAUSED, pk=1)
    answer = wary.post(address, {"add": "<b>typed</b>", "count": "5"})
    job.refresh_from_db()
    assert job.status == Status.PAUSED
    assert wears_our_clothes(answer.content)
    if again is None:
        assert answer.status_code == 404
        return
    assert answer.status_code == 403
    assert "This form has expired" in words(answer.content)
    assert sentence in words(answer.content)
    assert f'href="{again}">Open the page anew</a>' in answer.content.decode()
    assert b"<b>typed" not in answer.content
    assert wary.get(again).status_code == 200


def test_an_outdated_sign_in_page_opens_again(db: None) -> None:
    factories.runner("ana")
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/login/?next=/jobs/", {"username": "ana", "password": factories.PASSWORD})
    assert answer.status_code == 403
    assert 'href="/login/?next=/jobs/">Open the page anew</a>' in answer.content.decode()
    assert factories.PASSWORD not in answer.content.decode()


def test_refused_people_read_why_and_whom_to_ask(client: Client, db: None) -> None:
    User.objects.create_superuser("<b>root</b>")
    client.force_login(factories.user("bob", "view_job"))
    answer = client.get(FORM)
    assert answer.status_code == 403
    assert wears_our_clothes(answer.content)
    assert (
        "Your account may look at jobs, but not start or change one. Ask <b>root</b>, an administrator of "
        "Tag Manager, to give it the permission “Can run, pause, resume, cancel and undo jobs”."
    ) in words(answer.content)
    assert b"<b>root</b>" not in answer.content


@pytest.mark.parametrize(("hours", "sentence"), [(1, "for 60 minutes, so"), (0.5, "for 30 minutes, so")])
def test_a_lockout_says_how_long_to_wait(
    client: Client, db: None, settings: Settings, hours: float, sentence: str
) -> None:
    factories.runner("ana")
    settings.AXES_FAILURE_LIMIT, settings.AXES_COOLOFF_TIME = 2, hours
    wrong = {"username": "ana", "password": "wrong"}
    client.post("/login/", wrong)
    answer = client.post("/login/", wrong)
    assert answer.status_code == 429
    assert wears_our_clothes(answer.content)
    assert "Too many wrong passwords" in words(answer.content)
    assert sentence in words(answer.content)
    assert "Trying again meanwhile makes it no longer." in words(answer.content)
    assert "Content-Security-Policy" in answer
