"""The history of tickets: comments, who sees them, and what an update notes down of itself."""

from typing import Any

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
    assert [event["type"] for event in ours["events"]] == ["Comment", "AgentMacroReference"]
    comment = zendesk.read(f"tickets/{number}/comments.json")["comments"][-1]
    assert (comment["html_body"], comment["public"]) == ("1 &lt; 2", False)
    assert zendesk.sandbox.ledger.internal_comments == {number: 1}


def test_comments_are_public_by_default(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], comment={"html_body": "<p>Hello</p>"})
    zendesk.clock.move(60)
    assert zendesk.sandbox.ledger.public_comments == {number: 1}


def test_changes_of_tags_alone_are_not_recorded_and_audits_come_in_pages(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], additional_tags=["a"])
    zendesk.sandbox.edit(number, comment="I am at it.")
    zendesk.clock.move(60)
    assert len(audits(zendesk, number)) == 2
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
