from __future__ import annotations

from typing import Any

import pytest

from tests.zendesk.recorded import sample
from zendesk import (
    Action,
    CustomRole,
    CustomStatus,
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
from zendesk.records import Audit, Brand
from zendesk.records.tickets import FieldChange


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
        ({"tags": [None, ["a"]]}, "one of its tags is null"),
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


def test_the_highest_number_of_a_ticket_is_what_a_database_keeps():
    assert Ticket.read({**WHOLE_TICKET, "id": 2**63 - 1}).id == 2**63 - 1


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


def test_the_error_for_a_record_shows_twenty_of_its_keys():
    with pytest.raises(UnexpectedAnswer) as caught:
        TagCount.from_json({f"key{number}": 1 for number in range(10, 50)})
    assert "key29)" in caught.value.text


def test_what_is_not_said_of_a_user_limits_nobody():
    assert User.from_json({"id": 1, "name": "A", "email": "a@b.c", "role": "agent"}) == User(
        1,
        "A",
        "a@b.c",
        "agent",
        active=True,
        suspended=False,
        is_light_agent=False,
        is_restricted=False,
        ticket_restriction=None,
        custom_role_id=None,
        time_zone="",
    )
    assert User(1, "A", "a@b.c", "agent") == User.from_json(
        {"id": 1, "name": "A", "email": "a@b.c", "role": "agent"}
    )


@pytest.mark.parametrize(
    ("sent", "read"), [("groups", "groups"), (None, None), (7, None), (["groups"], None)]
)
def test_the_restriction_of_an_agent_is_text_or_unknown(sent: Any, read: str | None):
    user = User.from_json({"id": 1, "ticket_restriction": sent})
    assert (user.ticket_restriction, user.is_restricted) == (read, bool(sent))


@pytest.mark.parametrize(
    ("zones", "read"),
    [
        ({"iana_time_zone": "Europe/Vienna", "time_zone": "Vienna"}, "Europe/Vienna"),
        ({"time_zone": "Vienna"}, "Vienna"),
        ({"iana_time_zone": "Europe/Vienna"}, "Europe/Vienna"),
        ({}, ""),
    ],
)
def test_the_time_zone_of_a_user_has_its_common_name_if_that_is_sent(zones: dict[str, str], read: str):
    assert User.from_json({"id": 1, **zones}).time_zone == read


@pytest.mark.parametrize(
    ("said", "active"),
    [({}, True), ({"active": None}, True), ({"active": True}, True), ({"active": False}, False)],
)
def test_brands_statuses_views_and_fields_are_active_unless_it_is_denied(said: dict[str, Any], active: bool):
    made = [kind.from_json({"id": 1, **said}) for kind in (Brand, CustomStatus, View, TicketField)]
    assert [one.active for one in made] == [active] * 4


def test_a_record_that_is_made_by_hand_is_active():
    made = (
        Brand(1, "A"),
        CustomStatus(1, "A", "open"),
        View(1, "A"),
        TicketField(1, "A", "text", frozenset()),
    )
    assert [one.active for one in made] == [True] * 4


@pytest.mark.parametrize("kind", [View, Macro])
def test_what_was_sent_of_a_rule_is_neither_shown_nor_compared(kind: Any):
    one, other = (kind.from_json({"id": 1, "title": "A", "secret": secret}) for secret in ("s1", "s2"))
    assert one == other
    assert "s1" not in repr(one)


@pytest.mark.parametrize("odd", ["x", 7, None, {}, {"field": 7, "value": "vip"}, {"value": "vip"}])
def test_an_action_without_the_name_of_a_field_is_passed_over(odd: Any):
    macro = Macro.from_json({"id": 1, "actions": [odd, {"field": "current_tags", "value": "a"}]})
    assert macro.actions == (Action("current_tags", "a"),)


@pytest.mark.parametrize("value", [None, "", 7, ["a"]])
def test_a_value_of_a_field_that_is_no_text_is_no_tag(value: Any):
    options = [{"value": value}, "x", {"value": "a"}]
    assert TicketField.from_json({"id": 1, "custom_field_options": options}).tags == {"a"}


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ([{"id": 5, "value": "x"}, {"id": 6, "value": "y"}], "y"),
        ([None, {"id": 6, "value": "y"}], "y"),
        ([{"id": 5, "value": "x"}], None),
        (None, None),
        ("x", None),
    ],
)
def test_the_value_of_a_custom_field_is_that_of_its_number(sent: Any, value: str | None):
    assert Ticket.from_json({**WHOLE_TICKET, "custom_fields": sent}).custom_value(6) == value


