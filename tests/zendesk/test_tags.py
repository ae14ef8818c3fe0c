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
def test_tags_are_parted_by_blanks_and_commas_and_normalised(text, tags):
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
def test_what_zendesk_would_drop_is_refused_with_the_form_it_would_store(text, sentence):
    with pytest.raises(TagError) as caught:
        parse_tags(text)
    assert str(caught.value) == sentence


def test_the_refusal_carries_what_would_be_stored():
    with pytest.raises(TagError, match="would be stored") as caught:
        parse_tags("vip! ok")
    assert caught.value.stored == {"vip!": "vip"}


def test_a_tag_of_255_characters_is_the_longest():
    assert parse_tags("x" * 255) == {"x" * 255}
    with pytest.raises(TagError, match="A tag of 256 characters is too long"):
        parse_tags("x" * 256)


def test_all_tags_of_a_ticket_together_must_fit():
    assert fits([])
    assert fits(["x" * MAX_TAGS_LENGTH])
    assert not fits(["x" * (MAX_TAGS_LENGTH + 1)])
    assert fits({"a" * 2547, "b" * 2548})
    assert not fits({"a" * 2548, "b" * 2548})


@given(st.text())
def test_parsing_what_was_parsed_changes_nothing(text):
    try:
        tags = parse_tags(text)
    except TagError:
        return
    assert parse_tags(tags) == tags
    assert parse_tags(" ".join(tags)) == tags
    assert {(stored_form(tag), normalise(tag)) for tag in tags} == {(tag, tag) for tag in tags}


@given(st.text())
def test_what_would_be_stored_can_be_a_tag(text):
    assert stored_form(stored_form(text)) == stored_form(text)


@given(st.text())
def test_case_never_tells_two_tags_apart(text):
    assert normalise(normalise(text)) == normalise(text)
