"""Probes: where a whole kind of items may be refused, one is sent alone before the others.

The work decides which kind an item is of, and whether a refusal speaks for all of its kind. The results are
kept on the job's row (`Job.probes`) and written in the transaction that settles the probe, so that a worker
that takes over knows them. A probe that proves nothing, such as an item that has been deleted, is followed by
another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from jobs.models import Item
from jobs.states import Outcome

#: How many of a kind are refused, one by one and each for its own reason, before the rest is withheld.
MAX_REFUSED = 3

#: `Work.why_withheld`: kind, code and text of a refusal to the reason why all of the kind are withheld.
WhyWithheld = Callable[[str, str, str], str]


@dataclass(frozen=True, slots=True)
class Probe:
    """What is known of one kind."""

    passed: bool = False  # one was changed: the others may be sent
    refused: int = 0
    why: str = ""  # why the others are withheld, for people


@dataclass(frozen=True, slots=True)
class Probes:
    """What is known of each kind that was probed."""

    kinds: Mapping[str, Probe] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Probes:
        return cls({kind: Probe(**known) for kind, known in stored.items()})

    def to_json(self) -> dict[str, Any]:
        return {kind: asdict(probe) for kind, probe in self.kinds.items()}

    def is_open(self, kind: str) -> bool:
        """Whether items of the kind are sent like any others."""
        return not kind or self._of(kind).passed

    @property
    def withheld(self) -> Mapping[str, str]:
        """The kinds of which no more are sent, with the reason of each."""
        return {kind: probe.why for kind, probe in self.kinds.items() if probe.why}

    def after(self, kind: str, items: Sequence[Item], why_withheld: WhyWithheld, *, done: int = 0) -> Probes:
        """What is known after one more batch: these items with their outcomes, and `done` that succeeded."""
        if self.is_open(kind):
            return self
        if done or any(item.outcome == Outcome.CHANGED for item in items):
            return self._with(kind, Probe(passed=True))
        known = self._of(kind)
        for item in items:
            if item.outcome == Outcome.FAILED:
                tried = known.refused + 1
                why = why_withheld(kind, item.reason, item.detail)
                if not why and tried >= MAX_REFUSED:
                    why = (
                        f"Of the {kind} ones {tried} were sent one by one, and each was refused, the last "
                        f"with: “{item.detail}”."
                    )
                known = replace(known, refused=tried, why=why)
        return self._with(kind, known)

    def resumed(self) -> Probes:
        """What is known after a person resumed the job: each refused kind is probed again."""
        return Probes({kind: probe for kind, probe in self.kinds.items() if probe.passed})

    def _of(self, kind: str) -> Probe:
        return self.kinds.get(kind, Probe())

    def _with(self, kind: str, probe: Probe) -> Probes:
        return Probes({**self.kinds, kind: probe})


def stop_reason(withheld: Mapping[str, str], left: int) -> str:
    """Why the job stopped and what to do about it, for people; `left` items were not sent."""
    number, them = ("1 ticket was", "it") if left == 1 else (f"{left:,} tickets were", "them")
    return (
        f"Stopped: {' '.join(withheld.values())} {number} not sent for that. When it is mended, resume: one "
        f"is tried first again. Or cancel, which leaves {them} untouched."
    )
