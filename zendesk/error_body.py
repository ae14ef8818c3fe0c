"""What Zendesk says when it refuses: one reading of all the shapes an error body has.

Five JSON envelopes occur, some endpoints answer with no body at all, and in front of the API stand
machines that answer with text or HTML (developer.zendesk.com, requests; the zenpy cassettes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST_TEXT = 400  # characters of someone else's words that a sentence of ours repeats
LONGEST_CODE = 80
MOST_DETAILS = 20

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_SAID = ("description", "detail", "message", "title", "error")
_CODE = re.compile(r"[\w.:-]+\Z")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error body, read. Everything may be empty; nothing is longer than a person wants to read."""

    code: str = ""  # Zendesk's word for programs, such as RecordNotFound
    text: str = ""  # Zendesk's words for people
    details: tuple[str, ...] = ()  # one per field, such as "Status: closed prevents ticket update"
    is_html: bool = False
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)


def read_error_body(body: bytes) -> ErrorBody:
    """Read an error body, whatever it is. Never raises."""
    data = parsed(body)
    if isinstance(data, dict):
        return error_body_of(data)
    if isinstance(data, str):
        return ErrorBody(text=plain(data))
    text = body[:20_000].decode("utf-8", "replace")
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        title = _TITLE.search(text)
        return ErrorBody(text=plain(title[1]) if title else "", is_html=True)
    # A JSON body that was cut off says nothing to a person.
    return ErrorBody() if text.lstrip().startswith(("{", "[")) else ErrorBody(text=plain(text))


def parsed(body: bytes) -> Any:
    """The JSON value of a body, or None when it is not (whole) JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def error_body_of(data: Mapping[str, Any]) -> ErrorBody:
    """Read the error from a JSON object: ``error`` as code, sentence or object, or ``errors``."""
    error = data.get("error")
    words = [data.get(key) for key in ("description", "error_description", "message", "detail")]
    details = tuple(_flatten(data.get("details")))
    match error:
        case dict():
            code = error.get("code") or error.get("title") or ""
            words = [error.get("message"), error.get("description"), error.get("title"), *words]
        case str() if _CODE.match(error):
            code = error
        case str():
            code, words = "", [error, *words]
        case _:
            code = data.get("code") or ""
            words = [*words, data.get("title")]
    errors = data.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        code = code or errors[0].get("code") or ""
        said = [e.get("detail") or e.get("title") or e.get("message") for e in errors if isinstance(e, dict)]
        words = [*words, "; ".join(plain(text) for text in said[:MOST_DETAILS] if isinstance(text, str))]
    else:
        details += tuple(_flatten(errors))
    text = next((plain(word) for word in words if isinstance(word, str) and word.strip()), "")
    code = plain(code)[:LONGEST_CODE] if isinstance(code, str) else ""
    return ErrorBody(code=code, text=text, details=details[:MOST_DETAILS], data=data)


def plain(text: str) -> str:
    """One line of bounded length, without control characters: fit for a log and for a page."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: LONGEST_TEXT * 2]).split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


def flattened(value: object) -> str:
    """The sentences inside a ``details`` or ``errors`` value of any shape, on one line."""
    return plain("; ".join(text for _, text in zip(range(MOST_DETAILS), _flatten(value), strict=False)))


def _flatten(value: object, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield plain(value)
    elif isinstance(value, list | tuple) and depth < 4:
        for item in value[:MOST_DETAILS]:
            yield from _flatten(item, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        said = next((value[key] for key in _SAID if isinstance(value.get(key), str)), None)
        if said is not None:
            yield plain(said)
        else:
            for name, item in list(value.items())[:MOST_DETAILS]:
                # Zendesk mostly repeats the field's name inside the sentence ("Status: closed prevents …").
                for text in _flatten(item, depth + 1):
                    yield text if ":" in text or name == "base" else plain(f"{name}: {text}")
