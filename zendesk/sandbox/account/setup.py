"""What else of an account looks at tags: SLA policies, queues, workspaces, deletion schedules, webhooks.

For tools that search them for a tag. None of them acts here.
"""

from typing import Any

_SINCE = "2024-01-08T09:00:00Z"
_FIRST = 6_130_892_460_000


def _condition(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def _dated(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "created_at": _SINCE, "updated_at": _SINCE}


#: By path below `/api/v2/`, also its name in `Options.withheld`: the key of the list, and its records.
#: Shapes as in developer.zendesk.com; queues and webhooks have texts as ids.
LISTS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "slas/policies": (
        "sla_policies",
        [
            _dated(
                {
                    "id": _FIRST,
                    "title": "VIP customers",
                    "description": "First reply within an hour",
                    "position": 1,
                    "filter": {"all": [_condition("current_tags", "includes", ["vip"])], "any": []},
                    "policy_metrics": [
                        {
                            "priority": "high",
                            "metric": "first_reply_time",
                            "target": 60,
                            "business_hours": True,
                        }
                    ],
                }
            ),
            _dated(
                {
                    "id": _FIRST + 256,
                    "title": "Everyone else",
                    "description": "",
                    "position": 2,
                    "filter": {"all": [], "any": []},
                    "policy_metrics": [],
                }
            ),
        ],
    ),
    "queues": (
        "queues",
        [
            _dated(
                {
                    "id": "01HG80ATNNZK1N7XRFVKX48XD6",
                    "name": "Escalations",
                    "description": "For the specialists",
                    "order": 1,
                    "priority": 1,
                    "definition": {
                        "all": [],
                        "any": [
                            _condition("current_tags", "includes", "escalated"),
                            _condition("priority", "is", "urgent"),
                        ],
                    },
                    "primary_groups": {"count": 0, "groups": []},
                    "secondary_groups": {"count": 0, "groups": []},
                }
            )
        ],
    ),
    "workspaces": (
        "workspaces",
        [
            _dated(
                {
                    "id": _FIRST + 512,
                    "title": "Refunds",
                    "description": "",
                    "activated": True,
                    "position": 1,
                    "conditions": {"all": [_condition("current_tags", "includes", "refund")], "any": []},
                    "apps": [],
                    "macro_ids": [],
                    "macros": [],
                    "selected_macros": [],
                    "ticket_form_id": None,
                }
            ),
            _dated(
                {
                    "id": _FIRST + 768,
                    "title": "Old VIP desk",
                    "description": "",
                    "activated": False,
                    "position": 2,
                    "conditions": {"all": [_condition("current_tags", "includes", "vip")], "any": []},
                    "apps": [],
                    "macro_ids": [],
                    "macros": [],
                    "selected_macros": [],
                    "ticket_form_id": None,
                }
            ),
        ],
    ),
    "deletion_schedules": (
        "deletion_schedules",
        [
            _dated(
                {
                    "id": _FIRST + 1024,
                    "title": "Privacy requests after a year",
                    "description": "",
                    "active": True,
                    "default": False,
                    "object": "zen:ticket",
                    "conditions": {
                        "all": [
                            _condition("current_tags", "includes", "gdpr"),
                            _condition("duration_since_last_update", "greater_than", "P1Y"),
                        ],
                        "any": [],
                    },
                }
            ),
            _dated(
                {
                    "id": _FIRST + 1280,
                    "title": "End users who left",
                    "description": "",
                    "active": True,
                    "default": False,
                    "object": "zen:user",
                    "conditions": {"all": [_condition("current_tags", "includes", "left")], "any": []},
                }
            ),
        ],
    ),
    "webhooks": (
        "webhooks",
        [
            _dated(
                {
                    "id": "01FMJQSY40HZBCBVPZB9212S8V",
                    "name": "Data warehouse",
                    "status": "active",
                    "description": "",
                    "endpoint": "https://warehouse.example.com/tickets",
                    "http_method": "POST",
                    "request_format": "json",
                    "created_by": "6130830358042",
                    "subscriptions": [
                        "zen:event-type:ticket.tags_changed",
                        "zen:event-type:ticket.status_changed",
                    ],
                }
            ),
            _dated(
                {
                    "id": "01FMJQSY40HZBCBVPZB9212S9W",
                    "name": "Pager",
                    "status": "active",
                    "description": "",
                    "endpoint": "https://pager.example.com/",
                    "http_method": "POST",
                    "request_format": "json",
                    "created_by": "6130830358042",
                    "subscriptions": ["conditional_ticket_events"],
                }
            ),
        ],
    ),
}
#: Those that Zendesk shows to admins alone (developer.zendesk.com).
FOR_ADMINS = frozenset({"slas/policies", "queues", "deletion_schedules", "webhooks"})
