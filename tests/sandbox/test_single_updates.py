"""One ticket: PUT /tickets/{id}, and the tags below it."""

import pytest

from tests.sandbox.conftest import Start, Zendesk


def tags_of(zendesk: Zendesk, number: int) -> tuple[str, ...]:
    return zendesk.sandbox.ticket(number).tags


def test_an_update_answers_with_the_ticket_and_an_audit(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    change = {"ticket": {"subject": "Changed", "tags": ["x", "Y"]}}

    body = zendesk.call("PUT", f"tickets/{number}.json", json=change).json()

    assert (body["ticket"]["subject"], body["ticket"]["tags"]) == ("Changed", ["x", "y"])
    assert {event["field_name"]: event["value"] for event in body["audit"]["events"]} == {
        "subject": "Changed",
        "tags": ["x", "y"],
    }
    assert zendesk.read(f"tickets/{number}.json")["ticket"] == body["ticket"]


def test_additional_and_remove_tags_are_dropped_with_a_warning(zendesk: Zendesk) -> None:
    """They work in update_many alone."""
    number = zendesk.ids("open", count=1)[0]
    before = tags_of(zendesk, number)
    change = {"ticket": {"additional_tags": ["x"], "remove_tags": ["y"], "status": "hold"}}

    response = zendesk.call("PUT", f"tickets/{number}.json", json=change)

    assert (response.status_code, tags_of(zendesk, number)) == (200, before)
    assert '["ticket.additional_tags", "ticket.remove_tags"]' in response.headers["x-zendesk-api-warn"]


@pytest.mark.parametrize("safe_update", [True, "true", False])
def test_a_safe_update_with_an_old_stamp_is_a_conflict(zendesk: Zendesk, safe_update: object) -> None:
    """Also `safe_update: false` asks for one."""
    number = zendesk.ids("open", count=1)[0]
    stamp = zendesk.sandbox.ticket(number).updated_at
    change = {"ticket": {"tags": ["x"], "safe_update": safe_update, "updated_stamp": stamp}}
    accepted = zendesk.call("PUT", f"tickets/{number}.json", json=change)

    refused = zendesk.call("PUT", f"tickets/{number}.json", json=change)

    assert (accepted.status_code, refused.status_code) == (200, 409)
    assert refused.json()["error"] == "UpdateConflict"


def test_a_ticket_that_was_deleted_is_not_found(zendesk: Zendesk) -> None:
    number = zendesk.ids(count=1)[0]
    zendesk.sandbox.delete(number)

    assert zendesk.get(f"tickets/{number}.json").status_code == 404
    assert zendesk.call("PUT", f"tickets/{number}.json", json={"ticket": {}}).status_code == 404
    assert zendesk.get(f"tickets/{number}/tags.json").status_code == 404


@pytest.mark.parametrize("change", [{"status": "nonsense"}, {"priority": "huge"}])
def test_an_invalid_value_is_refused(zendesk: Zendesk, change: dict[str, str]) -> None:
    response = zendesk.call("PUT", f"tickets/{zendesk.ids('open')[0]}.json", json={"ticket": change})

    assert (response.status_code, response.json()["error"]) == (422, "RecordInvalid")


def test_post_sets_put_adds_and_delete_removes_tags(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    told = [
        (response.status_code, response.json()["tags"])
        for response in (
            zendesk.call("POST", f"tickets/{number}/tags.json", json={"tags": ["a", "b"]}),
            zendesk.call("PUT", f"tickets/{number}/tags.json", json={"tags": ["c"]}),
            zendesk.call("DELETE", f"tickets/{number}/tags.json", json={"tags": ["a"]}),
            zendesk.get(f"tickets/{number}/tags.json"),
        )
    ]

    assert told == [(201, ["a", "b"]), (200, ["a", "b", "c"]), (200, ["b", "c"]), (200, ["b", "c"])]


def test_tags_of_a_ticket_can_be_changed_safely(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    stamp = zendesk.sandbox.ticket(number).updated_at
    zendesk.sandbox.edit(number, add=["theirs"])
    body = {"tags": ["ours"], "updated_stamp": stamp, "safe_update": "true"}

    response = zendesk.call("PUT", f"tickets/{number}/tags.json", json=body)

    assert (response.status_code, response.json()["error"]) == (409, "UpdateConflict")
    assert "ours" not in tags_of(zendesk, number)


def test_a_field_required_to_solve_may_be_filled_in_the_same_update(start: Start) -> None:
    zendesk = start(require_resolution=True)
    held = {number: tags_of(zendesk, number) for number in zendesk.ids("open", count=60)}
    number = next(one for one, tags in held.items() if not any(tag.startswith("resolution") for tag in tags))
    path = f"tickets/{number}.json"

    without = zendesk.call("PUT", path, json={"ticket": {"status": "solved"}})
    with_it = zendesk.call("PUT", path, json={"ticket": {"status": "solved", "tags": ["resolution_fixed"]}})

    assert (without.status_code, with_it.status_code) == (422, 200)
    assert zendesk.sandbox.ticket(number).status == "solved"
