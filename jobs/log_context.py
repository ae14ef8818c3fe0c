"""What a line of the log is about: the job and the batch in hand, without being said in each sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_ids: ContextVar[Mapping[str, int]] = ContextVar("marks", default=MappingProxyType({}))


@contextmanager
def about(**ids: int) -> Iterator[None]:
    """Whatever is logged within is about these: `about(job=5)`, and within it `about(batch=12)`."""
    before = _ids.set(MappingProxyType({**_ids.get(), **ids}))
    try:
        yield
    finally:
        _ids.reset(before)


def current() -> Mapping[str, int]:
    """What is in hand now, such as `{"job": 5, "batch": 12}`; empty when it is no job."""
    return _ids.get()
