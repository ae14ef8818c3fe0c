"""Times and numbers as people read them."""

import pytest

from jobs.common.formatting import duration, some, time_left

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


def test_a_number_stands_with_one_or_many() -> None:
    assert [some(number, "job") for number in (0, 1, 2_000)] == ["0 jobs", "1 job", "2,000 jobs"]
    assert [some(number, "batch was", "batches were") for number in (1, 2)] == [
        "1 batch was",
        "2 batches were",
    ]
