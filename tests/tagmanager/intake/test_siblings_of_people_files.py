"""Further files of the kinds in `people_files`: other spellings, languages, encodings, number formats."""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

from tagmanager.intake.tag_pairs import as_text
from tests.tagmanager.intake.people_files import given, read, read_and_told, refusal

pytestmark = pytest.mark.django_db
TWO = [40214, 40215]


@pytest.mark.parametrize(
    "header",
    [
        "id",
        "ID",
        "Id ",
        "ticket_id",
        "Ticket ID",
        "TICKET-ID",
        "Ticket-Nr.",
        "Ticketnummer",
        "Ticket Nr",
        "Ticket No.",
        "Ticket number",
        "Ticket Num",
        "Zendesk Ticket ID",
        "zendesk_ticket_id",
        "Ticket",
        "ticket",
        "ID du ticket",
        "N° de ticket",
        "Numéro de ticket",
        "Nº de ticket",
        "Número de ticket",
        "ID de ticket",
        "Numero ticket",
        "ID do ticket",
        "Número do ticket",
        "チケットID",
        "チケット番号",
        "工单编号",
        "Номер тикета",
        "Ticket\u00a0ID",
        '"Ticket\nID"',
        "\ufeffTicket ID",
        "Ticket\u200bID",
        "[Ticket ID]",
        "Ticket ID:",
        "*Ticket ID*",
        "Ticket ＩＤ",
    ],
)
def test_the_number_s_column_is_known_by_many_names(header: str) -> None:
    assert read("ids", given(f"{header},Subject\n40214,x\n40215,y\n")) == TWO
    assert read("ids", given(f"Score;{header};Tickets\n9;40214;1\n8;40215;1\n")) == TWO


@pytest.mark.parametrize(
    ("add", "remove"),
    [
        ("add", "remove"),
        ("Add tags", "Remove tags"),
        ("Tags to add", "Tags to remove"),
        ("add_tags", "remove_tags"),
        ("tags_to_add", "tags_to_remove"),
        ("addTags", "removeTags"),
        ("Add tag", "Remove tag"),
        ("additional_tags", "remove_tags"),
        ("Tags hinzufügen", "Tags entfernen"),
        ("Hinzuzufügende Tags", "Zu entfernende Tags"),
        ("Tags à ajouter", "Tags à supprimer"),
        ("Etiquetas a añadir", "Etiquetas a eliminar"),
        ("追加するタグ", "削除するタグ"),
        ("Tags to add", "Tags to delete"),
        ("ADD", "REMOVE"),
        ("Ajouter", "Retirer"),
    ],
)
def test_columns_of_tags_are_known_by_many_names(add: str, remove: str) -> None:
    assert read("rows", given(f"{remove};Ticket ID;{add};Owner\nold;7;new vip;Ana\n")) == [
        [7, ["new", "vip"], ["old"]]
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("old", "new"),
        ("Old tag", "New tag"),
        ("from", "to"),
        ("source", "target"),
        ("Current", "New"),
        ("original", "replacement"),
        ("old_name", "new_name"),
        ("tag", "rename_to"),
        ("Tag", "Rename to"),
        ("Current tag", "Replacement tag"),
        ("oldTag", "newTag"),
        ("alt", "neu"),
        ("Alter Tag", "Neuer Tag"),
        ("ancien", "nouveau"),
        ("antiguo", "nuevo"),
        ("旧タグ", "新タグ"),
        ("tag", "merge into"),
        ("Name", "New name"),
        ("before", "after"),
        ("existing tag", "becomes"),
        ("Tag name", "Replace with"),
    ],
)
def test_columns_of_pairs_are_known_by_many_names_in_any_order(old: str, new: str) -> None:
    assert read("mapping", given(f"{old},{new}\nshipping,h_s\n")) == [["shipping", "h_s"]]
    assert read("mapping", given(f"count\t{new}\tnotes\t{old}\n3\th_s\twhy, oh\tshipping\n")) == [
        ["shipping", "h_s"]
    ]


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("40214", 40214),
        (" 40214 ", 40214),
        ("#40214", 40214),
        ("# 40214", 40214),
        ("40214.0", 40214),
        ("40214.00", 40214),
        ('"40,214"', 40214),
        ("40.214", 40214),
        ("'40214", 40214),
        ('="40214"', 40214),
        ('"=""40214"""', 40214),
        ("40'214", 40214),
        ("40’214", 40214),
        ("40\u00a0214", 40214),
        ("40\u202f214", 40214),
        ('"4,02,140"', 402140),
        ("1.234.567", 1234567),
        ('"1,234,567"', 1234567),
        ("\u200b40214", 40214),
        ("40214\u200f", 40214),
        ("\u202a40214\u202c", 40214),
        ("\ufeff40214", 40214),
        ("\u00a040214\u00a0", 40214),
        ("４０２１４", 40214),
        ("٤٠٢١٤", 40214),
        ("00040214", 40214),
        ("Ticket #40214", 40214),
        ("https://acme.zendesk.com/agent/tickets/40214", 40214),
        ("https://acme.zendesk.com/agent/tickets/40214/events", 40214),
        ("https://acme.zendesk.com/hc/en-us/requests/40214", 40214),
        ("acme.zendesk.com/agent/tickets/40214?brand=1", 40214),
        ("https://acme.zendesk.com/api/v2/tickets/40214.json", 40214),
        ("4.0214E+04", 40214),
        ("40214.000", 40214),
        ('"40.214,00"', 40214),
        ('"40,214.00"', 40214),
        ('"40214,0"', 40214),
        ("+40214", None),
        ("-40214", None),
        ("0", None),
        ("40214x", None),
        ("2026-01-05", None),
        ("05.01.2026", None),
        ("12:30", None),
        ("TRUE", None),
        ("40.21", None),
        ("#N/A", None),
        ("123456789012345", 123456789012345),
        ("99999999999999999999", None),
        ("40214-40216", None),
    ],
)
def test_a_number_is_known_in_many_forms(cell: str, number: int | None) -> None:
    content = f"id,x\n7,\n{cell},y\n"
    if number is None:
        assert refusal("ids", given(content)).startswith("Line 3: ")
    else:
        assert read("ids", given(content)) == [7, number]


