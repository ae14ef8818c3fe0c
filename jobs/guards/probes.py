"""Probes: where a whole kind of items may be refused, one is sent alone before the others of the kind go.

Which kind an item is of, and whether a refusal concerns them all, is the work's business. What is known is
kept on the job's row (`Job.probes`), written in the transaction that settles the probe: a worker that takes
over knows it too. A probe that tells nothing of the others (a conflict, an item that is gone) is followed by
another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jobs.models import Item
from jobs.states import Outcome

#: So many of a kind are tried, one after the other, when each is refused for a reason of its own.
MAX_REFUSED = 3

#: What it means that one of a kind was refused (`Work.why_withheld`).
WhyWithheld = Callable[[str, str, str], str]


@dataclass(frozen=True, slots=True)
class Probe:
    """What is known of one kind."""

    passed: bool = False  # one was changed: the others go
    refused: int = 0
    why: str = ""  # why no more are sent, for people


@dataclass(frozen=True, slots=True)
class Probes:
    """What is known of each kind of which an item was sent."""

    kinds: Mapping[str, Probe] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Probes:
        return cls({kind: Probe(**known) for kind, known in stored.items()})

    def to_json(self) -> dict[str, Any]:
        return {kind: asdict(probe) for kind, probe in self.kinds.items()}

    def is_open(self, kind: str) -> bool:
        """Whether items of the kind go like any others."""
        return not kind or self._of(kind).passed

    @property
    def withheld(self) -> Mapping[str, str]:
        """The kinds of which no more are sent, each with the reason."""
        return {kind: probe.why for kind, probe in self.kinds.items() if probe.why}

    def after(self, kind: str, items: Sequence[Item], meaning: WhyWithheld, *, done: int = 0) -> Probes:
        """What is known when these items of the kind have got their outcomes, and `done` more went well."""
        if self.is_open(kind):
            return self
        if done or any(item.outcome == Outcome.CHANGED for item in items):
            return self._with(kind, Probe(passed=True))
        known = self._of(kind)
        for item in items:
            if item.outcome == Outcome.FAILED:
                tried = known.refused + 1
                why = meaning(kind, item.reason, item.detail)
                if not why and tried >= MAX_REFUSED:
                    why = (
                        f"Of the {kind} ones {tried} were sent one by one, and each was refused, the last "
                        f"with: “{item.detail}”."
                    )
                known = replace(known, refused=tried, why=why)
        return self._with(kind, known)

    def resumed(self) -> Probes:
        """A person has looked: one more of each kind that was refused is tried."""
        return Probes({kind: probe for kind, probe in self.kinds.items() if probe.passed})

    def _of(self, kind: str) -> Probe:
        return self.kinds.get(kind, Probe())

    def _with(self, kind: str, probe: Probe) -> Probes:
        return Probes({**self.kinds, kind: probe})


def stop_reason(withheld: Mapping[str, str], left: int) -> str:
    """Why the job stopped, and what to do: for the person who finds it so. `left` were not sent."""
    number, them = ("1 ticket was", "it") if left == 1 else (f"{left:,} tickets were", "them")
    return (
        f"Stopped: {' '.join(withheld.values())} {number} not sent for that. When it is mended, resume: one "
        f"is tried first again. Or cancel, which leaves {them} untouched."
    )
