from __future__ import annotations

import pytest

from tests.zendesk.recorded import sample
from zendesk import (
    Action,
    CustomRole,
    Macro,
    Rule,
    TagCount,
    Ticket,
    TicketField,
    UnexpectedAnswer,
    User,
    View,
    ViewCount,
)


def test_a_ticket_is_parsed_from_a_recorded_list():
    (raw,) = sample("tickets-list-cursor").body["tickets"]
    ticket = Ticket.from_json(raw)
    assert ticket == Ticket(
        id=1,
        status="open",
        tags=frozenset({"sample", "support", "zendesk"}),
        updated_at="2024-02-07T00:11:18Z",
        subject="Sample ticket: Meet the ticket",
    )
    assert ticket.fields["priority"] == "normal"
    assert not ticket.is_closed
    assert "The Customer" not in repr(ticket)


def test_tags_of_a_ticket_compare_with_typed_ones():
    raw = {"id": 1, "status": "closed", "tags": ["VIP", "e\u0301te"], "updated_at": "", "subject": None}
    ticket = Ticket.from_json(raw)
    assert ticket.tags == {"vip", "\u00e9te"}
    assert ticket.subject == ""
    assert ticket.is_closed


WHOLE_TICKET = {"id": 1, "status": "open", "tags": ["a"], "updated_at": "2024-02-07T00:11:18Z"}


@pytest.mark.parametrize(
    "raw",
    [
        {**WHOLE_TICKET, "status": None},
        {**WHOLE_TICKET, "tags": "a b"},
        {**WHOLE_TICKET, "tags": [1]},
        {**WHOLE_TICKET, "updated_at": 5},
        *({k: v for k, v in WHOLE_TICKET.items() if k != gone} for gone in ("status", "tags", "updated_at")),
    ],
)
def test_a_ticket_without_an_indispensable_member_is_refused(raw):
    with pytest.raises(UnexpectedAnswer, match="Zendesk sent a ticket in a shape"):
        Ticket.from_json(raw)


def test_null_tags_are_no_tags():
    assert Ticket.from_json({**WHOLE_TICKET, "tags": None}).tags == frozenset()


@pytest.mark.parametrize(
    ("changed", "odd"),
    [
        ({"tags": None}, ""),
        ({"status": None}, "its status is null"),
        ({"status": ""}, "its status is empty"),
        ({"status": 3}, "its status is a number"),
        ({"tags": "a b"}, "its tags are text"),
        ({"tags": {"a": 1}}, "its tags are an object"),
        ({"tags": ["a", None]}, "one of its tags is null"),
        ({"tags": [["a"]]}, "one of its tags is a list"),
        ({"updated_at": None}, "its updated_at is null"),
        ({"updated_at": True}, "its updated_at is true or false"),
    ],
)
def test_an_odd_ticket_keeps_its_number_and_says_what_is_odd(changed, odd):
    ticket = Ticket.read({**WHOLE_TICKET, **changed})
    assert (ticket.id, ticket.odd) == (1, odd)
    if odd:
        assert ticket == Ticket.unreadable(1, odd)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "null in place of a ticket"),
        ([], "a list in place of a ticket"),
        ("ticket", "text in place of a ticket"),
        ({}, "whose id is missing"),
        ({"id": None}, "whose id is null"),
        ({"id": "1"}, "whose id is text"),
        ({"id": True}, "whose id is true or false"),
        ({"id": 0}, "whose id is no positive whole number"),
        ({"id": -4}, "whose id is no positive whole number"),
        ({"id": 1.0}, "whose id is no positive whole number"),
        ({"id": 2**63}, "whose id is no positive whole number"),
    ],
)
def test_a_record_without_a_usable_id_is_no_ticket(raw, words):
    with pytest.raises(UnexpectedAnswer, match=words):
        Ticket.read(raw)


def test_a_ticket_as_of_2026_is_parsed():
    raw = {
        **WHOLE_TICKET, "custom_status_id": 46406158222353, "encoded_id": "LW3ZND-1926N",
        "support_type": "agent", "generated_timestamp": 1778057265,
        "satisfaction_rating": {"score": "unoffered"},
    }  # fmt: skip
    assert Ticket.from_json(raw) == Ticket(1, "open", frozenset({"a"}), "2024-02-07T00:11:18Z")


def test_the_error_for_a_refused_record_shows_only_its_keys():
    with pytest.raises(UnexpectedAnswer) as caught:
        Ticket.from_json({"id": 1, "subject": "my password is 1234"})
    assert "(id, subject)" in caught.value.text


def test_the_signed_in_user_is_read_without_the_session_token():
    user = User.from_json(sample("users-me").body["user"])
    assert user == User(
        id=6130907993114,
        name="Example Agent",
        email="agent@example.com",
        role="admin",
        active=True,
        suspended=False,
        is_light_agent=False,
        is_restricted=False,
        ticket_restriction=None,
        custom_role_id=6130869137434,
        time_zone="America/New_York",
    )
    assert "authenticity" not in repr(user)