@pytest.mark.parametrize("cell", ["1.23457E+11", '"1,23457E+11"', "1E+11", "1.2e15", "1.23E+05"])
def test_digits_that_a_spreadsheet_cut_are_never_made_up(cell: str) -> None:
    said = refusal("ids", given(f"id\n7\n{cell}\n"))
    assert said.startswith("Line 3: ")
    assert "the spreadsheet cut the digits" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id\n40.000\n", "Line 2: did you mean 40000, or 40?"),
        ('id\n"40,000"\n', "Line 2: did you mean 40000, or 40?"),
        ("id\n40 214\n", "Line 2: did you mean 40214, or 40 and 214?"),
        ("40,214\n40,215\n", "Line 1: did you mean 40214, or 40 and 214?"),
        ("7\n40,214,40,215\n", "Line 2: did you mean 40214 and 40215, or 40, 214, 40 and 215?"),
        ("40 214\n40 215\n", "Line 1: did you mean 40214, or 40 and 214?"),
        ("id,subject\n7,x\n40,214,y\n", "Line 3: did you mean 40214, or 40 and 214?"),
        ("subject,id\nx,40,214\n", "Line 2: did you mean 40214, or 40 and 214?"),
        ('id\n"40,214,40,215"\n', "Line 2: did you mean 40214 and 40215, or 40, 214, 40 and 215?"),
    ],
)
def test_what_may_be_two_numbers_is_asked(content: str, said: str) -> None:
    assert refusal("ids", given(content)).startswith(said)


@pytest.mark.parametrize(
    "text",
    ["1,2,3", "101,4502,77", "10,20,300", "40214,40215", "7, 300", "7;300", "7\n300", "100,200,300,400,500"],
)
def test_a_plain_list_is_no_number_with_thousands(text: str) -> None:
    numbers = [int(word) for word in text.replace(",", " ").replace(";", " ").split()]
    assert read("ids", given(text, "")) == numbers
    assert read("ids", given(text, "ids.txt")) == numbers


