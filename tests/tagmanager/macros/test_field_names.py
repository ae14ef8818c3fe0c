"""Fields and groups by the names that people give them."""

from __future__ import annotations

from tagmanager.macros import field_names
from tagmanager.macros.field_names import FieldNames
from tagmanager.macros.translation import CUSTOM_FIELD
from zendesk import OAuthClient, Zendesk, sandbox
from zendesk.sandbox.account import people
from zendesk.sandbox.account.fields import FIELD_RESOLUTION

RESOLUTION = f"{CUSTOM_FIELD}{FIELD_RESOLUTION}"


def read(*named: str) -> tuple[FieldNames, dict[str, int]]:
    account = sandbox.Sandbox(sandbox.Options(tickets=1, scale=0))
    with sandbox.serve(account) as server:
        credentials = OAuthClient(sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
        with Zendesk(server.url, credentials) as zendesk:
            return field_names.read(zendesk, named), account.ledger.calls


def test_only_what_is_needed_is_asked_for() -> None:
    names, calls = read("type", "priority")
    assert (names.to_json(), calls["GET groups"], calls["GET ticket_fields"]) == ({}, 0, 0)
    assert calls["GET custom_statuses"] == 0
    names, calls = read("group_id")
    assert (calls["GET groups"], calls["GET ticket_fields"]) == (1, 0)
    assert set(names.groups.values()) == set(people.GROUPS.values())
    names, calls = read(RESOLUTION)
    assert (calls["GET groups"], calls["GET ticket_fields"]) == (0, 1)
    assert names.fields == {RESOLUTION: "Resolution"}


def test_a_job_keeps_them_and_what_has_no_name_is_shown_as_it_is_stored() -> None:
    known = FieldNames({"7": "Billing"}, {RESOLUTION: "Resolution"})
    names = FieldNames(**known.to_json())
    assert names == known
    assert (names.label("group_id"), names.value("group_id", 7)) == ("group", "Billing")
    assert (names.label(RESOLUTION), names.value(RESOLUTION, ["a", "b"])) == ("Resolution", "a, b")
    assert names.value("group_id", 8) == "8"
    assert names.value("group_id", None) == "none"
    assert names.value("priority", 7) == "7"
    assert (names.label(f"{CUSTOM_FIELD}1"), names.value("x", True)) == ("custom fields 1", "yes")
    assert FieldNames().value("group_id", 7) == "7"
