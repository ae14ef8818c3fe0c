"""Pairs of old and new tags as people give them."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from tagmanager.intake import tag_pairs
from tagmanager.intake.tag_pairs import Mapping

TAGS = st.sampled_from(["a", "b", "c", "d", "e", "f"])
PAIRS = st.dictionaries(TAGS, st.one_of(TAGS, st.just("")), max_size=6)


@pytest.mark.parametrize(
    "text",
    [
        "Billing_Issue,billing\nbill-issue,billing\nold,",
        "old,new\nbilling_issue,billing\nbill-issue,billing\nold,",
        "sep=;\nold;new;owner\nbilling_issue;billing;ana\nbill-issue;billing;ben\nold;;",
        "note\tnew_tag\told_tag\nx\tbilling\tbilling_issue\n\tbilling\tbill-issue\ngone\t\told",
        "\ufeffbilling_issue , billing\n\n bill-issue,billing\nbill-issue,billing\nold,,to be removed",
        "billing_issue = billing\nbill-issue -> billing\nold",
    ],
)
def test_whatever_the_table_looks_like_the_pairs_are_read(text: str) -> None:
    assert tag_pairs.read(text.splitlines()) == Mapping(
        {"billing_issue": "billing", "bill-issue": "billing", "old": ""}
    )


def test_a_pair_of_the_same_tag_changes_nothing() -> None:
    assert tag_pairs.read(["VIP,vip", "a,b"]) == Mapping({"a": "b"}, same=1)


def test_every_line_that_cannot_be_used_is_named() -> None:
    with pytest.raises(ValidationError) as told:
        tag_pairs.read(["a,b", "vip!,gold", "x y,z", "a,c", ",new"])
    assert told.value.messages == [
        (
            "Line 2: vip! would be stored as vip: Zendesk drops !. "
            "Line 3: the old tag has to be one tag, and 'x y' is several tags. "
            "Line 4: a becomes c here, and becomes b by line 1. Leave one of the two. "
            "Line 5: the old tag has to be one tag, and there is none."
        )
    ]


def test_ten_unusable_lines_are_named_and_the_others_counted() -> None:
    with pytest.raises(ValidationError) as told:
        tag_pairs.read([f"{number}!,x" for number in range(14)])
    assert "Line 10:" in told.value.messages[0]
    assert "Line 11:" not in told.value.messages[0]
    assert told.value.messages[0].endswith(" And 4 more lines.")


def test_more_pairs_than_a_job_takes_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"2,001 pairs; one job takes 2,000"):
        tag_pairs.read([f"old{number},new" for number in range(2_001)])


def test_chains_and_cycles_are_found() -> None:
    pairs = {"a": "b", "b": "c", "c": "", "x": "y", "r": "s", "s": "t", "t": "r", "q": "r"}
    assert tag_pairs.cycles(pairs) == [["r", "s", "t"]]
    straight = {"a": "b", "b": "c", "c": "", "x": "y"}
    assert tag_pairs.cycles(straight) == []
    assert [tag_pairs.chain_words(way) for way in tag_pairs.chains(straight)] == ["a → b → c → (removed)"]
    assert tag_pairs.resolved(straight) == {"a": "", "b": "", "c": "", "x": "y"}


@given(pairs=PAIRS)
def test_resolved_pairs_have_neither_chains_nor_cycles(pairs: dict[str, str]) -> None:
    for way in tag_pairs.cycles(pairs):
        pairs.pop(way[0], None)
    assert tag_pairs.cycles(pairs) == []
    straight = tag_pairs.resolved(pairs)
    assert set(straight) == set(pairs)
    assert not set(straight.values()) & set(straight)
    assert (tag_pairs.chains(pairs) == []) == (straight == pairs)


@given(pairs=PAIRS)
def test_what_is_written_is_read_back(pairs: dict[str, str]) -> None:
    pairs = {old: new for old, new in pairs.items() if old != new}
    assert tag_pairs.read(tag_pairs.as_text(pairs.items()).splitlines()).pairs == pairs


@pytest.mark.parametrize("pairs", [{"old": "new"}, {"From": "to", "a": "b"}, {"a": "b", "old": "new"}])
def test_tags_that_are_called_like_columns_are_written_as_tags(pairs: dict[str, str]) -> None:
    read = tag_pairs.read(tag_pairs.as_text(pairs.items()).splitlines())
    assert read.pairs == {old.lower(): new for old, new in pairs.items()}