@pytest.mark.parametrize(
    "content",
    [
        "40214\r40215\r",
        "Ticket ID\r40214\r40215\r",
        "\n\n\nTicket ID\n\n40214\n\n40215\n",
        "id;\n40214;\n40215;\n",
        "id,,,\n40214,,,\n40215,,,\n",
        ",,\n,id,\n,40214,\n,40215,\n",
        "sep=;\nid;x\n40214;1,5\n40215;2,5\n",
        'sep=\t\nid\tx\n40214\t1,5\n40215\t"2\t5"\n',
        "sep=^\nid^x\n40214^1\n40215^2\n",
        "id|subject\n40214|a, b\n40215|c; d\n",
        'id,subject\n40214,"a ""quoted"" word"\n40215,5" screen\n',
        'id , subject\n40214 , "a, b"\n40215 , c\n',
        '"id","subject"\r\n"40214","two\r\nlines"\r\n"40215","x"\r\n',
        "subject;id\n1,5 h;40214\n2,5 h;40215\n",
        "Exported:,2026-11-30\nTicket ID,Subject\n40214,x\n40215,y\n",
        "My report\nMade by: Ana\n\nid,x\n40214,1\n40215,2\n",
        "Report for 2026-11,,\n,,\nSubject,Ticket ID,Score\na,40214,5\nb,40215,6\n",
        "id\n40214\n40215\nTotal\n",
        "Ticket ID,Tickets\n40214,1\n40215,1\nSumme,2\n",
        "Ticket ID,Tickets\n40214,1\n40215,1\n\nGesamtsumme:,2\n",
        "Subject,Ticket ID\na,40214\nb,40215\nTotal,2\n",
        "Subject,Ticket ID\na,40214\nb,40215\nGrand Total,80429\n",
        "id\n40214\n40215\nGrand total: 2\n",
        "40214\n40215\nTotal: 2\n",
        "40214 40215",
        "40214;40215",
        "40214\t40215\n",
        '"40214,40215"',
        'id\n"40214,40215"\n',
        'id,x\n"40214; 40215",a\n',
        '"40,214"\n"40,215"\n',
        "#40214, #40215",
        "# 40214\n# 40215",
        "40214\u00a0\n\u200b40215\n\x1a",
        '="40214"\n="40215"\n',
        "id,external_id,url\n40214,1,https://a\n40215,2,https://b\n",
        "Ticket,id\n40214,1\n40215,2\n",
        "id,problem id,ticket_form_id,Ticket ID\n1,2,3,40214\n4,5,6,40215\n",
    ],
)
def test_two_numbers_are_found_however_the_table_looks(content: str) -> None:
    assert read("ids", given(content)) == TWO


