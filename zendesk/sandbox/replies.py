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


class Refusal(Exception):
    """An answer that is not the one asked for."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def reply(self) -> Reply:
        return answer(self.body, status=self.status, headers=self.headers)


def answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer."""
    cache = OK_CACHE if status < 400 else ERROR_CACHE
    body = json.dumps(value, separators=(",", ":")).encode()
    return Reply(status, body, {"cache-control": cache, **(headers or {})})


def page(html: str, *, status: int = 200) -> Reply:
    return Reply(status, html.encode(), {"cache-control": "no-store"}, content_type=HTML)


def not_found() -> Refusal:
    return Refusal(404, {"error": "RecordNotFound", "description": "Not found"})


def invalid_endpoint() -> Refusal:
    return Refusal(404, {"error": "InvalidEndpoint", "description": "Not found"})


def bad_credentials() -> Refusal:
    return Refusal(401, {"error": "Couldn't authenticate you"})


def invalid_token() -> Refusal:
    why = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return Refusal(401, {"error": "invalid_token", "error_description": why})


def missing_scope(scope: str) -> Refusal:
    why = f"You are missing the following required scopes: {scope}"
    return Refusal(403, {"error": "Forbidden", "description": why})


def forbidden() -> Refusal:
    message = (
        "You do not have access to this page. Please contact the account owner of this help desk for help."
    )
    return Refusal(403, {"error": {"title": "Forbidden", "message": message}})


def invalid_attribute(name: str, what: str) -> Refusal:
    message = f"You passed an invalid value for the {name} attribute. {what}"
    return Refusal(400, {"error": {"title": "Invalid attribute", "message": message}})


def too_many_values() -> Refusal:
    text = "Parameter  cannot specify more than 100 values"  # the double blank is Zendesk's
    return Refusal(400, {"error": "TooManyValues", "description": text, "max_count": 100})


def pagination(code: str, title: str) -> Refusal:
    return Refusal(400, {"errors": [{"code": code, "title": title}]})


def too_deep() -> Refusal:
    return pagination("InvalidPaginationDepth", "Pagination requests using Offset Pagination are limited")


def invalid_record(details: dict[str, list[dict[str, Any]]]) -> Refusal:
    body = {"error": "RecordInvalid", "description": "Record validation errors", "details": details}
    return Refusal(422, body)


def update_conflict() -> Refusal:
    return Refusal(409, {"error": "UpdateConflict", "description": CONFLICT})


def rate_limited(what: str, retry_after: float | str | None) -> Refusal:
    told = retry_after if isinstance(retry_after, str) else str(int(retry_after or 0))
    headers = {} if retry_after is None else {"retry-after": told}
    text = f"Number of allowed {what} requests per minute exceeded"
    return Refusal(429, {"error": "APIRateLimitExceeded", "description": text}, headers)


def too_many_jobs(status: int, current: list[str]) -> Refusal:
    text = "Too many TicketBulkUpdateJobV3 jobs are currently queued or running. Try again later."
    return Refusal(status, {"error": "TooManyJobs", "description": text, "current_job_ids": current})


CONFLICT = (
    "Safe Update prevented the update due to outdated ticket data. "
    "Please fetch the latest ticket data and try again."
)
CLOSED_PREVENTS_UPDATE = "Status: closed prevents ticket update"
