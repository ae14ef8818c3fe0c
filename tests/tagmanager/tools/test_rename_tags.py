"""The tool that renames, merges and removes tags by pairs: its form and its function."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict
from hypothesis import given
from hypothesis import strategies as st

from jobs.work import PreviousResult, Skipped, Unchanged
from tagmanager.changes import undo
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools.rename_tags import RenameTags, RenameTagsForm

TAGS = st.frozensets(st.sampled_from(["a", "b", "c", "d", "e"]))


def ticket(*tags: str) -> TicketSnapshot:
    return TicketSnapshot(1, frozenset(tags), "open", "2026-01-01T00:00:00Z")


def change(*tags: str, **pairs: str) -> Any:
    return RenameTags().change_for(ticket(*tags), {"pairs": pairs})


def errors(**fields: Any) -> dict[str, list[str]]:
    return {
        name: [str(sentence) for sentence in sentences]
        for name, sentences in RenameTagsForm(fields).errors.items()
    }


def test_old_goes_and_new_comes_in_one_change() -> None:
    assert change("old", "other", old="new") == TicketChange(frozenset({"new"}), frozenset({"old"}))


def test_several_old_ones_become_one() -> None:
    assert change("x", "y", x="z", y="z") == TicketChange(frozenset({"z"}), frozenset({"x", "y"}))


def test_a_ticket_with_both_only_loses_the_old_one() -> None:
    assert change("old", "new", old="new") == TicketChange(frozenset(), frozenset({"old"}))


def test_without_a_new_one_the_old_one_goes() -> None:
    assert change("old", old="") == TicketChange(frozenset(), frozenset({"old"}))


def test_a_ticket_without_an_old_one_is_left_alone() -> None:
    assert change("new", "other", old="new") == Unchanged()


def test_a_ticket_that_could_not_carry_the_new_tag_is_left_out() -> None:
    full = [f"{number:0>254}" for number in range(19)]  # 19 x 254 and the blanks between: 4,844 characters
    answer = change("old", *full, old="n" * 255)
    assert isinstance(answer, Skipped)
    assert answer.reason == "too_many_tags"


@given(before=TAGS, pairs=st.dictionaries(st.sampled_from("abc"), st.sampled_from(["d", "e", "f", ""])))
def test_what_is_undone_is_as_before(before: frozenset[str], pairs: dict[str, str]) -> None:
    done = RenameTags().change_for(ticket(*before), {"pairs": pairs})
    if isinstance(done, TicketChange):
        after = done.applied_to(before)
        assert not after & set(pairs)
        assert {pairs[tag] for tag in before & set(pairs)} - {""} <= after
        back = undo.change_for(
            ticket(*after), PreviousResult(ticket(*before).to_json(), done.to_json(), "changed")
        )
        assert isinstance(back, TicketChange)
        assert back.applied_to(after) == before


@pytest.mark.parametrize(
    ("fields", "pairs"),
    [
        ({"old": "Old", "new": "new"}, {"old": "new"}),
        ({"old": "a b,c", "new": "c"}, {"a": "c", "b": "c"}),
        ({"pairs": "a,b\nc,"}, {"a": "b", "c": ""}),
        ({"pairs": "a,b\nb,c", "follow_chains": "on"}, {"a": "c", "b": "c"}),
        ({"pairs": "a,b\nb,", "follow_chains": "on"}, {"a": "", "b": ""}),
    ],
)
def test_the_form_gives_pairs_without_chains(fields: dict[str, str], pairs: dict[str, str]) -> None:
    form = RenameTagsForm(fields)
    assert form.is_valid(), form.errors
    assert form.params() == {"pairs": pairs}


def test_a_file_of_pairs_is_read() -> None:
    file = SimpleUploadedFile("mapping.csv", b"\xef\xbb\xbfold;new\r\nvip;gold\r\nold;\r\nsame;same\r\n")
    form = RenameTagsForm({}, MultiValueDict({"mapping_file": [file]}))
    assert form.is_valid(), form.errors
    assert form.params() == {"pairs": {"vip": "gold", "old": ""}}
    assert form.notes == [
        "2 pairs from columns old and new.",
        "1 pair names the same tag twice, so there is nothing to do for it.",
    ]


def test_a_file_that_is_no_text_is_reported() -> None:
    file = SimpleUploadedFile("mapping.xlsx", b"PK\x03\x04\xff\xfe")
    form = RenameTagsForm({}, MultiValueDict({"mapping_file": [file]}))
    assert form.errors == {"mapping_file": ["The file is a damaged zip archive or workbook. Save it again."]}


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({}, "__all__", "Say which tag becomes which."),
        ({"old": "a"}, "new", "Say what it becomes. To take tags off, use “Add and remove tags”."),
        ({"new": "a"}, "old", "Say which tag is to become the new one."),
        ({"old": "a", "new": "b c"}, "new", "Give one new tag. For several new tags use lines of pairs."),
        ({"old": "a", "new": "a"}, "__all__", "Old and new are the same, so there is nothing to rename."),
        (
            {"old": "a", "new": "b", "pairs": "c,d"},
            "__all__",
            (
                "Only one thing can say which tag becomes which: an old and a new tag, lines of pairs, or a "
                "file. Leave the others empty."
            ),
        ),
        (
            {"pairs": "a,b\nb,a"},
            "pairs",
            "Line 2: These go in a circle: a → b → a. Take one pair out of each.",
        ),
        (
            {"pairs": "a,b\nb,c"},
            "pairs",
            (
                "Line 2: A new tag is itself renamed by another pair: a → b → c. Choose to follow chains to "
                "their end, or take one of the pairs out."
            ),
        ),
    ],
)
def test_what_cannot_be_done_is_reported(fields: dict[str, str], field: str, sentence: str) -> None:
    assert errors(**fields) == {field: [sentence]}


@pytest.mark.parametrize(
    ("pairs", "title"),
    [
        ({"a": "b"}, "Rename a to b on tickets"),
        ({"a": "c", "b": "c"}, "Merge a, b into c on tickets"),
        ({"a": "", "b": ""}, "Remove a, b from tickets"),
        ({"a": "c", "b": "d"}, "Rename 2 tags on tickets"),
    ],
)
def test_the_title_says_what_is_done(pairs: dict[str, str], title: str) -> None:
    assert RenameTags().title({"pairs": pairs}, "tickets") == title


def test_its_own_tickets_are_those_with_an_old_tag() -> None:
    assert RenameTags().source_for({"pairs": {"a": "b"}}).stored == {"kind": "tag", "tag": "a"}
    assert RenameTags().source_for({"pairs": {"a": "b", "c": ""}}).stored == {
        "kind": "tags",
        "tags": ["a", "c"],
    }
