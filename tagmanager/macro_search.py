"""Finding macros by text: in their titles, in what they do, in their tags, in what they say."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from html import unescape

from jobs.exports import harmless
from tagmanager import connections
from tagmanager.glance import ask, kept
from tagmanager.namings import PLACES
from zendesk import Action, Macro

#: Where to look, and how people call it.
PARTS = {"title": "Title", "does": "What it does", "tags": "Tags", "comment": "Comment"}
#: Actions that say something to somebody (developer.zendesk.com, macros).
COMMENTS = ("comment_value", "comment_value_html")
#: Shown instead of Zendesk's names of fields.
LABELS = {
    "current_tags": "add tags",
    "set_tags": "set tags",
    "remove_tags": "remove tags",
    "group_id": "group",
    "assignee_id": "assignee",
    "comment_mode_is_public": "public comment",
}
TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Found:
    """A macro in words; the names are those of the exports."""

    id: int
    title: str
    active: bool
    does: tuple[str, ...]  # "status: solved", an action each, comments left out
    tags: tuple[str, ...]
    comment: str  # plain text; "" where it says nothing
    address: str  # Zendesk's page of it


def macros() -> tuple[Found, ...]:
    """All macros that the connected user may see, kept for two minutes; active ones first, then by title.

    Raises `NotConnected` or `ZendeskError`.
    """
    account = connections.address()
    found = kept(f"macro-search:{account}", lambda: tuple(ask(lambda z: list(z.macros()))), seconds=120)
    return tuple(
        sorted((_told(macro, account) for macro in found), key=lambda m: (not m.active, m.title.lower()))
    )


def search(text: str, parts: Iterable[str]) -> list[Found]:
    """Those in which each word of the text stands in one of the parts, whatever its case."""
    wanted, places = text.casefold().split(), list(parts)
    return [macro for macro in macros() if _has(macro, wanted, places)]


def as_csv(found: Iterable[Found]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("id", "title", "active", "does", "tags", "comment", "address"))
    for macro in found:
        line = (
            macro.id,
            macro.title,
            "yes" if macro.active else "no",
            "; ".join(macro.does),
            " ".join(macro.tags),
            macro.comment,
            macro.address,
        )
        writer.writerow([harmless(cell) for cell in line])
    return buffer.getvalue()


def as_json(found: Iterable[Found]) -> str:
    return json.dumps([asdict(macro) for macro in found], ensure_ascii=False, indent=1)


def _told(macro: Macro, account: str) -> Found:
    comments = [_text(action.value) for action in macro.actions if action.field in COMMENTS]
    return Found(
        id=macro.id,
        title=macro.title,
        active=macro.active,
        does=tuple(_words(action) for action in macro.actions if action.field not in COMMENTS),
        tags=tuple(sorted(macro.tags)),
        comment="\n".join(filter(None, comments)),
        address=f"{account}/{PLACES['macro']}/{macro.id}",
    )


def _words(action: Action) -> str:
    label = LABELS.get(action.field, action.field.replace("_", " "))
    return f"{label}: {_text(action.value) or 'none'}"


def _text(value: object) -> str:
    """A value as plain text: rich text without its markup, lists part by part, channels left out."""
    if isinstance(value, list):
        parts = value[1:] if len(value) == 2 and str(value[0]).startswith("channel:") else value
        return " ".join(_text(part) for part in parts)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("true", "false"):
        return "yes" if value == "true" else "no"
    return " ".join(unescape(TAG.sub(" ", str(value or ""))).split())


def _has(macro: Found, wanted: Iterable[str], places: Iterable[str]) -> bool:
    words = {
        "title": macro.title,
        "does": " ".join(macro.does),
        "tags": " ".join(macro.tags),
        "comment": macro.comment,
    }
    text = "\n".join(words[place] for place in places).casefold()
    return all(word in text for word in wanted)
