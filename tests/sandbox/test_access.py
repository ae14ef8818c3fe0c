"""Credentials: which come in, which do not, and what each may do."""

from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Start, Zendesk
from zendesk.sandbox import API_TOKEN, CLIENT_ID, CLIENT_SECRET, EMAIL

WISH = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def ask_token(zendesk: Zendesk, **changed: Any) -> requests.Response:
    return zendesk.call("POST", "/oauth/tokens", json=WISH | changed)


def sign_in(zendesk: Zendesk, **changed: Any) -> None:
    """Call with a fresh OAuth token from now on."""
    token = ask_token(zendesk, **changed).json()["access_token"]
    zendesk.session.headers["Authorization"] = f"Bearer {token}"


def test_a_token_expires_as_announced(start: Start) -> None:
    zendesk = start(token_life=1800)
    granted = ask_token(zendesk).json()
    sign_in(zendesk)
    zendesk.clock.move(granted["expires_in"] - 1)
    in_time = zendesk.get("users/me.json")
    zendesk.clock.move(1)

    too_late = zendesk.get("users/me.json")

    assert (granted["token_type"], granted["expires_in"], granted["scope"]) == ("bearer", 1800, "read write")
    assert (in_time.status_code, too_late.status_code, too_late.json()["error"]) == (
        200,
        401,
        "invalid_token",
    )


def test_a_grant_may_request_another_lifetime(zendesk: Zendesk) -> None:
    sign_in(zendesk, expires_in=300)
    zendesk.clock.move(300)

    assert zendesk.get("views.json").status_code == 401
    assert ask_token(zendesk, expires_in=5).json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "read everything"}, 400, "invalid_scope"),
    ],
)
def test_a_refused_grant_uses_the_words_of_oauth(
    zendesk: Zendesk, changed: dict[str, Any], status: int, code: str
) -> None:
    response = ask_token(zendesk, **changed)

    assert (response.status_code, response.json()["error"]) == (status, code)


def test_an_e_mail_and_an_api_token_authenticate(zendesk: Zendesk) -> None:
    zendesk.session.headers.pop("Authorization")

    response = zendesk.call("GET", "users/me.json", auth=(f"{EMAIL}/token", API_TOKEN))

    assert (response.status_code, response.json()["user"]["role"]) == (200, "admin")


def test_an_e_mail_and_a_password_are_anonymous(zendesk: Zendesk) -> None:
    zendesk.session.headers.pop("Authorization")
    auth = (EMAIL, "a password")

    me = zendesk.call("GET", "users/me.json", auth=auth)
    views = zendesk.call("GET", "views.json", auth=auth)

    assert (me.status_code, me.json()["user"]["id"]) == (200, None)
    assert (views.status_code, views.json()) == (401, {"error": "Couldn't authenticate you"})


def test_anonymous_callers_may_only_call_users_me(zendesk: Zendesk) -> None:
    zendesk.session.headers.pop("Authorization")

    assert zendesk.get("users/me.json").json()["user"]["name"] == "Anonymous user"
    assert zendesk.get("tickets.json").status_code == 401
    assert zendesk.update_many(zendesk.ids(), additional_tags=["a"]).status_code == 401


def test_reading_does_not_allow_writing(zendesk: Zendesk) -> None:
    sign_in(zendesk, scope="read")

    response = zendesk.update_many(zendesk.ids(), additional_tags=["a"])

    assert zendesk.get("views.json").status_code == 200
    assert (response.status_code, response.json()) == (
        403,
        {
            "error": "Forbidden",
            "description": "You are missing the following required scopes: write",
        },
    )


def test_search_needs_the_global_scope_read(zendesk: Zendesk) -> None:
    sign_in(zendesk, scope="tickets:read tickets:write")

    found = [zendesk.get(path).status_code for path in ("tickets.json", "search.json", "search/count.json")]

    assert found == [200, 403, 403]
    assert zendesk.update_many(zendesk.ids(), additional_tags=["a"]).status_code == 200


def test_agents_get_no_incremental_export(start: Start) -> None:
    zendesk = start(role="agent")

    response = zendesk.get("incremental/tickets/cursor.json", start_time=0)

    assert zendesk.read("users/me.json")["user"]["role"] == "agent"
    assert (response.status_code, response.json()["error"]["title"]) == (403, "Forbidden")


def test_the_canonical_host_may_differ_from_the_one_called(start: Start) -> None:
    zendesk = start(canonical_url="https://renamed.example.com")

    body = zendesk.read("tickets.json", **{"page[size]": 1})

    assert body["links"]["next"].startswith("https://renamed.example.com/api/v2/tickets.json?")
    assert body["tickets"][0]["url"].startswith("https://renamed.example.com/api/v2/tickets/")


def test_an_unknown_path_is_an_invalid_endpoint(zendesk: Zendesk) -> None:
    response = zendesk.get("no/such/thing.json")

    assert (response.status_code, response.json()["error"]) == (404, "InvalidEndpoint")
    assert zendesk.call("DELETE", "views.json").status_code == 404


@pytest.mark.parametrize(
    "path", ["users/me", "views", "tickets/count", "tags", "macros/active", "search/count"]
)
def test_the_suffix_json_is_optional(zendesk: Zendesk, path: str) -> None:
    assert zendesk.get(path).json() == zendesk.get(f"{path}.json").json()
