"""One call to Zendesk over HTTP: signed, paced, tried again where that does no harm, and read."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
import requests.auth
import urllib3

from zendesk.address import checked_base_url
from zendesk.calls import Call, Request
from zendesk.credentials import Credentials
from zendesk.error_body import parsed, plain
from zendesk.error_mapping import error_from
from zendesk.errors import (
    CredentialsRefused,
    RateLimited,
    TryLater,
    Unavailable,
    UnexpectedAnswer,
    ZendeskError,
)
from zendesk.transport.deadline import Adapter, TooLate, TooLong, whole_body, within
from zendesk.transport.gate import EndpointGates, Gate, LocalGate
from zendesk.transport.limits import RateLimit, exhausted_endpoint
from zendesk.transport.network_errors import unavailable_from
from zendesk.transport.retry import RetryBudget

log = logging.getLogger(__name__)

T = TypeVar("T")

VERSION = "0.1.0"
USER_AGENT = f"tag-manager/{VERSION} (+bulk tagging of Zendesk tickets)"

CONNECT_TIMEOUT = 5.0  # seconds until the connection to one address of the host stands
#: Seconds for one try in all, from its start to the last byte of the answer. Callers rely on it: a worker
#: that keeps its right to a job alive between two tries must not lose it during one.
TRY_TIMEOUT = 30.0

CONNECTIONS = 10  # kept open for re-use; more threads than that open and close their own
UNDER_WAY = 6  # calls that are made meanwhile, each in a thread of its own
#: Seconds. A call that was begun longer ago and has not left yet does not leave any more: the process was
#: frozen meanwhile, and what allowed it may not hold any longer.
LEAVES_WITHIN = 12.0
OPEN = 0.001  # seconds; a gate that opens sooner than this is open


@dataclass(frozen=True, slots=True)
class Tried:
    """How one try went over the wire: an answer, or the error that kept it from coming."""

    seconds: float
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """The first try of a call, under way in a thread of its own; see ``Transport.begin``."""

    request: Request
    header: str = field(repr=False)
    tried: Future[Tried | None]  # None: it never left


class Requestor:
    """Makes calls to one account. May be used by several threads at once."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        rate_share: float,
        gate: Gate | None,
        patience: float,
        on_call: Callable[[Call], None] | None,
        before_call: Callable[[], None] | None = None,
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
        self._patience = patience
        self._on_call = on_call
        self._before_call = before_call
        self._sleep = sleep
        self._jitter = jitter
        self._host = urlsplit(self.base_url).netloc
        self._session = _session()
        self._threads: ThreadPoolExecutor | None = None
        self._under_way: set[Future[Tried | None]] = set()  # begun, and not yet taken or dropped
        self._warned: set[str] = set()
        self._warned_lock = threading.Lock()

    def begin(self, request: Request) -> Begun | None:
        """Make the first try meanwhile; `send` takes what came of it, or `drop` gives a reading up.

        Only the wire is waited for in another thread. All that asks or tells others (gates, credentials,
        ``before_call``, ``on_call``) is done in the caller's, now or in `send`. None where as many are under
        way as may be, the account may not be called just now, or nothing to sign with is to be had: then
        `send` alone meets that.
        """
        if self._not_before(request) - self.now() > OPEN or not self._has_room():
            return None
        try:
            header = self._credentials.header(self)
        except ZendeskError:
            return None
        leave_by = self._allowed()
        if self._threads is None:
            self._threads = ThreadPoolExecutor(UNDER_WAY, thread_name_prefix="zendesk-meanwhile")
        tried = self._threads.submit(self._try_soon, request, header, self.now(), leave_by)
        self._under_way.add(tried)
        return Begun(request, header, tried)

    def _has_room(self) -> bool:
        """Whether one more may be under way, also if none of the others has been counted by Zendesk yet."""
        under_way = len(self._under_way)
        if under_way >= UNDER_WAY:
            return False
        if self.rate is None:
            return True
        counted = replace(self.rate, remaining=self.rate.remaining - under_way)
        return not under_way or counted.hold_for(self._rate_share) == 0

    def drop(self, begun: Begun) -> None:
        """Nobody wants the answer any more; a call that has begun is made all the same."""
        self._under_way.discard(begun.tried)
        if not begun.tried.cancel():
            self._tell(begun.request, Tried(0.0), attempt=1)

    def send(self, request: Request, read: Callable[[Any], T], begun: Begun | None = None) -> T:
        """Make the call and return what ``read`` makes of the JSON object in the answer.

        Waits and tries again within the patience. Raises ZendeskError, and what ``before_call`` raises.
        """
        budget = RetryBudget(self._patience)
        renewed = False
        attempt = 0
        while True:
            attempt += 1
            header, tried = "", None
            if begun is not None:
                header, tried = begun.header, begun.tried.result()
                self._under_way.discard(begun.tried)
                begun = None
            if tried is None:
                budget = self._pass_gates(request, budget)
                header = self._credentials.header(self) if request.signed else ""
                tried = self._try(request, header, self._allowed())
            self._tell(request, tried, attempt)
            try:
                return self._outcome(request, tried, read)
            except CredentialsRefused:
                # Refused means not carried out, so this is safe for a write too.
                if renewed or not request.signed or not self._credentials.renew(self, header):
                    raise
                renewed = True
            except TryLater as error:
                pause = budget.pause_after(error, self._jitter)
                if pause is None:
                    raise
                log.warning("%s %s: trying again in %.1f s: %s", request.method, request.path, pause, error)
                if pause:
                    self._sleep(pause)
                budget = budget.spend(pause, tries=1)

    def fetch_token(self, path: str, grant: Mapping[str, object]) -> Mapping[str, Any]:
        """POST a grant, unsigned. A repeated grant only makes one more token, so it may be repeated."""
        return self.send(Request("POST", path, body=grant, kind="token", signed=False), dict)

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    def _pass_gates(self, request: Request, budget: RetryBudget) -> RetryBudget:
        """Wait until the account and the endpoint may be called; RateLimited when that takes too long."""
        while (wait := self._not_before(request) - self.now()) > OPEN:
            if wait > budget.seconds:
                raise RateLimited(
                    "The calls that this account allows per minute are used up for the moment. It goes on in "
                    f"{wait:.0f} seconds.",
                    retry_after=wait,
                )
            log.info("waiting %.1f s before %s %s", wait, request.method, request.path)
            self._sleep(wait)
            budget = budget.spend(wait)
        return budget

    def _not_before(self, request: Request) -> float:
        return max(self._gate.not_before(), self._endpoints.not_before(request.endpoint))

    def _outcome(self, request: Request, tried: Tried, read: Callable[[Any], T]) -> T:
        """What ``read`` makes of the answer; raises the error that it means, or that came in place of one."""
        if tried.error is not None or tried.status is None:
            raise tried.error or RuntimeError("There is neither an answer nor an error.")
        is_write = request.kind == "write"
        status, headers, body = tried.status, tried.headers, tried.body
        self._note(request, headers)
        data = parsed(body) if 200 <= status < 300 else None
        if isinstance(data, dict) and "error" not in data:
            try:
                return read(data)
            except UnexpectedAnswer as error:
                error.status, error.fate_unknown = status, is_write
                raise
        if 200 <= status < 300 and data is None:
            raise Unavailable(
                f"Zendesk's answer could not be read: {self._host} sent something else than whole JSON.",
                status=status,
                fate_unknown=is_write,
            )
        # Not by the method: fetching a token is a POST that may be repeated.
        refusal = error_from(
            status, headers, body, method="PUT" if is_write else "GET", advice=self._credentials.advice
        )
        if isinstance(refusal, RateLimited):
            self._hold_after_429(request, headers, refusal)
        raise refusal

    def _allowed(self) -> float:
        """Ask whoever calls whether the next try may be made; it may leave until then (`time.monotonic`)."""
        leave_by = time.monotonic() + LEAVES_WITHIN
        if self._before_call is not None:
            self._before_call()
        return leave_by

    def _try_soon(self, request: Request, header: str, begun_at: float, leave_by: float) -> Tried | None:
        """`_try`, unless it is late by the clock on the wall too, which runs on while a machine sleeps."""
        is_soon = abs(self.now() - begun_at) <= LEAVES_WITHIN
        return self._try(request, header, leave_by) if is_soon else None

    def _try(self, request: Request, header: str, leave_by: float) -> Tried:
        """One try over the wire and nothing else, so that any thread may make it; never raises."""
        is_write = request.kind == "write"
        query = f"?{urlencode(request.params, safe=',')}" if request.params else ""
        body = None if request.body is None else json.dumps(request.body).encode()
        started = self.now()
        error: Exception
        try:
            with within(TRY_TIMEOUT, leave_by=leave_by):
                response = self._session.request(
                    request.method,
                    f"{self.base_url}{request.path}{query}",
                    data=body,
                    headers={"Content-Type": "application/json"} if body is not None else None,
                    auth=_Signature(header),
                    timeout=(CONNECT_TIMEOUT, TRY_TIMEOUT),
                    # Credentials go to the configured host and to no other.
                    allow_redirects=False,
                    stream=True,
                )
                answered = whole_body(response)
            return Tried(self.now() - started, response.status_code, response.headers, answered)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
            error = unavailable_from(exc, host=self._host, is_write=is_write)
            error.__cause__ = exc
        except TooLate:
            error = Unavailable(f"Nothing was sent to {self._host}: the program stood still for a while.")
        except TooLong as exc:
            error = Unavailable(
                f"{self._host} sent an answer without end; it was not read any further.",
                fate_unknown=is_write,
            )
            error.__cause__ = exc
        return Tried(self.now() - started, error=error)

    def _tell(self, request: Request, tried: Tried, attempt: int) -> None:
        log.debug("%s %s: %s in %.3f s", request.method, request.path, tried.status, tried.seconds)
        if self._on_call is not None:
            call = Call(request.kind, request.method, request.path, tried.status, tried.seconds, attempt)
            self._on_call(call)

    def _note(self, request: Request, headers: Mapping[str, str]) -> None:
        """Keep what the headers tell besides the answer itself."""
        if rate := RateLimit.from_headers(headers):
            self.rate = rate
            if hold := rate.hold_for(self._rate_share):
                why = f"{rate.remaining} of {rate.limit} calls are left in this minute"
                self._gate.hold(self.now() + hold, why)
        if warning := headers.get("x-zendesk-api-warn"):
            self._warn_once(request, plain(warning))

    def _warn_once(self, request: Request, warning: str) -> None:
        """Zendesk drops unknown keys with a 200; 10,000 equal calls need not say so 10,000 times."""
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


class _Signature(requests.auth.AuthBase):
    """Puts the Authorization header in.

    As ``auth`` and not as a plain header, because requests would put credentials from a .netrc file in
    the place of the latter.
    """

    def __init__(self, header: str) -> None:
        self._header = header

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._header:
            prepared.headers["Authorization"] = self._header
        return prepared


def _session() -> requests.Session:
    session = requests.Session()
    # What may be tried again is decided here alone, hence no retries below.
    adapter = Adapter(pool_connections=1, pool_maxsize=CONNECTIONS, max_retries=urllib3.Retry(0, read=False))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # A session cookie could sign calls as someone else, and a cookie jar is shared between threads.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(
        {
            "User-Agent": USER_AGENT,
            # Without it an error may come as text or HTML (developer.zendesk.com, requests).
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
    )
    return session
