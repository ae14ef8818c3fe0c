from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zendesk.conftest import BASE
from zendesk import BearerToken, Zendesk, address_of


def test_a_subdomain_becomes_a_host_under_zendesk_com():
    assert address_of("acme-2") == "https://acme-2.zendesk.com"


@pytest.mark.parametrize(
    "subdomain",
    ["", "-acme", "Acme", "acme.evil", "acme/", "evil.com#", "a@b", "acme\n", "127.0.0.1:80", "ä"],
)
def test_anything_but_a_subdomain_is_refused(subdomain):
    with pytest.raises(ValueError, match="is not a Zendesk subdomain"):
        address_of(subdomain)


@given(st.text())
def test_no_text_leads_to_a_host_outside_zendesk_com(text):
    try:
        address = address_of(text)
    except ValueError:
        return
    assert address == f"https://{text}.zendesk.com"
    assert set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize(
    "base_url",
    [
        *("acme", "ftp://acme.zendesk.com", "https://", BASE + "/?a=1", BASE + "/#secret"),
        *("https://me:secret@acme.zendesk.com", "https://secret@acme.zendesk.com"),
    ],
)
def test_an_unusable_base_url_is_refused_without_repeating_it(base_url):
    with pytest.raises(ValueError, match="The Zendesk address") as caught:
        Zendesk(base_url, BearerToken("sesame"))
    assert "secret" not in str(caught.value)


def test_a_trailing_slash_is_removed():
    assert Zendesk(BASE + "/", BearerToken("sesame")).base_url == BASE


def test_plain_http_logs_a_warning_except_on_loopback(caplog):
    Zendesk("http://127.0.0.1:8900", BearerToken("sesame"))
    assert caplog.messages == []
    Zendesk("http://zendesk.internal", BearerToken("sesame"))
    assert caplog.messages == ["Zendesk credentials travel unencrypted to zendesk.internal: use https"]