@pytest.mark.parametrize(
    ("use", "content", "said"),
    [
        ("ids", "1,40214\n2,40215\n3,40216\n", "No column is known"),
        ("ids", "#,Ticket link\n1,x\n", "Line 2: 'x' is not a ticket number."),
        ("ids", "40214,open\n40215,solved\n", "No column is known; line 1 has 40214, open."),
        ("ids", "Ticket ID,Ticket number\n1,2\n", "There are two columns for the ticket number: "),
        ("ids", "id,x\n40214,a,b\n", "Line 2 has 3 cells, the header 2."),
        (
            "ids",
            "40214\n40215\nid\n40216\n",
            "Line 3 names the columns, but line 1 above it looks like a row.",
        ),
        ("ids", 'id,x\n40214,a\n40215,"b\n40216,c\n40217,"d"\n', "A quote opened in line 3 is never closed"),
        ("ids", 'id,x\n40214,a\n"40215"b,c\n', "In line 3 something follows a closing quote."),
        (
            "ids",
            "Subject,Ticket ID\na,40214\nb,40215\nTotal,77\n",
            "Line 4 says Total, so 77 may be no ticket.",
        ),
        ("ids", "id\n40214\nTotal\n40215\n", "Line 3: 'Total' is not a ticket number."),
        ("ids", "", "The file is empty."),
        ("ids", " \n\t\n", "The file is empty."),
        ("rows", "id,add\n40214,a\nTotal,1\n40215,b\n", "Line 3: 'Total' is not a ticket number."),
        ("rows", "id,add,remvoe\n7,a,b\n", "The column remvoe is not understood. Did you mean remove?"),
        ("rows", "id,add,Delete\n7,a,b\n", "The column Delete is not understood."),
        ("rows", "id,add,New tags\n7,a,b\n", "The column New tags is not understood."),
        ("rows", "id,set tags\n7,a\n", "The column set tags is not understood."),
        ("rows", "id,add,add 2\n7,a,b\n", "The column add 2 is not understood."),
        (
            "rows",
            "id,tags\n7,a\n",
            "No column for tags to add or tags to remove is known; line 1 has id, tags.",
        ),
        (
            "rows",
            "7,a,b\n8,c,d\n",
            "No column is known; line 1 has 7, a, b. The first line has to name the columns",
        ),
        ("rows", "id,add\n7,#REF!\n", "Line 2: the add cell holds #REF!, an error of the spreadsheet."),
        ("rows", "id,add\n7,#NAME?\n", "Line 2: the add cell holds #NAME?, an error of the spreadsheet."),
        ("rows", "id,add\n7,#BEZUG!\n", "Line 2: the add cell holds #BEZUG!, an error of the spreadsheet."),
        ("rows", "id,add\n7,a\nid,add\n8,b\n", "Line 3 names columns again, so another table begins there."),
        ("rows", "id,add\n40.000,a\n", "Line 2: did you mean 40000, or 40?"),
        ("rows", "id,add\n40,214,a\n", "Line 2: did you mean 40214, or 40 and 214?"),
        ("rows", "id,add\n,a\n7,b\n", "Line 2: there is no ticket number."),
        ("rows", "id,add\n7,\n", "No row has a tag to add or to remove."),
        ("rows", "id,add\n", "The table holds a header and no rows."),
        ("mapping", "a,b,c\n", "No column is known; line 1 has a, b, c."),
        ("mapping", "a,b\nc,d,e\n", "Line 2: it has 3 cells, and a pair has 2."),
        (
            "mapping",
            "tag,count\nvip,3\n",
            "Line 1 has tag and count: this may be a pair, or the names of the columns.",
        ),
        ("mapping", "tag,tickets,tickets_60_days,named_in\nvip,3,1,\n", "No column for new tag is known"),
        ("mapping", "old,new,new tag\na,b,c\n", "There are two columns for the new tag"),
        ("mapping", "old,new,delete\na,b,x\n", "The column delete is not understood."),
        ("mapping", "old,new\na,b\nb,c\n", "Line 3: A new tag is itself renamed by another pair: a → b → c."),
        ("mapping", "old,new\na,b\nb,a\n", "Line 3: These go in a circle: a → b → a."),
        ("mapping", "old,new\na,b\na,c\n", "Line 3: a becomes c here, and becomes b by line 2."),
        ("mapping", "old,new\n", "The table holds a header and no pairs."),
        ("mapping", "from,to\na,\n", "No row has a new tag."),
        (
            "mapping",
            'old,new\n"a\nb",c\nx,"d e"\n',
            "Line 2, the old cell holds two tags, a and b. Give each a line of its own. Line 4, the new",
        ),
    ],
)
def test_what_is_not_clear_is_refused(use: str, content: str, said: str) -> None:
    assert refusal(use, given(content)).startswith(said)


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        ("old,new\na,\nb,c\n", [["a", ""], ["b", "c"]]),
        ("a,\nb,c\n", [["a", ""], ["b", "c"]]),
        ("Old,New\na,\nb,c\n", [["a", ""], ["b", "c"]]),
        ("Old tag,New tag\na,\nb,c\n", [["b", "c"]]),
        ("from,to\na,\nb,c\n", [["b", "c"]]),
        ("tag,rename_to\na,\nb,c\n", [["b", "c"]]),
        ("a -> b\nb2 = c\n", [["a", "b"], ["b2", "c"]]),
    ],
)
def test_an_empty_new_tag_removes_under_old_and_new_alone(content: str, pairs: list[list[str]]) -> None:
    assert read("mapping", given(content)) == pairs


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("id;add\r\n7;h_grün\r\n", "cp1252"),
        ("id;add\r\n7;h_grün\r\n", "utf-8"),
        ("id;add\r\n7;h_grün\r\n", "utf-8-sig"),
        ("id;add\r\n7;h_grün\r\n", "utf-16"),
        ("id;add\r\n7;h_grün\r\n", "utf-16-le"),
        ("id;add\r\n7;h_grün\r\n", "utf-16-be"),
        ("id;add\r\n7;h_grün\r\n", "utf-32"),
        ("id;add;Тема\n7;h_grün;x\n", "utf-8"),
    ],
)
def test_tags_come_back_from_every_encoding(text: str, encoding: str) -> None:
    assert read("rows", given(text.encode(encoding))) == [[7, ["h_grün"], []]]


