"""The account's custom ticket statuses; each belongs to a category, which is the ticket's `status`.

Source: developer.zendesk.com, custom ticket statuses. Closed tickets belong to the category solved.
"""

from dataclasses import dataclass
from typing import Any

from zendesk.sandbox.account.field_values import STATUSES

_FIRST = 6_130_830_355_738
_SINCE = "2024-01-08T09:00:00Z"


@dataclass(frozen=True, slots=True)
class CustomStatus:
    id: int
    category: str
    label: str
    is_default: bool = False
    active: bool = True

    def to_json(self, base: str) -> dict[str, Any]:
        return {
            "url": f"{base}/api/v2/custom_statuses/{self.id}.json",
            "id": self.id,
            "status_category": self.category,
            "agent_label": self.label,
            "raw_agent_label": self.label,
            "end_user_label": self.label,
            "raw_end_user_label": self.label,
            "description": "",
            "raw_description": "",
            "end_user_description": "",
            "raw_end_user_description": "",
            "active": self.active,
            "default": self.is_default,
            "created_at": _SINCE,
            "updated_at": _SINCE,
        }


_LABELS = {"new": "New", "open": "Open", "pending": "Pending", "hold": "On-hold", "solved": "Solved"}
#: The default of each category, by its rank.
_DEFAULTS = tuple(
    CustomStatus(_FIRST + 256 * rank, category, _LABELS[category], is_default=True)
    for rank, category in enumerate(STATUSES[:-1])
)
STATUS_WITH_US = _FIRST + 7
STATUS_SUPPLIER = _FIRST + 14
STATUS_REFUNDED = _FIRST + 21
STATUS_RETIRED = _FIRST + 28
CUSTOM_STATUSES = (
    *_DEFAULTS,
    CustomStatus(STATUS_WITH_US, "open", "Open: with the engineers"),
    CustomStatus(STATUS_SUPPLIER, "pending", "Waiting for the supplier"),
    CustomStatus(STATUS_REFUNDED, "solved", "Solved by a refund"),
    CustomStatus(STATUS_RETIRED, "open", "Reopened in 2023", active=False),
)
BY_ID = {status.id: status for status in CUSTOM_STATUSES}


def default_id(category: str) -> int:
    """The default custom status of a category, or of a closed ticket."""
    rank = min(STATUSES.index(category), len(_DEFAULTS) - 1)
    return _DEFAULTS[rank].id
