"""HTTP replies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"

OK_CACHE = "max-age=0, private, must-revalidate"
ERROR_CACHE = "no-cache"


@dataclass(slots=True)
class Reply:
    """An answer, or a broken connection in place of one."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    transport: Literal["whole", "reset", "trickle"] = "whole"
    """"reset" closes the connection without an answer; "trickle" sends it byte by byte."""
    pause: float = 0.0
    """Seconds between two bytes of a trickling reply."""
    headers_trickle: bool = False


def json_reply(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    cache = OK_CACHE if status < 400 else ERROR_CACHE
    body = json.dumps(value, separators=(",", ":")).encode()
    return Reply(status, body, {"cache-control": cache, **(headers or {})})


def html_reply(html: str, *, status: int = 200) -> Reply:
    return Reply(status, html.encode(), {"cache-control": "no-store"}, content_type=HTML)
