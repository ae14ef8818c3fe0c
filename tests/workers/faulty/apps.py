"""What each process of a faulty worker does at its start."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.apps import AppConfig


class Fault(Exception):
    """A fault of the program that nobody foresaw."""


def _raises(name: str) -> Callable[..., Any]:
    def broken(*_args: object, **_options: object) -> None:
        raise Fault(name)

    return broken


def _hangs(_name: str) -> Callable[..., Any]:
    def hanging(*_args: object, **_options: object) -> None:
        threading.Event().wait()

    return hanging


KINDS = {"raises": _raises, "hangs": _hangs}


class Faulty(AppConfig):
    name = "tests.workers.faulty"

    def ready(self) -> None:
        from tests.workers.faulty import settings

        for fault in settings.FAULTS:
            place, _, kind = fault.partition("=")
            module, _, name = place.partition(":")
            *owners, function = name.split(".")
            target: Any = import_module(module)
            for owner in owners:
                target = getattr(target, owner)
            setattr(target, function, KINDS[kind](place))
        for limit in settings.TIMES:
            place, _, text = limit.partition("=")
            module, _, name = place.rpartition(".")
            setattr(import_module(module), name, float(text))
