"""Checked access to the members of a JSON object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zendesk.errors import UnexpectedAnswer


def json_object(raw: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise unexpected(what, raw)
    return raw


def json_id(raw: Mapping[str, Any], what: str) -> int:
    id_ = raw.get("id")
    if type(id_) is not int:
        raise unexpected(what, raw)
    return id_


def json_text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


_SHAPES = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
}


def shape_of(value: Any) -> str:
    """The kind of a JSON value in words, without the value, which may be private."""
    if value == "":
        return "empty"
    return _SHAPES.get(type(value), "an object")


def unexpected(what: str, raw: Any) -> UnexpectedAnswer:
    # The keys only: values may be private.
    seen = ", ".join(sorted(map(str, raw))[:20]) if isinstance(raw, dict) else type(raw).__name__
    return UnexpectedAnswer(f"Zendesk sent {what} in a shape this program does not understand ({seen}).")
