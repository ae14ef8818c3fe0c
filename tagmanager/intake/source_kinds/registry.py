"""The list of the kinds of sources, and what is asked of whichever kind a stored source has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from jobs.source_spec import SEVERAL, Stored

if TYPE_CHECKING:
    from tagmanager.intake.source_kinds.base import SourceKind

T = TypeVar("T")

_KINDS: dict[str, SourceKind] = {}


def register(kind: SourceKind) -> None:
    """Add a kind, after the others; raises `ValueError` where its name, field or tab is taken."""
    for other in _KINDS.values():
        shared = {way.name for way in kind.ways} & {way.name for way in other.ways}
        if kind.kind in (other.kind, SEVERAL) or shared or (kind.panel and kind.panel == other.panel):
            raise ValueError(f"{kind!r} has a name, a field or a tab of {other!r}.")
    _KINDS[kind.kind] = kind


@contextmanager
def registered(kind: SourceKind) -> Iterator[None]:
    """One more kind, for as long as the block lasts."""
    register(kind)
    try:
        yield
    finally:
        del _KINDS[kind.kind]


def kinds() -> list[SourceKind]:
    """All of them, in their order."""
    return list(_KINDS.values())


def kind_of(stored: Stored) -> SourceKind | None:
    """The kind of a stored source; None for several together, and for one that is not known here."""
    return _KINDS.get(str(stored.get("kind")))


def of_kind(stored: Stored, ask: Callable[[SourceKind], T], otherwise: T) -> T:
    """What the source's kind answers; `otherwise` where the kind or the shape of the source is not known."""
    kind = kind_of(stored)
    try:
        return ask(kind) if kind else otherwise
    except KeyError:
        return otherwise


def phrase_of(stored: Stored) -> str:
    """How people call a stored source, but for its order."""
    if stored.get("kind") != SEVERAL or "of" not in stored:
        return of_kind(stored, lambda kind: kind.phrase(stored), "tickets")
    phrase = " and ".join(map(phrase_of, stored["of"]))
    without = " or ".join(map(phrase_of, stored.get("without", ())))
    return f"{phrase}, but not {without}" if without else phrase
