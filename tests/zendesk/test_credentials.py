from __future__ import annotations

import base64
import json
import threading
from datetime import date

import pytest
import responses

from tests.zendesk.conftest import BASE
from tests.zendesk.recorded import sample
from zendesk import (
    API_TOKENS_END,
    ApiToken,
    BearerToken,
    CredentialsEnd,
    CredentialsRefused,
    NoSuchAccount,
    OAuthClient,
    TryLater,
    Unavailable,
    UnexpectedAnswer,
)

TOKENS = f"{BASE}/oauth/tokens"
COUNT = f"{BASE}/api/v2/search/count.json"
ENDED = sample("401-invalid_token").as_response


def token(value: str, **more: object) -> dict[str, object]:
    return {"status": 201, "json": {"access_token": value, "token_type": "bearer", "scope": "read", **more}}


def signed_with(http: responses.RequestsMock) -> list[str]:
    """The Authorization headers of the calls; "-" stands for a fetched token."""
    return [
        "-" if call.request.url == TOKENS else call.request.headers["Authorization"] for call in http.calls
    ]


@pytest.fixture
def client() -> OAuthClient:
    return OAuthClient("tagger", "hush")


def test_a_bearer_token_authenticates_each_call(http, connect):
    http.get(COUNT, json={"count": 1})
    connect(BearerToken("sesame")).search_count("")
    assert signed_with(http) == ["Bearer sesame"]


def test_an_api_token_authenticates_with_its_owners_e_mail(http, connect):
    http.get(COUNT, json={"count": 1})
    connect(ApiToken("ana@acme.example", "sesame")).search_count("")
    assert signed_with(http) == ["Basic " + base64.b64encode(b"ana@acme.example/token:sesame").decode()]


