"""A ticket carries 5,096 characters of tags: a tool skips a ticket that its change would take past that."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.work import Skipped
from tagmanager.ticket_change import MacroPreview, TicketChange, TicketSnapshot
from tagmanager.tools.apply_macro import ApplyMacro
from tagmanager.tools.bulk_tag import BulkTag
from tagmanager.tools.rename_tags import RenameTags
from tagmanager.tools.tag_rows import TagRows

#: 19 tags, the separators between them and one after them: 19 * 251 characters.
FULL = frozenset(f"{number:0>250}" for number in range(19))
#: What is left beside "old" and its separator, and in its place.
BESIDE_OLD, IN_PLACE_OF_OLD = 5096 - 19 * 251 - len("old "), 5096 - 19 * 251
TOO_LONG = Skipped(
    "too_many_tags",
    "With this change its tags would be longer than 5,096 characters together, the most that Zendesk keeps "
    "on a ticket. Remove some tags from it first.",
)
MACRO: dict[str, Any] = {
    "macro": 1, "macro_title": "A macro", "add": [], "remove": [], "set": [], "fields": {}, "left_out": [],
}  # fmt: skip


def ticket(foreseen: MacroPreview | None = None) -> TicketSnapshot:
    return TicketSnapshot(1, FULL | {"old"}, "open", "2026-01-01T00:00:00Z", macro_preview=foreseen)


def bulk_tag(new: str) -> Any:
    return BulkTag().change_for(ticket(), {"add": [new], "remove": [], "set": []})


def bulk_tag_in_place_of_old(new: str) -> Any:
    return BulkTag().change_for(ticket(), {"add": [new], "remove": ["old"], "set": []})


def rename_tags(new: str) -> Any:
    return RenameTags().change_for(ticket(), {"pairs": {"old": new}})


def tag_rows(new: str) -> Any:
    return TagRows().change_for(ticket(), {"add": [new], "remove": []})


def apply_macro(new: str) -> Any:
    return ApplyMacro().change_for(ticket(), MACRO | {"add": [new]})


def apply_macro_as_foreseen(new: str) -> Any:
    foreseen = ticket(MacroPreview(FULL | {"old", new}))
    return ApplyMacro().change_for(foreseen, MACRO | {"as_of": "2026-01-01T00:00:00Z"})


@pytest.mark.parametrize(
    ("asked", "room"),
    [
        (bulk_tag, BESIDE_OLD),
        (bulk_tag_in_place_of_old, IN_PLACE_OF_OLD),
        (rename_tags, IN_PLACE_OF_OLD),
        (tag_rows, BESIDE_OLD),
        (apply_macro, BESIDE_OLD),
        (apply_macro_as_foreseen, BESIDE_OLD),
    ],
)
def test_a_tag_is_added_while_all_fit_and_the_ticket_is_skipped_from_one_character_more(
    asked: Any, room: int
) -> None:
    change = asked("n" * room)
    assert isinstance(change, TicketChange)
    assert change.add == {"n" * room}
    carried = change.applied_to(ticket().tags)
    assert len(" ".join(carried)) == 5096
    assert asked("n" * (room + 1)) == TOO_LONG
