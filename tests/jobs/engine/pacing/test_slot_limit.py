"""How many batches may be in flight, by what answers teach."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.engine.pacing import slot_limit
from jobs.engine.pacing.slot_limit import CEILING_HELD_FOR, GROWTH_INTERVAL, RESERVE, START, SlotLimit
from tests.jobs.engine.pacing import account_of_slots as world

NOW, BOUND, TOTAL = 1_000_000.0, 28, 30


def reading(
    known: SlotLimit, free: int, ours: int, *, at: float = NOW, total: int = TOTAL, arrived: int | None = None
) -> SlotLimit:
    least = ours if arrived is None else arrived
    return known.read(at, called_at=at - 0.2, total=total, free=free, ours=(least, ours))


def may_send(known: SlotLimit, in_flight: int, *, at: float = NOW, since: int = 0) -> bool:
    return known.request(at, in_flight=in_flight, since_reading=since, bound=BOUND) is not None


ALONE = reading(SlotLimit(), 29, 1)
BESIDE_15 = reading(ALONE, 5, 10, at=NOW + 60)


@pytest.mark.parametrize(
    ("known", "most"),
    [
        (SlotLimit(), START),
        (ALONE, BOUND),
        (reading(SlotLimit(), 27, 1), 26),  # a person's two: as much as is free, and a reserve
        (reading(SlotLimit(), 26, 1), START),  # three of a program, which may want more
        (reading(SlotLimit(), 22, 8, arrived=1), START),  # seven more may have arrived, or be others'
        (BESIDE_15, TOTAL - 15 - RESERVE),
        (reading(SlotLimit(), 4, 1, total=5), 3),
        (reading(SlotLimit(), 0, 1, total=1), 1),
        (reading(SlotLimit(), 0, 1, total=0), START),
        (reading(SlotLimit(), 999_999, 1, total=999_999_999), START),
        (reading(SlotLimit(), 999_999_998, 1, total=999_999_999), BOUND),
        (reading(SlotLimit(), 0, 1), START // START),  # all the others'
    ],
)
def test_an_answer_that_names_slots_bounds_what_is_in_flight(known: SlotLimit, most: int) -> None:
    assert known.most(NOW + 60, BOUND) == most


def test_where_no_slots_are_named_the_limit_grows_one_by_one_while_it_is_used() -> None:
    known, now, most = SlotLimit(), NOW, []
    for in_flight in (START - 1, START, START, START + 1, START - 5):
        learned = known.request(now, in_flight=in_flight, since_reading=0, bound=BOUND)
        known = learned or known
        most.append((learned is not None, known.most(now, BOUND)))
        now += GROWTH_INTERVAL / 2
    assert most == [
        (True, START),
        (True, START + 1),
        (True, START + 1),
        (True, START + 2),
        (True, START + 2),
    ]


def test_the_search_upwards_waits_for_the_answer_to_its_last_step() -> None:
    grown = SlotLimit().request(NOW, in_flight=START, since_reading=0, bound=BOUND)
    assert grown
    assert not may_send(grown, START + 1, at=NOW + GROWTH_INTERVAL - 0.1)
    assert may_send(grown, START + 1, at=NOW + GROWTH_INTERVAL)


def test_a_refusal_halves_what_is_in_flight_and_is_remembered_for_some_minutes() -> None:
    known = replace(SlotLimit(), limit=28).refused(NOW, called_at=NOW - 1, in_flight=20)
    assert known.most(NOW, BOUND) == 10
    assert not may_send(known, 18, at=NOW + CEILING_HELD_FOR - 1)
    assert may_send(known, 17, at=NOW + CEILING_HELD_FOR - 1)
    assert may_send(known, 18, at=NOW + CEILING_HELD_FOR)


def test_calls_that_are_refused_together_halve_the_limit_once() -> None:
    once = replace(SlotLimit(), limit=28).refused(NOW, called_at=NOW - 1, in_flight=20)
    assert once.refused(NOW + 0.3, called_at=NOW - 0.9, in_flight=19) == once
    again = once.refused(NOW + 2, called_at=NOW + 1, in_flight=9)
    assert again.most(NOW + 2, BOUND) == 4


def test_a_refusal_that_names_the_batches_in_the_queue_tells_how_many_others_have() -> None:
    known = ALONE.refused(NOW + 1, called_at=NOW, in_flight=18, others=12)
    known = reading(known, 12, 6, at=NOW + 10)
    assert known._goal(NOW + 10, BOUND) == TOTAL - 12 - RESERVE


def test_an_answer_after_a_refusal_ends_it_unless_slots_were_said_to_be_free_before() -> None:
    full = reading(ALONE, 2, 28, at=NOW + 1).refused(NOW + 2, called_at=NOW + 1.5, in_flight=28)
    assert reading(full, 25, 5, at=NOW + 12).most(NOW + 12, BOUND) == BOUND
    odd = reading(ALONE, 25, 5, at=NOW + 1).refused(NOW + 2, called_at=NOW + 1.5, in_flight=20)
    assert reading(odd, 25, 5, at=NOW + 12).most(NOW + 12, BOUND) == 10


def test_answers_out_of_order_count_by_the_time_of_their_calls() -> None:
    older = BESIDE_15.read(NOW + 61, called_at=NOW + 59, total=30, free=29, ours=(1, 1))
    assert older == BESIDE_15
    newer = BESIDE_15.read(NOW + 61, called_at=NOW + 60.5, total=30, free=29, ours=(1, 1))
    assert newer.free == 29


def test_the_most_that_others_had_is_kept_for_a_while_and_fades() -> None:
    goals = []
    for later in (10, 90, 95, 140, 170, 1_000):
        at = NOW + 60 + later
        goals.append(reading(BESIDE_15, 20, 10, at=at)._goal(at, BOUND))
    assert goals == [13, 13, 14, 23, 28, 28]


def test_a_slow_other_side_does_not_make_it_forget() -> None:
    assert BESIDE_15.most(NOW + 3_000, BOUND) == 13
    at = NOW + 3_000
    assert reading(BESIDE_15, 29, 1, at=at).most(at, BOUND) == BOUND


def test_beside_another_program_a_batch_goes_only_into_what_the_newest_answer_left_free() -> None:
    known = replace(reading(BESIDE_15, 5, 10, at=NOW + 70), limit=28)
    at = NOW + 71
    assert [may_send(known, 11, at=at, since=since) for since in (0, 2, 3)] == [True, True, False]
    full = replace(reading(BESIDE_15, 2, 13, at=NOW + 70), limit=28)
    # An old answer says nothing any more: one batch asks for a new one.
    assert [may_send(full, 5, at=NOW + 70 + age) for age in (1, 4)] == [False, True]
    assert not may_send(full, 6, at=NOW + 74, since=1)


def test_what_was_searched_for_is_forgotten_after_an_hour_with_nothing_in_flight() -> None:
    known = replace(SlotLimit(), limit=25, limited_at=NOW)
    for later, limit in ((600, 25), (3_500, 25), (3_700, START)):
        learned = known.request(NOW + later, in_flight=0, since_reading=0, bound=BOUND)
        assert learned
        assert learned.limit == limit
    slow = known.request(NOW + 9_000, in_flight=20, since_reading=0, bound=BOUND)
    assert slow
    assert slow.limit == 25


def test_a_clock_that_was_set_back_does_not_hold_a_limit_down() -> None:
    known = BESIDE_15.refused(NOW + 100, called_at=NOW + 99, in_flight=12)
    back = NOW - 5_000
    assert may_send(known, 6, at=back)
    assert reading(known, 29, 1, at=back).most(back, BOUND) == BOUND


def test_it_is_stored_as_json_and_read_by_other_releases() -> None:
    known = BESIDE_15.refused(NOW + 100, called_at=NOW + 99, in_flight=12)
    stored = json.loads(json.dumps(known.to_json()))
    assert SlotLimit.from_json(stored) == known
    assert SlotLimit.from_json({"of_a_later_release": 1}) == SlotLimit.from_json(None) == SlotLimit()


moments = st.floats(0, 200).map(lambda seconds: NOW + seconds)
slots = st.integers(0, 40)
events = st.one_of(
    st.tuples(st.just("read"), moments, moments, slots, slots, slots),
    st.tuples(st.just("refused"), moments, moments, slots, slots | st.none()),
    st.tuples(st.just("request"), moments, slots, slots),
)


@given(st.lists(events, max_size=30), st.integers(1, 30), moments)
def test_at_least_one_batch_may_go_and_never_more_than_the_bound(
    happened: list[tuple[Any, ...]], bound: int, now: float
) -> None:
    known = SlotLimit()
    for event in happened:
        match event:
            case ("read", at, called_at, total, free, ours):
                known = known.read(at, called_at=called_at, total=total, free=free, ours=(0, ours))
            case ("refused", at, called_at, in_flight, others):
                known = known.refused(at, called_at=called_at, in_flight=in_flight, others=others)
            case ("request", at, in_flight, since):
                asked = known.request(at, in_flight=in_flight, since_reading=since, bound=bound)
                assert asked is None or in_flight < max(1, bound)
                known = asked or known
    assert 1 <= known.most(now, bound) <= bound
    assert known.request(now, in_flight=0, since_reading=0, bound=bound)


# In an account with 30 slots

SECONDS = 400
turns = st.lists(st.tuples(st.integers(3, 15), st.floats(5, 60)), min_size=2, max_size=6)


def play(
    header: str, turns: list[tuple[int, float]], *, batches: int, workers: int, seed: int, lag: float = 0.0
) -> tuple[world.Account, world.OurJobs, world.Other, float]:
    account, other = world.Account(header, lag), world.Other(turns)
    ours = world.OurJobs(batches, workers=workers, random=Random(seed))
    last = max(world.run(account, ours, other, seconds=3_000 if batches < 1_000 else SECONDS))
    return account, ours, other, last - world.START_OF_TIME


@settings(max_examples=25)
@given(turns, st.integers(1, 3), st.integers())
def test_another_program_that_takes_slots_by_turns_is_hardly_ever_refused(
    turns: list[tuple[int, float]], workers: int, seed: int
) -> None:
    _, ours, other, _ = play("exact", turns, batches=5_000, workers=workers, seed=seed)
    assert other.refused <= 2 + other.tries * 0.02
    assert ours.done >= SECONDS / world.BATCH_SECONDS * 8


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("seconds", [5, 10, 30])
def test_a_program_with_three_and_fifteen_slots_by_turns_is_refused_in_two_of_a_hundred_tries(
    seconds: float, workers: int, seed: int
) -> None:
    by_turns = [(3, seconds), (15, seconds)]
    _, ours, other, _ = play("exact", by_turns, batches=400, workers=workers, seed=seed)
    assert other.tries >= 500
    assert other.refused <= other.tries * 0.02
    assert (ours.done, ours.left) == (400, 0)


IDEAL = 400 / BOUND * world.BATCH_SECONDS


@pytest.mark.parametrize(
    ("header", "lag", "times"),
    [("exact", 0, 1.2), ("late", 2, 1.2), ("late", 5, 1.2), ("queued", 0, 1.2), ("absent", 0, 1.25)],
)
def test_a_job_that_is_alone_fills_the_slots(header: str, lag: float, times: float) -> None:
    for workers, seed in ((1, 1), (2, 2), (3, 3)):
        _, ours, _, took = play(header, [], batches=400, workers=workers, seed=seed, lag=lag)
        assert (ours.done, ours.refused, ours.most) == (400, 0, BOUND)
        assert took <= times * IDEAL  # a wait of up to 0.6 s for the poll is in it


@settings(max_examples=25)
@given(st.sampled_from(["late", "queued", "absent"]), st.floats(0, 5), turns, st.integers(1, 3))
def test_headers_that_are_late_odd_or_missing_neither_stop_ours_nor_shut_others_out(
    header: str, lag: float, turns: list[tuple[int, float]], workers: int
) -> None:
    _, ours, other, _ = play(header, turns, batches=200, workers=workers, seed=1, lag=lag)
    assert ours.done == 200
    assert other.refused <= 5 + other.tries * 0.05
    assert ours.refused <= 40


def test_others_are_hardly_refused_while_batches_take_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "BATCH_SECONDS", 300.0)
    _, ours, other, _ = play("exact", [(15, 200), (12, 400)], batches=60, workers=1, seed=1)
    assert (ours.done, ours.refused) == (60, 0)
    assert other.refused <= other.tries * 0.02


def test_the_constants_fit_each_other() -> None:
    assert START + RESERVE < TOTAL
    assert slot_limit.READING_LIVES < slot_limit.READING_LAG < slot_limit.GROWTH_INTERVAL_BESIDE_OTHERS
