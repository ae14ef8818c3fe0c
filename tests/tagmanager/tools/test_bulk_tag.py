"""The tool that adds, removes and sets tags: its form and its function."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.work import PreviousResult, Unchanged
from tagmanager.changes import undo
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools.bulk_tag import BulkTag, BulkTagForm

TAGS = st.frozensets(st.sampled_from(["a", "b", "c", "d", "e"]))


def ticket(*tags: str) -> TicketSnapshot:
    return TicketSnapshot(1, frozenset(tags), "open", "2026-01-01T00:00:00Z")


def params(add: Any = (), remove: Any = (), exact: Any = ()) -> dict[str, Any]:
    return {"add": sorted(add), "remove": sorted(remove), "set": sorted(exact)}


def test_only_what_a_ticket_really_gains_and_loses_is_sent() -> None:
    change = BulkTag().change_for(ticket("a", "b"), params(add=["a", "c"], remove=["b", "d"]))
    assert change == TicketChange(frozenset("c"), frozenset("b"))


def test_a_ticket_that_is_as_wished_is_left_alone() -> None:
    assert BulkTag().change_for(ticket("a"), params(add=["a"], remove=["b"])) == Unchanged()
    assert BulkTag().change_for(ticket("a", "b"), params(exact=["b", "a"])) == Unchanged()


def test_set_exactly_takes_all_other_tags_away() -> None:
    change = BulkTag().change_for(ticket("a", "b"), params(exact=["b", "c"]))
    assert change == TicketChange(frozenset("c"), frozenset("a"), exact=True)


@given(before=TAGS, add=TAGS, remove=TAGS, exact=st.booleans())
def test_what_is_undone_is_as_before(
    before: frozenset[str], add: frozenset[str], remove: frozenset[str], exact: bool
) -> None:
    wish = params(exact=add) if exact else params(add=add, remove=remove - add)
    change = BulkTag().change_for(ticket(*before), wish)
    if isinstance(change, TicketChange):
        after = change.applied_to(before)
        earlier = PreviousResult(ticket(*before).to_json(), change.to_json(), "changed")
        back = undo.change_for(ticket(*after), earlier)
        assert isinstance(back, TicketChange)
        assert back.applied_to(after) == before
        assert change.is_shown_by(ticket(*after))
        assert undo.touched_since(ticket(*after), earlier) == ""


@given(before=TAGS, add=TAGS, remove=TAGS, now=TAGS)
def test_undo_never_touches_a_tag_that_the_job_did_not(
    before: frozenset[str], add: frozenset[str], remove: frozenset[str], now: frozenset[str]
) -> None:
    change = BulkTag().change_for(ticket(*before), params(add=add, remove=remove - add))
    if isinstance(change, TicketChange):
        earlier = PreviousResult(ticket(*before).to_json(), change.to_json(), "changed")
        back = undo.change_for(ticket(*now), earlier)
        if isinstance(back, TicketChange):
            assert back.applied_to(now) ^ now <= change.add | change.remove


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ({"add": "vip"}, "Add vip to tickets of view X"),
        ({"remove": "a b"}, "Remove a, b from tickets of view X"),
        ({"add": "VIP, vip", "remove": "old"}, "Add vip and remove old on tickets of view X"),
        ({"set": "a b c d e f"}, "Set the tags to exactly a, b, c, d and 2 more on tickets of view X"),
    ],
)
def test_the_form_makes_parameters_and_the_tool_a_title(data: dict[str, str], title: str) -> None:
    form = BulkTagForm(data)
    assert form.is_valid(), form.errors
    assert BulkTag().title(form.params(), "tickets of view X") == title


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "at least one tag"),
        ({"add": " , "}, "at least one tag"),
        ({"add": "vip!"}, "vip! would be stored as vip"),
        ({"add": "a b", "remove": "B"}, "b cannot be both added and removed"),
        ({"add": "a", "set": "b"}, "cannot be combined"),
        ({"add": " ".join(f"{number}{'x' * 200}" for number in range(30))}, "5,096 characters"),
    ],
)
def test_what_cannot_be_is_refused_in_words(data: dict[str, str], sentence: str) -> None:
    form = BulkTagForm(data)
    assert not form.is_valid()
    assert sentence in form.errors.as_text()
