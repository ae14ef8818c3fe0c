"""Ticket numbers as people give them, pasted and in files."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from tagmanager.intake import ticket_ids
from tagmanager.intake.tables.given import Given
from tests.tagmanager.intake.people_files import given as file_of

pytestmark = pytest.mark.django_db


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
        (["\ufeffsep=;\r\n", "Name;Ticket ID\r\n", "x,y;7\r\n"], [7]),
        (['"SEP=|"\n', "id|name\n", "8|x\n"], [8]),
    ],
)
def test_a_file_of_numbers_or_csv_is_read(lines: list[str], ids: list[int]) -> None:
    assert list(ticket_ids.read(file_of("".join(lines))).ids) == ids


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([], "The file is empty"),
        (["\n", " \n"], "The file is empty"),
        (
            ["name,mail\n", "x,y\n"],
            "No column is known; line 1 has name, mail. The first line has to name the columns, as in id.",
        ),
    ],
)
def test_a_file_without_numbers_is_refused_in_words(lines: list[str], sentence: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(sentence)):
        assert not ticket_ids.read(file_of("".join(lines))).unreadable


@pytest.mark.parametrize(
    ("lines", "odd"),
    [
        (["id\n", "1\n", "two\n"], [(3, "two")]),
        (["sep=;\n", "id;x\n", "0;a\n"], [(3, "0")]),
        (["id\n", "99999999999999999999\n", "-1\n"], [(2, "99999999999999999999"), (3, "-1")]),
        (["Number\n", "1\n", "x\n"], [(1, "Number"), (3, "x")]),
    ],
)
def test_words_that_are_not_numbers_are_named_with_their_lines(
    lines: list[str], odd: list[tuple[int, str]]
) -> None:
    given = ticket_ids.read(file_of("".join(lines)))
    assert [(one.line, one.word) for one in given.unreadable] == odd


@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_file_gives_numbers_or_a_sentence(lines: list[str]) -> None:
    with suppress(ValidationError):
        ids = ticket_ids.read(file_of("".join(lines))).ids
        assert [number for number in ids if not 0 < number < 2**63] == []


def test_pasted_numbers_are_read_as_people_write_them() -> None:
    given = ticket_ids.read(Given.typed("1, 2;3\n#4  1"))
    assert (list(given.ids), given.problem, given.left_out_note) == ([1, 2, 3, 4, 1], "", "")


def test_an_error_names_all_wrong_words_among_pasted_numbers() -> None:
    hint = "Ticket numbers are whole numbers such as 4711, separated by commas, spaces or line breaks."
    given = ticket_ids.read(Given.typed("3\n4x"))
    assert given.problem == f"Line 2: '4x' is not a ticket number. {hint}"
    assert given.left_out_note == "1 word that is no ticket number was left out."
    given = ticket_ids.read(Given.typed("1 abc\n2\n" + "x\n" * 1_200))
    named = ", ".join(f"'x' (line {line})" for line in range(3, 12))
    assert given.problem == (f"1,201 are not ticket numbers: 'abc' (line 1), {named}, and 1,191 more. {hint}")
    assert given.left_out_note == "1,201 words that are no ticket numbers were left out."
