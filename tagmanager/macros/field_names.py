"""The names of a ticket's fields and of their values, where Zendesk stores numbers.

A job stores those of the fields that it sets when it is made, so its pages need no call.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from tagmanager.macros.translation import CUSTOM_FIELD
from zendesk import Zendesk

GROUP = "group_id"
#: Shown instead of Zendesk's names of fields.
LABELS = {
    "current_tags": "add tags",
    "set_tags": "set tags",
    "remove_tags": "remove tags",
    GROUP: "group",
    "assignee_id": "assignee",
    "comment_mode_is_public": "public comment",
    "ticket_form_id": "form",
    "custom_status_id": "custom status",
}


@dataclass(frozen=True, slots=True)
class FieldNames:
    """The names of one account. A field or value without one is shown as it is stored."""

    groups: dict[str, str] = field(default_factory=dict)  # by number
    fields: dict[str, str] = field(default_factory=dict)  # titles of custom ones, by the names of actions

    def label(self, name: str) -> str:
        return LABELS.get(name) or self.fields.get(name) or name.replace("_", " ")

    def value(self, name: str, value: object) -> str:
        """A stored value in words; "none" for nothing."""
        words = _plain(value)
        return self.groups.get(words, words) if name == GROUP else words

    def to_json(self) -> dict[str, Any]:
        """As a job keeps them: the keyword arguments that make them again."""
        return {kind: names for kind, names in asdict(self).items() if names}

    def __bool__(self) -> bool:
        return bool(self.groups or self.fields)


def read(zendesk: Zendesk, named: Collection[str]) -> FieldNames:
    """The names for these fields: no call, one for groups, one for custom fields. Raises `ZendeskError`."""
    groups = zendesk.groups() if GROUP in named else ()
    custom = zendesk.ticket_fields() if any(name.startswith(CUSTOM_FIELD) for name in named) else ()
    titles = {f"{CUSTOM_FIELD}{each.id}": each.title for each in custom}
    return FieldNames(
        {str(group.id): group.name for group in groups},
        {name: title for name, title in titles.items() if name in named},
    )


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in (None, "") else "none"
