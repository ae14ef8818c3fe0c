"""Ticket fields whose values are tags.

Each option of a dropdown or multi-select, and nearly each checkbox, owns a tag: the tag is the value. So
fields store nothing; a field's value is derived from the ticket's tags (support.zendesk.com, articles
4408881943194 and 4408825689882). A checkbox may have no tag; then the ticket stores its value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

FIELD_PRODUCT = 6_130_830_401_178
FIELD_PLAN = 6_130_830_401_434
FIELD_FEATURES = 6_130_830_401_690
FIELD_FOLLOW_UP = 6_130_830_401_946
FIELD_RESOLUTION = 6_130_830_402_202
FIELD_CALLED_BACK = 6_130_830_402_458


@dataclass(frozen=True, slots=True)
class Field:
    id: int
    title: str
    kind: Literal["tagger", "multiselect", "checkbox"]
    tags: tuple[str, ...]
    names: tuple[str, ...]

    def value(self, tags: Iterable[str]) -> Any:
        """The field's value on a ticket with these tags."""
        held = [tag for tag in self.tags if tag in tags]
        if self.kind == "checkbox":
            return bool(held)
        if self.kind == "multiselect":
            return held or None
        return held[0] if held else None

    def tags_for(self, value: Any) -> set[str]:
        """The tags that represent a value. Raises ValueError if it is none of the options."""
        if self.kind == "checkbox":
            return {self.tags[0]} if value in (True, "true", "1", 1) else set()
        values = value if isinstance(value, list) else [value]
        chosen = {str(tag) for tag in values if tag not in (None, "")}
        if not chosen <= set(self.tags):
            raise ValueError(f"{self.title}: {value} is not a valid value")
        return chosen

    def to_json(self, base: str, position: int, required: bool) -> dict[str, Any]:
        record: dict[str, Any] = {
            "url": f"{base}/api/v2/ticket_fields/{self.id}.json",
            "id": self.id,
            "type": self.kind,
            "title": self.title,
            "raw_title": self.title,
            "description": "",
            "raw_description": "",
            "position": position,
            "active": True,
            "required": required,
            "collapsed_for_agents": False,
            "regexp_for_validation": None,
            "title_in_portal": self.title,
            "raw_title_in_portal": self.title,
            "visible_in_portal": False,
            "editable_in_portal": False,
            "required_in_portal": False,
            "agent_can_edit": True,
            "tag": self.tags[0] if self.kind == "checkbox" and self.tags else None,
            "created_at": "2024-01-08T09:00:00Z",
            "updated_at": "2024-01-08T09:00:00Z",
            "removable": True,
            "key": None,
            "agent_description": None,
        }
        if self.kind != "checkbox":
            record["custom_field_options"] = [
                {"id": self.id + 7 * number, "name": name, "raw_name": name, "value": tag, "default": False}
                for number, (tag, name) in enumerate(zip(self.tags, self.names, strict=True), start=1)
            ]
        return record


FIELDS: tuple[Field, ...] = (
    Field(
        FIELD_PRODUCT,
        "Product area",
        "tagger",
        ("product_billing", "product_app", "product_api", "product_hardware"),
        ("Billing", "Mobile app", "API", "Hardware"),
    ),
    Field(
        FIELD_PLAN,
        "Plan",
        "tagger",
        ("plan_free", "plan_team", "plan_enterprise"),
        ("Free", "Team", "Enterprise"),
    ),
    Field(
        FIELD_FEATURES,
        "Affected features",
        "multiselect",
        ("feature_login", "feature_search", "feature_export", "feature_sync"),
        ("Login", "Search", "Export", "Sync"),
    ),
    Field(FIELD_FOLLOW_UP, "Follow-up needed", "checkbox", ("follow_up_needed",), ("Follow-up needed",)),
    Field(
        FIELD_RESOLUTION,
        "Resolution",
        "tagger",
        ("resolution_fixed", "resolution_refunded", "resolution_declined"),
        ("Fixed", "Refunded", "Declined"),
    ),
)
#: Checkboxes without a tag: tickets store their value.
UNTAGGED = (Field(FIELD_CALLED_BACK, "Called back", "checkbox", (), ("Called back",)),)
BY_ID = {field.id: field for field in FIELDS}
# A dropdown has one value at a time, so adding one option's tag removes the others.
_SIBLINGS = {
    tag: frozenset(field.tags) - {tag} for field in FIELDS if field.kind == "tagger" for tag in field.tags
}


def add_tags(tags: set[str], added: Sequence[str]) -> None:
    """Add to a ticket's tags as an update does: a dropdown option's tag replaces its sibling's."""
    for tag in added:
        tags -= _SIBLINGS.get(tag, frozenset())
        tags.add(tag)


def set_fields(tags: set[str], values: Iterable[tuple[int, Any]]) -> None:
    """Store field values as tags; unknown fields are ignored. Raises ValueError as `tags_for` does."""
    for number, value in values:
        field = BY_ID.get(number)
        if field is not None:
            chosen = field.tags_for(value)
            tags -= set(field.tags)
            tags |= chosen


def untagged(values: Iterable[tuple[int, Any]]) -> dict[int, bool]:
    """Those of the values that are of checkboxes without a tag, by id."""
    known = {field.id for field in UNTAGGED}
    return {number: value in (True, "true", "1", 1) for number, value in values if number in known}


def values(tags: Iterable[str], ticked: Mapping[int, bool] | None = None) -> list[dict[str, Any]]:
    """A ticket's `custom_fields`; `ticked` are its checkboxes without a tag."""
    held = frozenset(tags)
    stored = ticked or {}
    return [
        *({"id": field.id, "value": field.value(held)} for field in FIELDS),
        *({"id": field.id, "value": stored.get(field.id, False)} for field in UNTAGGED),
    ]
