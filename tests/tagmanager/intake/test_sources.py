"""Sources as people call them, and the searches that find their tickets."""

from __future__ import annotations

import pytest

from tagmanager.intake import sources
from tagmanager.intake.source_kinds.registry import phrase_of


@pytest.mark.parametrize(
    ("source", "phrase"),
    [
        (sources.view(7, "All unsolved"), "tickets of view “All unsolved”"),
        (sources.search("status:open"), "tickets found by “status:open”"),
        (sources.tag("vip"), "tickets tagged vip"),
        (sources.ids([1]), "1 ticket given by number"),
        (sources.ids(range(1, 1_001)), "1,000 tickets given by number"),
        (sources.ids([2, 1, 2], name="vips.csv"), "2 tickets of vips.csv"),
        (sources.Source({"kind": "ids", "name": ""}), "the tickets given by number"),
        (
            sources.Source({"kind": "items", "job": 7, "outcomes": ["failed", "unverified"]}),
            "the failed and unverified tickets of job 7",
        ),
    ],
)
def test_every_source_has_a_name_that_people_use(source: sources.Source, phrase: str) -> None:
    assert phrase_of(source.stored) == phrase


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ([1, 2, 3], ""),
        ([1, 2, 1], "1 number was given twice, and counts once."),
        ([5] * 1_001 + [6], "1,000 numbers repeat earlier ones, and each ticket counts once."),
    ],
)
def test_repeated_numbers_are_noted(numbers: list[int], sentence: str) -> None:
    assert list(sources.ids(numbers).notes) == ([sentence] if sentence else [])


@pytest.mark.parametrize(
    ("name", "query"), [("vip", "tags:vip"), ("a:b", 'tags:"a:b"'), ("a/b", 'tags:"a/b"')]
)
def test_a_tag_with_a_colon_is_quoted_in_the_search(name: str, query: str) -> None:
    assert sources.tag_query(name) == query
