"""How long one call waits before it tries again, decided without any call."""

from __future__ import annotations

import pytest

from zendesk.errors import RateLimited, TooManyJobs, TryLater, Unavailable
from zendesk.transport.retry import RetryBudget


def longest() -> float:
    """Of what jitter may be, the longest pause."""
    return 1.0


@pytest.mark.parametrize(
    ("tries", "pause"), [(7, 0.25), (6, 0.5), (5, 1.0), (4, 2.0), (3, 4.0), (2, 8.0), (1, None), (0, None)]
)
def test_pauses_double_and_the_last_try_is_followed_by_none(tries: int, pause: float | None) -> None:
    assert RetryBudget(60, tries).backoff_after(Unavailable("x"), longest) == pause


def test_no_pause_is_longer_than_eight_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zendesk.transport.retry.MAX_ATTEMPTS", 8)
    assert RetryBudget(60, 2).backoff_after(Unavailable("x"), longest) == 8.0


@pytest.mark.parametrize(("jitter", "pause"), [(0.0, 0.25), (0.5, 0.375), (1.0, 0.5)])
def test_jitter_takes_up_to_half_of_a_pause(jitter: float, pause: float) -> None:
    assert RetryBudget(60).backoff_after(Unavailable("x"), lambda: jitter) == pause


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (RateLimited("x", retry_after=0.125), 0.125),  # obeyed to the letter
        (RateLimited("x", retry_after=20.0), 20.0),
        (RateLimited("x"), 0.5),
        (Unavailable("x", retry_after=0.125), 0.5),  # no sooner than by itself
        (Unavailable("x", retry_after=20.0), 20.0),
        (Unavailable("x", dropped=True), 0.0),
        (RateLimited("x", retry_after=20.25), None),  # longer than it may wait
        (TooManyJobs("x", retry_after=1.0), None),
        (Unavailable("x", fate_unknown=True), None),
        (Unavailable("x", fate_unknown=True, dropped=True), None),
    ],
)
def test_the_pause_is_what_zendesk_asks_for_as_far_as_it_fits_in(
    error: TryLater, pause: float | None
) -> None:
    assert RetryBudget(20.0).backoff_after(error, longest) == pause


def test_a_connection_that_drops_again_is_waited_for() -> None:
    assert RetryBudget(20.0, 5).backoff_after(Unavailable("x", dropped=True), longest) == 1.0


def test_waiting_and_tries_are_spent_apart() -> None:
    budget = RetryBudget(20.0)
    assert budget.spend(5.0) == RetryBudget(15.0, 6)
    assert budget.spend(0.5, attempts=1) == RetryBudget(19.5, 5)
