"""The demo account's views."""

from dataclasses import dataclass
from typing import Any

from zendesk.sandbox.account.field_values import STATUS_RANK
from zendesk.sandbox.lists.criteria import EVERY_STATUS, Criteria, TagPredicate, TicketPredicate
from zendesk.sandbox.tickets.rendering import assignee_id, group_id
from zendesk.sandbox.tickets.store import TicketStore

VIEW_UNSOLVED = 6_130_830_360_730
VIEW_PENDING = 6_130_830_360_986
VIEW_RECENTLY_SOLVED = 6_130_830_361_242
VIEW_UNTAGGED = 6_130_830_361_498
VIEW_UNASSIGNED = 6_130_830_361_754
VIEW_URGENT = 6_130_830_362_010
VIEW_REFUNDS = 6_130_830_362_266
VIEW_NOT_ARCHIVED = 6_130_830_362_522
VIEW_HOSTILE = 6_130_830_362_778
VIEW_EMPTY = 6_130_830_363_034
VIEW_INACTIVE = 6_130_830_363_290

_COLUMNS = [
    {"id": name, "title": title, "filterable": False, "sortable": sortable}
    for name, title, sortable in (
        ("subject", "Subject", False),
        ("requester", "Requester", True),
        ("created", "Requested", True),
        ("updated", "Updated", True),
        ("assignee", "Assignee", True),
    )
]
_SINCE = "2024-01-08T09:00:00Z"

Condition = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class View:
    id: int
    title: str
    conditions: tuple[Condition, ...]
    active: bool = True
    description: str | None = None

    @property
    def criteria(self) -> Criteria:
        statuses = EVERY_STATUS
        tags: list[TagPredicate] = []
        tests: list[TicketPredicate] = []
        for field, operator, value in self.conditions:
            match field:
                case "status":
                    statuses &= _statuses(operator, value)
                case "current_tags":
                    tags.append(_tag_predicate(operator, frozenset(value.split())))
                case _:
                    tests.append(_value_predicate(field, value))
        return Criteria(statuses=statuses, tags=tuple(tags), tests=tuple(tests), archived=False)

    def to_json(self, base: str, position: int) -> dict[str, Any]:
        return {
            "url": f"{base}/api/v2/views/{self.id}.json",
            "id": self.id,
            "title": self.title,
            "active": self.active,
            "updated_at": _SINCE,
            "created_at": _SINCE,
            "default": False,
            "position": position,
            "description": self.description,
            "execution": {
                "group_by": "status",
                "group_order": "asc",
                "sort_by": "nice_id",
                "sort_order": "desc",
                "group": {
                    "id": "status",
                    "title": "Status category",
                    "filterable": True,
                    "sortable": True,
                    "order": "asc",
                },
                "sort": {
                    "id": "ticket_id",
                    "title": "ID",
                    "filterable": True,
                    "sortable": True,
                    "order": "desc",
                },
                "columns": _COLUMNS,
                "fields": _COLUMNS,
                "custom_fields": [],
            },
            "conditions": {
                "all": [
                    {"field": field, "operator": operator, "value": value}
                    for field, operator, value in self.conditions
                ],
                "any": [],
            },
            "restriction": None,
            "raw_title": self.title,
        }


def _statuses(operator: str, value: str) -> frozenset[int]:
    rank = STATUS_RANK[value]
    chosen = {
        "is": {rank},
        "is_not": EVERY_STATUS - {rank},
        "less_than": {other for other in EVERY_STATUS if other < rank},
        "greater_than": {other for other in EVERY_STATUS if other > rank},
    }
    return frozenset(chosen[operator])


def _tag_predicate(operator: str, wanted: frozenset[str]) -> TagPredicate:
    if operator == "includes":
        return lambda tags: bool(tags & wanted)
    return lambda tags: not tags & wanted


def _value_predicate(field: str, value: str) -> TicketPredicate:
    def predicate(store: TicketStore, slot: int) -> bool:
        match field:
            case "priority":
                return store.priority(slot) == (value or None)
            case "assignee_id":
                return str(assignee_id(store, slot) or "") == value
            case _:
                return str(group_id(store, slot) or "") == value

    return predicate


VIEWS: tuple[View, ...] = (
    View(VIEW_UNSOLVED, "All unsolved tickets", (("status", "less_than", "solved"),)),
    View(VIEW_PENDING, "Pending tickets", (("status", "is", "pending"),)),
    View(VIEW_RECENTLY_SOLVED, "Recently solved tickets", (("status", "is", "solved"),)),
    View(
        VIEW_UNTAGGED,
        "Unsolved without tag vip",
        (("status", "less_than", "solved"), ("current_tags", "not_includes", "vip")),
        description="Tickets leave this view as they are tagged.",
    ),
    View(
        VIEW_UNASSIGNED, "Unassigned tickets", (("status", "less_than", "solved"), ("assignee_id", "is", ""))
    ),
    View(
        VIEW_URGENT, "Urgent and unsolved", (("status", "less_than", "solved"), ("priority", "is", "urgent"))
    ),
    View(
        VIEW_REFUNDS, "Refunds", (("status", "less_than", "closed"), ("current_tags", "includes", "refund"))
    ),
    View(VIEW_NOT_ARCHIVED, "Everything but the archive", ()),
    View(
        VIEW_HOSTILE,
        "<script>alert('view')</script> =HYPERLINK(\"http://evil.example\") 🔥 \u202etxt",
        (("status", "is", "hold"),),
    ),
    View(VIEW_EMPTY, "Tickets tagged by nobody", (("current_tags", "includes", "nobody_uses_this_tag"),)),
    View(VIEW_INACTIVE, "Old review queue", (("status", "is", "new"),), active=False),
)
BY_ID = {view.id: view for view in VIEWS}
