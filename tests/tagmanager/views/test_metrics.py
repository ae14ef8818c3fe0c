"""Who gets the figures at `/metrics`, and what else the answer says."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from tests import factories
from tests.tagmanager.ops.conftest import TOKEN, exposition

WRONG = {
    "none": "",
    "another": "Bearer another-token-of-this-test-01",
    "its beginning": f"Bearer {TOKEN[:-1]}",
    "more of it": f"Bearer {TOKEN}0",
    "another way": f"Basic {TOKEN}",
    "the token alone": TOKEN,
    "no token": "Bearer",
    "letters that no header has": "Bearer \u00e4\u00f6\u00fc",
}


@pytest.fixture
def token(db: None, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}"])
def test_without_a_token_the_page_does_not_exist(db: None, client: Client, header: str) -> None:
    client.force_login(factories.user(is_superuser=True))
    answer = client.get("/metrics", headers={"Authorization": header})
    assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (404, None)


@pytest.mark.parametrize("header", WRONG.values(), ids=WRONG)
def test_a_missing_token_is_refused_with_instructions(token: None, client: Client, header: str) -> None:
    client.force_login(factories.user(is_superuser=True))  # a login opens nothing here
    answer = client.get("/metrics", headers={"Authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert answer.content.decode() == "Metrics need “Authorization: Bearer” and METRICS_TOKEN.\n"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Bearer "])
def test_the_token_suffices_without_a_login_or_a_session(token: None, client: Client, scheme: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": f"{scheme} {TOKEN}"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "no-store" in answer["Cache-Control"]
    assert "Vary" not in answer
    assert not answer.cookies
    assert TOKEN not in answer.content.decode()


def test_metrics_are_read_only(token: None, client: Client) -> None:
    assert client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_a_scraper_inside_the_network_is_not_redirected_to_https(token: None, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    inside = Client()
    assert inside.get("/login/").status_code == 301
    assert exposition(inside).startswith("# HELP tagmanager_jobs ")
