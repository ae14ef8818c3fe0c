"""Parsing error bodies of any shape.

There are five JSON shapes; some endpoints send no body, and proxies in front of the API answer with text or
HTML (developer.zendesk.com, requests; the zenpy cassettes).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_TEXT_LENGTH = 400  # characters that our sentences quote from an answer
MAX_CODE_LENGTH = 80
MAX_DETAILS = 20

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MESSAGE_KEYS = ("description", "detail", "message", "title", "error")
_CODE = re.compile(r"[\w.:-]+\Z")
# Characters that PostgreSQL (NUL) or UTF-8 (half of a surrogate pair) refuses, and how JSON may spell them.
_REFUSED = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# DatabaseConflict, DatabaseDeadlock (zenpy issue 58, zendesk_api_client_php issue 314) and their like.
_PASSING_CODE = re.compile(r"database|deadlock|lock_?wait|time_?out|unavailable|^temporar", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """A parsed error body. Every part may be empty, and none is longer than a person wants to read."""

    code: str = ""  # for programs, such as RecordNotFound
    text: str = ""  # for people
    details: tuple[str, ...] = ()  # one per field, such as "Status: closed prevents ticket update"
    is_html: bool = False
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)


def parse_error_body(body: bytes) -> ErrorBody:
    """Parse any error body. Never raises."""
    data = parse_json(body)
    if isinstance(data, dict):
        return parse_error_object(data)
    if isinstance(data, str):
        return ErrorBody(text=one_line(data))
    text = body[:20_000].decode("utf-8", "replace")
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        title = _TITLE.search(text)
        return ErrorBody(text=one_line(title[1]) if title else "", is_html=True)
    # Truncated JSON means nothing to people.
    return ErrorBody() if text.lstrip().startswith(("{", "[")) else ErrorBody(text=one_line(text))


def parse_json(body: bytes) -> Any:
    """The JSON value of a body, or None if it is not complete JSON.

    Characters that PostgreSQL or UTF-8 refuses are replaced in all texts and keys, numbers that JSON does not
    have by None. Nothing after this has to think of them.
    """
    try:
        text = body.decode(json.detect_encoding(body), "replace")
        value = json.loads(text, strict=False, parse_constant=lambda _: None, parse_float=_finite)
        return _cleaned(value) if "\x00" in text or _ESCAPED.search(text) else value
    except (ValueError, RecursionError):
        return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _REFUSED.sub("\ufffd", value) if _REFUSED.search(value) else value
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return value


def parse_error_object(data: Mapping[str, Any]) -> ErrorBody:
    """Parse the error in a JSON object: ``error`` as a code, sentence or object, or ``errors``."""
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
        words = [*words, "; ".join(one_line(text) for text in said[:MAX_DETAILS] if isinstance(text, str))]
    else:
        details += tuple(_flatten(errors))
    text = next((one_line(word) for word in words if isinstance(word, str) and word.strip()), "")
    code = one_line(code)[:MAX_CODE_LENGTH] if isinstance(code, str) else ""
    return ErrorBody(code=code, text=text, details=details[:MAX_DETAILS], data=data)


def is_passing(code: str) -> bool:
    """Whether a code says that Zendesk's database was busy, so that the same change may succeed later."""
    return bool(_PASSING_CODE.search(code))


def one_line(text: str) -> str:
    """The text as one line of limited length without control characters, safe for logs and pages."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: MAX_TEXT_LENGTH * 2]).split())
    return line if len(line) <= MAX_TEXT_LENGTH else line[: MAX_TEXT_LENGTH - 1] + "…"


def joined_details(value: object) -> str:
    """The sentences in a ``details`` or ``errors`` value of any shape, joined into one line."""
    return one_line("; ".join(text for _, text in zip(range(MAX_DETAILS), _flatten(value), strict=False)))


def _flatten(value: object, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield one_line(value)
    elif isinstance(value, list | tuple) and depth < 4:
        for item in value[:MAX_DETAILS]:
            yield from _flatten(item, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        said = next((value[key] for key in _MESSAGE_KEYS if isinstance(value.get(key), str)), None)
        if said is not None:
            yield one_line(said)
        else:
            for name, item in list(value.items())[:MAX_DETAILS]:
                # The sentence usually begins with the field's name already ("Status: closed prevents …").
                for text in _flatten(item, depth + 1):
                    yield text if ":" in text or name == "base" else one_line(f"{name}: {text}")