@pytest.mark.parametrize(
    ("text", "encoding", "label"),
    [
        (
            "id;add;Тема\n7;срочно;Привет, не работает принтер\n8;срочно;Вопрос о доставке заказа\n",
            "cp1251",
            "Windows-1251",
        ),
        (
            "id;add;Temat\n7;żółty;Nie mogę się zalogować, proszę o pomoc\n8;żółty;Pilne, dziękuję\n",
            "cp1250",
            "Windows-1250",
        ),
        ("id;add;件名\n7;緊急;プリンタが動きません\n8;緊急;注文の配送について\n", "cp932", "cp932"),
    ],
)
def test_a_guess_that_is_sure_is_shown_with_a_line_to_check_it(text: str, encoding: str, label: str) -> None:
    rows, told = read_and_told("rows", given(text.encode(encoding)))
    assert [row[1] for row in rows] == [[line.split(";")[1]] for line in text.splitlines()[1:]]
    line, sample = next(found for found in enumerate(text.splitlines(), 1) if not found[1].isascii())
    assert f"read as {label}, as in line {line}: {sample[:60]}" in told


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("id;add\n7;h_grün\n", "cp850"), ("id;add\n7;h_grün\n", "mac-roman"), ("id;add\n7;срочно\n", "koi8-r")],
)
def test_tags_in_an_encoding_that_cannot_be_told_are_refused(text: str, encoding: str) -> None:
    said = refusal("rows", given(text.encode(encoding)))
    assert said.startswith("Line 2: the add cell holds letters in an encoding that cannot be told.")
    assert read("ids", given(text.encode(encoding))) == [7]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x80\x81\x00\x01" * 50, "The file holds bytes that are not text."),
        (b"\x01\x02\xff" * 50, "The file holds bytes that are not text."),
        (b"%PDF-1.7\n", "The file is a PDF."),
        (b"<!DOCTYPE html><table><tr><td>id</td></tr></table>", "The file is an HTML page"),
        (b"\xef\xbb\xbf <html>", "The file is an HTML page"),
        (b'<?xml version="1.0"?><Workbook>', "The file is an XML file."),
        (b'{"tickets": [1]}', "The file is JSON."),
        (b"[40214, 40215]", "The file is JSON."),
        (b'[\n  {"id": 1}\n]', "The file is JSON."),
        (b"\x1f\x8b\x08\x00", "The file is a gzip archive"),
        (b"PK\x03\x04nothing", "The file is a damaged zip archive or workbook."),
        (
            "id,add\n7,größe\n8,".encode() + b"\xfc\n",
            "The file is UTF-8, but line 3 holds bytes that are not",
        ),
        (b"\xff\xfei\x00d", "The file says that it is UTF-16"),
    ],
)
def test_what_is_no_table_is_refused_by_its_kind(content: bytes, said: str) -> None:
    assert refusal("ids", given(content, "ids.csv")).startswith(said)


