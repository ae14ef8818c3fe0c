"""The views and macros to choose from in a form, read from Zendesk and cached for a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from django.urls import reverse

from tagmanager.account.asking import Question, ask
from zendesk import Zendesk

#: Longer lists are cut off; the number of any other view or macro can be typed. Until an answer is a minute
#: old, the list lacks what was created just now; its number can be typed, too.
MAX_CHOICES = 500
#: A token, and a call for a hundred of them; some are not active.
MOST_CALLS = 8


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
    """The active ones as pairs of id and title."""

    name: str  # "views" or "macros"
    choices: list[tuple[int, str]]
    problem: str = ""  # why the list is not current, a sentence
    is_pending: bool = False  # asking again in a moment helps
    at: datetime | None = None  # when Zendesk gave the list

    @property
    def address(self) -> str:
        """The part of a page that asks again."""
        return reverse(f"offered-{self.name}")

    @property
    def list_id(self) -> str:
        """The id of the list that a text box without choices offers once Zendesk has answered."""
        return f"known-{self.name}"


def views() -> Choices:
    """The views to offer. Never raises: without the list a person types the number."""
    return _load("views", Zendesk.views)


def macros() -> Choices:
    """The macros to offer. Never raises, like `views`."""
    return _load("macros", Zendesk.macros)


def _load(name: str, read: Callable[[Zendesk], Iterable[Titled]]) -> Choices:
    def active(zendesk: Zendesk) -> list[tuple[int, str]]:
        return [(each.id, each.title) for each in islice(read(zendesk), MAX_CHOICES) if each.active]

    known = ask(Question(name, active, most_calls=MOST_CALLS))
    return Choices(name, known.answer or [], known.why_not_current, known.is_pending, known.at)
