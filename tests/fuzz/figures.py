"""What a long fuzz has counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Sums over all jobs of a run."""

    kills: Counter[str] = field(default_factory=Counter)  # by what was killed
    freezes: Counter[str] = field(default_factory=Counter)  # by where
    jobs: int = 0
    tickets: int = 0  # items over all jobs
    lost: int = 0  # selected, and without exactly one outcome that is true
    doubled: int = 0  # written twice because of us
    in_the_gap: int = 0  # written twice by one who was frozen between the fence and the wire
    wrong_sums: int = 0  # counts that are not what the items add up to
    unfinished: int = 0  # jobs that did not end by themselves
    replaced: int = 0  # clusters
    take_overs: list[float] = field(default_factory=list)  # seconds from a death to another's claim
    from_frozen: list[float] = field(default_factory=list)  # seconds from a lease's end to another's claim

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.wrong_sums or self.unfinished)

    def __str__(self) -> str:
        rows = {
            "kills": f"{self.kills.total()} ({_parts(self.kills)})",
            "freezes": f"{self.freezes.total()} ({_parts(self.freezes)})",
            "jobs": f"{self.jobs}",
            "tickets": f"{self.tickets:,}",
            "lost": f"{self.lost}",
            "doubled": f"{self.doubled}",
            "doubled in the gap between fence and wire": f"{self.in_the_gap}",
            "wrong sums": f"{self.wrong_sums}",
            "jobs that did not end by themselves": f"{self.unfinished}",
            "clusters replaced": f"{self.replaced}",
            "taken over from the dead": _times(self.take_overs),
            "taken over after a lease's end": _times(self.from_frozen),
        }
        return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def _parts(counter: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counter.items()))


def _times(seconds: list[float]) -> str:
    if not seconds:
        return "never"
    middle = sorted(seconds)[len(seconds) // 2]
    return f"{len(seconds)} times, median {middle:.1f} s, longest {max(seconds):.1f} s"
