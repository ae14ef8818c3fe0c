"""Files as people have them, sent by the page: what is read, told and asked, and the file that is kept."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from tagmanager.intake import kept_files
from tagmanager.models import ColumnChoice
from tests.demo import Demo, demo_zendesk
from tests.tagmanager.intake.people_files import CASES, FOLDER, expected, parts_of, stored

SENT_TO: dict[str, tuple[str, str, dict[str, str]]] = {
    "ids": ("/tools/bulk-tag/", "ids_file", {"add": "x"}),
    "rows": ("/tools/tag-rows/", "rows", {}),
    "mapping": ("/tools/rename-tags/", "mapping_file", {}),
}
PASTED = {"ids": "ids", "rows": "typed_rows", "mapping": "pairs"}


@pytest.fixture
def demo(web: Client, settings: Settings) -> Iterator[Demo]:
    with demo_zendesk(settings) as running:
        yield running


def send(web: Client, use: str, content: bytes | None = None, name: str = "file.csv", **fields: Any) -> str:
    """The page after the form was sent with this file, as words."""
    path, field, filled = SENT_TO[use]
    files = {} if content is None else {field: SimpleUploadedFile(name, content)}
    page = web.post(path, {"dry_run": "on", "nonce": "n"} | filled | fields | files, follow=True)
    return words(page.content)


def words(page: bytes) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode())))


def token_in(web: Client, use: str, content: bytes, **fields: Any) -> str:
    """Send a file that is asked about; returns the word by which it is kept."""
    path, field, filled = SENT_TO[use]
    sent = {"dry_run": "on", "nonce": "n", field: SimpleUploadedFile("file.csv", content)} | filled | fields
    page = web.post(path, sent).content.decode()
    found = re.search(rf'name="{field}-kept" value="(\w+)"', page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_every_case_is_right_on_the_page(web: Client, demo: Demo, case: dict[str, Any]) -> None:
    page = send(web, case["as"], (FOLDER / case["file"]).read_bytes(), case["file"])
    if "gives" in case:
        assert stored(case["as"], Job.objects.get()) == expected(case)
    else:
        assert not Job.objects.exists()
        assert [part for part in parts_of(case["refused"]) if part not in page.lower()] == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["file"].endswith(("csv", "tsv"))], ids=lambda case: case["file"]
)
def test_what_is_pasted_is_read_like_a_file(web: Client, demo: Demo, case: dict[str, Any]) -> None:
    content = (FOLDER / case["file"]).read_bytes()
    text = content.decode("cp1252" if b"\xfc" in content else "utf-8")
    pasted: dict[str, Any] = {PASTED[case["as"]]: text}
    page = send(web, case["as"], **pasted)
    if "gives" in case:
        assert stored(case["as"], Job.objects.get()) == expected(case)
    else:
        assert not Job.objects.exists()
        assert [part for part in parts_of(case["refused"]) if part not in page.lower()] == []


def test_a_preview_tells_what_was_understood(web: Client, demo: Demo) -> None:
    content = b'Ticket ID,Tickets\n"40,214",1\n40215,1\n40215,1\nTotal,3\n'
    page = send(web, "ids", content)
    assert (
        "3 ticket numbers from column Ticket ID; 1 repeats; 1 written as 40,214 was read as 40214; "
        "line 5 (Total) left out." in page
    )


def test_a_real_run_first_tells_what_was_interpreted(web: Client, demo: Demo) -> None:
    ref = demo.open_tickets[0]
    content = f"Ticket ID,x\n{ref}.0,a\nTotal,1\n".encode()
    path, field, filled = SENT_TO["ids"]
    sent = filled | {"nonce": "n", field: SimpleUploadedFile("file.csv", content)}
    page = web.post(path, sent).content.decode()
    assert "This is how it was understood:" in page
    assert f"1 written as {ref}.0 was read as {ref}; line 3 (Total) left out." in page
    assert not Job.objects.exists()
    again = (
        filled | {"nonce": "n"} | dict(re.findall(r'name="(understood|ids_file-kept)" value="(\w+)"', page))
    )
    assert len(again) == 4
    web.post(path, again)
    assert stored("ids", Job.objects.get()) == [ref]
    assert kept_files.find(again["ids_file-kept"]) is None
    plain = {"nonce": "m", field: SimpleUploadedFile("file.csv", f"id\n{ref}\n".encode())}
    web.post(path, filled | plain)
    assert Job.objects.count() == 2


def test_columns_are_chosen_above_the_table_and_the_choice_is_remembered(web: Client, demo: Demo) -> None:
    content = (FOLDER / "ids_rownum.csv").read_bytes()
    path, field, filled = SENT_TO["ids"]
    page = web.post(
        path, filled | {"dry_run": "on", "nonce": "n", field: SimpleUploadedFile("a.csv", content)}
    )
    text = page.content.decode()
    assert text.count(f'name="{field}-role"') == 3
    assert "a.csv is kept: it need not be chosen again." in text
    answers: dict[str, Any] = dict(re.findall(rf'name="({field}-(?:kept|digest))" value="(\w+)"', text))
    answers |= {f"{field}-header": "1"}
    refused = send(web, "ids", **answers | {f"{field}-role": ["", "", ""]})
    assert "Choose ticket number." in refused
    refused = send(web, "ids", **answers | {f"{field}-role": ["id", "id", ""]})
    assert "Two columns are chosen as ticket number." in refused
    send(web, "ids", **answers | {f"{field}-role": ["", "id", ""]})
    assert stored("ids", Job.objects.get()) == [40214, 40215]
    assert ColumnChoice.objects.get().roles == {"id": 1}
    other = b"#,Request,Subject\n1,40300,z\n"
    page_text = send(web, "ids", other)
    assert stored("ids", Job.objects.latest("id")) == [40300]
    assert "1 ticket number from column Request; the columns are those that were chosen before" in page_text


@pytest.mark.parametrize("way", ["file", "pasted"])
def test_an_unknown_name_above_numbers_has_a_choice_above_its_column(
    web: Client, demo: Demo, way: str
) -> None:
    path, field, filled = SENT_TO["ids"]
    text = "Nummer\n40214\n40215\n"
    sent = {"ids_file": SimpleUploadedFile("a.csv", text.encode())} if way == "file" else {"ids": text}
    page = web.post(path, filled | {"dry_run": "on", "nonce": "n"} | sent).content.decode()
    name = field if way == "file" else "ids"
    assert page.count(f'name="{name}-role"') == 1
    assert "No column is known; line 1 has Nummer." in page
    answers: dict[str, Any] = dict(re.findall(rf'name="({name}-(?:kept|digest|header))" value="(\w+)"', page))
    answers |= {f"{name}-header": "1", f"{name}-role": ["id"]}
    send(web, "ids", **answers | ({} if way == "file" else {"ids": text}))
    assert stored("ids", Job.objects.get()) == [40214, 40215]


def test_letters_that_may_be_of_another_country_are_read_before_a_real_run(web: Client, demo: Demo) -> None:
    path, field, filled = SENT_TO["mapping"]
    content = "old,new\nshipping,číslo\n".encode("cp1250")
    sent = filled | {"nonce": "n", "source": "all", field: SimpleUploadedFile("file.csv", content)}
    page = words(web.post(path, sent).content)
    assert "it would be shipping,číslo in Windows-1250" in page
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("use", "text", "said"),
    [
        ("ids", "#8,b\n#9,c\n", "No column is known; line 1 has #8, b."),
        ("ids", "IN (1, 2, 3)", "This is a query of a database."),
        ("rows", "id,add,Remove?\n7,a,b\n", "The column Remove? is not understood."),
        ("rows", "id,tags,action\n7,a,add\n", "The column action is not understood."),
    ],
)
def test_what_may_mean_two_things_is_asked_about_on_the_page(
    web: Client, demo: Demo, use: str, text: str, said: str
) -> None:
    assert said in send(web, use, text.encode())
    pasted: dict[str, Any] = {PASTED[use]: text}
    assert said in send(web, use, **pasted)
    assert not Job.objects.exists()


def test_an_answer_counts_for_the_file_that_was_asked_about_alone(web: Client, demo: Demo) -> None:
    token = token_in(web, "ids", b"x,y\n1,40214\n2,40215\n")
    answers: dict[str, Any] = {
        "ids_file-kept": token,
        "ids_file-role": ["id", ""],
        "ids_file-header": "1",
        "ids_file-digest": "0",
    }
    page = send(web, "ids", b"score,Ticket ID\n7,40216\n", **answers)
    assert stored("ids", Job.objects.get()) == [40216], page


def test_a_table_without_a_header_is_asked_about_too(web: Client, demo: Demo) -> None:
    content = b"40214;open;vip\n40215;solved;gold\n"
    path, field, _ = SENT_TO["rows"]
    text = web.post(path, {"dry_run": "on", "nonce": "n", field: SimpleUploadedFile("a.csv", content)})
    answers = dict(re.findall(rf'name="({field}-(?:kept|digest))" value="(\w+)"', text.content.decode()))
    send(web, "rows", **answers | {f"{field}-header": "0", f"{field}-role": ["id", "", "add"]})
    assert stored("rows", Job.objects.get()) == [[40214, ["vip"], []], [40215, ["gold"], []]]
    assert not ColumnChoice.objects.exists()


def test_pasted_columns_are_asked_about_as_well(web: Client, demo: Demo) -> None:
    text = "Nr\tSubject\n40214\tx\n40215\ty\n"
    path, _, filled = SENT_TO["ids"]
    page = web.post(path, filled | {"dry_run": "on", "nonce": "n", "ids": text}).content.decode()
    answers = dict(re.findall(r'name="(ids-digest)" value="(\w+)"', page))
    assert "is kept" not in page
    send(web, "ids", ids=text, **answers | {"ids-header": "1", "ids-role": ["id", ""]})
    assert stored("ids", Job.objects.get()) == [40214, 40215]


def test_a_sheet_is_chosen_and_stays_chosen(web: Client, demo: Demo) -> None:
    from tests.tagmanager.intake.test_workbooks import xlsx

    content = xlsx([["id"], [7]], March=[["Nr", "x"], [40214, "y"]])
    path, field, filled = SENT_TO["ids"]
    sent = filled | {"dry_run": "on", "nonce": "n", field: SimpleUploadedFile("a.xlsx", content)}
    page = web.post(path, sent).content.decode()
    assert page.count("<option>") == 2
    token = dict(re.findall(rf'name="({field}-kept)" value="(\w+)"', page))
    page = web.post(
        path, filled | {"dry_run": "on", "nonce": "n", f"{field}-sheet": "March"} | token
    ).content.decode()
    assert f'name="{field}-sheet" value="March"' in page
    answers = dict(re.findall(rf'name="({field}-(?:kept|digest|sheet))" value="(\w+)"', page))
    send(web, "ids", **answers | {f"{field}-header": "1", f"{field}-role": ["id", ""]})
    assert stored("ids", Job.objects.get()) == [40214]


def test_all_problems_of_a_mapping_are_shown_beside_its_pairs(web: Client, demo: Demo) -> None:
    page = send(web, "mapping", b"old,new\na,b\nb,a\nvip!,x\nq,r\n")
    assert "2 problems Line Problem 3 These go in a circle: a → b → a." in page
    assert "4 vip! would be stored as vip: Zendesk drops !." in page
    assert "3 pairs as understood Line Old tag New tag 2 a b 3 b a 5 q r" in page


def test_the_same_name_and_size_with_other_content_is_another_file(web: Client, demo: Demo) -> None:
    one, two = demo.open_tickets[:2]
    send(web, "ids", f"id\n{one}\n".encode())
    send(web, "ids", f"id\n{two}\n".encode())
    send(web, "ids", f"id\n{two}\n".encode())
    assert [stored("ids", job) for job in Job.objects.order_by("id")] == [[one], [two]]


def test_a_kept_file_ends_after_an_hour(
    web: Client, demo: Demo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_in(web, "ids", b"id\nx\n")
    kept = kept_files.find(token)
    assert kept is not None
    kept.close()
    assert kept_files.find("../" + token) is None
    monkeypatch.setattr(kept_files, "KEPT_FOR", -1)
    assert kept_files.find(token) is None
    kept_files.tidy()
    assert list(kept_files._kept(kept_files._folder())) == []


def test_a_request_larger_than_the_limit_is_refused_before_it_is_read(
    web: Client, demo: Demo, settings: Settings
) -> None:
    settings.UPLOAD_LIMIT = 10
    path, field, filled = SENT_TO["ids"]
    sent = filled | {"nonce": "n", field: SimpleUploadedFile("a.csv", b"id\n" + b"40214\n" * 9)}
    page = web.post(path, sent)
    assert "raise UPLOAD_LIMIT" in page.content.decode()
    large = SimpleUploadedFile("a.csv", b"40214\n" * 400_000)
    page = web.post(path, filled | {"nonce": "n", field: large})
    assert page.status_code == 413
    assert "The upload has" in page.content.decode()
    assert not Job.objects.exists()
