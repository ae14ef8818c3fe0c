"""The history of tickets: comments, who sees them, and what an update notes down of itself."""

from typing import Any

import pytest

from tests.sandbox.conftest import Start, Zendesk
from zendesk.sandbox import MACRO_NOTE
from zendesk.sandbox.account import people

NOTE = {"body": "1 < 2", "public": False}
NOTED: dict[str, Any] = {"metadata": {"custom": {"ours": "7"}}, "macro_id": MACRO_NOTE}


def audits(zendesk: Zendesk, number: int, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = zendesk.read(f"tickets/{number}/audits.json", **params)["audits"]
    return found


def test_a_bulk_update_records_its_comment_metadata_and_macro(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], additional_tags=["a"], comment=NOTE, **NOTED)
    zendesk.clock.move(60)
    first, ours = audits(zendesk, number)
    assert first["author_id"] == zendesk.read(f"tickets/{number}.json")["ticket"]["requester_id"]
    assert [event["type"] for event in first["events"]] == ["Comment"]
    assert (ours["author_id"], ours["metadata"]["custom"]) == (people.ADMIN_ID, {"ours": "7"})
    assert [event["type"] for event in ours["events"]] == ["Comment", "AgentMacroReference", "Change"]
    comment = zendesk.read(f"tickets/{number}/comments.json")["comments"][-1]
    assert (comment["html_body"], comment["public"]) == ("1 &lt; 2", False)
    assert zendesk.sandbox.ledger.internal_comments == {number: 1}


def test_comments_are_public_by_default(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], comment={"html_body": "<p>Hello</p>"})
    zendesk.clock.move(60)
    assert zendesk.sandbox.ledger.public_comments == {number: 1}


def changes(zendesk: Zendesk, number: int) -> list[list[tuple[Any, ...]]]:
    """Of each audit but the first: field, what is gained and lost, and whether a trigger did it."""
    return [
        [
            (
                event["field_name"],
                sorted({*event["value"]} - {*event["previous_value"]}),
                sorted({*event["previous_value"]} - {*event["value"]}),
                "via" in event,
            )
            for event in audit["events"]
            if event["type"] == "Change"
        ]
        for audit in audits(zendesk, number)[1:]
    ]


def test_audits_name_what_was_done_to_tags_and_by_whom(start: Start) -> None:
    zendesk = start(readding_tag="a")
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], additional_tags=["a"])
    zendesk.clock.move(60)
    zendesk.tag([number], remove_tags=["a"], additional_tags=["b"])
    zendesk.clock.move(60)
    zendesk.sandbox.edit(number, add=["c"])
    assert changes(zendesk, number) == [
        [("tags", ["a"], [], False)],
        [("tags", ["b"], ["a"], False), ("tags", ["a"], [], True)],
        [("tags", ["c"], [], False)],
    ]
    assert [audit["via"]["channel"] for audit in audits(zendesk, number)[1:]] == ["api", "api", "web"]


def test_audits_may_show_only_what_remained_of_an_update(start: Start) -> None:
    zendesk = start(readding_tag="a", audits="net")
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], additional_tags=["a"])
    zendesk.clock.move(60)
    zendesk.tag([number], remove_tags=["a"])
    zendesk.clock.move(60)
    assert changes(zendesk, number) == [[("tags", ["a"], [], False)], []]


def test_audits_may_be_refused_or_empty(start: Start) -> None:
    zendesk = start(audits="refused")
    number = zendesk.ids("open", count=1)[0]
    answer = zendesk.get(f"tickets/{number}/audits.json")
    assert (answer.status_code, answer.json()["error"]) == (403, "Forbidden")
    zendesk.sandbox.configure(audits="empty")
    assert audits(zendesk, number) == []


def test_of_changes_of_tags_alone_the_latest_are_kept(
    zendesk: Zendesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zendesk.sandbox.tickets.audits.CHANGES_KEPT", 2)
    first, second = zendesk.ids("open", count=2)
    zendesk.tag([first], additional_tags=["a"], comment=NOTE)
    for number, tag in ((first, "b"), (second, "c"), (first, "d")):
        zendesk.clock.move(60)
        zendesk.tag([number], additional_tags=[tag])
    zendesk.clock.move(60)
    gained = [[tags for _, tags, _, _ in audit] for audit in changes(zendesk, first)]
    assert gained == [[["a"]], [["d"]]]


def test_audits_come_in_pages(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    zendesk.sandbox.edit(number, comment="I am at it.")
    page = zendesk.read(f"tickets/{number}/audits.json", **{"page[size]": 1})
    assert (len(page["audits"]), page["meta"]["has_more"]) == (1, True)
    after = {"page[size]": 1, "page[after]": page["meta"]["after_cursor"]}
    assert audits(zendesk, number, **after)[0]["author_id"] == people.AGENT_IDS[1]


def test_an_account_may_drop_the_metadata_of_an_update(start: Start) -> None:
    zendesk = start(keeps_metadata=False)
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], comment=NOTE, **NOTED)
    zendesk.clock.move(60)
    assert audits(zendesk, number)[-1]["metadata"]["custom"] == {}


def test_a_ticket_that_does_not_exist_has_no_history(zendesk: Zendesk) -> None:
    assert zendesk.get("tickets/1/audits.json").status_code == 404
