"""Tables from databases, wikis, other ticket tools and spreadsheets, read or answered by a sentence."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from tagmanager.intake.tables.problems import Unclear
from tests.tagmanager.intake.people_files import given, read, read_and_told, refusal

pytestmark = pytest.mark.django_db
BOTH = pytest.mark.parametrize("name", ["file.csv", ""], ids=["file", "pasted"])


@BOTH
@pytest.mark.parametrize(
    ("content", "found", "left_out"),
    [
        ("id,count\n40214,3\n40215,4\n2,7\n", [40214, 40215], "line 4 (sums) left out"),
        ("id,count\n40214,3\n40215,4\n80429,7\n", [40214, 40215], "line 4 (sums) left out"),
        (
            "id,count\n40214,3\n40215,4\n,7\n",
            [40214, 40215],
            "1 row without a ticket number left out (line 4)",
        ),
        ("a;id;b\n1,5;40214;2\n1,5;40215;2\n3,0;2;4\n", [40214, 40215], "line 4 (sums) left out"),
        ("id,count\n40214,3\n40215,4\n2,8\n", [40214, 40215, 2], ""),
        ('id,amount\n40214,"1,234.50"\n40215,"2,000.00"\n2,"3,234.50"\n', [40214, 40215], "line 4 (sums)"),
        ("id;amount\n40214;1.234,50\n40215;2.000,00\n2;3.234,50\n", [40214, 40215], "line 4 (sums)"),
        ("id,amount\n40214,$5.00\n40215,$6.50\n2,$11.50\n", [40214, 40215], "line 4 (sums)"),
        ("id,subject\n40214,x\n40215,y\n2,z\n", [40214, 40215, 2], ""),
        ("id\n1\n2\n3\n", [1, 2, 3], ""),
    ],
)
def test_a_sum_without_a_label_in_the_last_row_is_left_out(
    content: str, found: list[int], left_out: str, name: str
) -> None:
    ids, told = read_and_told("ids", given(content, name))
    assert ids == found
    assert left_out in told
    assert bool(left_out) == ("left out" in told)


def test_a_sum_in_a_workbook_is_left_out() -> None:
    assert read_and_told("ids", given(xlsx(["id", "n"], [40214, 3], [40215, 4], [2, 7]), "ids.xlsx")) == (
        [40214, 40215],
        "2 ticket numbers from column id; line 4 (sums) left out.",
    )


@BOTH
def test_a_last_row_that_may_be_a_sum_is_asked_about(name: str) -> None:
    assert refusal("ids", given("id\n40214\n40215\n80429\n", name)).startswith(
        "Line 4: 80429 is the sum of those above it, so it may be no ticket."
    )
    assert refusal("ids", given("id,is_vip\n5,1\n6,0\n2,1\n", name)).startswith("Line 4: 2 is the number of")


@BOTH
def test_a_sum_below_rows_of_tags_is_left_out(name: str) -> None:
    rows, told = read_and_told("rows", given("id,add,n\n40214,vip,5\n40215,vip,6\n,2,11\n", name))
    assert rows == [[40214, ["vip"], []], [40215, ["vip"], []]]
    assert "line 4 (sums) left out" in told
    said = refusal("rows", given("id,add,n\n40214,vip,5\n40215,vip,6\n2,2,11\n", name))
    assert said.startswith("Line 4 seems to hold the totals of the rows above it.")
    assert refusal("rows", given("id,add,n\n40214,vip,5\n40215,vip,6\n,2,12\n", name)) == (
        "Line 4: there is no ticket number."
    )


@BOTH
@pytest.mark.parametrize(
    ("use", "content", "found"),
    [
        ("ids", "| id | subject |\n|----|:-------:|\n| 7 | a |\n| 8 | b |\n", [7, 8]),
        ("ids", "| Ticket ID |\n|---|\n| 7 |\n| 8 |\n", [7, 8]),
        ("ids", " id | subject \n----+---------\n  7 | a\n  8 | b\n(2 rows)\n", [7, 8]),
        ("ids", " id \n----\n  7\n  8\n(2 rows)\n", [7, 8]),
        (
            "ids",
            "+----+---+\n| id | s |\n+----+---+\n|  7 | a |\n|  8 | b |\n+----+---+\n2 rows in set\n",
            [7, 8],
        ),
        ("rows", "| id | add | remove |\n|---|---|---|\n| 7 | a | b |\n", [[7, ["a"], ["b"]]]),
        ("rows", " id | add | remove\n----+-----+--------\n  7 | a   | b\n(1 row)\n", [[7, ["a"], ["b"]]]),
        ("mapping", "| old | new |\n|-----|-----|\n| a | b |\n", [["a", "b"]]),
        ("mapping", " old | new\n-----+-----\n a   | b\n(1 row)\n", [["a", "b"]]),
        ("ids", "id\tsubject\n--\t-------\n7\ta\n8\tb\n(2 rows affected)\n", [7, 8]),
        ("ids", "- 7\n- 8\n", [7, 8]),
        ("ids", "* 7\n* #8\n", [7, 8]),
        ("ids", "• 7\n• 8\n", [7, 8]),
        ("ids", "(7, 8)", [7, 8]),
        ("ids", "('7','8')", [7, 8]),
        ("ids", "40214,0\n40215,00\n", [40214, 40215]),
        ("ids", "id;x\n40214,0;a\n", [40214]),
        ("rows", "id;add\n40214,0;a\n", [[40214, ["a"], []]]),
        ("ids", 'Issue key,Issue id,Zendesk Ticket IDs\nA-1,10001,"7, 8"\nA-2,10002,9 11\n', [7, 8, 9, 11]),
        ("ids", 'Issue key,Custom field (Zendesk Ticket IDs)\nA-1,"40214,40215"\n', [40214, 40215]),
    ],
)
def test_tables_of_databases_wikis_and_other_tools_are_read(
    use: str, content: str, found: list[Any], name: str
) -> None:
    assert read(use, given(content, name)) == found


@BOTH
@pytest.mark.parametrize(
    ("use", "content", "said"),
    [
        ("ids", "#8,b\n#9,c\n", "No column is known; line 1 has #8, b."),
        ("ids", "8\tb\n9\tc\n", "No column is known; line 1 has 8, b."),
        ("ids", "Nummer\n7\n8\n", "No column is known; line 1 has Nummer."),
        ("ids", "Case number\n7\n8\n", "No column is known; line 1 has Case number."),
        ("ids", "Tickets\n7\n8\n", "No column is known; line 1 has Tickets."),
        (
            "ids",
            "id\n40214,0\n",
            "Line 2 has 2 cells, the header 1. 40214,0 seems to be 40214 with a decimal comma.",
        ),
        ("ids", "1. 123\n2. 124\n", "Line 1 begins with a number that may only count the lines of the list."),
        ("ids", "1.123\n2.124\n", "Line 1 begins with a number that may only count the lines of the list."),
        ("ids", "1\t40214\n2\t40215\n", "No column is known; line 1 has 1, 40214."),
        ("ids", "1\n40214\n2\n40215\n3\n40216\n", "Line 1 begins with a number that may only count"),
        ("ids", "id\n40214\n40215\n---\n2\n", "Line 4: '---' is not a ticket number."),
        ("ids", "+ 7\n- 8\n", "Line 1: '+' is not a ticket number."),
        ("ids", "40214\n40215\n80429\n", "The last number, 80429, is the sum of those above it"),
        ("rows", "id,add\n7,TRUE\n", "Line 2: the add cell holds TRUE, which may be a tick."),
        ("mapping", "vip|gold\n---|---\na|b\n", "Line 1 has vip and gold: this may be a pair, or the names"),
        ("ids", "id,n\n1,1\n2,2\n3,3\n", "Line 4: 3 is the sum of those above it"),
        ("ids", "id,n\n3,1\n1,2\n2,3\n", "Line 4: 2 is the number of those above it"),
        ("mapping", "old,new\nvip,DELETE\n", "Line 2: DELETE may say what to do."),
        ("ids", "7 - 9\n", "Line 1: '-' is not a ticket number."),
        ("ids", "IN (1, 2, 3)", "This is a query of a database."),
        ("ids", "SELECT id\nFROM tickets\nWHERE id IN (1, 2)\nLIMIT 10;\n", "This is a query of a database."),
        ("ids", 'Zendesk Ticket IDs\n"100,200"\n', "Line 2: did you mean 100200, or 100 and 200?"),
        ("ids", "id,Exclude\n7,yes\n8,no\n", "The column Exclude is not understood."),
        ("rows", "Ticket ID,Add tags,Remove?\n7,a,b\n", "The column Remove? is not understood."),
        ("rows", "id,add,remove,Remove?\n7,a,b,yes\n", "The column Remove? is not understood."),
        ("rows", "id,tags,action\n7,a,add\n8,b,remove\n", "The column action is not understood."),
        ("rows", "id,add,Action\n7,a,remove\n", "The column Action is not understood."),
        ("mapping", "old,new,action\na,b,remove\n", "The column action is not understood."),
    ],
)
def test_what_may_mean_two_things_is_asked_about(use: str, content: str, said: str, name: str) -> None:
    assert refusal(use, given(content, name)).startswith(said)


@BOTH
def test_an_unknown_name_above_numbers_is_asked_about_with_its_rows(name: str) -> None:
    with pytest.raises(Unclear) as asked:
        read("ids", given("Nummer\n7\n8\n", name))
    assert asked.value.question.rows == [(1, ["Nummer"]), (2, ["7"]), (3, ["8"])]
    assert "--column id=Nummer" in asked.value.advice
    assert read("ids", given("Nummer\n7\n8\n", name, named=[("id", "Nummer")])) == [7, 8]
    assert read("ids", given("Nummer\n7\n8\n", name, leave_out=True)) == [7, 8]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("old", "new"), [("привет", "пока"), ("配送", "返品"), ("שלום", "תודה"), ("가", "나")]
)
def test_utf_16_without_a_mark_is_known_in_any_script(old: str, new: str, encoding: str) -> None:
    pairs, told = read_and_told("mapping", given(f"old,new\n{old},{new}\n".encode(encoding)))
    assert pairs == [[old, new]]
    assert f"read as UTF-16, as in line 2: {old},{new}" in told


@pytest.mark.parametrize(
    ("tag", "encoding", "other"),
    [
        ("číslo", "cp1250", "číslo in Windows-1250"),
        ("őszi", "cp1250", "őszi in Windows-1250"),
        ("māja", "cp1257", "māja in Windows-1257"),
        ("sąskaita", "cp1257", "sąskaita in Windows-1257"),
    ],
)
def test_a_few_letters_of_another_country_are_never_taken_in_silence(
    tag: str, encoding: str, other: str
) -> None:
    _, told = read_and_told("mapping", given(f"old,new\nshipping,{tag}\n".encode(encoding)))
    assert "read as Windows-1252, as in line 2: " in told
    assert f"shipping,{other}" in told


def test_letters_that_all_countries_share_raise_no_question() -> None:
    _, told = read_and_told("mapping", given("old,new\nshipping,café\n".encode("cp1252")))
    assert told == ("1 pair from columns old and new; read as Windows-1252, as in line 2: shipping,café.")


def test_a_hidden_sheet_that_is_read_is_told() -> None:
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append([7])
    book.active.title = "Data"
    book.create_sheet("Cover")
    book["Data"].sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)
    ids, told = read_and_told("ids", given(content.getvalue(), "ids.xlsx"))
    assert ids == [7]
    assert "the sheet Data is hidden" in told


def xlsx(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