@pytest.mark.parametrize(("count", "read"), [(3, 3), (None, 0), ("3", 0), (True, 0)])
def test_the_number_of_tickets_with_a_tag_is_a_whole_number_or_0(count: Any, read: int):
    assert TagCount.from_json({"name": "vip", "count": count}) == TagCount("vip", read)


@pytest.mark.parametrize(
    ("event", "change"),
    [
        (
            {"type": "Change", "field_name": "tags", "previous_value": ["a", "B"], "value": "b c"},
            FieldChange("tags", added=frozenset({"c"}), removed=frozenset({"a"})),
        ),
        (
            {"type": "Create", "field_name": "tags", "value": ["a", 7]},
            FieldChange("tags", added=frozenset({"a"})),
        ),
        (
            {"type": "Change", "field_name": "status", "previous_value": "new", "value": "open"},
            FieldChange("status", "new", "open"),
        ),
        (
            {"type": "Change", "field_name": "group_id", "previous_value": None, "value": 7},
            FieldChange("group_id", "", "7"),
        ),
        (
            {"type": "Change", "field_name": "360", "previous_value": False, "value": True},
            FieldChange("360", "false", "true"),
        ),
        ({"type": "Change", "field_name": "360", "previous_value": "0", "value": "Ann"}, None),
        ({"type": "Change", "field_name": "subject", "previous_value": "0", "value": "1"}, None),
        ({"type": "Comment", "field_name": "status", "value": "open"}, None),
        ({"type": "Change", "field_name": 7, "value": "1"}, None),
        ({"type": "Change", "value": "1"}, None),
        (
            {"type": "Change", "field_name": "status", "previous_value": ["new"], "value": {"a": 1}},
            FieldChange("status"),
        ),
    ],
)
def test_an_event_of_a_history_is_a_change_of_tags_of_a_known_field_or_of_a_tick(
    event: dict[str, Any], change: FieldChange | None
):
    assert FieldChange.from_event(event) == change


def test_an_update_in_a_history_keeps_no_words_of_customers():
    changed = {"type": "Change", "field_name": "status", "previous_value": "new", "value": "open"}
    raw = {
        "created_at": "2026-11-30T10:00:00Z",
        "metadata": {"custom": {"job": "7"}, "system": {}},
        "events": ["x", {"type": "Comment", "body": "Hello"}, changed],
        "via": {"channel": "api"},
    }
    audit = Audit.from_json(raw)
    assert audit == Audit(
        "2026-11-30T10:00:00Z", {"job": "7"}, True, (FieldChange("status", "new", "open"),), "api"
    )
    assert "Hello" not in repr(audit)
    assert not Audit.from_json({**raw, "events": [changed]}).has_comment


@pytest.mark.parametrize("odd", [None, 7, "x", []])
def test_an_update_whose_parts_are_odd_tells_nothing(odd: Any):
    raw = {"created_at": "", "metadata": odd, "events": odd, "via": odd}
    assert Audit.from_json(raw) == Audit("", {}, False)
    inner = {"created_at": "", "metadata": {"custom": odd}, "events": [], "via": {"channel": []}}
    assert Audit.from_json(inner) == Audit("", {}, False)


def test_an_update_without_its_time_is_refused():
    with pytest.raises(UnexpectedAnswer):
        Audit.from_json({"created_at": None})


def test_an_ai_agent_holds_a_ticket_only_where_zendesk_says_so():
    assert Ticket.from_json({**WHOLE_TICKET, "support_type": "ai_agent"}).is_ai_agent
    assert not Ticket.from_json({**WHOLE_TICKET, "support_type": "agent"}).is_ai_agent
