"""Signing in and out, a password changed, and what becomes of a page whose session has ended."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse, QueryDict
from django.test import Client

from jobs.models import Job
from jobs.states import Status
from jobs.views import saved_form
from tests import factories
from zendesk import sandbox

pytestmark = pytest.mark.once

FORM = "/tools/bulk-tag/"
ANA = {"username": "ana", "password": factories.PASSWORD}
NEW = "staple battery correct"


def part(web: Client, address: str, page: str) -> HttpResponse:
    """A part of a page of ours, as htmx asks for it."""
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
    return web.get(address, headers=headers)  # type: ignore[return-value]


def carried(page: bytes) -> dict[str, str]:
    """The fields of the sign-in form that a person does not see."""
    hidden = re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', page.decode())
    return {name: unescape(value) for name, value in hidden}


def sent_too_late(client: Client, address: str, fields: dict[str, object]) -> HttpResponse:
    """The page after a form was sent without a session and its person has signed in again."""
    told = client.post(address, fields, follow=True)  # follows the 307 with the same body, as browsers do
    assert told.redirect_chain[0][1] == 307
    assert "Sign in" in told.content.decode()
    return client.post("/login/", ANA | carried(told.content), follow=True)  # type: ignore[return-value]


# --- Signing in and out -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "https://evil.example/",
        "http://evil.example",
        "//evil.example/",
        "///evil.example",
        "////evil.example",
        r"\\evil.example",
        r"/\evil.example",
        r"\/evil.example",
        r"https:\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "\tjavascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//testserver@evil.example/",
        "http://testserver.evil.example/",
        "http://testserver:80@evil.example/",
        "\x00//evil.example",
        " //evil.example",
        "http:///evil.example",
    ],
)
@pytest.mark.parametrize("place", ["address", "form"])
def test_signing_in_never_leads_to_another_site(client: Client, db: None, hostile: str, place: str) -> None:
    factories.runner("ana")
    if place == "address":
        response = client.post("/login/", ANA, query_params={"next": hostile})
    else:
        response = client.post("/login/", ANA | {"next": hostile})
    assert (response.status_code, response["Location"]) == (302, "/")
    # Who is signed in already is sent on at once, and by the same rule.
    assert client.get("/login/", {"next": hostile})["Location"] == "/"


def test_signing_out_needs_a_click_and_ends_the_session(web: Client, ana: User) -> None:
    page = web.get("/").content.decode()
    assert '<form action="/logout/" method="post">' in page
    assert web.get("/logout/").status_code == 405
    assert web.post("/logout/")["Location"] == "/login/"
    assert web.get("/")["Location"] == "/login/?next=%2F"


def test_forms_with_passwords_work_with_password_managers(client: Client, db: None) -> None:
    def wanted(page: bytes) -> dict[str, str]:
        inputs = re.findall(r"<input[^>]*>", page.decode())
        found = [(re.search(r'name="(\w+)"', i), re.search(r'autocomplete="([^"]+)"', i)) for i in inputs]
        return {name[1]: words[1] for name, words in found if name and words}

    assert wanted(client.get("/login/").content) == {"username": "username", "password": "current-password"}
    client.force_login(factories.user("ana"))
    assert wanted(client.get("/password/").content) == {
        "username": "username",
        "old_password": "current-password",
        "new_password1": "new-password",
        "new_password2": "new-password",
    }


# --- Passwords --------------------------------------------------------------------------------------------


def test_a_changed_password_keeps_this_session_and_ends_the_others(web: Client, ana: User) -> None:
    elsewhere = Client()
    elsewhere.post("/login/", ANA)
    assert elsewhere.get("/").status_code == 200
    assert 'href="/password/"' in web.get("/").content.decode()
    changed = web.post(
        "/password/",
        {"old_password": factories.PASSWORD, "new_password1": NEW, "new_password2": NEW},
        follow=True,
    )
    assert changed.redirect_chain == [("/", 302)]
    assert "Your password is changed. You stay signed in here" in changed.content.decode()
    assert elsewhere.get("/").status_code == 302
    ana.refresh_from_db()
    assert ana.check_password(NEW)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}, "old password was entered"),
        ({"old_password": factories.PASSWORD, "new_password1": NEW, "new_password2": "x"}, "match"),
        ({"old_password": factories.PASSWORD, "new_password1": "short", "new_password2": "short"}, "12 char"),
        ({}, "This field is required."),
    ],
)
def test_an_unsuitable_password_is_refused_and_the_old_one_stays(
    web: Client, ana: User, fields: dict[str, str], sentence: str
) -> None:
    page = web.post("/password/", fields).content.decode()
    assert sentence in page
    assert [value for value in fields.values() if f'value="{value}"' in page] == []
    ana.refresh_from_db()
    assert ana.check_password(factories.PASSWORD)


def test_no_password_is_carried_through_the_sign_in_page(client: Client, db: None) -> None:
    factories.runner("ana")
    secrets = {"old_password": "old-secret", "new_password1": "new-secret", "new_password2": "new-secret"}
    told = client.post("/password/", secrets, follow=True)
    assert "secret" not in told.content.decode()
    back = sent_too_late(client, "/password/", secrets)  # type: ignore[arg-type]
    assert "<h1" in back.content.decode()
    assert "Change your password" in back.content.decode()
    assert "secret" not in back.content.decode() + json.dumps(dict(client.session))


# --- A session that ended ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "page", "back"),
    [
        ("/jobs/1/live?version=x", "/jobs/1/?outcome=failed", "/jobs/1/?outcome=failed"),
        ("/jobs/1/account", "/jobs/1/", "/jobs/1/"),
        ("/jobs/rows", "/jobs/?q=vip", "/jobs/?q=vip"),
        ("/now", "/", "/"),
        ("/connection", "/", "/"),
        ("/tools/parts/stored?add=x", FORM, f"{FORM}?restore=1"),
        ("/tools/parts/search-count?search=x", f"{FORM}?again=1", f"{FORM}?restore=1"),
        ("/tools/preview/1/samples", "/jobs/1/", "/jobs/1/"),
    ],
)
def test_a_part_of_a_page_reports_an_ended_session_and_leaves_the_page_alone(
    web: Client, address: str, page: str, back: str
) -> None:
    factories.job(Status.RUNNING, pk=1)
    assert '<div id="session-ended" role="status"></div>' in web.get(page).content.decode()
    web.session.flush()
    answer = part(web, address, page)
    # 286 ends the polling of htmx; the words go to their own place and not into the part that asked.
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (
        286, "#session-ended", "innerHTML",
    )  # fmt: skip
    words = answer.content.decode()
    assert "Your session has ended." in words
    assert "<form" not in words
    link = re.search(r'href="([^"]+)"', words)
    assert link
    where = urlsplit(unescape(link[1]))
    assert (where.path, parse_qs(where.query)) == ("/login/", {"next": [back], "ended": ["1"]})
    assert "Your session has ended." in web.get(unescape(link[1])).content.decode()
    signed = web.post("/login/", ANA | {"next": back})
    assert signed["Location"] == back


def test_a_part_asked_for_by_a_hostile_page_leads_nowhere_else(client: Client, db: None) -> None:
    factories.runner("ana")
    for current in ("https://evil.example/x", "//evil.example", "javascript:alert(1)", ""):
        answer = client.get("/now", headers={"HX-Request": "true", "HX-Current-URL": current})
        link = re.search(r'href="([^"]+)"', answer.content.decode())
        assert link
        assert link[1].startswith("/login/?next=")
        signed = client.post(unescape(link[1]), ANA)
        assert urlsplit(signed["Location"]).netloc == ""
        client.logout()


def test_a_form_sent_after_the_session_ended_is_filled_in_again(
    client: Client, ana: User, demo_zendesk: sandbox.Sandbox
) -> None:
    filled: dict[str, object] = {
        "add": "vip <gold>", "remove": "old", "kind": "ids", "ids": "#1, 2\n3 x",
        "job": "9", "outcomes": ["failed", "skipped"], "include_closed": "on", "limit": "7", "canary": "abc",
        "nonce": "used", "dry_run": "on", "ids_file": SimpleUploadedFile("a.csv", b"id\n1\n"),
    }  # fmt: skip
    back = sent_too_late(client, FORM, filled)
    page = back.content.decode()
    assert back.redirect_chain[-1] == (f"{FORM}?restore=1", 302)  # type: ignore[attr-defined]
    assert Job.objects.count() == 0
    assert '<div id="restored" class="alert alert-info" role="status">' in page
    for name, value in (
        ("add", "vip &lt;gold&gt;"), ("remove", "old"), ("job", "9"), ("limit", "7"), ("canary", "abc"),
    ):  # fmt: skip
        box = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
        assert box
        assert f'value="{value}"' in box[0]
    assert "#1, 2\n3 x</textarea>" in page
    ticked = re.findall(r'<input type="checkbox"[^>]*value="(\w+)"[^>]* checked', page)
    assert ticked == ["failed", "skipped", "on"]  # the last is that of closed tickets
    assert 'data-chosen="ids"' in page
    assert 'value="used"' not in page
    # Once: the next visit begins empty.
    again = client.get(FORM).content.decode()
    assert "vip &lt;gold&gt;" not in again
    assert '<div id="restored" class="alert alert-info" role="status" hidden>' in again


def test_a_wrong_password_in_between_loses_nothing(client: Client, ana: User) -> None:
    told = client.post(FORM, {"add": "vip", "ids": "1"}, follow=True)
    wrong = client.post("/login/", carried(told.content) | ANA | {"password": "wrong"})
    assert json.loads(carried(wrong.content)["kept"]) == {"add": ["vip"], "ids": ["1"]}
    back = client.post("/login/", carried(wrong.content) | ANA, follow=True)
    assert 'value="vip"' in back.content.decode()


def test_a_confirmation_after_the_session_ended_is_asked_again(client: Client, ana: User) -> None:
    job = factories.job(Status.SUCCEEDED, dry_run=True, planned=12_000)
    back = sent_too_late(client, f"/jobs/{job.pk}/run", {"typed": "12,000"})
    assert back.redirect_chain[-1][0] == f"/jobs/{job.pk}/run"  # type: ignore[attr-defined]
    page = back.content.decode()
    assert "You are signed in again. Nothing was done meanwhile" in page
    assert 'name="typed" value="12,000"' in page
    assert Job.objects.count() == 1


def test_a_selection_of_jobs_is_restored(client: Client, ana: User) -> None:
    one, two = (factories.job(Status.RUNNING, title=title) for title in ("the first", "the second"))
    factories.job(Status.RUNNING, title="the third")
    back = sent_too_late(client, "/jobs/cancel", {"job": [one.pk, two.pk]})
    page = back.content.decode()
    assert "<h1>Cancel 2 jobs?</h1>" in page
    assert "the third" not in page
    assert {job.status for job in Job.objects.all()} == {Status.RUNNING}


def test_an_anonymous_request_stores_nothing_in_a_session(client: Client, db: None) -> None:
    client.post(FORM, {"add": "vip" * 1000}, follow=True)
    assert dict(client.session) == {}
    client.post("/login/", {"username": "x", "password": "y", "kept": '{"add": ["vip"]}'})
    assert dict(client.session) == {}


@pytest.mark.parametrize("text", ["", "x", "[]", "1", "null", '{"a": 1}', '{"a": [1]}', '{"a": {"b": []}}'])
def test_anything_but_a_form_is_not_carried_along(client: Client, ana: User, text: str) -> None:
    signed = client.post("/login/", ANA | {"kept": text, "next": FORM}, follow=True)
    assert signed.status_code == 200
    assert saved_form.FIELD not in client.session


def test_a_saved_form_of_lists_in_each_other_is_dropped(client: Client, ana: User) -> None:
    nested = '{"a": ' + "[" * 49_000
    with pytest.raises(RecursionError):
        json.loads(nested)
    signed = client.post("/login/", ANA | {"kept": nested, "next": FORM}, follow=True)
    assert signed.status_code == 200
    assert saved_form.FIELD not in client.session


def test_a_form_that_is_too_long_is_not_carried_along() -> None:
    assert saved_form.packed(QueryDict("add=vip")) == '{"add": ["vip"]}'
    assert saved_form.packed(QueryDict("add=" + "x" * saved_form.MOST)) == ""
    assert saved_form.packed(QueryDict("nonce=x&csrfmiddlewaretoken=y&new_password1=z")) == ""
