"""When to poll, simulated on a clock of its own against a service with known delays."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from jobs.engine.pacing.poll_schedule import Flight, PollSchedule, effective_size

SEND, POLL = 0.15, 0.05  # seconds that a call takes
OWN = 0.03  # seconds that our own work on a batch takes; calls that send are made at the same time
FULL = 10.0  # seconds that a batch of a hundred takes at the recorded speed, which is scale 1


def simulate(
    *,
    batches: int,
    slots: int,
    scale: float | Callable[[int], float],
    pace: float | None = None,
    reports_progress: bool = True,
) -> tuple[float, int]:
    """Send batches of a hundred through the slots: the wall time and the number of polls.

    `scale` may depend on the number of the batch.
    """
    scale_of = scale if callable(scale) else lambda _: scale
    now, sent, polls = 0.0, 0, 0
    schedule = PollSchedule(pace)
    under_way: list[Flight] = []
    takes: dict[float, float] = {}  # by the moment of sending, which no two batches share
    while sent < batches or under_way:
        while sent < batches and len(under_way) < slots:
            now += OWN
            under_way.append(Flight(now, 100))
            takes[now] = SEND + scale_of(sent) * FULL
            sent += 1
        now = max(now, schedule.next_poll(under_way)) + POLL
        polls += 1
        done = [flight for flight in under_way if flight.sent_at + takes[flight.sent_at] <= now]
        under_way = [
            replace(
                flight,
                progress=(now - flight.sent_at) / takes[flight.sent_at] if reports_progress else 0.0,
            )
            for flight in under_way
            if flight not in done
        ]
        schedule.learn(now, done, under_way)
    return now, polls


def ideal(*, batches: int, slots: int, scale: float | Callable[[int], float]) -> float:
    """The wall time if every free slot were noticed at once, without a poll."""
    scale_of = scale if callable(scale) else lambda _: scale
    now, free = 0.0, [0.0] * slots
    for number in range(batches):
        now = max(now, heapq.heappop(free)) + OWN
        heapq.heappush(free, now + SEND + scale_of(number) * FULL)
    return max(free)


#: What is known at the start: the most wall time as a multiple of the ideal, whether the time of earlier
#: batches is known, and whether the service reports progress.
KNOWN = {
    "the time of earlier batches": (1.15, True, True),
    "the progress it reports": (1.2, False, True),
    "nothing": (1.3, False, False),
}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("slots", [10, 25, 30])
def test_ten_thousand_tickets_take_at_most_forty_polls_and_little_more_than_the_ideal_time(
    slots: int, scale: float, known: str
) -> None:
    most, knows_pace, reports_progress = KNOWN[known]
    pace = (SEND + scale * FULL) / effective_size(100) if knows_pace else None
    took, polls = simulate(
        batches=100, slots=slots, scale=scale, pace=pace, reports_progress=reports_progress
    )
    assert polls <= 40
    assert took <= most * ideal(batches=100, slots=slots, scale=scale)


def test_a_long_job_comes_nearer_to_the_ideal() -> None:
    took, polls = simulate(batches=1000, slots=10, scale=1.0)
    assert polls <= 345
    assert took <= 1.05 * ideal(batches=1000, slots=10, scale=1.0)


@pytest.mark.parametrize("after", [0.6, 3.0])
def test_a_service_that_becomes_faster_or_slower_is_followed(after: float) -> None:
    def scale(number: int) -> float:
        return 1.0 if number < 200 else after

    took, polls = simulate(batches=1000, slots=10, scale=scale, reports_progress=False)
    assert polls <= 345
    assert took <= 1.15 * ideal(batches=1000, slots=10, scale=scale)


def test_a_service_that_answers_at_once_is_not_waited_for() -> None:
    took, _ = simulate(batches=100, slots=10, scale=0.0)
    assert took <= 10 * SEND + 100 * OWN + 100 * POLL / 2


def test_a_batch_that_hangs_is_polled_twice_a_minute() -> None:
    schedule, stuck = PollSchedule(0.1), Flight(0.0, 100)
    polled = []
    for _ in range(20):
        polled.append(schedule.next_poll([stuck]))
        schedule.learn(polled[-1], [], [stuck])
    assert max(later - earlier for earlier, later in pairwise(polled[5:])) <= 30.001


def test_a_worker_that_takes_over_starts_with_the_known_pace() -> None:
    schedule = PollSchedule(0.05, settled=100, polls=30)
    assert schedule.next_poll([Flight(100.0, 100)]) == pytest.approx(100.0 + 0.05 * effective_size(100))


# One decision at a time


def full(sent_at: float, progress: float = 0.0) -> Flight:
    return Flight(sent_at, 100, progress)


def seconds(for_full: float) -> float:
    """The pace at which a batch of a hundred takes this long."""
    return for_full / effective_size(100)


def due(schedule: PollSchedule, *sent_at: float) -> Any:
    """When full batches are polled that were sent at these times."""
    return pytest.approx(schedule.next_poll([full(moment) for moment in sent_at]), abs=1e-9)


def test_with_nothing_in_flight_there_is_no_poll() -> None:
    assert PollSchedule(seconds(10)).next_poll([]) == math.inf


def test_a_batch_takes_as_long_as_its_items_and_eleven_more() -> None:
    assert PollSchedule(1.0).next_poll([Flight(100.0, 9)]) == 100 + 9 + 11


def test_a_batch_of_which_nothing_is_known_is_polled_at_growing_ages() -> None:
    schedule, polled = PollSchedule(), []
    for _ in range(6):
        polled.append(round(schedule.next_poll([full(100)]), 3))
        schedule.learn(polled[-1], [], [full(100)])
    assert polled == [100.1, 100.2, 100.3, 100.45, 100.675, 101.012]


def test_the_first_of_several_unknown_batches_is_polled() -> None:
    assert due(PollSchedule(), 103, 100, 101) == 100.1


def test_progress_tells_how_long_the_whole_takes() -> None:
    schedule = PollSchedule()
    schedule.learn(105, [], [full(100, 0.25), full(100, 0.5)])
    assert due(schedule, 100) == 100 + 111 * 5 / (50 + 11)  # by the batch that has come furthest


def test_a_flight_has_made_no_progress_by_itself() -> None:
    schedule = PollSchedule()
    schedule.learn(105, [], [Flight(100, 100)])
    assert due(schedule, 100) == 107.5  # by its age


def test_a_batch_that_outlasts_what_was_expected_is_polled_at_growing_ages() -> None:
    schedule = PollSchedule(seconds(4))
    schedule.learn(105, [], [full(100)])
    assert due(schedule, 100) == 107.5


def test_while_there_is_credit_the_next_batch_is_polled_in_the_middle_of_what_is_open() -> None:
    schedule = PollSchedule(polls=4)
    schedule.learn(106, [], [full(100)])
    schedule.learn(110, [full(100)], [])
    assert schedule._credit == pytest.approx(1.33)
    assert due(schedule, 110) == 118  # between 6 and 10 seconds


def test_without_credit_the_next_batch_is_polled_when_it_is_surely_done() -> None:
    schedule = PollSchedule(polls=5)
    schedule.learn(106, [], [full(100)])
    schedule.learn(110, [full(100)], [])
    assert schedule._credit == pytest.approx(0.33)
    assert due(schedule, 110) == 120


def test_credit_of_exactly_one_poll_is_spent() -> None:
    schedule = PollSchedule(polls=5)
    schedule.learn(110, [full(100), full(104)], [])
    schedule._credit = 1.0
    assert due(schedule, 110, 111) == 113  # between 0 and 6 seconds


def test_a_batch_that_was_sent_after_the_last_poll_was_younger_then_not_older() -> None:
    schedule = PollSchedule()
    schedule.learn(106, [], [])
    schedule.learn(118, [full(108)], [])
    assert due(schedule, 120) == 125  # between 0 and 10 seconds


def test_what_was_learned_widens_with_each_poll() -> None:
    schedule = PollSchedule()
    schedule.learn(108, [], [full(100)])
    schedule.learn(110, [full(100)], [])
    assert due(schedule, 110) == 119  # between 8 and 10 seconds
    schedule.learn(111, [], [full(110)])
    assert due(schedule, 110) == 110 + (8 / 1.02 + 10 * 1.02) / 2


def test_batches_that_differ_among_themselves_leave_the_truth_between() -> None:
    schedule = PollSchedule()
    schedule.learn(110, [full(104)], [full(100)])
    assert due(schedule, 110) == 118  # one took 6 seconds at most, the other takes more than 10


def test_a_service_that_becomes_slower_moves_both_ends() -> None:
    schedule = PollSchedule()
    schedule.learn(104, [], [full(100)])
    schedule.learn(105, [full(100)], [])
    schedule.learn(125, [], [full(105)])
    assert due(schedule, 105) == 125 + 0.02 * 20  # longer than 20 seconds, and a little after a poll in vain


def test_batches_that_are_due_at_nearly_the_same_time_share_a_poll() -> None:
    schedule = PollSchedule(seconds(10))
    assert due(schedule, 100, 100.15, 100.2, 100.21) == 110.2


def test_a_poll_that_is_not_paid_for_waits_for_as_many_batches_as_pay_for_it() -> None:
    sent_at = range(100, 110)
    assert due(PollSchedule(seconds(10), polls=6), *sent_at) == 110  # one is left
    assert due(PollSchedule(seconds(10), polls=7), *sent_at) == 113  # four pay 1.32
    assert due(PollSchedule(seconds(10), polls=8), *sent_at) == 116  # seven pay 2.31
    assert due(PollSchedule(seconds(10), settled=3, polls=7), *sent_at) == 110  # three have paid 0.99
    assert due(PollSchedule(seconds(10), polls=20), *sent_at) == 119  # no more than there are


def test_polls_that_find_nothing_grow_apart_and_one_that_finds_something_ends_that() -> None:
    schedule = PollSchedule(seconds(10))
    schedule.learn(110, [], [full(100)])
    schedule._least, schedule._expected = 0.0, seconds(10)  # as if nothing had been learned by it
    assert due(schedule, 100) == 110.2
    schedule.learn(110.2, [], [full(100)])
    schedule._least = 0.0
    assert due(schedule, 100) == 110.6
    schedule.learn(110.6, [full(100)], [])
    assert schedule._fruitless == 0


def test_a_batch_of_which_nothing_is_known_is_polled_when_it_is_a_tenth_of_a_second_old() -> None:
    assert due(PollSchedule(), 100) == 100.1


def test_a_batch_that_is_expected_to_be_quick_is_polled_at_once_and_then_no_sooner_than_others() -> None:
    assert due(PollSchedule(seconds(0.31)), 100) == 100.31
    schedule = PollSchedule(seconds(0.3))
    assert due(schedule, 100) == 100.0
    schedule.learn(100.01, [], [full(100)])
    assert due(schedule, 100) == 100.3
    schedule.learn(100.3, [full(100)], [])
    # From here on its own batches tell: between the age that was too little and the one that was enough.
    assert due(schedule, 101) == 101.155


def test_half_a_minute_is_the_longest_between_two_polls() -> None:
    schedule = PollSchedule(seconds(500))
    assert due(schedule, 100, 90) == 120
    schedule.learn(115, [], [full(100), full(90)])
    assert due(schedule, 100, 90) == 145


def test_credit_does_not_grow_beyond_what_a_job_begins_with() -> None:
    schedule = PollSchedule()
    schedule.learn(110, [full(100)] * 100, [])
    assert schedule._credit == 7.0


def test_a_flight_without_progress_tells_nothing_beside_one_with_some() -> None:
    schedule = PollSchedule()
    schedule.learn(105, [], [Flight(100, 100), full(104, 0.05)])
    assert due(schedule, 100) == 100 + 111 * 1 / (5 + 11)


def test_what_exactly_the_expected_time_did_not_finish_is_polled_at_a_growing_age() -> None:
    schedule = PollSchedule(seconds(5))
    schedule.learn(105, [], [full(100)])
    assert due(schedule, 100) == 107.5


def test_batches_that_differ_do_not_widen_what_was_known_more_closely() -> None:
    schedule = PollSchedule()
    schedule.learn(108, [], [full(100)])
    schedule.learn(109, [full(100)], [])
    schedule.learn(130, [full(124)], [full(120)])
    assert due(schedule, 130) == 130 + (8 / 1.02 + 9 * 1.02) / 2


def test_while_nothing_is_known_the_first_batch_is_polled_even_without_credit() -> None:
    schedule = PollSchedule(polls=8)
    assert due(schedule, 103, 100, 101) == 100.1
    schedule.learn(105, [], [Flight(100, 100), Flight(104.9, 100)])
    assert due(schedule, 100, 104.9) == 107.5
