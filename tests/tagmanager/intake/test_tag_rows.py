"""Rows of tags: what is read of a file, and what is said of lines that cannot be used."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tagmanager.intake import tag_rows
from tagmanager.intake.tables.given import Given
from tagmanager.intake.tag_rows import RowChange

pytestmark = pytest.mark.django_db
TAG = st.text(alphabet="abcdefgh_", min_size=1, max_size=8)
TAGS = st.lists(TAG, max_size=3, unique=True)
ROWS = st.dictionaries(st.integers(1, 10**12), st.tuples(TAGS, TAGS), max_size=20)


def read(text: str) -> list[tuple[int, RowChange]]:
    rows = tag_rows.read(Given.typed(text))
    return list(zip(rows.ids, rows.given_changes(), strict=True))


def problem(text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        tag_rows.read(Given.typed(text))
    return " ".join(caught.value.messages)


def test_each_row_is_a_ticket_with_its_own_tags() -> None:
    assert read("id,add,remove\n7,VIP gold,trial\n#8,,trial\n9,vip,") == [
        (7, {"add": ["gold", "vip"], "remove": ["trial"]}),
        (8, {"add": [], "remove": ["trial"]}),
        (9, {"add": ["vip"], "remove": []}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffid;add;remove\r\n7;vip;\r\n",
        'sep=;\nTicket ID;Tags to add\n"7";"vip"\n',
        "name\tremove\tadd\tid\nAna\t\tvip\t7\n",
    ],
)
def test_files_are_read_as_spreadsheets_write_them(text: str) -> None:
    assert read(text) == [(7, {"add": ["vip"], "remove": []})]


def test_equal_changes_are_stored_once() -> None:
    lines = "\n".join(f"{ref},b a" if ref % 2 else f"{ref},a b" for ref in range(1, 1001))
    rows = tag_rows.read(Given.typed(f"id,add\n{lines}"))
    assert (len(rows.ids), rows.number_of_changes) == (1000, 1)
    assert list(rows.given_changes()) == [{"add": ["a", "b"], "remove": []}] * 1000


def test_changes_that_all_differ_are_counted_and_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_rows, "MOST_KNOWN", 10)
    lines = [f"{ref},tag_{ref % 40}" for ref in range(1, 101)]
    rows = tag_rows.read(Given.typed("\n".join(["id,add", *lines, "1,tag_1", "99,tag_19"])))
    assert (rows.number_of_changes, rows.doubles) == (40, 2)
    assert list(rows.given_changes())[:100] == [
        {"add": [f"tag_{ref % 40}"], "remove": []} for ref in range(1, 101)
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7,vip\n8,vip", "No column is known; line 1 has 7, vip. The first line has to name the columns"),
        ("id,name\n7,vip", "No column for tags to add or tags to remove is known; line 1 has id, name."),
        ("id,add\nseven,vip", "Line 2: 'seven' is not a ticket number."),
        ("id,add\n,vip", "Line 2: there is no ticket number."),
        ("id,add,remove\n7,,", "No row has a tag to add or to remove."),
        ("id,add,remove\n7,a b,b", "Line 2: b cannot be both added and removed."),
        ("id,add\n7,a!", "Line 2: "),
        ("id,add\n7,a\n8,b\n7,c", "Line 4: ticket 7 has another change in line 2. Leave one of the two."),
    ],
)
def test_unusable_rows_are_named_with_their_lines(text: str, said: str) -> None:
    assert problem(text).startswith(said)


def test_twenty_unusable_lines_are_named_and_the_others_counted() -> None:
    told = problem("id,add\n" + "x,vip\n" * 30)
    assert told.startswith("Line 2: 'x' is not a ticket number. Line 3: ")
    assert told.endswith("Line 21: 'x' is not a ticket number. And 10 more lines.")


def test_a_repeated_row_counts_once() -> None:
    rows = tag_rows.read(Given.typed("id,add\n7,a\n8,a\n7,a\n7,a"))
    assert rows.doubles == 2


def test_more_rows_than_a_job_may_have_are_refused(settings: Settings) -> None:
    settings.JOB_TICKET_LIMIT = 2
    assert "more than 2 rows" in problem("id,add\n1,a\n2,a\n3,a")


@given(ROWS)
def test_what_is_written_is_read_back(rows: dict[int, tuple[list[str], list[str]]]) -> None:
    wished = {
        ref: {"add": sorted(set(add) - set(remove)), "remove": sorted(remove)}
        for ref, (add, remove) in rows.items()
    }
    wished = {ref: wish for ref, wish in wished.items() if wish["add"] or wish["remove"]}
    if wished:
        assert read(tag_rows.as_text(wished.items())) == list(wished.items())
