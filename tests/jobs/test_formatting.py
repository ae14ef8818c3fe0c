"""Times as people read them."""

import pytest

from jobs.formatting import duration, time_left

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (60, "about 1–2 min"),
        (800, "about 12–16 min"),
        (3_000, "about 45–60 min"),
        (7_200, "about 1–3 h"),
        (86_400, "about 21–28 h"),
        (400_000, "about 4–6 days"),
    ],
)
def test_an_estimate_is_a_rounded_range(seconds: int, expected: str) -> None:
    assert time_left(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.4, "less than a second"),
        (59.9, "59 s"),
        (60, "1 min"),
        (80, "1 min 20 s"),
        (7_500, "2 h 5 min"),
        (86_400 * 3 + 4 * 3_600, "3 d 4 h"),
    ],
)
def test_a_duration_names_two_units_at_most(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected
