"""Where tickets come from, as people give it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from tagmanager import sources
from tagmanager.fields import parse_ids


@pytest.mark.parametrize(
    ("lines", "ids"),
    [
        (["1\n", "2\n", "\n", " 3 \n"], [1, 2, 3]),
        (["\ufeffid\n", "7\n"], [7]),
        (["Name,ID,Other\n", '"Doe, J",12,x\n'], [12]),
        (["ticket_id;outcome\n", "5;changed\n"], [5]),
        (["Ticket ID\tx\n", "#9\ty\n"], [9]),
        (["4711"], [4711]),
        (["2\n", "2\n"], [2, 2]),
        (["id,subject\n", '1,"two\n', 'lines"\n', "2,x\n"], [1, 2]),
    ],
)
def test_a_file_of_numbers_or_csv_is_read(lines: list[str], ids: list[int]) -> None:
    assert list(sources.ids_in(lines)) == ids


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "The file is empty"),
        (["\n", " \n"], "The file is empty"),
        (["name,mail\n", "x,y\n"], "names no column id"),
        (["id\n", "1\n", "two\n"], "Line 3: 'two' is not a ticket number"),
        (["id\n", "0\n"], "Line 2"),
        (["id\n", "99999999999999999999\n"], "Line 2"),
        (["a,id\n", "1\n"], "Line 2 has no ticket number"),
        (["id\n", "1\0x\n"], "Line 2"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_its_line(lines: list[str], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        list(sources.ids_in(lines))


@given(st.lists(st.text(max_size=30), max_size=8))
def test_whatever_a_file_holds_it_gives_numbers_or_a_sentence(lines: list[str]) -> None:
    with suppress(ValidationError):
        assert all(0 < number < 2**63 for number in sources.ids_in(lines))


def test_pasted_numbers_are_taken_as_people_write_them() -> None:
    assert parse_ids("1, 2;3\n#4  1") == [1, 2, 3, 4]
    with pytest.raises(ValidationError, match="'4x' is not a ticket number"):
        parse_ids("3 4x")


@pytest.mark.parametrize(
    ("source", "phrase"),
    [
        (sources.view(7, "All unsolved"), "tickets of view All unsolved"),
        (sources.search("status:open"), "tickets found by “status:open”"),
        (sources.tag("vip"), "tickets tagged vip"),
        (sources.ids([1]), "the tickets given by number"),
        (sources.ids([1], name="vips.csv"), "the tickets of vips.csv"),
        (
            sources.Source({"kind": "items", "job": 7, "outcomes": ["failed", "unverified"]}),
            "the failed and unverified tickets of job 7",
        ),
    ],
)
def test_every_source_has_a_name_that_people_use(source: sources.Source, phrase: str) -> None:
    assert source.phrase == phrase


@pytest.mark.parametrize(
    ("name", "query"), [("vip", "tags:vip"), ("a:b", 'tags:"a:b"'), ("a/b", 'tags:"a/b"')]
)
def test_a_tag_with_a_colon_is_quoted_in_the_search(name: str, query: str) -> None:
    assert sources.tag_query(name) == query