@pytest.mark.parametrize(
    ("use", "content", "said"),
    [
        ("ids", "1. 40214\n2. 40215\n", "Line 1 begins with a number that may only count the lines"),
        ("ids", "Request ID\n40214\n", "No column is known; line 1 has Request ID."),
        ("ids", "1) #40214\n2) #40215\n", "Line 1 begins with a number that may only count the lines"),
        ("ids", "name,id\na,(555) 123 4567\n", "Line 2: '(555) 123 4567' is not a ticket number."),
        ("ids", "Subject,Ticket ID\na,7\nb,8\n(3 rows),3\n", "Line 4 says (3 rows), so 3 may be no ticket."),
        ("rows", "id,add\n7,NaN\n", "Line 2: the add cell holds NaN, which stands for an empty cell."),
        ("rows", "id,add\n7,n/a\n", "Line 2: the add cell holds n/a, which stands for an empty cell."),
        ("rows", "id,add\n7,None\n", "Line 2: the add cell holds None, which stands for an empty cell."),
        ("rows", "id,add\n7,#¡VALOR!\n", "Line 2: the add cell holds #¡VALOR!, an error of the spreadsheet."),
        ("mapping", "old,new\na,-\n", "Line 2, the new cell holds -, which stands for an empty cell."),
        ("mapping", "old,new\na,b\nTotal,\n", "Line 3: Total may sum up the lines above."),
        ("mapping", "old,new\na,b\nSumme,12\n", "Line 3: Summe may sum up the lines above."),
        (
            "mapping",
            "vip,3\nold_one,7\n",
            "Every new tag is a number, so these may be tags and their counts.",
        ),
        ("mapping", "old,new\na,b\n\nold,new\nc,d\n", "Line 4: it names the columns again. Take it out."),
        ("mapping", "Tag renames\na,b\n", "Line 1, the old cell holds two tags, renames and tag."),
        ("mapping", "De,Para\na,b\n", "Line 1 has De and Para: this may be a pair, or the names of"),
        ("mapping", "keep,merge\na,b\n", "Line 1 has keep and merge: this may be a pair, or the names of"),
    ],
)
def test_what_looks_like_something_else_is_not_taken_in_silence(use: str, content: str, said: str) -> None:
    assert refusal(use, given(content)).startswith(said)


@pytest.mark.parametrize(
    ("use", "content", "found"),
    [
        ("ids", "1 40214\n", [1, 40214]),
        ("ids", "40214.\n40215.\n", TWO),
        ("ids", "40,214.00\n40,215.00\n", TWO),
        ("ids", "Subject,Ticket ID\na,40214\nb,40215\n(2 rows),2\n", TWO),
        ("ids", "id | x\n40214 | a\n40215 | b\n(2 rows)\n", TWO),
        ("ids", "Subject,Ticket ID\na,40214\nb,40215\nÖsszesen,2\n", TWO),
        ("rows", "id,add,remove\n7,none,NaN\n8,null,-\n", [[7, ["none"], ["nan"]], [8, ["null"], ["-"]]]),
        ("mapping", "old,new\nnan,\ntotal,\n", [["nan", ""], ["total", ""]]),
        ("mapping", "old,new\nvip,3\nb,7\n", [["vip", "3"], ["b", "7"]]),
        ("mapping", "a: b\nc:d: e\n", [["a", "b"], ["c:d", "e"]]),
        ("mapping", "tag_old,tag_new\na,b\n", [["a", "b"]]),
        ("mapping", "Find,Replace\na,b\n", [["a", "b"]]),
    ],
)
def test_what_only_resembles_it_is_still_read(use: str, content: str, found: list[object]) -> None:
    assert read(use, given(content)) == found


def test_turkish_letters_are_not_taken_for_icelandic_ones() -> None:
    said = refusal("rows", given("id;add\n7;iptal_isteği\n".encode("cp1254")))
    assert said.startswith("Line 2: the add cell holds letters in an encoding that cannot be told.")
    assert read("rows", given("id;add\n7;þjónusta_við\n".encode("cp1252"))) == [[7, ["þjónusta_við"], []]]


@pytest.mark.parametrize("header", ["id", ""])
def test_a_formula_without_its_result_at_the_end_of_a_sheet_is_not_passed_over(header: str) -> None:
    book = Workbook()
    for row in [[header], [40214], [40215], ["=A3+1"]]:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    said = refusal("ids", given(content.getvalue(), "ids.xlsx"))
    assert said.startswith("Line 4: the ")
    assert "a formula without its result" in said


def test_pairs_of_counts_come_back_from_their_text() -> None:
    for pairs in ({"vip": "3", "b": "7"}, {"de": "para", "c": "d"}, {"old": "new", "c": "d"}):
        assert dict(read("mapping", given(as_text(pairs)))) == pairs