def test_an_anonymous_user_has_no_id():
    assert User.from_json(sample("users-me-anonymous").body["user"]).id is None


def test_light_and_restricted_agents_are_recognised():
    user = User.from_json(
        {"id": 1, "role": "agent", "role_type": 1, "ticket_restriction": "groups", "suspended": True}
    )
    assert (user.is_light_agent, user.is_restricted, user.suspended) == (True, True, True)


def test_a_custom_role_says_whether_it_may_edit_tags():
    assert CustomRole.from_json(sample("custom_role").body["custom_role"]) == CustomRole(
        id=6130869137434, name="Admin", may_edit_tags=True, is_light_agent=False, ticket_access="all"
    )


@pytest.mark.parametrize("name", ["views-active", "views-list-cursor"])
def test_views_are_parsed(name):
    raw = sample(name).body["views"][0]
    view = View.from_json(raw)
    assert view == View(id=raw["id"], title=raw["title"], active=True)
    assert view.raw is raw


def test_the_count_of_a_view_may_be_unknown():
    loading, fresh = (
        ViewCount.from_json(sample(f"view-count-{n}").body["view_count"]) for n in ("loading", "fresh")
    )
    assert loading == ViewCount(value=None, pretty="...", fresh=False)
    assert fresh == ViewCount(value=1182, pretty="1182", fresh=True)


def test_macros_are_parsed_with_their_actions():
    first, second = (Macro.from_json(raw) for raw in sample("macros-list-cursor").body["macros"])
    assert (first.id, first.title, first.active) == (6130892433178, "Customer not responding", True)
    assert first.actions[0] == Action("status", "pending")
    assert [action.field for action in second.actions] == ["priority", "comment_value"]


@pytest.mark.parametrize(
    ("action", "tags"),
    [
        (Action("current_tags", "VIP angry"), {"vip", "angry"}),
        (Action("set_tags", ["a", "b c"]), {"a", "b", "c"}),
        (Action("remove_tags", ""), set()),
        (Action("comment_value", "vip"), set()),
        (Action("current_tags", None), set()),
    ],
)
def test_tag_actions_expose_their_tags(action, tags):
    assert action.tags == tags


def test_ticket_fields_expose_the_tags_of_their_options():
    dropdown = {
        "id": 1,
        "title": "Product",
        "type": "tagger",
        "active": True,
        "tag": None,
        "custom_field_options": [{"name": "A", "value": "product_A"}, {"name": "B", "value": "product_b"}],
    }
    assert TicketField.from_json(dropdown) == TicketField(
        1, "Product", "tagger", frozenset({"product_a", "product_b"})
    )
    checkbox = {"id": 2, "title": "Urgent?", "type": "checkbox", "tag": "urgent", "active": False}
    assert TicketField.from_json(checkbox) == TicketField(
        2, "Urgent?", "checkbox", frozenset({"urgent"}), False
    )
    text = {"id": 3, "title": "Notes", "type": "text", "tag": None}
    assert TicketField.from_json(text).tags == set()


def test_rules_expose_the_tags_of_their_conditions_and_actions():
    raw = {
        "id": 9,
        "url": "https://acme.zendesk.com/api/v2/triggers/9.json",
        "title": "Thank VIPs",
        "active": True,
        "conditions": {
            "all": [{"field": "current_tags", "operator": "includes", "value": "vip gold"}],
            "any": [{"field": "status", "operator": "is", "value": "open"}],
        },
        "actions": [{"field": "remove_tags", "value": "new"}, {"field": "priority", "value": "high"}],
    }
    url = "https://acme.zendesk.com/api/v2/triggers/9.json"
    assert Rule.from_json(raw) == Rule(9, "Thank VIPs", True, frozenset({"vip", "gold", "new"}), url)
    assert Rule.from_json({"id": 9, "conditions": None, "actions": 5}).tags == set()


def test_tag_counts_are_parsed():
    assert [TagCount.from_json(raw) for raw in sample("tags-list-last-page").body["tags"]] == [
        TagCount("foo", 1),
        TagCount("new", 1),
        TagCount("tag", 1),
    ]


@pytest.mark.parametrize("record", [User, CustomRole, View, ViewCount, TagCount, Macro, TicketField, Rule])
def test_no_record_is_made_from_another_type(record):
    shapes: tuple[object, ...] = (None, [], 5, "x")
    for raw in shapes:
        with pytest.raises(UnexpectedAnswer):
            record.from_json(raw)


@pytest.mark.parametrize("record", [CustomRole, View, TagCount, Macro, TicketField, Rule])
def test_no_record_is_made_without_an_id_or_name(record):
    with pytest.raises(UnexpectedAnswer):
        record.from_json({"title": "x", "configuration": {}})
