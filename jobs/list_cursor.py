"""How far a job's list has been read: the content of `Job.cursor`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from jobs.models import Job
from jobs.source_spec import SourceSpec, Verb

#: The counts of a cursor by stage, as it stores them.
COUNTS = ("read", "left", "stale")


@dataclass(frozen=True, slots=True)
class ListCursor:
    """The current stage, the cursor inside it, and what each stage has read so far.

    The counts are stored with the cursor, so that a part that is read again from its start is also counted
    again from its start.
    """

    stage: int = 0
    at: str = ""
    read: Mapping[int, int] = field(default_factory=dict)  # by stage: refs that its source gave
    left: Mapping[int, int] = field(default_factory=dict)  # by stage: those of them that do not belong
    stale: Mapping[int, int] = field(default_factory=dict)  # by stage: those that were no longer as found

    @classmethod
    def parse(cls, text: str) -> ListCursor:
        """Parse what `str` wrote, or the bare cursor of a simple source."""
        if not text.startswith("{"):
            return cls(at=text)
        stored = json.loads(text)
        counts = [_by_number(stored.get(name, {})) for name in COUNTS]
        return cls(stored["stage"], stored["at"], *counts)

    def __str__(self) -> str:
        stored = {"stage": self.stage, "at": self.at} | {name: getattr(self, name) for name in COUNTS}
        return json.dumps(stored, separators=(",", ":"))

    def after(self, cursor: str | None, *, read: int, left: int = 0, stale: int = 0) -> ListCursor:
        """The cursor after another page: further on in this stage or, after the last one, at the next."""
        here = replace(
            self,
            read={**self.read, self.stage: self.read.get(self.stage, 0) + read},
            left={**self.left, self.stage: self.left.get(self.stage, 0) + left},
            stale={**self.stale, self.stage: self.stale.get(self.stage, 0) + stale},
        )
        return here.at_stage(self.stage + 1) if cursor is None else replace(here, at=cursor)

    def at_stage(self, number: int) -> ListCursor:
        return replace(self, stage=number, at="")

    def restarted(self) -> ListCursor:
        """The start of this stage, with its counts reset."""
        counts = [
            {stage: n for stage, n in old.items() if stage != self.stage}
            for old in (self.read, self.left, self.stale)
        ]
        return ListCursor(self.stage, "", *counts)


def _by_number(stored: Mapping[str, int]) -> dict[int, int]:
    return {int(stage): number for stage, number in stored.items()}


@dataclass(frozen=True, slots=True)
class ListingProgress:
    """The progress of a list that is being read."""

    gathered: int = 0  # refs stored before the first item is made
    left: int = 0  # refs that were read and do not belong to the list
    is_gathering: bool = False
    is_taking_out: bool = False  # what it gathers will be excluded


def listing_progress(job: Job) -> ListingProgress:
    """No query."""
    spec, place = SourceSpec.read(job.source), ListCursor.parse(job.cursor)
    stages = spec.stages
    gathered = sum(
        number
        for stage, number in place.read.items()
        if stage < len(stages) and stages[stage].verb is Verb.GATHER
    )
    now = stages[place.stage] if place.stage < len(stages) else None
    is_gathering = job.frozen_at is None and now is not None and now.verb is not Verb.LIST
    return ListingProgress(
        gathered,
        sum(place.left.values()),
        is_gathering,
        is_gathering and now is not None and len(spec.of) <= now.part < spec.sorted_part,
    )