def test_credentials_in_a_netrc_file_do_not_replace_ours(http, connect, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine acme.zendesk.com login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    http.get(COUNT, json={"count": 1})
    connect(BearerToken("sesame")).search_count("")
    assert signed_with(http) == ["Bearer sesame"]


def test_an_oauth_client_fetches_one_token_and_uses_it(http, connect, client):
    http.post(TOKENS, **sample("oauth-token-201").as_response)
    http.get(COUNT, json={"count": 1})
    zendesk = connect(client)
    zendesk.search_count("")
    zendesk.search_count("")
    assert signed_with(http) == ["-", "Bearer <redacted>", "Bearer <redacted>"]
    assert json.loads(http.calls[0].request.body) == {
        "grant_type": "client_credentials",
        "client_id": "tagger",
        "client_secret": "hush",
        "scope": "read tickets:write",
    }
    assert "Authorization" not in http.calls[0].request.headers


def test_the_grant_requests_a_token_lifetime(http, connect):
    http.post(TOKENS, **token("first"))
    http.get(COUNT, json={"count": 1})
    connect(OAuthClient("tagger", "hush", scope="read", expires_in=7200)).search_count("")
    grant = json.loads(http.calls[0].request.body)
    assert (grant["scope"], grant["expires_in"]) == ("read", 7200)


@pytest.mark.parametrize(("life", "margin"), [(1, 0.2), (2, 0.4), (300, 60), (1800, 120), (172_800, 120)])
def test_a_token_is_renewed_before_it_expires(http, connect, clock, life, margin):
    http.post(TOKENS, **token("first", expires_in=life))
    http.post(TOKENS, **token("second", expires_in=life))
    http.get(COUNT, json={"count": 1})
    zendesk = connect(OAuthClient("tagger", "hush"))
    zendesk.search_count("")
    clock.move(life - margin - 0.1)
    zendesk.search_count("")
    clock.move(0.2)
    zendesk.search_count("")
    assert signed_with(http) == ["-", "Bearer first", "Bearer first", "-", "Bearer second"]


def test_a_token_is_renewed_as_soon_as_its_time_has_come(http, connect, clock, client):
    http.post(TOKENS, **token("first", expires_in=1800))
    http.post(TOKENS, **token("second", expires_in=1800))
    http.get(COUNT, json={"count": 1})
    zendesk = connect(client)
    zendesk.search_count("")
    clock.move(1680)
    zendesk.search_count("")
    assert signed_with(http) == ["-", "Bearer first", "-", "Bearer second"]


def test_a_client_in_use_is_still_equal_to_one_with_the_same_settings(http, connect, client):
    http.post(TOKENS, **token("first"))
    http.get(COUNT, json={"count": 1})
    connect(client).search_count("")
    assert client == OAuthClient("tagger", "hush")
    assert {client} == {OAuthClient("tagger", "hush")}
    assert client != OAuthClient("tagger", "else")


@pytest.mark.parametrize("life", [{}, {"expires_in": None}, {"expires_in": 0}, {"expires_in": "soon"}])
def test_a_token_without_an_expiry_is_kept(http, connect, clock, client, life):
    http.post(TOKENS, **token("first", **life))
    http.get(COUNT, json={"count": 1})
    zendesk = connect(client)
    zendesk.search_count("")
    clock.move(10 * 365 * 86_400)
    zendesk.search_count("")
    assert signed_with(http) == ["-", "Bearer first", "Bearer first"]


def test_a_read_renews_a_token_that_expired_early_once(http, connect, client):
    http.post(TOKENS, **token("first", expires_in=1800))
    http.get(COUNT, **ENDED)
    http.post(TOKENS, **token("second", expires_in=1800))
    http.get(COUNT, json={"count": 5})
    assert connect(client).search_count("") == 5
    assert signed_with(http) == ["-", "Bearer first", "-", "Bearer second"]


def test_a_write_renews_a_token_that_expired_early_once(http, connect, client):
    update = f"{BASE}/api/v2/tickets/update_many.json"
    http.post(TOKENS, **token("first"))
    http.put(update, **ENDED)
    http.post(TOKENS, **token("second"))
    http.put(update, **sample("update_many-1-queued").as_response)
    assert connect(client).update_many([1], {"additional_tags": ["a"]}).status == "queued"
    assert signed_with(http) == ["-", "Bearer first", "-", "Bearer second"]


def test_a_refused_new_token_raises(http, connect, client):
    http.post(TOKENS, **token("first"))
    http.get(COUNT, **ENDED)
    http.post(TOKENS, **token("second"))
    http.get(COUNT, **ENDED)
    with pytest.raises(CredentialsRefused, match="check the client's id"):
        connect(client).search_count("")
    assert signed_with(http) == ["-", "Bearer first", "-", "Bearer second"]


@pytest.mark.parametrize(
    ("credentials", "advice"),
    [(BearerToken("sesame"), "Create a new one"), (ApiToken("ana@acme.example", "sesame"), "API token")],
)
def test_credentials_that_cannot_be_renewed_are_refused_at_once(http, connect, credentials, advice):
    http.get(COUNT, **sample("401-bad-credentials").as_response)
    with pytest.raises(CredentialsRefused) as caught:
        connect(credentials).search_count("")
    assert advice in caught.value.text
    assert "Couldn't authenticate you" in caught.value.text
    assert len(http.calls) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"error": "invalid_client", "error_description": "Client authentication failed."}),
        (400, {"error": "invalid_request", "error_description": "The grant lacks something."}),
        (403, {"error": "Forbidden", "description": "No."}),
        (404, {"error": "InvalidEndpoint", "description": "Not found"}),
        (422, {}),
    ],
)
def test_the_error_for_a_refused_grant_says_what_to_check(http, connect, client, status, body):
    http.post(TOKENS, status=status, json=body)
    with pytest.raises(CredentialsRefused, match="check the client's id") as caught:
        connect(client).search_count("")
    assert (caught.value.status, caught.value.code) == (status, body.get("error", ""))
    assert len(http.calls) == 1


def test_a_missing_account_is_not_reported_as_wrong_credentials(http, connect, client):
    http.post(TOKENS, **sample("404-no-help-desk").as_response)
    with pytest.raises(NoSuchAccount):
        connect(client).search_count("")


def test_a_grant_is_retried_and_its_failure_leaves_no_write_in_doubt(http, connect, client, clock):
    http.post(TOKENS, status=503)
    with pytest.raises(Unavailable) as caught:
        connect(client, max_wait=2).update_many([1], {"additional_tags": ["a"]})
    assert not caught.value.fate_unknown
    assert clock.slept == [0.5, 1.0]
    assert signed_with(http) == ["-", "-", "-"]


@pytest.mark.parametrize(
    "answer", [{}, {"access_token": None}, {"access_token": ""}, {"access_token": "a\nb"}]
)
def test_an_answer_without_a_usable_token_is_unexpected(http, connect, client, answer):
    http.post(TOKENS, status=201, json=answer)
    with pytest.raises(UnexpectedAnswer, match="without a token"):
        connect(client).search_count("")


