"""The names of a ticket's fields and of their values, where Zendesk stores numbers.

A job stores those of the fields that it sets when it is made, so its pages need no call.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from tagmanager.macros.translation import CUSTOM_FIELD, CUSTOM_STATUS
from zendesk import CustomStatus, NotAllowed, NotFound, Zendesk

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
    CUSTOM_STATUS: "custom status",
}


@dataclass(frozen=True, slots=True)
class FieldNames:
    """The names of one account. A field or value without one is shown as it is stored."""

    groups: dict[str, str] = field(default_factory=dict)  # by number
    #: Titles of custom ones, by the names of actions, and names of values, by `name=value`. They share a
    #: mapping, because a program of the release before knows no other.
    fields: dict[str, str] = field(default_factory=dict)

    def label(self, name: str) -> str:
        return LABELS.get(name) or self.fields.get(name) or name.replace("_", " ")

    def value(self, name: str, value: object) -> str:
        """A stored value in words; "none" for nothing."""
        words = _plain(value)
        known = self.fields.get(f"{name}={words}", words)
        return self.groups.get(words, words) if name == GROUP else known

    def to_json(self) -> dict[str, Any]:
        """As a job keeps them: the keyword arguments that make them again."""
        return {kind: names for kind, names in asdict(self).items() if names}

    def __bool__(self) -> bool:
        return bool(self.groups or self.fields)


def read(
    zendesk: Zendesk, named: Collection[str], statuses: Collection[CustomStatus] | None = None
) -> FieldNames:
    """The names for these fields: no call, or one each for groups, custom fields and custom statuses.

    Raises `ZendeskError`. Where the connected user may not list custom statuses, they have no names.
    """
    groups = zendesk.groups() if GROUP in named else ()
    statuses = custom_statuses(zendesk, named) if statuses is None else statuses
    custom = zendesk.ticket_fields() if any(name.startswith(CUSTOM_FIELD) for name in named) else ()
    titles = {f"{CUSTOM_FIELD}{each.id}": each.title for each in custom}
    return FieldNames(
        {str(group.id): group.name for group in groups},
        {name: title for name, title in titles.items() if name in named}
        | {f"{CUSTOM_STATUS}={status.id}": status.label for status in statuses if status.label},
    )


def custom_statuses(zendesk: Zendesk, named: Collection[str]) -> list[CustomStatus]:
    """The account's, where a status is among these fields and they can be listed. Raises `ZendeskError`."""
    if not {CUSTOM_STATUS, "status"} & set(named):
        return []
    try:
        return zendesk.custom_statuses()
    except (NotAllowed, NotFound):
        return []


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in (None, "") else "none"
