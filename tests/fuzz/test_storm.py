"""Workers killed and frozen at random moments: the short form of `make fuzz`, with one seed."""

from __future__ import annotations

import pytest

from tests.demo import Demo
from tests.fuzz.conftest import StartFleet
from tests.fuzz.fleet import be_impatient
from tests.fuzz.orders import Orders
from tests.fuzz.storm import TIMES, Storm

pytestmark = pytest.mark.slow


def test_nothing_is_lost_and_nothing_is_done_twice_in_a_small_storm(
    counting: Demo, orders: Orders, start_fleet: StartFleet
) -> None:
    counting.account.configure(scale=0.05)
    be_impatient()
    fleet = start_fleet(times=TIMES, workers=1, clusters=2)
    figures = Storm(counting, fleet, orders, seed=7, kills=5, freezes=2).run()
    assert figures.is_clean, figures
    assert (figures.kills.total(), figures.freezes.total()) == (5, 2)
