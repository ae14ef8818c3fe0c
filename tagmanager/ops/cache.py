"""A file-based cache that never makes a request fail."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from django.core.cache.backends.filebased import FileBasedCache

logger = logging.getLogger(__name__)


class FaultTolerantCache(FileBasedCache):
    """Finds and stores nothing while its folder is full or unusable."""

    def _createdir(self) -> None:
        with suppress(OSError):  # the next operation on the folder fails and is logged
            super()._createdir()  # type: ignore[misc]

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except OSError as problem:
            return self._miss(problem, default)

    def set(self, *args: Any, **options: Any) -> None:
        try:
            super().set(*args, **options)
        except OSError as problem:
            self._miss(problem)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        try:
            return super().has_key(key, version)
        except OSError as problem:
            return bool(self._miss(problem))

    def delete(self, *args: Any, **options: Any) -> bool:
        try:
            return bool(super().delete(*args, **options))
        except OSError as problem:
            return bool(self._miss(problem))

    def _miss(self, problem: OSError, default: Any = None) -> Any:
        logger.warning("The cache cannot be used: %s", problem.strerror)
        return default
