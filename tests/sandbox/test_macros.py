"""Macros: their list, and their previews, which write nothing."""

from typing import Any

import pytest

from tests.sandbox.conftest import Zendesk
from zendesk.sandbox import (
    FIELD_RESOLUTION,
    MACRO_ESCALATE,
    MACRO_INACTIVE,
    MACRO_NOT_RESPONDING,
    MACRO_NOTE,
    MACRO_RESET_TAGS,
    MACRO_SOLVE_FIXED,
    MACRO_UNTAG,
)
from zendesk.sandbox.account import people


def preview(zendesk: Zendesk, macro_id: int) -> dict[str, Any]:
    result: dict[str, Any] = zendesk.read(f"macros/{macro_id}/apply.json")["result"]["ticket"]
    return result


def on_ticket(zendesk: Zendesk, number: int, macro_id: int) -> dict[str, Any]:
    path = f"tickets/{number}/macros/{macro_id}/apply.json"
    result: dict[str, Any] = zendesk.read(path)["result"]["ticket"]
    return result


def test_lists_separate_active_from_inactive_macros(zendesk: Zendesk) -> None:
    every = {macro["id"] for macro in zendesk.read("macros.json")["macros"]}
    active = {macro["id"] for macro in zendesk.read("macros/active.json")["macros"]}
    searched = [macro["id"] for macro in zendesk.read("macros/search.json", query="vip")["macros"]]

    assert every - active == {MACRO_INACTIVE}
    assert searched == [MACRO_UNTAG]
    assert zendesk.read(f"macros/{MACRO_UNTAG}.json")["macro"]["actions"] == [
        {"field": "remove_tags", "value": "vip churn_risk"}
    ]


def test_a_preview_without_a_ticket_shows_what_would_change(zendesk: Zendesk) -> None:
    assert preview(zendesk, MACRO_ESCALATE) == {
        "priority": "high",
        "group_id": people.GROUP_IDS[2],
        "tags": ["escalated", "needs_review"],
    }
    note = "Checked by the night shift."
    assert preview(zendesk, MACRO_NOTE) == {
        "tags": ["night_shift"],
        "comment": {"body": note, "public": False, "scoped_body": [["channel:all", note]]},
    }


def test_a_preview_on_a_ticket_fills_the_placeholders(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    before = zendesk.read(f"tickets/{number}.json")["ticket"]

    after = on_ticket(zendesk, number, MACRO_NOT_RESPONDING)

    requester = people.name(before["requester_id"])
    assert after.pop("comment")["body"] == f"Hello {requester}. Dana Demo has news on #{number}."
    assert after == {**before, "status": "pending"}
    assert zendesk.read(f"tickets/{number}.json")["ticket"] == before
    assert zendesk.sandbox.ledger.updates == {}


@pytest.mark.parametrize(
    ("macro_id", "before", "after"),
    [
        (MACRO_ESCALATE, "web", "escalated needs_review web"),
        (MACRO_UNTAG, "vip web", "web"),
        (MACRO_RESET_TAGS, "vip web", "triage"),
    ],
)
def test_a_macro_changes_the_tags_of_the_given_ticket(
    zendesk: Zendesk, macro_id: int, before: str, after: str
) -> None:
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], tags=before)

    assert " ".join(on_ticket(zendesk, number, macro_id)["tags"]) == after


def test_a_macro_may_set_a_field_and_name_the_current_user(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]

    after = on_ticket(zendesk, number, MACRO_SOLVE_FIXED)

    assert (after["status"], after["assignee_id"]) == ("solved", people.ADMIN_ID)
    assert {"id": FIELD_RESOLUTION, "value": "resolution_fixed"} in after["custom_fields"]
    assert after["comment"]["public"] is True


def test_a_macro_or_a_ticket_that_does_not_exist_is_not_found(zendesk: Zendesk) -> None:
    number = zendesk.ids(count=1)[0]

    for path in ("macros/1.json", "macros/1/apply.json", f"tickets/{number}/macros/1/apply.json"):
        assert zendesk.get(path).status_code == 404
    assert zendesk.get(f"tickets/1/macros/{MACRO_NOTE}/apply.json").status_code == 404


def test_fields_list_the_tags_of_their_options(zendesk: Zendesk) -> None:
    fields = zendesk.read("ticket_fields.json")["ticket_fields"]

    owned = {
        field["title"]: [option["value"] for option in field.get("custom_field_options", [])]
        or [field["tag"]]
        for field in fields
        if field["type"] in ("tagger", "multiselect", "checkbox")
    }
    assert owned["Plan"] == ["plan_free", "plan_team", "plan_enterprise"]
    assert owned["Follow-up needed"] == ["follow_up_needed"]
    assert owned["Called back"] == [None]
    assert len(owned) == 6


def test_one_trigger_and_one_automation_name_tags(zendesk: Zendesk) -> None:
    rules = zendesk.read("triggers.json")["triggers"] + zendesk.read("automations.json")["automations"]

    by_tag = {
        condition["value"]: rule["title"]
        for rule in rules
        for condition in rule["conditions"]["all"]
        if condition["field"] == "current_tags"
    }
    assert by_tag["vip"] == "VIP tickets: mail the account team"
    assert by_tag["churn_risk"] == "Remind the owners of churn risks"


def test_people_have_names(zendesk: Zendesk) -> None:
    number = zendesk.ids(count=1)[0]
    requester = zendesk.read(f"tickets/{number}.json")["ticket"]["requester_id"]

    one = zendesk.read(f"users/{requester}.json")["user"]
    many = zendesk.read("users/show_many.json", ids=f"{requester},1")["users"]

    assert (one["name"], many) == (people.name(requester), [one])
    assert zendesk.get("users/1.json").status_code == 404
