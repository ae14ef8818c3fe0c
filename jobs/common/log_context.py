"""The job and the batch that log lines are about, without naming them in every message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_ids: ContextVar[Mapping[str, int]] = ContextVar("marks", default=MappingProxyType({}))


@contextmanager
def about(**ids: int) -> Iterator[None]:
    """Attach these ids to everything logged inside: `about(job=5)`, and within it `about(batch=12)`."""
    before = _ids.set(MappingProxyType({**_ids.get(), **ids}))
    try:
        yield
    finally:
        _ids.reset(before)


def current() -> Mapping[str, int]:
    """The ids in effect, such as `{"job": 5, "batch": 12}`; empty outside any job."""
    return _ids.get()
