"""A secret is in the header that needs it, and nowhere else."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback

import pytest
import requests

from tests.zendesk.conftest import BASE
from tests.zendesk.recorded import sample
from zendesk import ApiToken, BearerToken, Call, Credentials, OAuthClient, ZendeskError

SENTINEL = "s3ntinel-do-not-show"
KINDS: dict[str, Credentials] = {
    "an OAuth client": OAuthClient("tagger", SENTINEL),
    "a bearer token": BearerToken(SENTINEL),
    "an API token": ApiToken("ana@acme.example", SENTINEL),
}
BASIC = base64.b64encode(f"ana@acme.example/token:{SENTINEL}".encode()).decode()
TROUBLE = [
    {"status": 401, "json": sample("401-invalid_token").body},
    {"status": 403, "json": sample("403-missing-scope").body},
    {"status": 404, "body": "<html>"},
    {"status": 429, "headers": {"Retry-After": "99"}},
    {"status": 500},
    {"status": 302, "headers": {"Location": "https://elsewhere.example"}},
    {"status": 200, "body": "half of {"},
    {"body": requests.exceptions.ConnectionError("broken")},
    {"body": requests.exceptions.ReadTimeout("slow")},
]


def assert_hidden(text: str) -> None:
    assert SENTINEL not in text
    assert BASIC not in text


@pytest.mark.parametrize("trouble", TROUBLE, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_call_shows_no_secret(http, connect, caplog, kind, trouble):
    caplog.set_level(logging.DEBUG)
    http.assert_all_requests_are_fired = False
    http.post(f"{BASE}/oauth/tokens", status=201, json={"access_token": SENTINEL, "expires_in": 1800})
    http.get(f"{BASE}/api/v2/users/me.json", **trouble)
    calls: list[Call] = []
    credentials = OAuthClient("tagger", SENTINEL) if kind == "an OAuth client" else KINDS[kind]
    zendesk = connect(credentials, on_call=calls.append)

    with pytest.raises(ZendeskError) as caught:
        zendesk.me()

    error = caught.value
    assert_hidden("".join(traceback.format_exception(error)))
    assert_hidden(f"{error!r} {error} {vars(error)} {pickle.dumps(error)!r}")
    assert_hidden(f"{zendesk!r} {zendesk._transport!r} {zendesk._credentials!r} {calls!r}")
    assert_hidden(caplog.text)
    assert_hidden(" ".join(call.request.url for call in http.calls))
    assert any(
        SENTINEL in str(call.request.headers) or BASIC in str(call.request.headers) for call in http.calls
    )


@pytest.mark.parametrize("trouble", [t for t in TROUBLE if t.get("status") != 200], ids=str)
def test_a_failed_grant_shows_no_client_secret(http, connect, caplog, trouble):
    caplog.set_level(logging.DEBUG)
    http.post(f"{BASE}/oauth/tokens", **trouble)
    zendesk = connect(OAuthClient("tagger", SENTINEL), max_wait=0)
    with pytest.raises(ZendeskError) as caught:
        zendesk.me()
    assert_hidden("".join(traceback.format_exception(caught.value)))
    assert_hidden(caplog.text + repr(zendesk._credentials))


def echo(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
    """What a proxy in front may answer: the request, in its text, its JSON and a header."""
    said = request.headers.get("Authorization", "") or str(request.body)
    encoded = said.partition("Basic ")[2]
    said += base64.b64decode(encoded).decode() if encoded else ""
    slashes = said.replace("/", "\\/")
    body = '{"error": "Odd", "description": "You sent ' + f"{said} {slashes}".replace('"', "'") + '"}'
    return 422, {"X-Zendesk-Api-Warn": said}, body


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_repeats_the_credentials_hands_none_of_them_on(http, connect, caplog, kind):
    caplog.set_level(logging.DEBUG)
    http.assert_all_requests_are_fired = False
    http.post(f"{BASE}/oauth/tokens", status=201, json={"access_token": SENTINEL, "expires_in": 1800})
    http.add_callback("GET", f"{BASE}/api/v2/users/me.json", echo)
    credentials = OAuthClient("tagger", SENTINEL) if kind == "an OAuth client" else KINDS[kind]
    with pytest.raises(ZendeskError, match=r"You sent .*\(credential\)") as caught:
        connect(credentials).me()
    assert_hidden(f"{caught.value!r} {vars(caught.value)}")
    assert "ignored a part of the call" in caplog.text
    assert_hidden(caplog.text)


def test_a_refused_grant_that_repeats_the_client_secret_hands_it_not_on(http, connect, caplog):
    caplog.set_level(logging.DEBUG)
    http.add_callback("POST", f"{BASE}/oauth/tokens", echo)
    with pytest.raises(ZendeskError, match=r"You sent .*\(credential\)") as caught:
        connect(OAuthClient("tagger", SENTINEL)).me()
    assert_hidden(f"{caught.value!r} {vars(caught.value)} {caplog.text}")


@pytest.mark.parametrize("kind", KINDS)
def test_the_repr_of_credentials_shows_no_secret(kind):
    assert_hidden(repr(KINDS[kind]))
    assert_hidden(f"{KINDS[kind].end} {KINDS[kind].advice}")


def test_a_client_in_use_shows_its_settings_alone_and_no_token(http, connect):
    http.post(f"{BASE}/oauth/tokens", status=201, json={"access_token": SENTINEL, "expires_in": 1800})
    http.get(f"{BASE}/api/v2/users/me.json", json={"user": {"id": 1}})
    client = OAuthClient("tagger", "hush", scope="read")
    connect(client).me()
    assert "client_id='tagger', scope='read'" in repr(client)
    assert ["_tokens" in repr(client), "_lock" in repr(client)] == [False, False]
    assert_hidden(repr(client._tokens))
