"""What admins set up besides rules: each in the shapes that documents and recordings show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from zendesk import AutoRouting, BearerToken, Conditional, NotAllowed, NotFound, Webhook, Zendesk, sandbox


def tagged(**conditions: Any) -> frozenset[str]:
    return Conditional.from_json({"id": 1, "title": "One", **conditions}).tags


def holds(value: Any, field: str = "current_tags") -> dict[str, Any]:
    return {"field": field, "operator": "includes", "value": value}


@pytest.mark.parametrize(
    ("conditions", "tags"),
    [
        ({"filter": {"all": [holds(["vip", "gold"])], "any": []}}, {"vip", "gold"}),
        ({"definition": {"all": [], "any": [holds("vip gold")]}}, {"vip", "gold"}),
        ({"conditions": {"all": [holds("VIP")], "any": [holds("x", "tags")]}}, {"vip", "x"}),
        ({"conditions": [holds("vip"), holds("x", "brand_id")]}, {"vip"}),
        ({"conditions": {"all": [{"any": [holds("deep")]}]}}, {"deep"}),
        ({"conditions": None}, set()),
        ({"conditions": {"all": None, "any": "x"}}, set()),
        ({"filter": {"all": [holds(None), holds(7), holds(["vip", 7, None]), "x"]}}, {"vip"}),
        ({}, set()),
    ],
)
def test_conditions_name_tags_in_any_shape(conditions: dict[str, Any], tags: set[str]) -> None:
    assert tagged(**conditions) == tags


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ({"id": 7, "title": "A"}, Conditional("7", "A", active=True, tags=frozenset())),
        ({"id": "01H", "name": "A"}, Conditional("01H", "A", active=True, tags=frozenset())),
        ({"id": 7, "title": "A", "activated": False}, Conditional("7", "A", active=False, tags=frozenset())),
        ({"id": 7, "title": "A", "active": False}, Conditional("7", "A", active=False, tags=frozenset())),
        (
            {"id": None, "object": "zen:user"},
            Conditional("", "", active=True, tags=frozenset(), object="zen:user"),
        ),
    ],
)
def test_what_is_not_said_is_active(raw: dict[str, Any], seen: Conditional) -> None:
    assert Conditional.from_json(raw) == seen


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        (
            {
                "id": "x",
                "name": "A",
                "status": "active",
                "subscriptions": ["zen:event-type:ticket.tags_changed"],
            },
            Webhook("x", "A", active=True, events=frozenset({"tags_changed"})),
        ),
        (
            {"id": "x", "name": "A", "status": "inactive", "subscriptions": ["conditional_ticket_events", 7]},
            Webhook("x", "A", active=False, events=frozenset()),
        ),
        ({"id": "x", "subscriptions": None}, Webhook("x", "", active=True, events=frozenset())),
    ],
)
def test_a_webhook_has_the_events_of_tickets_that_it_receives(raw: dict[str, Any], seen: Webhook) -> None:
    assert Webhook.from_json(raw) == seen


@pytest.mark.parametrize(
    ("routing", "seen"),
    [
        ({"enabled": True, "autorouting_tag": "Route-Me"}, AutoRouting(tag="route-me")),
        ({"enabled": False, "autorouting_tag": ""}, AutoRouting(enabled=False)),
        ({"autorouting_tag": None}, AutoRouting()),
        (None, AutoRouting()),
    ],
)
def test_the_auto_routing_tag_may_be_renamed(routing: Any, seen: AutoRouting) -> None:
    assert AutoRouting.from_settings({"routing": routing}) == seen


@pytest.fixture
def serve(connect: Any) -> Iterator[Callable[..., Zendesk]]:
    running: list[sandbox.Server] = []

    def start(**options: Any) -> Zendesk:
        running.append(sandbox.serve(sandbox.Sandbox(sandbox.Options(tickets=1, **options))))
        client: Zendesk = connect(BearerToken(sandbox.BEARER_TOKEN), running[-1].url)
        return client

    yield start
    for server in running:
        server.close()


def listed(zendesk: Zendesk) -> dict[str, set[str]]:
    """The tags that each list names."""
    lists = (zendesk.sla_policies, zendesk.queues, zendesk.workspaces, zendesk.deletion_schedules)
    return {each.__name__: {tag for one in each() if one.active for tag in one.tags} for each in lists}


def test_each_list_is_read(serve: Callable[..., Zendesk]) -> None:
    zendesk = serve(autorouting_tag="route-me")
    assert listed(zendesk) == {
        "sla_policies": {"vip"},
        "queues": {"escalated"},
        "workspaces": {"refund"},
        "deletion_schedules": {"gdpr", "left"},
    }
    assert [hook.events for hook in zendesk.webhooks()] == [{"tags_changed", "status_changed"}, set()]
    assert zendesk.auto_routing() == AutoRouting(tag="route-me")


def test_an_agent_may_not_list_what_is_for_admins(serve: Callable[..., Zendesk]) -> None:
    zendesk = serve(role="agent")
    for read in (zendesk.sla_policies, zendesk.queues, zendesk.deletion_schedules, zendesk.webhooks):
        with pytest.raises(NotAllowed):
            list(read())
    assert [one.title for one in zendesk.workspaces()] == ["Refunds", "Old VIP desk"]


def test_a_list_may_be_withheld_or_missing(serve: Callable[..., Zendesk]) -> None:
    zendesk = serve(withheld=("workspaces", "account/settings"), missing_lists=("queues",))
    with pytest.raises(NotAllowed):
        list(zendesk.workspaces())
    with pytest.raises(NotAllowed):
        zendesk.auto_routing()
    with pytest.raises(NotFound):
        list(zendesk.queues())
