"""The connection that the settings describe, and the waiting time that all processes share."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jobs.models import Gate
from tagmanager.account import connection
from tagmanager.account.shared_gate import CACHE_SECONDS, SharedGate
from zendesk import ApiToken, BearerToken, OAuthClient


@pytest.fixture(autouse=True)
def nothing_set(settings: Any) -> None:
    for name in (
        "SUBDOMAIN",
        "BASE_URL",
        "OAUTH_CLIENT_ID",
        "OAUTH_CLIENT_SECRET",
        "OAUTH_TOKEN",
        "EMAIL",
        "API_TOKEN",
    ):
        setattr(settings, f"ZENDESK_{name}", "")


def test_a_subdomain_or_an_address_names_the_account(settings: Any) -> None:
    settings.ZENDESK_SUBDOMAIN = "acme"
    assert connection.address() == "https://acme.zendesk.com"
    assert connection.ticket_address(7) == "https://acme.zendesk.com/agent/tickets/7"
    settings.ZENDESK_BASE_URL = "http://127.0.0.1:8900/"
    assert connection.address() == "http://127.0.0.1:8900"


@pytest.mark.parametrize("subdomain", ["", "acme.evil.com", "acme/..", "acme@evil", "-acme"])
def test_anything_but_a_subdomain_is_refused_with_a_sentence(settings: Any, subdomain: str) -> None:
    settings.ZENDESK_SUBDOMAIN = subdomain
    with pytest.raises(connection.NotConnected, match=r"\."):
        connection.address()


def test_an_oauth_client_precedes_a_token_and_a_token_the_api_token(settings: Any) -> None:
    with pytest.raises(connection.NotConnected, match="ZENDESK_OAUTH_CLIENT_ID"):
        connection.credentials()
    settings.ZENDESK_EMAIL, settings.ZENDESK_API_TOKEN = "ana@example.com", "s3cret"
    assert isinstance(connection.credentials(), ApiToken)
    settings.ZENDESK_OAUTH_TOKEN = "s3cret"
    assert isinstance(connection.credentials(), BearerToken)
    settings.ZENDESK_OAUTH_CLIENT_ID, settings.ZENDESK_OAUTH_CLIENT_SECRET = "id", "s3cret"
    assert isinstance(connection.credentials(), OAuthClient)
    assert "s3cret" not in repr(connection.credentials())


@pytest.mark.django_db
def test_a_hold_by_one_worker_applies_to_all_and_is_never_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other, now = SharedGate(), SharedGate(), time.time()
    assert other.not_before() == 0.0
    one.hold(now + 60, "Zendesk said so.")
    one.hold(now + 30, "A shorter one.")
    monkeypatch.setattr(other, "_read_at", -CACHE_SECONDS)
    assert other.not_before() == pytest.approx(now + 60, abs=0.001)
    assert Gate.objects.get().why == "Zendesk said so."
