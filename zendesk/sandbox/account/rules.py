"""Triggers and automations, for tools that search rules for a tag.

Only two kinds really run: the one that `Options.readding_tag` asks for, and those in `Options.triggers`.
"""

from dataclasses import dataclass
from typing import Any

_SINCE = "2024-01-08T09:00:00Z"
_FIRST_TRIGGER = 6_130_892_440_000
_FIRST_AUTOMATION = 6_130_892_450_000

Condition = tuple[str, str, str]
Action = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    title: str
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    active: bool = True

    def to_json(self, url: str, rule_id: int, position: int) -> dict[str, Any]:
        return {
            "url": f"{url}/{rule_id}.json",
            "id": rule_id,
            "title": self.title,
            "active": self.active,
            "updated_at": _SINCE,
            "created_at": _SINCE,
            "default": False,
            "actions": [{"field": field, "value": value} for field, value in self.actions],
            "conditions": {
                "all": [
                    {"field": field, "operator": operator, "value": value}
                    for field, operator, value in self.conditions
                ],
                "any": [],
            },
            "description": None,
            "position": position,
            "raw_title": self.title,
        }


TRIGGERS = (
    Rule(
        "Notify requester of comment update",
        (("update_type", "is", "Change"), ("comment_is_public", "is", "true")),
        (("notification_user", ["requester_id", "{{ticket.title}}", "Your request was updated."]),),
    ),
    Rule(
        "VIP tickets: mail the account team",
        (("update_type", "is", "Change"), ("current_tags", "includes", "vip")),
        (("notification_group", ["6130852536346", "VIP ticket", "See {{ticket.link}}"]),),
    ),
    Rule(
        "Escalated tickets go to the specialists",
        (("current_tags", "includes", "escalated needs_review"),),
        (("group_id", "6130852536858"), ("current_tags", "specialists")),
    ),
    Rule(
        "Old VIP survey",
        (("current_tags", "includes", "vip beta"),),
        (("current_tags", "csat_sent"),),
        active=False,
    ),
)
AUTOMATIONS = (
    Rule(
        "Close ticket 4 days after status is set to solved",
        (("status", "is", "solved"), ("SOLVED", "greater_than", "96")),
        (("status", "closed"),),
    ),
    Rule(
        "Remind the owners of churn risks",
        (("current_tags", "includes", "churn_risk"), ("updated_at", "greater_than", "48")),
        (("notification_user", ["assignee_id", "Churn risk", "Please call."]),),
    ),
)


def triggers(base: str, readding_tag: str | None, extra: tuple[Rule, ...] = ()) -> list[dict[str, Any]]:
    """The sample triggers, the `extra` ones, and the one that restores `readding_tag`, if any."""
    found: tuple[Rule, ...] = TRIGGERS + extra
    if readding_tag is not None:
        readding = Rule(
            f"Keep {readding_tag}",
            (("current_tags", "not_includes", readding_tag),),
            (("current_tags", readding_tag),),
        )
        found = (*found, readding)
    return _numbered(found, f"{base}/api/v2/triggers", _FIRST_TRIGGER)


def automations(base: str) -> list[dict[str, Any]]:
    return _numbered(AUTOMATIONS, f"{base}/api/v2/automations", _FIRST_AUTOMATION)


def _numbered(rules: tuple[Rule, ...], url: str, first: int) -> list[dict[str, Any]]:
    return [
        rule.to_json(url, first + 256 * position, position) for position, rule in enumerate(rules, start=1)
    ]
