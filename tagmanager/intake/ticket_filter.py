"""Only some of the tickets of a source: by their tags, their status, and who handles them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tagmanager.ticket_change import Json, TicketSnapshot

#: How `TicketFilter.phrase` begins.
START = "only those that "


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets are in a job; an empty filter takes all."""

    having: frozenset[str] = frozenset()  # all of these tags
    lacking: frozenset[str] = frozenset()  # none of these tags
    statuses: frozenset[str] = frozenset()  # one of these; empty: any
    no_ai_agent: bool = False  # none that an AI agent handles

    def __bool__(self) -> bool:
        return bool(self.having or self.lacking or self.statuses or self.no_ai_agent)

    def exclusion_reason(self, ticket: TicketSnapshot) -> str:
        """Why a ticket is not in the job, a sentence; "" for one that is."""
        if missing := self.having - ticket.tags:
            return f"It does not have {_named(missing)}, and only tickets that do are to be changed."
        if unwished := self.lacking & ticket.tags:
            return f"It has {_named(unwished)}, and only tickets that do not are to be changed."
        if self.statuses and ticket.status not in self.statuses:
            wished = f"only tickets that are {self._in_status} are to be changed"
            return f"Its status is {ticket.status}, and {wished}."
        if self.no_ai_agent and ticket.is_ai_agent:
            return "An AI agent handles it, and only tickets that none handles are to be changed."
        return ""

    @property
    def phrase(self) -> str:
        """As it follows the phrase of a source: "only those that have vip and lack spam"."""
        parts = [
            f"have {_named(self.having)}" if self.having else "",
            f"lack {_named(self.lacking)}" if self.lacking else "",
            f"are {self._in_status}" if self.statuses else "",
            "no AI agent handles" if self.no_ai_agent else "",
        ]
        return START + " and ".join(filter(None, parts)) if self else ""

    @property
    def _in_status(self) -> str:
        return " or ".join(sorted(self.statuses))

    def to_json(self) -> Json:
        stored = {"have": self.having, "lack": self.lacking, "status": self.statuses}
        named: Json = {name: sorted(values) for name, values in stored.items() if values}
        return named | ({"no_ai_agent": True} if self.no_ai_agent else {})

    @classmethod
    def from_json(cls, stored: Json) -> TicketFilter:
        having, lacking, statuses = (frozenset(stored.get(name, ())) for name in ("have", "lack", "status"))
        return cls(having, lacking, statuses, bool(stored.get("no_ai_agent")))


def _named(tags: Iterable[str]) -> str:
    return ", ".join(sorted(tags))
