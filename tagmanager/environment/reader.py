"""Settings from the environment of the process, and from `.env` where that has none."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

from tagmanager.environment import env_file
from tagmanager.environment.database_url import database_config

TRUE = frozenset({"1", "true", "on", "yes", "y", "ok"})
FALSE = frozenset({"0", "false", "off", "no", "n"})
#: Characters of a wrong value that a sentence shows.
SHOWN = 40

Value = TypeVar("Value")
# Inside the class these names are its methods.
Bool: TypeAlias = bool
Int: TypeAlias = int
Float: TypeAlias = float


class Environment(environ.Env):  # type: ignore[misc]  # it ships no types
    """`django-environ` without its guesses.

    A dollar sign is a dollar sign, blanks around a value do not belong to it, and an empty value means the
    default. A value that makes no sense becomes a sentence in `problems`, which `check` raises.
    """

    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.notes: list[str] = []

    def read_file(self, path: Path) -> None:
        """Take the values of a `.env` file; what the process's environment sets goes before them."""
        file = env_file.read(path)
        self.problems += file.faults
        self.notes += file.notes
        for name, value in file.values.items():
            os.environ.setdefault(name, value)

    def check(self) -> None:
        """Raise `ImproperlyConfigured` with all sentences, if there are any."""
        if self.problems:
            raise ImproperlyConfigured("\n".join(self.problems))

    def get_value(
        self,
        var: str,
        cast: Any = None,
        default: Any = environ.Env.NOTSET,
        parse_default: bool = False,  # noqa: ARG002 - the library's own signature
    ) -> Any:
        """The value as text; the `default` where there is none."""
        value = os.environ.get(var, "").strip()
        if not value:
            return default
        return [part.strip() for part in value.split(",") if part.strip()] if cast is list else value

    def bool(self, var: str, default: Bool = False) -> Bool:
        return self._parsed(var, default, _switch, "True or False")

    def int(self, var: str, default: Int, *, least: Int | None = None, most: Int | None = None) -> Int:
        """A whole number within both bounds."""
        return self._parsed(
            var, default, partial(_whole, least=least, most=most), f"a whole number{_bounds(least, most)}"
        )

    def float(self, var: str, default: Float, *, above: Float, most: Float) -> Float:
        """A number above one bound, and at most the other."""
        return self._parsed(
            var, default, partial(_fraction, above=above, most=most), f"above {above:g} and at most {most:g}"
        )

    def db_url(self, var: str = "DATABASE_URL", default: Any = None) -> Any:
        value = self.get_value(var, default="")
        try:
            return database_config(value) if value else default
        except ValueError as problem:
            self.problems.append(str(problem))
            return default

    def _parsed(self, var: str, default: Value, parse: Callable[[str], Value], allowed: str) -> Value:
        value = self.get_value(var, default="")
        try:
            return parse(value) if value else default
        except ValueError:
            shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
            self.problems.append(f"{var} is {shown!r}, and must be {allowed}.")
            return default


def _switch(value: str) -> bool:
    word = value.lower()
    if word not in TRUE | FALSE:
        raise ValueError
    return word in TRUE


def _whole(value: str, *, least: int | None, most: int | None) -> int:
    number = int(value)
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError
    return number


def _fraction(value: str, *, above: float, most: float) -> float:
    number = float(value)
    if not (math.isfinite(number) and above < number <= most):
        raise ValueError
    return number


def _bounds(least: int | None, most: int | None) -> str:
    if least is None or most is None:
        return "" if least is None else f" of at least {least}"
    return f" from {least} to {most}"
