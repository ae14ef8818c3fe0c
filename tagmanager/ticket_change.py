"""A ticket as jobs keep it, and what can be done to its tags and fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from zendesk import MAX_TAGS_LENGTH, Ticket, fits, normalise

#: JSON as it is stored in an item's `before` and `change`.
Json = dict[str, Any]
#: What a field may hold: a word of Zendesk's, a number, or nothing.
FieldValue = str | int | None
#: What a dropdown (the tag of its option) or a checkbox of the account holds; None for nothing.
CustomValue = str | bool | None

#: The fields of a ticket that a change may set, and how people call them. None of them holds words of a
#: customer, so what stood there before may be kept.
SETTABLE = {
    "status": "status",
    "type": "type",
    "priority": "priority",
    "group_id": "group",
    "assignee_id": "assignee",
    "custom_status_id": "custom status",
}
#: Fields that Zendesk moves along when another one is set: a status assigns the default custom status of its
#: category, and a custom status its category (support.zendesk.com, article 4959212269210); another type drops
#: the problem and the due date. They are kept with a ticket, so that undo can put them back.
MOVED_BY = {
    "status": ("custom_status_id",),
    "custom_status_id": ("status",),
    "type": ("problem_id", "due_at"),
}
#: How people call the fields of a change; the last two only go along with a type.
FIELD_WORDS = {**SETTABLE, "problem_id": "problem", "due_at": "due date"}


def moved_by(names: Iterable[str]) -> list[str]:
    """The fields that setting these moves along, besides these themselves."""
    known = list(names)
    found = dict.fromkeys(moved for name in known for moved in MOVED_BY.get(name, ()))
    return [name for name in found if name not in known]


def same_value(one: FieldValue, other: FieldValue) -> bool:
    """Whether two values of a field are the same, however Zendesk writes them: a time, a number as text."""
    if one == other or one is None or other is None:
        return one == other
    first, second = str(one), str(other)
    return first == second or (_moment(first) is not None and _moment(first) == _moment(second))


def same_choice(one: CustomValue, other: CustomValue) -> bool:
    """Whether two values of a dropdown or checkbox are the same; a checkbox never touched is not ticked."""
    if isinstance(one, bool) or isinstance(other, bool):
        return bool(one) == bool(other)
    return one == other


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def second_of(stamp: str) -> int | None:
    """The second that a stamp names, whatever its zone or fraction; None for no time."""
    moment = _moment(stamp)
    return int(moment.timestamp()) if moment else None


@dataclass(frozen=True, slots=True)
class MacroPreview:
    """What Zendesk itself says a macro would make of one ticket; of its comment only who would see it."""

    tags: frozenset[str]
    fields: Mapping[str, FieldValue] = field(default_factory=dict)  # those of `SETTABLE` that were asked for
    comment: str = ""  # "public", "internal", or none
    problem: str = ""  # why Zendesk gave none, a sentence

    def to_json(self) -> Json:
        stored = {"tags": sorted(self.tags), "fields": dict(self.fields), "comment": self.comment}
        return stored | ({"problem": self.problem} if self.problem else {})

    @classmethod
    def from_json(cls, stored: Json) -> MacroPreview:
        return cls(frozenset(stored["tags"]), stored["fields"], stored["comment"], stored.get("problem", ""))


@dataclass(frozen=True, slots=True)
class TicketSnapshot:
    """A ticket as it was read: only what deciding about it needs, no words of a customer."""

    id: int
    tags: frozenset[str]
    status: str
    updated_at: str  # as Zendesk sent it; goes back as `updated_stamp`
    fields: Mapping[str, FieldValue] = field(default_factory=dict)  # those of `SETTABLE` that were asked for
    macro_preview: MacroPreview | None = None  # where Zendesk was asked what a macro would make of it
    custom: Mapping[int, CustomValue] = field(default_factory=dict)  # by field id, those that were asked for
    is_ai_agent: bool = False  # an AI agent holds it: read-only until a person takes over
    along: Mapping[str, FieldValue] = field(
        default_factory=dict
    )  # those that move with `fields` (`moved_by`)
    odd: str = ""  # why its record could not be read (`zendesk.Ticket.odd`); then only the id is true

    @property
    def is_closed(self) -> bool:
        return self.status == "closed"

    def is_as(self, other: TicketSnapshot) -> bool:
        """Whether nobody has touched the ticket between the two readings, as far as they show."""
        return replace(self, macro_preview=None) == replace(other, macro_preview=None)

    def value(self, name: str) -> FieldValue:
        """What stood in one of the fields that were read, or moves with them; None too if it was not read."""
        if name in self.fields:
            return self.fields[name]
        return self.along.get(name, self.status if name == "status" else None)

    def knows(self, name: str) -> bool:
        """Whether this field was read."""
        return name in self.fields or name in self.along or name == "status"

    def to_json(self) -> Json:
        stored: Json = {"tags": sorted(self.tags), "status": self.status, "updated_at": self.updated_at}
        if self.fields:
            stored["fields"] = dict(self.fields)
        if self.macro_preview is not None:
            stored["foreseen"] = self.macro_preview.to_json()
        if self.custom:
            stored["custom"] = {str(number): value for number, value in self.custom.items()}
        if self.is_ai_agent:
            stored["ai_agent"] = True
        if self.along:
            stored["along"] = dict(self.along)
        if self.odd:
            stored["odd"] = self.odd
        return stored

    @classmethod
    def from_json(cls, ref: int, stored: Json) -> TicketSnapshot:
        return cls(
            ref,
            frozenset(stored["tags"]),
            stored["status"],
            stored["updated_at"],
            stored.get("fields", {}),
            MacroPreview.from_json(stored["foreseen"]) if "foreseen" in stored else None,
            {int(number): value for number, value in stored.get("custom", {}).items()},
            stored.get("ai_agent", False),
            stored.get("along", {}),
            stored.get("odd", ""),
        )

    @classmethod
    def from_ticket(
        cls,
        ticket: Ticket,
        fields: Iterable[str] = (),
        foreseen: MacroPreview | None = None,
        custom: Iterable[int] = (),
        along: Iterable[str] = (),
    ) -> TicketSnapshot:
        """With these of its fields, each in `SETTABLE`, these custom ones, by id, and those `along`."""
        kept = {name: ticket.fields.get(name) for name in fields}
        values = {number: _choice(ticket, ticket.custom_value(number)) for number in custom}
        return cls(
            ticket.id,
            ticket.tags,
            ticket.status,
            ticket.updated_at,
            kept,
            foreseen,
            values,
            is_ai_agent=ticket.is_ai_agent,
            along={name: ticket.fields.get(name) for name in along},
            odd=ticket.odd,
        )


def _choice(ticket: Ticket, value: object) -> CustomValue:
    """The value of a dropdown or checkbox; None for what customers or agents wrote.

    The option of a dropdown is a tag of the ticket as well (support.zendesk.com, article 4408881943194), so a
    text that is none of its tags is no option, and is never kept.
    """
    if isinstance(value, bool):
        return value
    tag = normalise(value) if isinstance(value, str) else None
    return tag if tag in ticket.tags else None


@dataclass(frozen=True, slots=True)
class TicketChange:
    """What a ticket really gains and really loses: tags, fields with their new values, and a comment.

    `exact` says how the tags go: false, as add and remove, which leaves every other tag alone; true, as the
    whole list with the stamp of the reading, so that Zendesk refuses it if anybody touched the ticket since.
    With `stamped` they go as the whole list too, because they hold for the ticket as it was read alone. So do
    changes with a comment, of which only who sees it is kept: what it says is known to the job's tool.
    The fields' old values are in the `TicketSnapshot`, not here: equal changes of different tickets travel
    together.
    """

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    exact: bool = False
    fields: Mapping[str, FieldValue] = field(default_factory=dict)  # name, one of `SETTABLE`, to new value
    guard: str = ""  # a tag that goes along in the same write and comes off later (`guard_tag`)
    comment: str = ""  # "public", "internal", or none
    stamped: bool = False
    is_guard_held: bool = False  # the ticket carries the guard tag already: it does not gain it
    #: What an undo cannot put back, by name with the old value: it is not sent.
    stays: Mapping[str, FieldValue] = field(default_factory=dict)
    #: Checkboxes that have no tag, by field id, with their new values.
    custom: Mapping[int, CustomValue] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.add or self.remove or self.fields or self.custom or self.comment)

    @property
    def is_own(self) -> bool:
        """Whether it is sent for this ticket alone, with the stamp of its reading."""
        return self.exact or self.stamped or bool(self.comment)

    def applied_to(self, tags: frozenset[str]) -> frozenset[str]:
        return (tags - self.remove) | self.added

    @property
    def added(self) -> frozenset[str]:
        """All tags that the ticket really gains."""
        return self.add | {self.guard} if self.guard and not self.is_guard_held else self.add

    @property
    def is_visible(self) -> bool:
        """Whether tags or fields can show it; a comment shows in neither."""
        return bool(self.add or self.remove or self.fields or self.custom)

    def is_shown_by(self, ticket: TicketSnapshot) -> bool:
        """Whether tags and fields look as if the change had been made."""
        return (
            self.add <= ticket.tags
            and not self.remove & ticket.tags
            and all(same_value(ticket.value(name), value) for name, value in self.fields.items())
            and all(same_choice(ticket.custom.get(id_), value) for id_, value in self.custom.items())
        )

    def missing_in(self, ticket: TicketSnapshot) -> TicketChange:
        """The part of it that the ticket's tags and fields do not show."""
        return TicketChange(
            self.add - ticket.tags,
            self.remove & ticket.tags,
            fields={
                name: value
                for name, value in self.fields.items()
                if not same_value(ticket.value(name), value)
            },
            custom={
                number: value
                for number, value in self.custom.items()
                if not same_choice(ticket.custom.get(number), value)
            },
        )

    def to_json(self) -> Json:
        stored: Json = {}
        if self.added:
            stored["add"] = sorted(self.added)
        if self.remove:
            stored["remove"] = sorted(self.remove)
        if self.exact:
            stored["exact"] = True
        if self.fields:
            stored["fields"] = dict(self.fields)
        if self.guard:
            stored["guard"] = self.guard
        if self.comment:
            stored["comment"] = self.comment
        if self.stamped:
            stored["stamped"] = True
        if self.stays:
            stored["stays"] = dict(self.stays)
        if self.custom:
            stored["custom"] = {str(number): value for number, value in self.custom.items()}
        return stored

    @classmethod
    def from_json(cls, stored: Json) -> TicketChange:
        guard: str = stored.get("guard", "")
        added = frozenset(stored.get("add", ()))
        return cls(
            added - {guard},
            frozenset(stored.get("remove", ())),
            stored.get("exact", False),
            stored.get("fields", {}),
            guard,
            stored.get("comment", ""),
            stored.get("stamped", False),
            stays=stored.get("stays", {}),
            custom={int(number): value for number, value in stored.get("custom", {}).items()},
            is_guard_held=bool(guard) and guard not in added,
        )


def too_long(tags: frozenset[str]) -> str:
    """Why a ticket cannot carry these tags together; "" when it can."""
    if fits(tags):
        return ""
    return (
        f"With this change its tags would be longer than {MAX_TAGS_LENGTH:,} characters together, the most "
        "that Zendesk keeps on a ticket. Remove some tags from it first."
    )
