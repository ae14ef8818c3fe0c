"""Evidence: whether items that the other side reports as changed really are.

The first batch of each kind of change, and one in fifty after it, is read back. A change that was accepted
and not made stops the job, and so does an answer that ignores a key which matters. What is known is kept on
the job's row (`Job.evidence`) and written in the transaction that settles a batch, so that a worker that
takes over knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from jobs.work import Verify

#: One batch of each proven kind in this many is read back.
SAMPLED_EVERY = 50


@dataclass(frozen=True, slots=True)
class KindEvidence:
    """What is known of one kind of change."""

    is_proven: bool = False  # an item shows it, and none since lacks it
    unread: int = 0  # batches settled without a look since one was read back


@dataclass(frozen=True, slots=True)
class Evidence:
    """What reading back has shown so far."""

    kinds: Mapping[str, KindEvidence] = field(default_factory=dict)
    undone: int = 0  # changed items whose change had been undone by others when they were read back
    last_at: str = ""  # when items were last read back, ISO 8601; "" for never
    #: Items that were accepted and provably not changed since the job was last resumed, one of them, and the
    #: kinds of their changes.
    absent: int = 0
    example: int = 0
    absent_kinds: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()  # keys that matter and that an answer said to be ignored
    tolerated: tuple[str, ...] = ()  # such keys that the job goes on without: a person has resumed it
    #: Items that do not show their change since the job was last resumed, and whose history does not tell
    #: whether it was made; one of them; and the kinds of which nothing was ever shown.
    unclear: int = 0
    unclear_example: int = 0
    unclear_kinds: tuple[str, ...] = ()
    accepted_unclear: tuple[str, ...] = ()  # such kinds that the job goes on with: a person has resumed it

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Evidence:
        kinds = {kind: KindEvidence(**known) for kind, known in stored.get("kinds", {}).items()}
        lists = {
            name: tuple(stored[name])
            for name in ("absent_kinds", "ignored", "tolerated", "unclear_kinds", "accepted_unclear")
            if name in stored
        }
        return cls(**{**stored, "kinds": kinds, **lists})

    def to_json(self) -> dict[str, Any]:
        """Without what is empty: most jobs have little to store."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def is_in_doubt(self) -> bool:
        """Nothing more is sent, and all that is in flight is read back."""
        return bool(self.absent or self.ignored or self.unclear_kinds)

    def wants(self, kinds: Set[str], verify: Verify, *, under_way: Set[str] = frozenset()) -> bool:
        """Whether a batch with changes of these kinds is to be read back.

        `under_way` are the kinds of those that are being read back now.
        """
        if self.is_in_doubt or verify is Verify.ALL:
            return True
        return verify is Verify.SAMPLE and any(self._is_due(kind, kind in under_way) for kind in kinds)

    def _is_due(self, kind: str, is_under_way: bool) -> bool:
        known = self.kinds.get(kind, KindEvidence())
        return not known.is_proven or (known.unread + 1 >= SAMPLED_EVERY and not is_under_way)

    def not_read(self, kinds: Iterable[str]) -> Evidence:
        """After a batch with these kinds was settled without a look."""
        known = {kind: self.kinds[kind] for kind in kinds if kind in self.kinds}
        counted = {kind: replace(one, unread=one.unread + 1) for kind, one in known.items()}
        return replace(self, kinds={**self.kinds, **counted})

    def read(
        self,
        shown: Set[str],
        absent: Mapping[int, str],
        unclear: Mapping[int, str],
        *,
        undone: int,
        at: datetime,
    ) -> Evidence:
        """After a batch was read back: the kinds that items show, and by ref those that items lack.

        Of those `unclear` nobody can tell. A kind of which nothing else was seen yet stops the job.
        """
        kinds = {**self.kinds, **dict.fromkeys(shown, KindEvidence(is_proven=True))}
        kinds |= dict.fromkeys(absent.values(), KindEvidence())
        never_shown = {kind for kind in unclear.values() if not kinds.get(kind, KindEvidence()).is_proven}
        never_shown -= {*self.accepted_unclear, *absent.values()}
        return replace(
            self,
            kinds=kinds,
            undone=self.undone + undone,
            last_at=at.isoformat(timespec="seconds"),
            absent=self.absent + len(absent),
            example=self.example or next(iter(absent), 0),
            absent_kinds=tuple(sorted({*self.absent_kinds, *absent.values()})),
            unclear=self.unclear + len(unclear),
            unclear_example=self.unclear_example or next(iter(unclear), 0),
            unclear_kinds=tuple(sorted({*self.unclear_kinds, *never_shown})),
        )

    def warned(self, keys: Iterable[str]) -> Evidence:
        """After an answer that ignores these keys, which matter."""
        return replace(self, ignored=tuple(sorted({*self.ignored, *keys}.difference(self.tolerated))))

    def resumed(self) -> Evidence:
        """After a person resumed the job.

        Where no item provably lacked the change, the warning stops it no more. Nor does a kind of which
        nobody can tell whether it is made.
        """
        tolerated = self.tolerated if self.absent else tuple(sorted({*self.tolerated, *self.ignored}))
        return replace(
            self,
            absent=0,
            example=0,
            absent_kinds=(),
            ignored=(),
            tolerated=tolerated,
            unclear=0,
            unclear_example=0,
            unclear_kinds=(),
            accepted_unclear=tuple(sorted({*self.accepted_unclear, *self.unclear_kinds})),
        )


def stop_reason(evidence: Evidence) -> str:
    """Why the job stopped and what to do about it, for people."""
    keys = ", ".join(f"“{key}”" for key in evidence.ignored)
    warning = f"Zendesk said that it ignores {keys} in what was sent. " if keys else ""
    if evidence.absent:
        return f"Stopped: {_on_absent(evidence, warning)}"
    if evidence.unclear:
        return f"Stopped: {warning}{_on_unclear(evidence)}"
    return (
        f"Stopped: {warning}The tickets that were sent have been read back, and all that Zendesk called "
        "updated show the change. Nothing more was sent. Resume to go on in spite of the warning, which "
        "then only goes into the log; or cancel, and ask the person who runs Tag Manager."
    )


def _on_absent(evidence: Evidence, warning: str) -> str:
    number, which, do = _counted(evidence.absent, evidence.example)
    return (
        f"Zendesk accepted the change but did not make it. {warning}"
        f"{number} that it called updated ({which}) {do} not show the change, and no history says that it "
        f"was made. Sent: {'; '.join(evidence.absent_kinds)}. Nothing more was sent. "
        "Check in Zendesk whether the connected user may make this change there. Then resume, which sends it "
        "again; or cancel, which leaves the tickets as they are."
    )


def _on_unclear(evidence: Evidence) -> str:
    number, which, do = _counted(evidence.unclear, evidence.unclear_example)
    return (
        f"{number} that Zendesk called updated ({which}) {do} not show the change, and the history cannot be "
        "read or does not tell whether it was made. Nothing more was sent. Look at such a ticket in Zendesk: "
        "a trigger may undo the change, or the connected user may not be able to make it. Then resume, which "
        "goes on with the other tickets; or cancel."
    )


def _counted(number: int, example: int) -> tuple[str, str, str]:
    if number == 1:
        return "1 ticket", f"ticket {example}", "does"
    return f"{number:,} tickets", f"such as {example}", "do"
