"""The API's error answers, in Zendesk's own words."""

from collections.abc import Mapping
from typing import Any

from zendesk.sandbox.replies import Reply, json_reply


class ApiError(Exception):
    """An error answer; endpoints raise it instead of returning a reply."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def reply(self) -> Reply:
        return json_reply(self.body, status=self.status, headers=self.headers)


def not_found() -> ApiError:
    return ApiError(404, {"error": "RecordNotFound", "description": "Not found"})


def invalid_endpoint() -> ApiError:
    return ApiError(404, {"error": "InvalidEndpoint", "description": "Not found"})


def bad_credentials() -> ApiError:
    return ApiError(401, {"error": "Couldn't authenticate you"})


def invalid_token() -> ApiError:
    why = "The access token provided is expired, revoked, malformed or invalid for other reasons."
    return ApiError(401, {"error": "invalid_token", "error_description": why})


def missing_scope(scope: str) -> ApiError:
    why = f"You are missing the following required scopes: {scope}"
    return ApiError(403, {"error": "Forbidden", "description": why})


def forbidden() -> ApiError:
    message = (
        "You do not have access to this page. Please contact the account owner of this help desk for help."
    )
    return ApiError(403, {"error": {"title": "Forbidden", "message": message}})


def invalid_attribute(name: str, what: str) -> ApiError:
    message = f"You passed an invalid value for the {name} attribute. {what}"
    return ApiError(400, {"error": {"title": "Invalid attribute", "message": message}})


def too_many_values() -> ApiError:
    text = "Parameter  cannot specify more than 100 values"  # the double space is Zendesk's
    return ApiError(400, {"error": "TooManyValues", "description": text, "max_count": 100})


def pagination(code: str, title: str) -> ApiError:
    return ApiError(400, {"errors": [{"code": code, "title": title}]})


def too_deep() -> ApiError:
    return pagination("InvalidPaginationDepth", "Pagination requests using Offset Pagination are limited")


def invalid_record(details: dict[str, list[dict[str, Any]]]) -> ApiError:
    body = {"error": "RecordInvalid", "description": "Record validation errors", "details": details}
    return ApiError(422, body)


def update_conflict() -> ApiError:
    return ApiError(409, {"error": "UpdateConflict", "description": CONFLICT})


def rate_limited(what: str, retry_after: float | str | None) -> ApiError:
    seconds = retry_after if isinstance(retry_after, str) else str(int(retry_after or 0))
    headers = {} if retry_after is None else {"retry-after": seconds}
    text = f"Number of allowed {what} requests per minute exceeded"
    return ApiError(429, {"error": "APIRateLimitExceeded", "description": text}, headers)


def too_many_jobs(status: int, current: list[str]) -> ApiError:
    text = "Too many TicketBulkUpdateJobV3 jobs are currently queued or running. Try again later."
    return ApiError(status, {"error": "TooManyJobs", "description": text, "current_job_ids": current})


CONFLICT = (
    "Safe Update prevented the update due to outdated ticket data. "
    "Please fetch the latest ticket data and try again."
)


CLOSED_PREVENTS_UPDATE = "Status: closed prevents ticket update"
