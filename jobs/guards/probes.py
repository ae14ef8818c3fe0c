"""Pilots: where a whole kind of items may be refused, one is sent alone before the others of the kind go.

Which kind an item is of, and whether a refusal concerns them all, is the work's business. What is known is
kept on the job's row (`Job.pilots`), written in the transaction that settles the pilot: a worker that takes
over knows it too. A pilot that tells nothing of the others (a conflict, an item that is gone) is followed by
another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jobs.models import Item
from jobs.states import Outcome

#: So many of a kind are tried, one after the other, when each is refused for a reason of its own.
MOST_TRIED = 3

#: What it means that one of a kind was refused (`Work.why_withheld`).
Meaning = Callable[[str, str, str], str]


@dataclass(frozen=True, slots=True)
class Pilot:
    """What is known of one kind."""

    passed: bool = False  # one was changed: the others go
    refused: int = 0
    why: str = ""  # why no more are sent, for people


@dataclass(frozen=True, slots=True)
class Pilots:
    """What is known of each kind of which an item was sent."""

    kinds: Mapping[str, Pilot] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Pilots:
        return cls({kind: Pilot(**known) for kind, known in stored.items()})

    def to_json(self) -> dict[str, Any]:
        return {kind: asdict(pilot) for kind, pilot in self.kinds.items()}

    def is_open(self, kind: str) -> bool:
        """Whether items of the kind go like any others."""
        return not kind or self._of(kind).passed

    @property
    def withheld(self) -> Mapping[str, str]:
        """The kinds of which no more are sent, each with the reason."""
        return {kind: pilot.why for kind, pilot in self.kinds.items() if pilot.why}

    def after(self, kind: str, items: Sequence[Item], meaning: Meaning, *, done: int = 0) -> Pilots:
        """What is known when these items of the kind have got their outcomes, and `done` more went well."""
        if self.is_open(kind):
            return self
        if done or any(item.outcome == Outcome.CHANGED for item in items):
            return self._with(kind, Pilot(passed=True))
        known = self._of(kind)
        for item in items:
            if item.outcome == Outcome.FAILED:
                tried = known.refused + 1
                why = meaning(kind, item.reason, item.detail)
                if not why and tried >= MOST_TRIED:
                    why = (
                        f"Of the {kind} ones {tried} were sent one by one, and each was refused, the last "
                        f"with: “{item.detail}”."
                    )
                known = replace(known, refused=tried, why=why)
        return self._with(kind, known)

    def resumed(self) -> Pilots:
        """A person has looked: one more of each kind that was refused is tried."""
        return Pilots({kind: pilot for kind, pilot in self.kinds.items() if pilot.passed})

    def _of(self, kind: str) -> Pilot:
        return self.kinds.get(kind, Pilot())

    def _with(self, kind: str, pilot: Pilot) -> Pilots:
        return Pilots({**self.kinds, kind: pilot})


def sentence(withheld: Mapping[str, str], left: int) -> str:
    """Why the job stopped, and what to do: for the person who finds it so. `left` were not sent."""
    number, them = ("1 ticket was", "it") if left == 1 else (f"{left:,} tickets were", "them")
    return (
        f"Stopped: {' '.join(withheld.values())} {number} not sent for that. When it is mended, resume: one "
        f"is tried first again. Or cancel, which leaves {them} untouched."
    )
