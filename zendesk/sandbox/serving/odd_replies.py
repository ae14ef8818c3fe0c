"""Answers that are odd although their work is done: records, lists and characters that nobody expects."""

import json
from typing import Any

from zendesk.sandbox.faults import FaultRule
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request

ODD_KINDS = frozenset(
    {"odd_records", "odd_answer", "odd_characters", "has_more_without_cursor", "cursor_repeats"}
)
_TEXTS = ("subject", "raw_subject", "message", "details", "description", "name", "title")


def odd(rule: FaultRule, request: Request, reply: Reply) -> Reply:
    """The reply as the fault spoils it; errors stay as they are."""
    if reply.status >= 300:
        return reply
    body = json.loads(reply.body)
    match rule.kind:
        case "odd_answer":
            body = rule.params.get("body", {})
        case "odd_records":
            _spoil_records(rule.params, body)
        case "has_more_without_cursor" if _is_last(body) or rule.params.get("early"):
            _open_end(body, None)
        case "cursor_repeats" if _is_last(body) or rule.params.get("early"):
            _open_end(body, request.query.get("page[after]") or request.query.get("cursor"))
        case "odd_characters":
            body = _with_odd_characters(body)
    made = json_reply(body, status=reply.status)
    return Reply(reply.status, made.body, reply.headers, reply.content_type)


def _is_last(body: dict[str, Any]) -> bool:
    return body.get("end_of_stream") is True or body.get("meta", {}).get("has_more") is False


def _records(body: Any) -> list[dict[str, Any]]:
    """The records of a list, or the one of a single answer."""
    values = body.values() if isinstance(body, dict) else ()
    found = next((value for value in values if isinstance(value, list)), None)
    return found if found is not None else [value for value in values if isinstance(value, dict)][:1]


def _spoil_records(params: dict[str, Any], body: Any) -> None:
    records = _records(body)
    ids = params.get("ids")
    for record in [one for one in records if one.get("id") in ids] if ids else records[:1]:
        record.update(params.get("change", {}))
        for name in params.get("drop", ()):
            record.pop(name, None)


def _open_end(body: dict[str, Any], cursor: str | None) -> None:
    """The list says that there are more after this page: at the cursor, the page's own, or nowhere."""
    if "end_of_stream" in body:
        body |= {"end_of_stream": False, "after_cursor": cursor}
    else:
        body["meta"] = {"has_more": True, "after_cursor": cursor, "before_cursor": None}


def _with_odd_characters(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _with_odd_characters(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [
            f"{part}\x00\ud800" if key == "tags" and isinstance(part, str) else _with_odd_characters(part)
            for part in value
        ]
    return f"{value}\x00\ud800" if key in _TEXTS and isinstance(value, str) else value


def without_cursor(request: Request, size: int) -> Request:
    """The request as an endpoint takes it that pages by number, whatever it is asked for."""
    by_number = {name: value for name, value in request.query.items() if not name.startswith("page[")}
    if len(by_number) < len(request.query):
        request.query = by_number | {"per_page": str(size)}
    return request


def without_paging(reply: Reply) -> Reply:
    """The list without a word about further pages."""
    body = json.loads(reply.body)
    for name in ("meta", "links", "next_page", "previous_page", "count"):
        body.pop(name, None)
    return Reply(reply.status, json_reply(body).body, reply.headers, reply.content_type)
