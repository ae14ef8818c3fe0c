"""What goes back over the wire, and the refusals in Zendesk's words."""

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
    """"reset": the connection is closed without an answer; "trickle": it comes byte by byte."""
    pause: float = 0.0
    """Seconds between two bytes of one that trickles."""
    head_trickles: bool = False


def answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    cache = OK_CACHE if status < 400 else ERROR_CACHE
    body = json.dumps(value, separators=(",", ":")).encode()
    return Reply(status, body, {"cache-control": cache, **(headers or {})})


def page(html: str, *, status: int = 200) -> Reply:
    return Reply(status, html.encode(), {"cache-control": "no-store"}, content_type=HTML)
