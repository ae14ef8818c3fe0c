"""`make fuzz`: two hundred kills and some freezes, on the database of the run."""

from __future__ import annotations

import os
import secrets
import time

import pytest
from django.db import connection

from tests.demo import Demo
from tests.fuzz.conftest import StartFleet
from tests.fuzz.fleet import be_impatient
from tests.fuzz.orders import Orders
from tests.fuzz.storm import TIMES, Storm

SEED = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(1_000_000))
KILLS = int(os.environ.get("FUZZ_KILLS") or 200)
FREEZES = int(os.environ.get("FUZZ_FREEZES") or 60)


def test_nothing_is_lost_and_nothing_is_done_twice(
    counting: Demo, orders: Orders, start_fleet: StartFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    counting.account.configure(scale=0.05)
    be_impatient()
    # All times are the real ones, but for the age at which the fence looks, and the slice; and some
    # lists are long enough to be read late.
    fleet = start_fleet(times=TIMES, workers=1, clusters=2)
    storm = Storm(counting, fleet, orders, seed=SEED, kills=KILLS, freezes=FREEZES)
    began = time.monotonic()
    with capsys.disabled():
        print(f"\n{connection.vendor}, FUZZ_SEED={SEED}, {KILLS} kills, {FREEZES} freezes")
        try:
            storm.run()
        finally:
            print(f"{storm.figures}\n| minutes | {(time.monotonic() - began) / 60:.0f} |")
    assert storm.figures.is_clean
    assert max(storm.figures.take_overs) < 10
