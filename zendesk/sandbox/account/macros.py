"""The demo account's macros.

Applying one is a preview: the answer says what would change; nothing is written.
"""

import re
from dataclasses import dataclass
from typing import Any

from zendesk.sandbox.account import fields, people
from zendesk.sandbox.tickets import tags

MACRO_NOT_RESPONDING = 6_130_892_433_178
MACRO_ESCALATE = 6_130_892_433_434
MACRO_NOTE = 6_130_892_433_690
MACRO_CLOSE_SPAM = 6_130_892_433_946
MACRO_RESET_TAGS = 6_130_892_434_202
MACRO_UNTAG = 6_130_892_434_458
MACRO_SOLVE_FIXED = 6_130_892_434_714
MACRO_HOSTILE = 6_130_892_434_970
MACRO_INACTIVE = 6_130_892_435_226

Action = tuple[str, Any]
_SINCE = "2024-01-08T09:00:00Z"
_PLACEHOLDER = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Macro:
    id: int
    title: str
    actions: tuple[Action, ...]
    active: bool = True
    description: str | None = None

    def to_json(self, base: str, position: int) -> dict[str, Any]:
        return {
            "url": f"{base}/api/v2/macros/{self.id}.json",
            "id": self.id,
            "title": self.title,
            "active": self.active,
            "updated_at": _SINCE,
            "created_at": _SINCE,
            "default": False,
            "position": position,
            "description": self.description,
            "actions": [{"field": field, "value": value} for field, value in self.actions],
            "restriction": None,
            "raw_title": self.title,
        }

    def outcome(self, held: frozenset[str], placeholders: dict[str, str] | None) -> dict[str, Any]:
        """The members of a ticket that would change. `placeholders` None leaves them unfilled in the text."""
        result: dict[str, Any] = {}
        new_tags = set(held)
        is_public = True
        body: str | None = None
        for field, value in self.actions:
            match field:
                case "set_tags":
                    new_tags = set(tags.normalise(value))
                case "current_tags":
                    fields.add_tags(new_tags, tags.normalise(value))
                case "remove_tags":
                    new_tags -= set(tags.normalise(value))
                case "comment_value" | "comment_value_html":
                    body = value if isinstance(value, str) else str(value[1])
                case "comment_mode_is_public":
                    is_public = value in (True, "true")
                case _:
                    result[field] = _value(field, value)
        if new_tags != held:
            result["tags"] = sorted(new_tags)
        if body is not None:
            text = body if placeholders is None else fill(body, placeholders)
            result["comment"] = {"body": text, "public": is_public, "scoped_body": [["channel:all", text]]}
        return result


def _value(field: str, value: Any) -> Any:
    if value == "current_user":
        return people.ADMIN_ID
    return int(value) if field in ("assignee_id", "group_id") else value


def fill(text: str, placeholders: dict[str, str]) -> str:
    """Fill in placeholders; an unknown one becomes empty, as in Zendesk."""
    return _PLACEHOLDER.sub(lambda found: placeholders.get(found[1], ""), text)


MACROS: tuple[Macro, ...] = (
    Macro(
        MACRO_NOT_RESPONDING,
        "Customer not responding",
        (
            ("status", "pending"),
            (
                "comment_value",
                "Hello {{ticket.requester.name}}. {{current_user.name}} has news on #{{ticket.id}}.",
            ),
        ),
    ),
    Macro(
        MACRO_ESCALATE,
        "Escalate to the specialists",
        (
            ("priority", "high"),
            ("group_id", str(people.GROUP_IDS[2])),
            ("current_tags", "escalated needs_review"),
        ),
        description="No reply to the customer.",
    ),
    Macro(
        MACRO_NOTE,
        "Note: checked by the night shift",
        (
            ("comment_value", "Checked by the night shift."),
            ("comment_mode_is_public", "false"),
            ("current_tags", "night_shift"),
        ),
    ),
    Macro(MACRO_CLOSE_SPAM, "Solve as spam", (("status", "solved"), ("current_tags", "spam"))),
    Macro(MACRO_RESET_TAGS, "Start the tags afresh", (("set_tags", "triage"),)),
    Macro(MACRO_UNTAG, "No longer vip", (("remove_tags", "vip churn_risk"),)),
    Macro(
        MACRO_SOLVE_FIXED,
        "Fixed: tell the customer",
        (
            ("status", "solved"),
            (f"custom_fields_{fields.FIELD_RESOLUTION}", "resolution_fixed"),
            ("assignee_id", "current_user"),
            ("comment_value", ["channel:all", "This is fixed. Thank you for your patience."]),
            ("comment_mode_is_public", "true"),
        ),
    ),
    Macro(
        MACRO_HOSTILE,
        "<img src=x onerror=alert('macro')> {{7*7}}",
        (
            ("current_tags", "hostile"),
            ("comment_value", "<script>alert('comment')</script> {{ticket.title}}"),
        ),
    ),
    Macro(MACRO_INACTIVE, "Retired: send the 2023 survey", (("current_tags", "survey_2023"),), active=False),
)
