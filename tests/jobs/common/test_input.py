"""Whole numbers as requests and people give them."""

from __future__ import annotations

import pytest

from jobs.common.input import MAX_INT64, typed_number, whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("4711", 4711),
        ("007", 7),
        (str(MAX_INT64), MAX_INT64),
        (str(MAX_INT64 + 1), None),
        ("9" * 5_000, None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        ("1_000", None),
        (" 1", None),
        ("#1", None),
        ("٣", None),
        ("²", None),
    ],
)
def test_only_plain_digits_of_64_bits_are_a_whole_number(text: str, number: int | None) -> None:
    assert whole_number(text) == number


def test_a_number_outside_its_bounds_is_none() -> None:
    assert [whole_number(text, least=1, most=3) for text in "01234"] == [None, 1, 2, 3, None]


@pytest.mark.parametrize(
    ("text", "number"), [(" #4711 ", 4711), ("12", 12), ("# 12", None), ("##12", None), ("", None)]
)
def test_a_typed_number_may_have_blanks_around_it_and_a_hash(text: str, number: int | None) -> None:
    assert typed_number(text) == number
