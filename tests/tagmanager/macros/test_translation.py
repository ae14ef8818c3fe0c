"""Actions of macros as changes, one after the other, and what is left out of them."""

from __future__ import annotations

import pytest

from tagmanager.macros.comments import Comment
from tagmanager.macros.translation import Translation, translate
from zendesk import Action, CustomStatus, Macro, TicketField

FIELDS = [
    TicketField(1, "Plan", "tagger", frozenset({"plan_free", "plan_team"})),
    TicketField(2, "Urgent", "checkbox", frozenset({"is_urgent"})),
    TicketField(3, "Order", "text", frozenset()),
    TicketField(4, "Untagged", "checkbox", frozenset()),
    TicketField(5, "Empty", "tagger", frozenset()),
    TicketField(6, "Features", "multiselect", frozenset({"login"})),
    TicketField(7, "Number", "integer", frozenset()),
    TicketField(8, "Day", "date", frozenset()),
]
STATUSES = [
    CustomStatus(70, "Waiting", "pending"),
    CustomStatus(71, "Retired", "open", active=False),
    CustomStatus(72, "New", "new"),
]


def of(*actions: tuple[str, object]) -> Translation:
    return translate(Macro(1, "A macro", True, tuple(Action(*each) for each in actions)), FIELDS, STATUSES)


@pytest.mark.parametrize(
    ("actions", "wished"),
    [
        ([("current_tags", "a b"), ("remove_tags", "b c")], Translation(add={"a"}, remove={"b", "c"})),
        ([("remove_tags", "a"), ("current_tags", "A")], Translation(add={"a"})),
        (
            [("current_tags", "x"), ("set_tags", "a b"), ("remove_tags", "b")],
            Translation(True, {"a"}, differs=True),
        ),
        (
            [("comment_value", ["channel:all", "Hello"]), ("comment_mode_is_public", "false")],
            Translation(comment=Comment("Hello", is_public=False)),
        ),
        (
            [("comment_mode_is_public", True), ("comment_value_html", "<p>Hello {{ticket.id}}</p>")],
            Translation(comment=Comment("<p>Hello {{ticket.id}}</p>", is_public=True, is_html=True)),
        ),
        ([("current_tags", "of_{{ticket.id}}")], Translation(differs=True)),
        ([("custom_fields_1", "plan_team")], Translation(add={"plan_team"}, remove={"plan_free"})),
        ([("current_tags", "plan_team x")], Translation(add={"plan_team", "x"}, remove={"plan_free"})),
        ([("current_tags", "is_urgent")], Translation(add={"is_urgent"})),
        ([("custom_fields_1", "")], Translation(remove={"plan_free", "plan_team"})),
        ([("custom_fields_2", "true")], Translation(add={"is_urgent"})),
        ([("custom_fields_2", False)], Translation(remove={"is_urgent"})),
        (
            [("status", "solved"), ("priority", ""), ("group_id", "12"), ("assignee_id", "34")],
            Translation(fields={"status": "solved", "priority": None, "group_id": 12, "assignee_id": 34}),
        ),
        ([("custom_fields_4", "true")], Translation(custom={4: True})),
        ([("current_tags", "vip"), ("custom_fields_4", False)], Translation(add={"vip"}, custom={4: False})),
        ([("custom_status_id", "70")], Translation(fields={"custom_status_id": 70})),
        ([("custom_status_id", 4044396)], Translation(fields={"custom_status_id": 4044396})),
        (
            [("status", "solved"), ("custom_status_id", "70")],
            Translation(fields={"custom_status_id": 70}),
        ),
        ([("custom_status_id", "70"), ("status", "solved")], Translation(fields={"status": "solved"})),
    ],
)
def test_actions_are_taken_one_after_the_other(
    actions: list[tuple[str, object]], wished: Translation
) -> None:
    assert of(*actions) == wished


@pytest.mark.parametrize(
    ("action", "phrase"),
    [
        (("comment_value", ["channel:chat", "Hello"]), "its comment for chat alone"),
        (("side_conversation_ticket", ["x"]), "its side conversations"),
        (("group_id", "current_groups"), "the group (the group of that person"),
        (("status", "closed"), "the status “closed”"),
        (("custom_fields_1", "plan_gone"), "the field “Plan” (it has no option “plan_gone”)"),
        (("custom_fields_3", "4711"), "the field “Order” (only dropdown and checkbox fields"),
        (("custom_fields_9", "x"), "the field 9 (only"),
        (("custom_fields_5", ""), "the field “Empty” (it has no options)"),
        (("custom_fields_6", ["login"]), "the field “Features” (only"),
        (("custom_fields_7", "12"), "the field “Number” (only"),
        (("custom_fields_8", "2026-12-24"), "the field “Day” (only"),
        (("custom_status_id", "71"), "the custom status “Retired” (it is not active)"),
        (("custom_status_id", "72"), "the custom status “New” (Zendesk sets no ticket back to new)"),
        (("custom_status_id", "soon"), "the custom status “soon”"),
        (("custom_status_id", ""), "the custom status “”"),
        (("status", "new"), "the status “new” (Zendesk sets no ticket back to new)"),
        (("something_new", "x"), "its action “something_new”"),
    ],
)
def test_what_cannot_be_sent_or_taken_back_is_named(action: tuple[str, object], phrase: str) -> None:
    found = of(action)
    assert (len(found.left_out), found.does_something) == (1, False)
    assert found.left_out[0].startswith(phrase)


def test_a_comment_left_out_is_named_and_nothing_is_asked_for_each_ticket_on_its_account() -> None:
    found = of(("status", "open"), ("comment_value", "Hello {{ticket.requester.name}}"))
    assert (found.is_asked_for_each, found.left_out) == (True, [])
    found.leave_comment_out()
    assert found == Translation(fields={"status": "open"}, left_out=["its comment"])
    assert not found.is_asked_for_each


@pytest.mark.parametrize(
    ("given", "comment"),
    [
        ({"body": "Hi", "public": False}, Comment("Hi", is_public=False)),
        ({"body": "Hi"}, Comment("Hi", is_public=True)),
        ({"body": "<p>Hi</p>", "public": True}, Comment("<p>Hi</p>", is_public=True, is_html=True)),
        ({"body": "1 < 2", "html_body": "1 &lt; 2"}, Comment("1 &lt; 2", is_public=True, is_html=True)),
        ({"body": "<script>x</script>"}, Comment("<script>x</script>", is_public=True)),
        ({"body": " "}, None),
        (None, None),
    ],
)
def test_a_comment_of_a_preview_is_html_where_it_looks_so(given: object, comment: Comment | None) -> None:
    assert Comment.from_preview({"comment": given}, is_html=False) == comment


def test_people_read_a_comment_without_its_markup() -> None:
    text = "<p>Hello &amp; welcome</p><ul><li>one</li><li>two</li></ul>"
    assert Comment(text, is_public=True, is_html=True).plain == "Hello & welcome\none\ntwo"