def test_threads_share_one_token(http, connect, client):
    http.post(TOKENS, **token("first"))
    http.get(COUNT, json={"count": 1})
    zendesk = connect(client, on_call=None)
    start = threading.Barrier(8)

    def count() -> None:
        start.wait(5)
        zendesk.search_count("")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(signed_with(http)) == ["-", *["Bearer first"] * 8]


def test_a_token_that_another_thread_renewed_is_kept(connect, client, http):
    http.post(TOKENS, **token("first"))
    http.post(TOKENS, **token("second"))
    account = connect(client)._transport
    old = client.header(account)
    assert client.renew(account, old)
    new = client.header(account)
    assert client.renew(account, old)
    assert new == "Bearer second"
    assert client.header(account) == new
    assert signed_with(http) == ["-", "-"]


def test_a_token_never_goes_to_another_account(http, connect, client):
    http.post(TOKENS, **token("acme's"))
    http.get(COUNT, json={"count": 1})
    http.post("https://other.zendesk.com/oauth/tokens", **token("other's"))
    http.get("https://other.zendesk.com/api/v2/search/count.json", json={"count": 1})
    connect(client).search_count("")
    connect(client, base_url="https://other.zendesk.com").search_count("")
    assert http.calls[3].request.headers["Authorization"] == "Bearer other's"


@pytest.mark.parametrize("secret", ["", "two words", "line\nbreak", "ünicode"])
def test_a_badly_copied_secret_is_refused_without_repeating_it(secret):
    for make in (BearerToken, lambda text: ApiToken("ana@acme.example", text)):
        with pytest.raises(ValueError, match="Copy it again") as caught:
            make(secret)
        assert not secret or secret not in str(caught.value)


def test_each_kind_of_credentials_states_its_expiry(connect, client):
    assert date(2027, 4, 30) == API_TOKENS_END
    ends = [c.end for c in (client, BearerToken("sesame"), ApiToken("ana@acme.example", "sesame"))]
    assert [end.on for end in ends] == [None, None, API_TOKENS_END]
    assert "30 April 2027" in ends[2].text
    assert connect(client).credentials_end == CredentialsEnd(None, ends[0].text)


def test_a_long_wait_for_a_token_raises_like_any_other(http, connect, client):
    http.post(TOKENS, status=429, headers={"Retry-After": "30"})
    with pytest.raises(TryLater) as caught:
        connect(client).search_count("")
    assert caught.value.retry_after == 30.0


def test_a_refused_scope_names_the_setting(http, connect):
    body = {"error": "invalid_scope", "error_description": "The requested scope is invalid."}
    http.post(TOKENS, status=400, json=body)
    client = OAuthClient("tagger", "sesame", "read tickets:write", scope_setting="SCOPE_TO_ASK_FOR")
    with pytest.raises(CredentialsRefused, match="Set SCOPE_TO_ASK_FOR to those") as caught:
        connect(client).search_count("")
    assert "The requested scope is invalid." in caught.value.text


@pytest.mark.parametrize(
    ("asked", "granted", "missing"),
    [
        ("read tickets:write", "read tickets:write", ""),
        ("read tickets:write", "read write", ""),
        ("read tickets:write", ["write", "read"], ""),
        ("read tickets:write", "read", "tickets:write"),
        ("read tickets:write", "tickets:read tickets:write", "read"),
        ("read,write", "tickets:read", "read, write"),
        ("read tickets:write", "", ""),
        ("read tickets:write", None, ""),
        ("read tickets:write", 7, ""),
    ],
)
def test_scopes_that_were_not_granted_are_named(http, connect, asked, granted, missing):
    http.post(TOKENS, json={"access_token": "abc", "scope": granted})
    http.get(f"{BASE}/api/v2/search/count.json", json={"count": 6})
    zendesk = connect(OAuthClient("tagger", "sesame", asked, scope_setting="SCOPE_TO_ASK_FOR"))
    assert zendesk.scope_doubt == ""
    zendesk.search_count("")
    if missing:
        assert f"did not grant the scope {missing}, so" in zendesk.scope_doubt
        assert "change SCOPE_TO_ASK_FOR." in zendesk.scope_doubt
    else:
        assert zendesk.scope_doubt == ""
