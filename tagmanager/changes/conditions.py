"""Which tickets a job may change, decided by a reading of the ticket: its filter, and what its sources hold.

A search finds tickets that match no longer, so a source by tag says what each of its tickets must still have.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from jobs.followups import first_of
from jobs.models import Job
from jobs.source_spec import SourceSpec, Stored
from tagmanager.changes.job_options import JobOptions
from tagmanager.intake import sources
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.ticket_change import TicketSnapshot

#: More tags than this are counted in a sentence, not named.
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the tickets of a job have to be, on its list and right before they are sent."""

    only: TicketFilter
    #: Each ticket has one of these, whichever source found it; empty where not all sources say so.
    held: frozenset[str]
    #: The tags that any of its sources goes by.
    named: frozenset[str]

    @classmethod
    def of(cls, job: Job) -> Conditions:
        """A retry, the rest and the real run keep those of the job that they follow."""
        stored = first_of(job).source
        spec = SourceSpec.read(stored)
        only = JobOptions.of(job).only
        excluded = _union(map(sources.equal_tags, spec.without))
        return cls(
            replace(only, lacking=only.lacking | excluded),
            sources.held_tags(stored),
            _union(map(sources.held_tags, spec.of)),
        )

    def is_judged_alone(self, source: Stored) -> bool:
        """Whether its tickets have to be judged as it finds them: later, nobody asks for its tags."""
        return bool(sources.held_tags(source)) and not self.held

    def why_stale(self, ticket: TicketSnapshot, held: frozenset[str] | None = None) -> str:
        """Why a ticket is not one of those that were asked for, a sentence; "" for one that is."""
        wished = self.held if held is None else held
        if not wished or wished & ticket.tags:
            return ""
        return f"It does not carry {_any_of(wished)}, and only tickets that do are to be changed."

    def note_on_stale(self, number: int) -> str:
        """What the history says of tickets that a search found without one of the tags."""
        one = number == 1
        which = "one more ticket that" if one else f"{number:,} more tickets that"
        does = "does" if one else "do"
        return f"The search found {which} {does} not carry {_any_of(self.named)} now; not in this job."


def _union(several: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*several)


def _any_of(tags: frozenset[str]) -> str:
    return f"any of {len(tags):,} tags" if len(tags) > MOST_NAMED else " or ".join(sorted(tags))
