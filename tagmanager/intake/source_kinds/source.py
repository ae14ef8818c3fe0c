"""A source as a form gives it to a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.source_spec import Stored
from tagmanager.intake.source_kinds import registry


@dataclass(frozen=True, slots=True)
class Source:
    """What a job stores of its source, with the numbers where they were given, and how people call it."""

    stored: Stored
    refs: Iterable[int] = field(default=(), repr=False)
    given: Iterable[dict[str, Any]] | None = field(default=None, repr=False)  # for each number alone
    lists: Mapping[int, Iterable[int]] = field(
        default_factory=dict, repr=False
    )  # of several: numbers by part
    notes: Sequence[str] = field(default=(), repr=False)  # sentences for the person who gave it

    @property
    def phrase(self) -> str:
        """As the end of a title: "tickets of view “All unsolved”"."""
        return registry.phrase_of(self.stored)
