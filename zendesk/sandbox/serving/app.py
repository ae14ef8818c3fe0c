"""One call from its arrival to its answer: faults, credentials, limits, endpoint."""

import random
import threading
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from zendesk.sandbox.access import require
from zendesk.sandbox.endpoints import account
from zendesk.sandbox.errors import (
    ApiError,
    bad_credentials,
    invalid_endpoint,
    invalid_token,
    rate_limited,
    too_many_jobs,
)
from zendesk.sandbox.faults import FaultRule
from zendesk.sandbox.replies import HTML, Reply
from zendesk.sandbox.serving import control, html_pages, odd_replies, routes
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.serving.runtimes import runtime
from zendesk.sandbox.state import Sandbox

_HTML_BODY = (
    b"<!DOCTYPE html><html><head><title>Zendesk</title></head><body>We'll be right back</body></html>"
)
_ERROR_WORDS = {
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}
#: The lists that have no pages by number.
EXPORTS = frozenset({"search/export", "incremental/tickets/cursor"})
_HANG_SECONDS = 3600.0


class App:
    """Answers calls to a `Sandbox`. Thread-safe: all but waiting happens under the sandbox's lock."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.closing = threading.Event()
        """Set when the server shuts down; ends all waits."""

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one call. Header names must be in Title-Case."""
        began = time.perf_counter()
        parts = urlsplit(target)
        path = unquote(parts.path)
        request = Request(
            method=method,
            path=path.removesuffix(".json"),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            body=body,
            headers=headers,
            base=self.sandbox.options.canonical_url or f"http://{headers.get('Host', 'localhost')}",
        )
        if path.startswith("/_control/"):
            return control.handle(self.sandbox, request)
        if path.startswith("/api/v2/") or path == "/oauth/tokens":
            return self._api(request, began)
        return html_pages.handle(self.sandbox, request)

    def _api(self, request: Request, began: float) -> Reply:
        sandbox = self.sandbox
        found = routes.find(request.method, request.path)
        name = (
            "POST oauth/tokens" if request.path == "/oauth/tokens" else found[0].name if found else "unknown"
        )
        # The recorded times are those of whole calls, so our own work counts towards them. A read sees the
        # tickets as they were when the call arrived; a write happens when its answer is due.
        answer_at = began + sandbox.options.latency + sandbox.options.runtime_scale * runtime(name)
        if request.method != "GET":
            self._wait(answer_at - time.perf_counter())
        with sandbox.lock:
            rules = sandbox.faults.for_call(request.method, request.path)
        for rule in rules:
            if rule.kind == "hang" and not rule.params.get("after_work"):
                self._wait(float(rule.params.get("seconds", _HANG_SECONDS)))
        with sandbox.lock:
            now = sandbox.advance()
            sandbox.ledger.calls[name] += 1
            reply = self._answer(request, found, rules, now)
            sandbox.ledger.answers[reply.status] += 1
            reply.headers |= sandbox.limits.headers(now)
        if request.method == "GET":
            self._wait(answer_at - time.perf_counter())
        reply.headers |= {
            "x-runtime": f"{time.perf_counter() - began:.6f}",
            "x-zendesk-api-version": "v2",
            "x-request-id": f"{random.getrandbits(64):016x}",
        }
        for rule in rules:
            if rule.kind == "hang" and rule.params.get("after_work"):
                self._wait(float(rule.params.get("seconds", _HANG_SECONDS)))
        return reply

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.closing.wait(seconds)

    def _answer(
        self,
        request: Request,
        found: "tuple[routes.Route, dict[str, object]] | None",
        rules: list[FaultRule],
        now: float,
    ) -> Reply:
        for rule in rules:
            broken = self._reply_instead(rule)
            if broken is not None:
                return broken
        try:
            reply = self._run_endpoint(request, found, now)
        except ApiError as refusal:
            reply = refusal.reply()
        reply.headers |= request.extra_headers
        for rule in rules:
            reply = _broken_afterwards(rule, request, reply)
        return reply

    def _run_endpoint(
        self, request: Request, found: "tuple[routes.Route, dict[str, object]] | None", now: float
    ) -> Reply:
        sandbox = self.sandbox
        if request.path == "/oauth/tokens":
            if request.method != "POST":
                raise invalid_endpoint()
            return account.token(sandbox, request)
        request.scopes = sandbox.access.scopes(request.headers.get("Authorization"), now)
        sandbox.limits.count_call(now)
        if found is None:
            raise invalid_endpoint()
        route, names = found
        if request.scopes is not None:
            require(request.scopes, route.scope, *route.fine_scopes)
        elif not route.is_public:
            raise bad_credentials()
        options = sandbox.options
        if options.paging == "cursor" or request.method != "GET" or route.path in EXPORTS:
            return route.endpoint(sandbox, request, **names)
        reply = route.endpoint(sandbox, odd_replies.without_cursor(request, options.page_size), **names)
        return reply if options.paging == "number" else odd_replies.without_paging(reply)

    def _reply_instead(self, rule: FaultRule) -> Reply | None:
        params = rule.params
        match rule.kind:
            case "rate_limited":
                reply = rate_limited("API", params.get("retry_after", 1)).reply()
                return _as_html(reply, 429) if params.get("html") else reply
            case "server_error_before" | "refused":
                return _server_error_reply(rule) if rule.kind != "refused" else _refusal_reply(rule)
            case "reset_before":
                return Reply(0, b"", transport="reset")
            case "too_many_jobs":
                sandbox = self.sandbox
                return too_many_jobs(sandbox.options.too_many_jobs_status, sandbox.jobs.open_ids()).reply()
            case "unauthorized":
                return invalid_token().reply()
            case "revoke_tokens":
                self.sandbox.access.revoke_tokens()
        return None


def _broken_afterwards(rule: FaultRule, request: Request, reply: Reply) -> Reply:
    match rule.kind:
        case kind if kind in odd_replies.ODD_KINDS:
            return odd_replies.odd(rule, request, reply)
        case "page_too_large" if request.integer("page[size]", request.integer("per_page", 100)) > int(
            rule.params.get("above", 500)
        ):
            return _server_error_reply(rule)
        case "server_error_after":
            return _server_error_reply(rule)
        case "reset_after":
            return Reply(0, b"", transport="reset")
        case "trickle":
            reply.transport = "trickle"
            reply.pause = float(rule.params.get("pause", 1.0))
            reply.headers_trickle = bool(rule.params.get("head"))
        case "truncated":
            reply.body = reply.body[: len(reply.body) // 2]
        case "html":
            return _as_html(reply, int(rule.params.get("status", 200)))
    return reply


def _server_error_reply(rule: FaultRule) -> Reply:
    status = int(rule.params.get("status", 504 if rule.kind == "page_too_large" else 503))
    retry_after = rule.params.get("retry_after")
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    word = _ERROR_WORDS.get(status, "ServiceUnavailable")
    reply = ApiError(
        status, {"error": word, "description": "Something went wrong on our side."}, headers
    ).reply()
    return _as_html(reply, status) if rule.params.get("html") else reply


def _refusal_reply(rule: FaultRule) -> Reply:
    status = int(rule.params.get("status", 403))
    body = {"error": rule.params.get("code", "Forbidden"), "description": rule.params.get("text", "")}
    reply = ApiError(status, body).reply()
    return _as_html(reply, status) if rule.params.get("html") else reply


def _as_html(reply: Reply, status: int) -> Reply:
    return Reply(status, _HTML_BODY, dict(reply.headers), content_type=HTML)
