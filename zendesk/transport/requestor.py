"""One call to Zendesk: authenticated, paced, retried where that is safe, and parsed."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

from zendesk.address import checked_base_url
from zendesk.calls import Call, Request
from zendesk.credentials import Credentials
from zendesk.error_body import one_line, parse_error_body, parse_json
from zendesk.errors import (
    CredentialsRefused,
    PageInstead,
    RateLimited,
    TryLater,
    Unavailable,
    UnexpectedAnswer,
    ZendeskError,
)
from zendesk.transport.attempt import AttemptResult, HttpSession
from zendesk.transport.error_mapping import error_from
from zendesk.transport.gate import EndpointGates, Gate, LocalGate
from zendesk.transport.limits import RateLimit, exhausted_endpoint
from zendesk.transport.retry import RetryBudget

log = logging.getLogger(__name__)

T = TypeVar("T")
Result = TypeVar("Result", AttemptResult, AttemptResult | None)

MAX_BACKGROUND_CALLS = 6  # each in its own thread
#: Seconds from the permission for an attempt to its last byte sent. After that the attempt is not sent: the
#: process was suspended, and the permission may no longer hold.
SEND_WITHIN = 12.0
GATE_TOLERANCE = 0.001  # seconds; a gate that opens sooner counts as open
#: Seconds that an attempt with an end is awaited beyond it: by then it has said itself why it failed.
ATTEMPT_GRACE = 0.1


def never() -> float:
    """The end of a client without one."""
    return math.inf


def nothing(_rate: RateLimit) -> float:
    return 0.0


@runtime_checkable
class ReadsHeaders(Protocol):
    """A record that holds something of its answer's headers too."""

    def with_headers(self, headers: Mapping[str, str]) -> Self: ...


@dataclass(frozen=True, slots=True)
class BackgroundAttempt:
    """The first attempt of a call, running in its own thread; see `Requestor.start`."""

    request: Request
    header: str = field(repr=False)
    future: Future[AttemptResult | None]  # None: nothing was sent


