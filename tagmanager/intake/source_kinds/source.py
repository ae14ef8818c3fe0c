"""A source as a form gives it to a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.source_spec import Stored


@dataclass(frozen=True, slots=True)
class Source:
    """What a job stores of its source, with the numbers where they were given."""

    stored: Stored
    refs: Iterable[int] = field(default=(), repr=False)
    given: Iterable[dict[str, Any]] | None = field(default=None, repr=False)  # for each number alone
    lists: Mapping[int, Iterable[int]] = field(
        default_factory=dict, repr=False
    )  # of several: numbers by part
    notes: Sequence[str] = field(default=(), repr=False)  # sentences for the person who gave it
    is_careful: bool = False  # something in them was interpreted or left out; people read it first
