"""Answers are JSON that any database and any page can take."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk.error_body import parse_json

texts = st.text(st.characters() | st.sampled_from("\x00\ud800\udfff\ud83d\ude00\\u"), max_size=8)
values = st.recursive(
    st.none() | texts | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


@given(value=values, is_escaped=st.booleans())
def test_every_text_and_key_fits_into_a_database(value: object, is_escaped: bool) -> None:
    body = json.dumps(value, ensure_ascii=is_escaped).encode("utf-8", "surrogatepass")
    parsed = json.dumps(parse_json(body), ensure_ascii=False, allow_nan=False).encode()
    assert (rb"\u0000" in parsed.replace(rb"\\", b""), b"\x00" in parsed) == (False, False)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a\\u0000": "b\\ud800c"}', {"a\ufffd": "b\ufffdc"}),
        (b'["\\ud83d\\ude00", "\\\\u0000", "\xf0\x9f\x98\x80"]', ["\U0001f600", "\\u0000", "\U0001f600"]),
        (b'{"tags": ["a\x00b", "c\xffd", "e\x01\nf"]}', {"tags": ["a\ufffdb", "c\ufffdd", "e\x01\nf"]}),
        (b"[NaN, Infinity, -Infinity, 1e400, 1.5]", [None, None, None, None, 1.5]),
        (b"\xef\xbb\xbf[1]", [1]),
        (b'{"a": 1', None),
    ],
)
def test_characters_and_numbers_that_databases_refuse_are_replaced(body: bytes, value: object) -> None:
    assert parse_json(body) == value
