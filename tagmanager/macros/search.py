"""Finding macros by text: in their titles, in what they do, in their tags, in what they say."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from html import unescape

from jobs.reports.exports import escape_formula
from tagmanager.account import asking, connection
from tagmanager.account.asking import Known, Question
from tagmanager.account.tag_references import ADMIN_PATHS
from tagmanager.macros import field_names
from tagmanager.macros.field_names import FieldNames
from zendesk import Action, Macro, Zendesk

#: The parts of a macro that can be searched, and their labels.
PARTS = {"title": "Title", "does": "What it does", "tags": "Tags", "comment": "Comment"}
#: Actions that post a comment (developer.zendesk.com, macros).
COMMENT_FIELDS = ("comment_value", "comment_value_html")
#: Values that stand for the person who applies the macro.
CURRENT = {
    "current_user": "the person who applies it",
    "current_groups": "the groups of the person who applies it",
}
#: Seconds for which the macros are current, and the most calls to read them: a page has a hundred.
CURRENT_SECONDS, MOST_CALLS = 120.0, 20
HTML_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Account:
    """Its macros, and the names of its groups and fields."""

    macros: tuple[Macro, ...]
    names: FieldNames


@dataclass(frozen=True, slots=True)
class Found:
    """A macro in words; the names are those of the exports."""

    id: int
    title: str
    active: bool
    does: tuple[str, ...]  # one action each, such as "status: solved"; no comments
    tags: tuple[str, ...]
    comment: str  # plain text; "" for none
    address: str  # its page in Zendesk


def account_macros() -> Known[Account]:
    """All macros that the connected user may see, cached for two minutes."""
    return asking.ask(Question("macro-search", _read, most_calls=MOST_CALLS, lasts=lambda _: CURRENT_SECONDS))


def in_words(known: Account) -> tuple[Found, ...]:
    """Active ones first, then by title. Raises `NotConnected`."""
    account = connection.address()
    found = (_in_words(macro, known, account) for macro in known.macros)
    return tuple(sorted(found, key=lambda macro: (not macro.active, macro.title.lower())))


def _read(zendesk: Zendesk) -> Account:
    macros = tuple(zendesk.macros())
    named = {action.field for macro in macros for action in macro.actions}
    return Account(macros, field_names.read(zendesk, named))


def search(known: Account, text: str, parts: Iterable[str]) -> list[Found]:
    """Those in which each word of the text stands in one of the parts, whatever its case."""
    wanted, places = text.casefold().split(), list(parts)
    return [macro for macro in in_words(known) if _has(macro, wanted, places)]


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
        writer.writerow([escape_formula(cell) for cell in line])
    return buffer.getvalue()


def as_json(found: Iterable[Found]) -> str:
    return json.dumps([asdict(macro) for macro in found], ensure_ascii=False, indent=1)


def _in_words(macro: Macro, known: Account, account: str) -> Found:
    comments = [_text(action.value) for action in macro.actions if action.field in COMMENT_FIELDS]
    return Found(
        id=macro.id,
        title=macro.title,
        active=macro.active,
        does=tuple(_words(action, known) for action in macro.actions if action.field not in COMMENT_FIELDS),
        tags=tuple(sorted(macro.tags)),
        comment="\n".join(filter(None, comments)),
        address=f"{account}/{ADMIN_PATHS['macro']}/{macro.id}",
    )


def _words(action: Action, known: Account) -> str:
    value = known.names.value(action.field, _text(action.value))
    return f"{known.names.label(action.field)}: {CURRENT.get(value, value)}"


def _text(value: object) -> str:
    """A value as plain text: rich text without its markup, lists part by part, channels left out."""
    if isinstance(value, list):
        parts = value[1:] if len(value) == 2 and str(value[0]).startswith("channel:") else value
        return " ".join(_text(part) for part in parts)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ("true", "false"):
        return "yes" if value == "true" else "no"
    return " ".join(unescape(HTML_TAG.sub(" ", str(value or ""))).split())


def _has(macro: Found, wanted: Iterable[str], places: Iterable[str]) -> bool:
    words = {
        "title": macro.title,
        "does": " ".join(macro.does),
        "tags": " ".join(macro.tags),
        "comment": macro.comment,
    }
    text = "\n".join(words[place] for place in places).casefold()
    return all(word in text for word in wanted)
