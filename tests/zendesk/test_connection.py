from __future__ import annotations

import pytest

from tests.zendesk.conftest import BASE
from tests.zendesk.recorded import sample
from zendesk import API_TOKENS_END, ApiToken, Connection, CredentialsRefused, NotAllowed, User, check

ME = f"{BASE}/api/v2/users/me.json"
COUNT = f"{BASE}/api/v2/search/count.json"
ROLE = f"{BASE}/api/v2/custom_roles/6130869137434.json"
ADMIN = sample("users-me").body["user"]


def test_a_working_connection_is_described(http, zendesk):
    http.get(ME, **sample("users-me").as_response)
    http.get(COUNT, json={"count": 6})
    http.get(ROLE, **sample("custom_role").as_response)
    assert check(zendesk) == Connection(
        user=User.from_json(ADMIN),
        role="admin",
        warnings=(),
        calls_per_minute=700,
        credentials_end=zendesk.credentials_end,
    )


@pytest.mark.parametrize(("role", "may"), [("admin", True), ("agent", False)])
def test_admins_alone_may_change_closed_tickets(zendesk, role, may):
    connection = Connection(User.from_json(ADMIN), role, (), None, zendesk.credentials_end)
    assert connection.may_change_closed is may


def test_an_anonymous_200_is_no_connection(http, zendesk):
    http.get(ME, **sample("users-me-anonymous").as_response)
    with pytest.raises(CredentialsRefused) as caught:
        check(zendesk)
    assert caught.value.status == 200


def test_the_error_for_an_end_user_says_who_can_tag(http, zendesk):
    http.get(ME, json={"user": {**ADMIN, "role": "end-user"}})
    with pytest.raises(
        NotAllowed, match="Example Agent is signed in as end-user, but only agents and admins"
    ):
        check(zendesk)


def test_a_missing_scope_is_detected(http, zendesk):
    http.get(ME, **sample("users-me").as_response)
    http.get(COUNT, **sample("403-missing-scope").as_response)
    with pytest.raises(NotAllowed) as caught:
        check(zendesk)
    assert caught.value.missing_scopes == ("read",)


def test_limitations_of_the_user_become_warnings(http, zendesk):
    user = {**ADMIN, "role": "agent", "role_type": 1, "suspended": True, "ticket_restriction": "groups"}
    http.get(ME, json={"user": user})
    http.get(COUNT, json={"count": 6})
    role = sample("custom_role").body["custom_role"]
    rights = {**role["configuration"], "ticket_tag_editing": False, "ticket_access": "within-groups"}
    http.get(ROLE, json={"custom_role": {**role, "name": "Helpers", "configuration": rights}})
    http.get(f"{BASE}/api/v2/brands.json", json={"brands": [{"id": 1, "name": "Acme"}]})
    connection = check(zendesk)
    assert connection.role == "agent"
    assert connection.warnings == (
        "Example Agent is suspended or inactive in Zendesk, so changes may be refused.",
        "Example Agent is a light agent, and light agents cannot change tickets.",
        "Example Agent can see only some of the tickets (groups), so views and searches find fewer.",
        "The role Helpers may not edit tags. Allow it in Zendesk, or connect as someone else.",
    )
    assert connection.calls_per_minute is None


def test_a_role_that_sees_only_some_tickets_causes_a_warning(http, zendesk):
    http.get(ME, json={"user": ADMIN})
    http.get(COUNT, json={"count": 6})
    role = sample("custom_role").body["custom_role"]
    rights = {**role["configuration"], "ticket_access": "within-groups"}
    http.get(ROLE, json={"custom_role": {**role, "configuration": rights}})
    assert check(zendesk).warnings == ("The role Admin can see only some of the tickets (within-groups).",)


def test_an_unreadable_role_is_ignored(http, zendesk):
    http.get(ME, json={"user": ADMIN})
    http.get(COUNT, json={"count": 6})
    http.get(ROLE, **sample("403-forbidden-object").as_response)
    assert check(zendesk).warnings == ()


def test_the_end_of_api_tokens_causes_a_warning(http, connect):
    http.get(ME, json={"user": {**ADMIN, "custom_role_id": None}})
    http.get(COUNT, json={"count": 6})
    connection = check(connect(ApiToken("ana@acme.example", "sesame")))
    assert connection.credentials_end.on == API_TOKENS_END
    assert connection.warnings == (connection.credentials_end.text,)


BRANDS = [{"id": 1, "name": "Acme"}, {"id": 2, "name": "Bolt"}, {"id": 3, "name": "Old", "active": False}]


@pytest.mark.parametrize(
    ("memberships", "words"),
    [
        ([{"brand_id": 2}, {"brand_id": 3}], "belongs to 1 of the account's 2 brands (Bolt)"),
        ([{"brand_id": 1}, {"brand_id": 2}], ""),
        ([], "does not tell which of them Example Agent belongs to"),
        (None, "does not tell which of them Example Agent belongs to"),
    ],
)
def test_the_brands_of_an_agent_cause_a_warning(http, zendesk, memberships, words):
    http.get(ME, json={"user": {**ADMIN, "role": "agent", "custom_role_id": None}})
    http.get(COUNT, json={"count": 6})
    http.get(f"{BASE}/api/v2/brands.json", json={"brands": BRANDS})
    path = f"{BASE}/api/v2/users/{ADMIN['id']}/brand_agents.json"
    if memberships is None:
        http.get(path, **sample("403-forbidden-object").as_response)
    else:
        http.get(path, json={"brand_agents": memberships})
    told = check(zendesk).warnings
    assert [words in warning for warning in told] == ([True] if words else [])


def test_brands_that_zendesk_does_not_tell_cause_a_warning(http, zendesk):
    http.get(ME, json={"user": {**ADMIN, "role": "agent", "custom_role_id": None}})
    http.get(COUNT, json={"count": 6})
    http.get(f"{BASE}/api/v2/brands.json", **sample("403-forbidden-object").as_response)
    (warning,) = check(zendesk).warnings
    assert "does not tell Example Agent which brands the account has" in warning
