"""Tables that any program writes come back, and any bytes give rows or a sentence."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given as example
from hypothesis import settings
from hypothesis import strategies as st

from tagmanager.intake.tag_rows import EMPTY_MARKS
from tests.tagmanager.intake.people_files import given, read
from tests.tagmanager.intake.test_workbooks import ods, written_by_xlsxwriter, xls, xlsx

pytestmark = [pytest.mark.django_db, pytest.mark.once]
TAG = st.text(alphabet="abcxyz019_:-/äßé", min_size=1, max_size=8).filter(lambda tag: tag not in EMPTY_MARKS)
TAGS = st.lists(TAG, max_size=3, unique=True)
NOTE = st.text(alphabet="ab ,;\t|\"'\n.#=€é", max_size=12)
ROWS = st.lists(
    st.tuples(st.integers(1, 10**9), TAGS, TAGS, NOTE).filter(
        lambda row: bool(set(row[1]) ^ set(row[2])) and not set(row[1]) & set(row[2])
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda row: row[0],
)
HEADER = ["Note", "Remove tags", "Ticket ID", "Add tags"]


def expected(rows: list[Any]) -> list[Any]:
    return [[ref, sorted(add), sorted(remove)] for ref, add, remove, _ in rows]


def lines_of(rows: list[Any]) -> list[list[Any]]:
    return [HEADER, *([note, " ".join(remove), ref, " ".join(add)] for ref, add, remove, note in rows)]


@example(
    rows=ROWS,
    separator=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    title=st.sampled_from(["", "A report", "\n\nA report\n"]),
)
@settings(max_examples=60)
def test_a_text_comes_back_from_every_encoding_separator_and_quoting(
    *, rows: list[Any], separator: str, encoding: str, ending: str, quoting: Any, title: str
) -> None:
    text = io.StringIO(newline="")
    if title:
        text.write(title.replace("\n", ending) + ending)
    csv.writer(text, delimiter=separator, lineterminator=ending, quoting=quoting).writerows(lines_of(rows))
    assert read("rows", given(text.getvalue().encode(encoding))) == expected(rows)


@example(rows=ROWS, write=st.sampled_from([xlsx, written_by_xlsxwriter, xls, ods]))
@settings(max_examples=8)
def test_a_workbook_comes_back_from_every_format(rows: list[Any], write: Any) -> None:
    plain = [(ref, add, remove, "") for ref, add, remove, _ in rows]
    cells = [[cell or None for cell in line] for line in lines_of(plain)]
    assert read("rows", given(write(cells), "rows.xlsx")) == expected(rows)


@example(
    content=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet="id,add;remove\told new\n\r\"'=#.40214E+-é\u200b\xa0", max_size=80).map(str.encode),
        st.text(max_size=60).map(lambda text: text.encode("utf-16", "replace")),
    ),
    use=st.sampled_from(["ids", "rows", "mapping"]),
    leave_out=st.booleans(),
)
@settings(max_examples=300)
def test_any_bytes_give_rows_or_a_sentence(content: bytes, use: str, leave_out: bool) -> None:
    try:
        found = read(use, given(content, leave_out=leave_out))
    except ValidationError as problem:
        found, said = [], problem.messages
    else:
        said = ["rows"]
    assert [sentence for sentence in said if not sentence.strip()] == []
    assert [number for number in found if use == "ids" and not 0 < number < 2**63] == []


@example(rows=st.lists(st.tuples(TAG, TAG), min_size=1, max_size=8, unique_by=lambda pair: pair[0]))
@settings(max_examples=60)
def test_pairs_come_back_in_either_order_of_the_columns(rows: list[tuple[str, str]]) -> None:
    rows = [(f"old_{old}", f"new_{new}") for old, new in rows]
    text = "\n".join(["replacement;original", *(f"{new};{old}" for old, new in rows)])
    assert read("mapping", given(text)) == [list(pair) for pair in rows]
