"""Triggers and automations: read by tools that search rules for a tag. Only one can be made to act (Options)."""

from typing import Any

_SINCE = "2024-01-08T09:00:00Z"

Part = tuple[str, str, Any]


def _rule(base: str, kind: str, number: int, title: str, conditions: tuple[Part, ...], actions: tuple[Part, ...],
          *, active: bool = True) -> dict[str, Any]:  # fmt: skip
    rule_id = {"triggers": 6_130_892_440_000, "automations": 6_130_892_450_000}[kind] + number * 256
    return {
        "url": f"{base}/api/v2/{kind}/{rule_id}.json",
        "id": rule_id,
        "title": title,
        "active": active,
        "updated_at": _SINCE,
        "created_at": _SINCE,
        "default": False,
        "actions": [{"field": field, "value": value} for field, _, value in actions],
        "conditions": {
            "all": [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions],
            "any": [],
        },
        "description": None,
        "position": number,
        "raw_title": title,
    }


def triggers(base: str, readding_tag: str | None) -> list[dict[str, Any]]:
    found = [
        _rule(
            base, "triggers", 1, "Notify requester of comment update",
            (("update_type", "is", "Change"), ("comment_is_public", "is", "true")),
            (("notification_user", "", ["requester_id", "{{ticket.title}}", "Your request was updated."]),),
        ),
        _rule(
            base, "triggers", 2, "VIP tickets: mail the account team",
            (("update_type", "is", "Change"), ("current_tags", "includes", "vip")),
            (("notification_group", "", ["6130852536346", "VIP ticket", "See {{ticket.link}}"]),),
        ),
        _rule(
            base, "triggers", 3, "Escalated tickets go to the specialists",
            (("current_tags", "includes", "escalated needs_review"),),
            (("group_id", "", "6130852536858"), ("current_tags", "", "specialists")),
        ),
        _rule(
            base, "triggers", 4, "Old VIP survey", (("current_tags", "includes", "vip beta"),),
            (("current_tags", "", "csat_sent"),), active=False,
        ),
    ]  # fmt: skip
    if readding_tag is not None:
        found.append(
            _rule(
                base, "triggers", 5, f"Keep {readding_tag}", (("current_tags", "not_includes", readding_tag),),
                (("current_tags", "", readding_tag),),
            )
        )  # fmt: skip
    return found


def automations(base: str) -> list[dict[str, Any]]:
    return [
        _rule(
            base, "automations", 1, "Close ticket 4 days after status is set to solved",
            (("status", "is", "solved"), ("SOLVED", "greater_than", "96")), (("status", "", "closed"),),
        ),
        _rule(
            base, "automations", 2, "Remind the owners of churn risks",
            (("current_tags", "includes", "churn_risk"), ("updated_at", "greater_than", "48")),
            (("notification_user", "", ["assignee_id", "Churn risk", "Please call."]),),
        ),
    ]  # fmt: skip
