"""Error bodies of any shape, and how much of them is quoted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zendesk.error_body import (
    MAX_CODE_LENGTH,
    MAX_DETAILS,
    MAX_TEXT_LENGTH,
    ErrorBody,
    joined_details,
    one_line,
    parse_error_body,
)


def parsed(body: Any) -> tuple[str, str, tuple[str, ...]]:
    found = parse_error_body(json.dumps(body).encode())
    return found.code, found.text, found.details


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"error": "RecordInvalid", "description": "No."}, "RecordInvalid", "No."),
        ({"error": "invalid_grant", "error_description": "Wrong."}, "invalid_grant", "Wrong."),
        ({"error": "That went wrong.", "description": "No."}, "", "That went wrong."),
        ({"error": {"code": "C", "title": "T", "message": "M", "description": "D"}}, "C", "M"),
        ({"error": {"title": "T", "description": "D"}, "message": "M"}, "T", "D"),
        ({"error": {"title": "T"}, "message": "M"}, "T", "T"),
        ({"error": {}, "message": "M"}, "", "M"),
        ({"code": "C", "title": "T", "message": "M"}, "C", "M"),
        ({"code": "C", "title": "T"}, "C", "T"),
        ({"error": None, "description": " ", "message": 7, "detail": "D"}, "", "D"),
        ({"code": 7}, "", ""),
        ({"errors": [{"code": "C", "title": "T", "detail": "D"}, {"message": "M"}]}, "C", "D; M"),
        ({"errors": [{"title": "T"}, "a word", {"detail": 7}]}, "", "T"),
        ({"error": "E", "errors": [{"code": "C", "detail": "D"}]}, "E", "D"),
        ({"errors": [{"detail": "D"}], "description": "No."}, "", "No."),
        ({"errors": []}, "", ""),
        ({}, "", ""),
        ("A word\nand another", "", "A word and another"),
    ],
)
def test_code_and_text_are_found_in_every_shape(body: Any, code: str, text: str) -> None:
    assert parsed(body)[:2] == (code, text)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (
            {"details": {"status": [{"description": "Status: closed"}]}},
            ("Status: closed",),
        ),
        (
            {"details": {"base": [{"description": "No tags"}], "name": "is long"}},
            ("No tags", "name: is long"),
        ),
        ({"details": ["one", "", "  ", "two\nlines"]}, ("one", "two lines")),
        ({"details": {"a": {"detail": 7, "title": "T", "message": "M"}}}, ("a: M",)),
        ({"details": {"a": {"error": "E", "title": "T"}}}, ("a: T",)),
        ({"details": "One.", "errors": ["Two."]}, ("One.", "Two.")),
        ({"errors": {"name": ["is long"]}}, ("name: is long",)),
        ({"errors": ["a", {"detail": "b"}]}, ("a", "b")),
        ({"details": [[[["four deep"]]]]}, ("four deep",)),
        ({"details": [[[[["five deep"]]]]]}, ()),
        ({"details": [[[{"a": "four deep"}]]]}, ("a: four deep",)),
        ({"details": [[[[{"a": "five deep"}]]]]}, ()),
        ({"details": {"a": {"b": {"c": {"d": "four deep"}}}}}, ("d: four deep",)),  # it names a field already
        ({"details": {"a": {"b": {"c": {"d": {"e": "five deep"}}}}}}, ()),
        ({"details": 7}, ()),
    ],
)
def test_each_field_has_a_sentence_down_to_four_levels(body: Any, details: tuple[str, ...]) -> None:
    assert parsed(body)[2] == details


def test_no_more_is_quoted_than_a_person_wants_to_read() -> None:
    many = [f"text {number}" for number in range(MAX_DETAILS + 5)]
    assert parsed({"details": many})[2] == tuple(many[:MAX_DETAILS])
    assert parsed({"details": many[:3], "errors": many})[2] == (*many[:3], *many[: MAX_DETAILS - 3])
    assert parsed({"details": dict.fromkeys(many, "x")})[2] == tuple(
        f"{name}: x" for name in many[:MAX_DETAILS]
    )
    assert parsed({"errors": [{"detail": text} for text in many]})[1] == one_line(
        "; ".join(many[:MAX_DETAILS])
    )
    assert parsed({"error": "e" * (MAX_CODE_LENGTH + 1)})[0] == "e" * MAX_CODE_LENGTH
    assert joined_details([many, many]) == one_line("; ".join(many[:MAX_DETAILS]))


def test_a_line_is_cut_with_an_ellipsis_only_if_it_is_too_long() -> None:
    assert one_line("x" * MAX_TEXT_LENGTH) == "x" * MAX_TEXT_LENGTH
    assert one_line("x" * (MAX_TEXT_LENGTH + 1)) == "x" * (MAX_TEXT_LENGTH - 1) + "…"
    spaced = "\t\x00x " * (MAX_TEXT_LENGTH // 2)  # only what may fit is read
    assert one_line(spaced) == " ".join("x" * (MAX_TEXT_LENGTH // 2))
    assert one_line(" " * 2 * MAX_TEXT_LENGTH + "x") == ""


@pytest.mark.parametrize(
    ("body", "text", "is_html"),
    [
        (b"<HTML><TITLE lang=en>Bad\ngateway</TITLE>", "Bad gateway", True),
        (b"\xef\xbb\xbf \r\n<html><title>Away</title>", "Away", True),
        (b"<html>nothing", "", True),
        (b"<html>" + b" " * 20_000 + b"<title>Too far</title>", "", True),
        (b"Request-URI\nToo Long", "Request-URI Too Long", False),
        (b' {"error": "cut o', "", False),
        (b'["cut o', "", False),
        (b"[1, 2]", "", False),
        (b"\xff\xfe", "\ufffd\ufffd", False),
        (b"", "", False),
    ],
)
def test_answers_of_proxies_give_their_title_or_text(body: bytes, text: str, is_html: bool) -> None:
    found = parse_error_body(body)
    assert (found.code, found.text, found.details, found.is_html) == ("", text, (), is_html)


def test_the_whole_answer_is_kept_out_of_the_repr() -> None:
    found = parse_error_body(b'{"error": "Forbidden", "secret": "sesame"}')
    assert found.data["secret"] == "sesame"
    assert repr(found) == "ErrorBody(code='Forbidden', text='', details=(), is_html=False)"
    assert ErrorBody().data == {}
