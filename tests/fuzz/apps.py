"""What each worker process of the fuzz does at its start."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from django.apps import AppConfig


class Fuzz(AppConfig):
    name = "tests.fuzz"

    def ready(self) -> None:
        """Shorten waits and limits, take out the guards, and listen at the steps, as the settings say."""
        from jobs.runtime import failpoints
        from tests.fuzz import settings
        from tests.fuzz.guards import WITHOUT
        from tests.fuzz.orders import Saboteur

        for limit in settings.FUZZ_TIMES:
            place, _, text = limit.partition("=")
            module, _, name = place.rpartition(".")
            number = float(text)
            setattr(import_module(module), name, int(number) if number.is_integer() else number)
        for guard in settings.FUZZ_WITHOUT:
            WITHOUT[guard]()
        failpoints.listen(Saboteur(Path(settings.FUZZ_ORDERS)))
