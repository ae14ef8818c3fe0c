from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk import MAX_TAGS_LENGTH, TagError, fits, normalise, parse_tags
from zendesk.tags import stored_form


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("vip", {"vip"}),
        ("VIP, Angry\tbug\n vip,,", {"vip", "angry", "bug"}),
        ("a-b_c:d/e 007", {"a-b_c:d/e", "007"}),
        ("Straße ÉTÉ 日本 हिन्दी", {"straße", "été", "日本", "हिन्दी"}),
        ("e\u0301te", {"\u00e9te"}),
        ("J\u030c", {"\u01f0"}),
        ("", set()),
        (" , ", set()),
        (["one two", "THREE"], {"one", "two", "three"}),
    ],
)
def test_tags_are_separated_by_spaces_and_commas_and_normalised(text, tags):
    assert parse_tags(text) == tags


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("vip!", "vip! would be stored as vip: Zendesk drops !."),
        ("#A@b", "#a@b would be stored as ab: Zendesk drops # @."),
        ("ok !!!", "!!! cannot be a tag: Zendesk keeps none of its characters (!)."),
        ("a!\u0301", "a!\u0301 would be stored as \u00e1: Zendesk drops !."),
        ("x\u200by", "x\\u200by would be stored as xy: Zendesk drops U+200B."),
        (
            "a+b c.d",
            "a+b would be stored as ab: Zendesk drops +. c.d would be stored as cd: Zendesk drops ..",
        ),
    ],
)
def test_characters_that_zendesk_drops_are_refused_with_the_stored_form(text, sentence):
    with pytest.raises(TagError) as caught:
        parse_tags(text)
    assert str(caught.value) == sentence


def test_the_error_has_the_form_that_would_be_stored():
    with pytest.raises(TagError, match="would be stored") as caught:
        parse_tags("vip! ok")
    assert caught.value.stored == {"vip!": "vip"}


def test_a_tag_has_at_most_255_characters():
    assert parse_tags("x" * 255) == {"x" * 255}
    with pytest.raises(TagError, match="A tag of 256 characters is too long"):
        parse_tags("x" * 256)


def test_the_tags_of_a_ticket_must_fit_together():
    assert fits([])
    assert fits(["x" * MAX_TAGS_LENGTH])
    assert not fits(["x" * (MAX_TAGS_LENGTH + 1)])
    assert fits({"a" * 2547, "b" * 2548})
    assert not fits({"a" * 2548, "b" * 2548})


@given(st.text())
def test_parsing_is_idempotent(text):
    try:
        tags = parse_tags(text)
    except TagError:
        return
    assert parse_tags(tags) == tags
    assert parse_tags(" ".join(tags)) == tags
    assert {(stored_form(tag), normalise(tag)) for tag in tags} == {(tag, tag) for tag in tags}


@given(st.text())
def test_the_stored_form_is_a_valid_tag(text):
    assert stored_form(stored_form(text)) == stored_form(text)


@given(st.text())
def test_case_does_not_distinguish_tags(text):
    assert normalise(normalise(text)) == normalise(text)
