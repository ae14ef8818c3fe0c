"""The views and macros to choose from in a form, read from Zendesk and cached for a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from django.core.cache import cache

from tagmanager.account import connection
from zendesk import Zendesk, ZendeskError

#: Until this has passed, the list lacks a view or macro created just now; its number can still be typed.
CACHE_SECONDS = 60
#: Longer lists are cut off; the number of any other view or macro can be typed.
MAX_CHOICES = 500
#: Seconds that a call may wait. The page works without the list, so it should not wait long.
CHOICES_MAX_WAIT = 1.0


class Titled(Protocol):
    """The common part of `zendesk.View` and `zendesk.Macro`."""

    @property
    def id(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def active(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Choices:
    """The active ones as pairs of id and title, or why they are not available."""

    choices: list[tuple[int, str]]
    problem: str = ""


def views() -> Choices:
    """The views to offer. Never raises: without the list a person types the number."""
    return _load("views", Zendesk.views)


def macros() -> Choices:
    """The macros to offer. Never raises, like `views`."""
    return _load("macros", Zendesk.macros)


def _load(name: str, read: Callable[[Zendesk], Iterable[Titled]]) -> Choices:
    try:
        key = f"{name}:{connection.address()}"
        kept: list[tuple[int, str]] | None = cache.get(key)
        if kept is None:
            with connection.connect(max_wait=CHOICES_MAX_WAIT) as zendesk:
                kept = [(each.id, each.title) for each in islice(read(zendesk), MAX_CHOICES) if each.active]
            cache.set(key, kept, CACHE_SECONDS)
    except (connection.NotConnected, ZendeskError) as problem:
        return Choices([], str(problem))
    return Choices(kept)
