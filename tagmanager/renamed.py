"""Old names that tools and settings of others import: they work for one release, with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.module_loading import import_string


def moved(module: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's `__getattr__` that finds each old name at its new dotted path, and says so."""

    def look_up(name: str) -> Any:
        try:
            path = names[name]
        except KeyError:
            raise AttributeError(f"module {module!r} has no attribute {name!r}") from None
        # Python hides a DeprecationWarning from everybody but the tests of the tool. The level names the line
        # that imports: past this function; Python leaves the import system out by itself.
        warnings.warn(
            f"{module}.{name} is now {path}; the old name goes with the next release.",
            FutureWarning,
            stacklevel=2,
        )
        return import_string(path)

    return look_up
