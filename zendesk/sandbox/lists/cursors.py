"""Cursors as Zendesk writes them.

A view's cursor is a sort and an offset, though it looks like a key; a list's cursor holds the last key. Both
are base64 of JSON whose values are base64 of a type letter and bytes (seen in zenpy's cassettes).
"""

import base64
import binascii
import json
import struct
from typing import Any


def _text(value: str) -> str:
    raw = value.encode()
    return base64.b64encode(b"s" + struct.pack("<I", len(raw)) + raw).decode()


def _whole(value: int) -> str:
    return base64.b64encode(b"i" + struct.pack("<q", value)).decode()


def _encode(members: dict[str, Any]) -> str:
    return base64.b64encode(json.dumps(members, separators=(",", ":")).encode()).decode()


def _decode(cursor: str) -> dict[str, Any]:
    try:
        members = json.loads(base64.b64decode(cursor, validate=True))
        return dict(members)
    except (binascii.Error, TypeError, ValueError) as exc:
        raise ValueError("The cursor cannot be read.") from exc


def _number(text: Any) -> int:
    try:
        number: int = struct.unpack("<q", base64.b64decode(str(text))[1:9])[0]
    except (binascii.Error, struct.error, ValueError) as exc:
        raise ValueError("The cursor cannot be read.") from exc
    return number


def encode_offset(sort: str, offset: int) -> str:
    """`sort`: such as "nice_id desc"."""
    return _encode({"sort": _text(sort), "offset": _whole(offset)})


def decode_offset(cursor: str) -> int:
    return _number(_decode(cursor).get("offset"))


def encode_key(order: str, key: int) -> str:
    """`order`: the columns, such as "nice_id"."""
    return _encode({"o": order, "v": _whole(key)})


def decode_key(cursor: str) -> int:
    return _number(_decode(cursor).get("v"))


def encode_export(key: int, created: int, exported: int, started: float) -> str:
    """Of search/export: remembers when the walk began, since it may last an hour only."""
    return _encode(
        {
            "field": "created_at",
            "desc": True,
            "tieBreakField": "id",
            "tieBreakDesc": False,
            "sortValues": [created * 1000, key],
            "exportedThusFar": exported,
            "sessionStart": int(started * 1000),
        }
    )


def decode_export(cursor: str) -> tuple[int, int, float]:
    """Last ticket number, how many were exported, and when the walk began (seconds since 1970)."""
    members = _decode(cursor)
    try:
        return int(members["sortValues"][1]), int(members["exportedThusFar"]), members["sessionStart"] / 1000
    except (KeyError, TypeError, IndexError, ValueError) as exc:
        raise ValueError("The cursor cannot be read.") from exc


def encode_incremental(updated: int, key: int) -> str:
    """Of the incremental export."""
    return base64.b64encode(f"{updated}.0||{key}|".encode()).decode()


def decode_incremental(cursor: str) -> tuple[int, int]:
    """The time (seconds since 1970) and the ticket number where the walk stands."""
    try:
        updated, _, key = base64.b64decode(cursor, validate=True).decode().rstrip("|").partition("||")
        return int(float(updated)), int(key)
    except (binascii.Error, ValueError) as exc:
        raise ValueError("The cursor cannot be read.") from exc
