"""Files as people have them, given to the commands: what is read, printed and asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from jobs.models import Job
from tests.demo import Demo
from tests.processes import Ran, command
from tests.tagmanager.intake.people_files import CASES, FOLDER, expected, parts_of, stored

pytestmark = pytest.mark.once
GIVEN_AS = {
    "ids": ("tag_tickets", "--add", "x", "--ids-file"),
    "rows": ("tag_tickets", "--rows"),
    "mapping": ("rename_tags", "--mapping"),
}


def ask(use: str, path: Path | str, *options: str) -> Ran:
    name, *arguments = GIVEN_AS[use]
    return command(name, *arguments, str(path), *options, "--detach", "--yes")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_every_case_is_right_on_the_command_line(demo: Demo, case: dict[str, Any]) -> None:
    ran = ask(case["as"], FOLDER / case["file"])
    if "gives" in case:
        assert (ran.code, stored(case["as"], Job.objects.get())) == (0, expected(case))
    else:
        assert (ran.code, Job.objects.count()) == (2, 0)
        assert [part for part in parts_of(case["refused"]) if part not in ran.err.lower()] == []


def test_what_was_understood_is_told_before_the_question(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text('Report\n\nTicket ID,Tickets\n"40,214",1\n40215.0,1\n40215,1\n,x\nTotal,3\n')
    ran = ask("ids", file)
    told = (
        "3 ticket numbers from column Ticket ID; 1 repeats; 1 written as 40,214 was read as 40214; "
        "1 written as 40215.0 was read as 40215; the header is in line 3, and what is above it was left out; "
        "line 8 (Total) left out; 1 row without a ticket number left out (line 7)."
    )
    assert ran.out.splitlines()[0] == told
    ran = command("tag_tickets", "--ids-file", str(file), "--add", "x", "--dry-run", "--output", "json")
    assert json.loads(ran.out)["total"] == 2
    assert told in ran.err


def test_a_column_is_named_where_none_is_known(demo: Demo, tmp_path: Path) -> None:
    ran = ask("ids", FOLDER / "ids_rownum.csv")
    assert "Say which column is which, such as --column id=Request" in ran.err
    for name in ("Request", "request", "2"):
        assert ask("ids", FOLDER / "ids_rownum.csv", "--column", f"id={name}").code == 0
        assert stored("ids", Job.objects.latest("id")) == [40214, 40215]
    ran = ask("rows", FOLDER / "rows_dup_cols.csv", "--column", "add=2")
    assert "There are two columns add." in ran.err  # what the other one holds must not be lost in silence
    ran = ask("rows", FOLDER / "rows_dup_cols.csv", "--column", "add=3", "--column", "ignore=2")
    assert stored("rows", Job.objects.latest("id")) == [[40214, ["h_b"], []]]
    ran = ask("rows", FOLDER / "rows_tag_set.csv", "--column", "ignore=set")
    assert (ran.code, stored("rows", Job.objects.latest("id"))) == (0, [[40214, ["h_x"], []]])
    file = tmp_path / "rows.csv"
    file.write_text("40214;open;vip;old\n40215;solved;gold;\n")
    ran = ask("rows", file, "--column", "id=1", "--column", "add=3", "--column", "remove=4")
    assert stored("rows", Job.objects.latest("id")) == [[40214, ["vip"], ["old"]], [40215, ["gold"], []]]


def test_an_unknown_name_above_numbers_is_named_by_an_option(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text("Nummer\n40214\n40215\n")
    ran = ask("ids", file)
    assert (ran.code, "Say which column is which, such as --column id=Nummer" in ran.err) == (2, True)
    assert ask("ids", file, "--column", "id=Nummer").code == 0
    assert stored("ids", Job.objects.get()) == [40214, 40215]


def test_sums_queries_and_columns_of_actions_are_told_on_the_command_line(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "file.csv"
    file.write_text("id,n\n40214,3\n40215,4\n2,7\n")
    ran = ask("ids", file)
    assert (ran.code, stored("ids", Job.objects.get())) == (0, [40214, 40215])
    assert "line 4 (sums) left out" in ran.out
    file.write_text("SELECT id FROM tickets WHERE id IN (40214, 40215) LIMIT 10")
    ran = ask("ids", file, "--skip-bad-lines")
    assert (ran.code, "This is a query of a database." in ran.err) == (2, True)
    file.write_text("id,add,action\n40214,a,remove\n")
    ran = ask("rows", file)
    assert (ran.code, "The column action is not understood." in ran.err) == (2, True)
    file.write_bytes("old,new\nshipping,číslo\n".encode("cp1250"))
    assert "it would be shipping,číslo in Windows-1250" in ask("mapping", file).out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--column", "id"), "--column id: give ROLE=NAME; the roles are id, add, remove, old, new, ignore."),
        (("--column", "what=x"), "--column what=x: give ROLE=NAME"),
        (("--column", "old=x"), "--column old=x: there is no such column here. Its columns are id."),
        (
            ("--column", "id=Nope"),
            "--ids-file: No column is called Nope; the columns are #, Request, Subject.",
        ),
    ],
)
def test_a_column_that_is_none_is_reported(demo: Demo, options: tuple[str, ...], said: str) -> None:
    ran = ask("ids", FOLDER / "ids_rownum.csv", *options)
    assert (ran.code, Job.objects.count()) == (2, 0)
    assert said in ran.err


def test_bad_lines_are_left_out_on_request_and_never_a_second_table(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "ids.csv"
    file.write_text("id\n40214\nsee mail\n40215\n")
    assert ask("ids", file).code == 2
    ran = ask("ids", file, "--skip-bad-lines")
    assert (ran.code, stored("ids", Job.objects.get())) == (0, [40214, 40215])
    assert "1 word that is no ticket number was left out." in ran.out
    file.write_text("id,add\n40214,a\nsee mail,b\n40215,c\n")
    ran = ask("rows", file, "--skip-bad-lines")
    assert [row[0] for row in stored("rows", Job.objects.latest("id"))] == [40214, 40215]
    assert "1 row without a usable ticket number left out (line 3 (see mail))" in ran.out
    file.write_text("score,id\n5,40214\nx,y\nticket_id,score\n40215,6\n")
    ran = ask("ids", file, "--skip-bad-lines")
    assert (ran.code, "Line 4 names columns again" in ran.err) == (2, True)
    file.write_text("40214\n40215\n" * 6 + "Ticket ID,Score\n40216,5\n")
    ran = ask("ids", file, "--skip-bad-lines")
    assert (ran.code, "Line 13 names columns again" in ran.err) == (2, True)


def test_a_typed_number_with_a_comma_is_asked_about_and_a_list_is_not(demo: Demo) -> None:
    ran = command("tag_tickets", "--ids", "40,214", "--add", "x", "--detach", "--yes")
    assert (ran.code, "did you mean 40214, or 40 and 214?" in ran.err) == (2, True)
    for text in ("1,2,3", "101,4502,77", "40, 214", "40;214", "40 214"):
        assert command("tag_tickets", "--ids", text, "--add", "x", "--detach", "--yes").code == 0
        expected = [int(word) for word in text.replace(",", " ").replace(";", " ").split()]
        assert stored("ids", Job.objects.latest("id")) == expected


def test_a_pair_of_options_is_never_taken_for_a_header(demo: Demo) -> None:
    ran = command("rename_tags", "--pair", "old=new", "--pair", "tag=vip", "--detach", "--yes")
    assert (ran.code, stored("mapping", Job.objects.get())) == (0, [["old", "new"], ["tag", "vip"]])


@pytest.mark.parametrize("use", ["ids", "rows", "mapping"])
def test_standard_input_and_pipes_are_read_like_files(
    process_demo: Demo, process_environment: dict[str, str], settings: Settings, use: str
) -> None:
    name, *arguments = GIVEN_AS[use]
    file = {"ids": "ids.xlsx", "rows": "rows_cp1252.csv", "mapping": "map_utf16.txt"}[use]
    expected = next(case["gives"] for case in CASES if case["file"] == file)
    environment = process_environment | {
        name: getattr(settings, name)
        for name in ("ZENDESK_BASE_URL", "ZENDESK_OAUTH_CLIENT_ID", "ZENDESK_OAUTH_CLIENT_SECRET")
    }
    for path in ("-", "/dev/stdin"):
        subprocess.run(
            [sys.executable, "manage.py", name, *arguments, path, "--detach", "--yes"],
            input=(FOLDER / file).read_bytes(),
            env=environment,
            check=True,
            capture_output=True,
        )
        assert stored(use, Job.objects.latest("id")) == expected


def test_files_that_cannot_be_read_end_in_a_sentence(demo: Demo, tmp_path: Path, settings: Settings) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/t\xffckets.csv"))
    odd.write_text("id\n40214\n")
    assert ask("ids", odd).code == 0
    assert Job.objects.get().source["name"] == "t\N{REPLACEMENT CHARACTER}ckets.csv"
    assert "cannot be read: Is a directory." in ask("ids", tmp_path).err
    odd.write_bytes(b"\x00\x01\x02\xff")
    assert "--rows: The file holds bytes that are not text." in ask("rows", odd).err
    settings.UPLOAD_LIMIT = 3
    assert "raise UPLOAD_LIMIT" in ask("mapping", odd).err
