"""How much may be sent, by whom; more is refused before it is read."""

from __future__ import annotations

import io
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client

from tagmanager.middleware.upload_limit import SHORT
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.once]

FORM = "/tools/bulk-tag/"
LONG = {"add": "vip", "ids": "1 " * SHORT}


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the body of a request fails."""

    def read(self: WSGIRequest) -> io.BytesIO:
        raise AssertionError("the request was read")

    monkeypatch.setattr(WSGIRequest, "_load_post_and_files", read)


def test_a_stranger_sends_no_more_than_a_short_form_to_the_sign_in_page(client: Client, unread: None) -> None:
    answer = client.post("/login/", {"username": "ana", "password": "x" * SHORT})
    assert (answer.status_code, answer["Connection"]) == (413, "close")
    assert "0.06 MB is the most from somebody who is not signed in" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "back"), [(FORM, f"{FORM}?restore=1"), ("/jobs/cancel", "/jobs/cancel"), ("/admin/", "/admin/")]
)
def test_a_long_form_without_a_session_leads_to_the_sign_in_page_unread(
    client: Client, unread: None, path: str, back: str
) -> None:
    answer = client.post(path, LONG)
    where = urlsplit(answer["Location"])
    assert (answer.status_code, where.path, answer["Connection"]) == (303, "/login/", "close")
    assert parse_qs(where.query) == {"next": [back], "ended": ["1"]}


def test_a_part_of_a_page_without_a_session_says_so_unread(client: Client, unread: None) -> None:
    answer = client.post("/tools/parts/meant", LONG, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Retarget"]) == (286, "#session-ended")


def test_only_who_may_run_jobs_uploads(client: Client, unread: None) -> None:
    client.force_login(factories.user("vera", "view_job"))
    answer = client.post(FORM, LONG)
    assert answer.status_code == 403
    assert "Ask an administrator" in answer.content.decode()


def test_who_may_run_jobs_sends_as_much_as_before(web: Client, ana: User) -> None:
    assert web.post(FORM, LONG | {"ids": "x " * SHORT}).status_code == 200
