"""The decisions about one batch, before they are written."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.models import Item
from jobs.states import Outcome
from jobs.work import Change


@dataclass(slots=True)
class Settlement:
    """What is to become of the items of one batch."""

    done: list[int] = field(default_factory=list)  # items that simply went well, by their primary keys
    all_changed: bool = False  # these are all
    outcomes: list[Item] = field(default_factory=list)  # items with their outcome set
    resend: list[tuple[Item, Change]] = field(default_factory=list)  # items that move to another batch
    bisect_attempt: int = (
        0  # with which attempt those again go in two halves, to corner the one that breaks them
    )
    note: str = ""

    def end(self, item: Item, outcome: Outcome, reason: str = "", detail: str = "") -> None:
        item.outcome = outcome
        if reason or detail:
            item.reason, item.detail = reason[:64], detail
        self.outcomes.append(item)