class Requestor:
    """Makes calls to one account. May be used by several threads at once."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        rate_share: float,
        gate: Gate | None,
        max_wait: float,
        on_call: Callable[[Call], None] | None,
        before_call: Callable[[], None] | None = None,
        until: Callable[[], float] = never,
        kept_back: Callable[[RateLimit], float] = nothing,
        product: str = "tag-manager",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if not 0 < rate_share <= 1:
            raise ValueError(
                f"The share of the rate limit must lie above 0 and up to 1, not at {rate_share}."
            )
        self.base_url = checked_base_url(base_url)
        self.now = clock
        self.rate: RateLimit | None = None
        self._credentials = credentials
        self._rate_share = rate_share
        self._gate = gate if gate is not None else LocalGate()
        self._endpoints = EndpointGates()
        self._max_wait = max_wait
        self._on_call = on_call
        self._before_call = before_call
        self._until = until
        self._kept_back = kept_back
        self._sleep = sleep
        self._jitter = jitter
        self._http = HttpSession(self.base_url, clock, product)
        self._threads: ThreadPoolExecutor | None = None
        self._threads_lock = threading.Lock()
        self._background: set[Future[AttemptResult | None]] = (
            set()
        )  # neither finished by `send` nor discarded
        self._warned: set[str] = set()
        self._warned_lock = threading.Lock()

    def start(self, request: Request) -> BackgroundAttempt | None:
        """Run the first attempt in a background thread; `send` finishes the call, `discard` drops a read.

        Only the exchange over HTTP runs in that thread. Gates, credentials, ``before_call`` and ``on_call``
        are used in the caller's, here or in `send`. Returns None if too many calls are running, the account
        may not be called now, or no credentials are to be had: then `send` does everything.
        """
        if self._not_before(request) - self.now() > GATE_TOLERANCE or not self._has_capacity():
            return None
        try:
            header = self._credentials.header(self)
        except ZendeskError:
            return None
        send_by = self._may_send_by()
        future = self._pool().submit(
            self._attempt_unless_stale, request, header, self.now(), send_by, self.seconds_left
        )
        self._background.add(future)
        return BackgroundAttempt(request, header, future)

    def _has_capacity(self) -> bool:
        """Whether one more call may run, even if Zendesk has not counted any of the running ones yet."""
        running = len(self._background)
        if running >= MAX_BACKGROUND_CALLS:
            return False
        if self.rate is None:
            return True
        counted = replace(self.rate, remaining=self.rate.remaining - running)
        return not running or self._hold_for(counted) == 0

    @property
    def seconds_left(self) -> float:
        """Until the client gives up; not negative, and infinite for one that never does."""
        return max(self._until() - time.monotonic(), 0.0)

    def _pool(self) -> ThreadPoolExecutor:
        with self._threads_lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(
                    MAX_BACKGROUND_CALLS, thread_name_prefix="zendesk-background"
                )
            return self._threads

    def discard(self, background: BackgroundAttempt) -> None:
        """Ignore the answer. An attempt that already runs is made nonetheless, and reported."""
        self._background.discard(background.future)
        if not background.future.cancel():
            self._report(background.request, AttemptResult(0.0), attempt=1)

    def send(
        self, request: Request, read: Callable[[Any], T], background: BackgroundAttempt | None = None
    ) -> T:
        """Make the call and return what ``read`` makes of the JSON object in the answer.

        Waits and retries within `max_wait`, and gives up at its end. Raises ZendeskError, and what
        ``before_call`` raises.
        """
        budget = RetryBudget(self._max_wait)
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            header, result = "", None
            if background is not None:
                header, result = background.header, self._result_of(background.future, request)
                self._background.discard(background.future)
                background = None
            if result is None:
                budget = self._pass_gates(request, budget)
                header = self._credentials.header(self) if request.signed else ""
                result = self._attempt(request, header)
            self._report(request, result, attempt)
            try:
                return self._read_result(request, result, read)
            except CredentialsRefused:
                # Zendesk did not carry out a refused call, so even a write is safe to repeat.
                if renewed or not request.signed or not self._credentials.renew(self, header):
                    raise
                renewed = True
            except TryLater as error:
                request, budget = self._before_retry(request, error, budget)

    def _before_retry(
        self, request: Request, error: TryLater, budget: RetryBudget
    ) -> tuple[Request, RetryBudget]:
        """Wait until the call may be tried again, unless a smaller one may be made at once.

        Raises the error if the caller has to handle it.
        """
        is_too_large = isinstance(error, Unavailable) and error.too_large and budget.attempts > 1
        if is_too_large and self.seconds_left and (smaller := request.smaller()):
            return smaller, budget.spend(0.0, attempts=1)
        pause = budget.backoff_after(error, self._jitter)
        if pause is None or pause >= self.seconds_left:
            raise error
        log.warning("%s %s: trying again in %.1f s: %s", request.method, request.path, pause, error)
        if pause:
            self._sleep(pause)
        return request, budget.spend(pause, attempts=1)

    def _attempt(self, request: Request, header: str) -> AttemptResult:
        """One attempt; in a thread if it has an end, since a look-up of an address cannot be interrupted."""
        if math.isinf(self.seconds_left):
            return self._http.attempt(request, header, self._may_send_by())
        if not self.seconds_left:
            return self._too_late(fate_unknown=False)
        send_by = self._may_send_by()
        attempt = self._pool().submit(
            self._http.attempt, request, header, min(send_by, self._until()), self.seconds_left
        )
        return self._result_of(attempt, request)

    def _result_of(self, attempt: Future[Result], request: Request) -> Result | AttemptResult:
        """The result of an attempt; of one that is still under way at the end, that there is no answer."""
        left = self.seconds_left
        try:
            return attempt.result(None if math.isinf(left) else left + ATTEMPT_GRACE)
        except TimeoutError:
            # Not in its queue any more: the request may be on its way.
            return self._too_late(fate_unknown=request.kind == "write" and not attempt.cancel())

    def _too_late(self, *, fate_unknown: bool) -> AttemptResult:
        after = " It is not known whether the change was made." if fate_unknown else ""
        error = Unavailable(f"{self._http.host} did not answer in time.{after}", fate_unknown=fate_unknown)
        return AttemptResult(0.0, error=error)

    def fetch_token(self, path: str, grant: Mapping[str, object]) -> Mapping[str, Any]:
        """POST a grant without credentials. It may be retried: a repeated grant only makes another token."""
        return self.send(Request("POST", path, body=grant, kind="token", signed=False), dict)

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    def _pass_gates(self, request: Request, budget: RetryBudget) -> RetryBudget:
        """Wait until the account and the endpoint may be called. Raises RateLimited for too long a wait."""
        while (wait := self._not_before(request) - self.now()) > GATE_TOLERANCE:
            if wait > min(budget.seconds, self.seconds_left):
                raise RateLimited(
                    "The account's calls for this minute are used up. The next one is possible in "
                    f"{wait:.0f} seconds.",
                    retry_after=wait,
                )
            log.info("waiting %.1f s before %s %s", wait, request.method, request.path)
            self._sleep(wait)
            budget = budget.spend(wait)
        return budget

    def _not_before(self, request: Request) -> float:
        return max(self._gate.not_before(), self._endpoints.not_before(request.endpoint))

    def _read_result(self, request: Request, result: AttemptResult, read: Callable[[Any], T]) -> T:
        """Parse the answer with ``read``. Raises the attempt's error, or the one that the answer means."""
        try:
            answer = self._parse_result(request, result, read)
        except (UnexpectedAnswer, PageInstead) as error:
            error.call = f"{request.method} {request.path}"
            raise
        if request.page_size:
            request.page_size.arrived(request.size, result.seconds)
        return answer

    def _parse_result(self, request: Request, result: AttemptResult, read: Callable[[Any], T]) -> T:
        if result.error is not None or result.status is None:
            raise result.error or RuntimeError("There is neither an answer nor an error.")
        is_write = request.kind == "write"
        status, headers, body = result.status, result.headers, result.body
        self._record_headers(request, headers)
        data = parse_json(body) if 200 <= status < 300 else None
        if isinstance(data, dict) and "error" not in data:
            try:
                record = read(data)
                return record.with_headers(headers) if isinstance(record, ReadsHeaders) else record
            except UnexpectedAnswer as error:
                error.status, error.fate_unknown = status, is_write
                raise
        if 200 <= status < 300 and data is None:
            kind = PageInstead if parse_error_body(body).is_html else Unavailable
            raise kind(
                f"Zendesk's answer could not be read: {self._http.host} did not send complete JSON.",
                status=status,
                fate_unknown=is_write,
            )
        # By kind, not by method: fetching a token is a POST that may be repeated.
        refusal = error_from(
            status, headers, body, method="PUT" if is_write else "GET", advice=self._credentials.advice
        )
        if isinstance(refusal, RateLimited):
            self._hold_after_429(request, headers, refusal)
        raise refusal

    def _may_send_by(self) -> float:
        """Ask `before_call` for permission; returns until when it holds (`time.monotonic`)."""
        send_by = time.monotonic() + SEND_WITHIN
        if self._before_call is not None:
            self._before_call()
        return send_by

    def _attempt_unless_stale(
        self, request: Request, header: str, started_at: float, send_by: float, seconds: float
    ) -> AttemptResult | None:
        """Attempt the call unless it is late by wall-clock time too, which runs on while a machine sleeps."""
        is_fresh = abs(self.now() - started_at) <= SEND_WITHIN
        return self._http.attempt(request, header, send_by, seconds) if is_fresh else None

    def _report(self, request: Request, result: AttemptResult, attempt: int) -> None:
        log.debug("%s %s: %s in %.3f s", request.method, request.path, result.status, result.seconds)
        if self._on_call is not None:
            call = Call(request.kind, request.method, request.path, result.status, result.seconds, attempt)
            self._on_call(call)

    def _record_headers(self, request: Request, headers: Mapping[str, str]) -> None:
        """Record rate limits and warnings from the headers of any answer."""
        if rate := RateLimit.from_headers(headers):
            self.rate = rate
            if hold := self._hold_for(rate):
                why = f"{rate.remaining} of {rate.limit} calls are left in this minute"
                self._gate.hold(self.now() + hold, why)
        if warning := headers.get("x-zendesk-api-warn"):
            self._warn_once(request, one_line(warning))

    def _hold_for(self, rate: RateLimit) -> float:
        return rate.hold_for(self._rate_share, self._kept_back(rate))

    def _warn_once(self, request: Request, warning: str) -> None:
        """Log each warning once: Zendesk drops unknown keys with a 200, and calls repeat by the thousand."""
        seen = f"{request.endpoint} {warning}"
        with self._warned_lock:
            if seen in self._warned:
                return
            self._warned.add(seen)
        log.warning("%s %s: Zendesk ignored a part of the call: %s", request.method, request.path, warning)

    def _hold_after_429(self, request: Request, headers: Mapping[str, str], error: RateLimited) -> None:
        until = self.now() + (error.retry_after or 0.0)
        if endpoint := exhausted_endpoint(headers):
            log.warning(
                "limit %s is used up: %s waits %s s", endpoint.name, request.endpoint, error.retry_after
            )
            self._endpoints.hold(request.endpoint, until)
        elif request.has_own_limit and _may_call_on(headers):
            log.warning("%s takes no calls for %s s", request.endpoint, error.retry_after)
            self._endpoints.hold(request.endpoint, until)
        else:
            log.warning("Zendesk takes no calls for %s s", error.retry_after)
            self._gate.hold(until, error.text)


def _may_call_on(headers: Mapping[str, str]) -> bool:
    account = RateLimit.from_headers(headers)
    return account is not None and account.remaining > 0
