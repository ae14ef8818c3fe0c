"""Cursors as Zendesk writes them.

A view's cursor holds a sort order and an offset, a list's cursor the last key. Both are base64 of JSON whose
values are base64 of a type letter and bytes (as in zenpy's cassettes). Decoding raises ValueError.
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
    """A view's cursor; `sort` is a column and a direction, such as "nice_id desc"."""
    return _encode({"sort": _text(sort), "offset": _whole(offset)})


def decode_offset(cursor: str) -> int:
    return _number(_decode(cursor).get("offset"))


def encode_key(order: str, key: int) -> str:
    """A list's cursor; `order` is its sort columns, such as "nice_id"."""
    return _encode({"o": order, "v": _whole(key)})


def decode_key(cursor: str) -> int:
    return _number(_decode(cursor).get("v"))


def encode_export(key: int, created: int, exported: int, started: float) -> str:
    """A cursor of search/export, which records when the export began: it may take one hour only."""
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
    """The last ticket id, the number of tickets exported, and when the export began (seconds since 1970)."""
    members = _decode(cursor)
    try:
        return int(members["sortValues"][1]), int(members["exportedThusFar"]), members["sessionStart"] / 1000
    except (KeyError, TypeError, IndexError, ValueError) as exc:
        raise ValueError("The cursor cannot be read.") from exc


def encode_incremental(updated: int, key: int) -> str:
    """A cursor of the incremental export."""
    return base64.b64encode(f"{updated}.0||{key}|".encode()).decode()


def decode_incremental(cursor: str) -> tuple[int, int]:
    """The time of change (seconds since 1970) and the id of the last ticket exported."""
    try:
        updated, _, key = base64.b64decode(cursor, validate=True).decode().rstrip("|").partition("||")
        return int(float(updated)), int(key)
    except (binascii.Error, ValueError) as exc:
        raise ValueError("The cursor cannot be read.") from exc
