"""One attempt of a call over HTTP, without pacing or retries."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlencode, urlsplit

import requests
import requests.auth
import urllib3

from zendesk.calls import Request
from zendesk.errors import Unavailable
from zendesk.transport.deadline import AnswerTooLong, DeadlineAdapter, NotSentInTime, read_body, within
from zendesk.transport.echoes import Echoes
from zendesk.transport.network_errors import unavailable_from

CONNECT_TIMEOUT = 5.0  # seconds to connect to one address of the host
#: Seconds for a whole attempt, from its start to the last byte of the answer. Callers rely on it: a worker
#: that renews its lease on a job between two attempts must not lose it during one.
ATTEMPT_TIMEOUT = 30.0

POOL_SIZE = 10  # connections to keep open for re-use; more threads open and close their own


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """The answer to one attempt, or the error that prevented one."""

    seconds: float
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    error: Exception | None = None


class HttpSession:
    """A pool of connections to one account. May be used by several threads at once."""

    def __init__(self, base_url: str, clock: Callable[[], float], product: str) -> None:
        self.host = urlsplit(base_url).netloc
        self._base_url = base_url
        self._clock = clock
        self._session = _session(product)

    def close(self) -> None:
        self._session.close()

    def attempt(
        self, request: Request, header: str, send_by: float, seconds: float = math.inf
    ) -> AttemptResult:
        """Send the request, unless `send_by` (`time.monotonic`) has passed. Never raises.

        It is over after `seconds` or `ATTEMPT_TIMEOUT`, but for a look-up of the host's address, which
        nothing can interrupt.
        """
        is_write = request.kind == "write"
        seconds = min(seconds, ATTEMPT_TIMEOUT)
        query = f"?{urlencode(request.params, safe=',')}" if request.params else ""
        body = None if request.body is None else json.dumps(request.body).encode()
        started = self._clock()
        error: Exception
        if seconds <= 0:
            return AttemptResult(0.0, error=Unavailable(f"{self.host} did not answer in time."))
        try:
            with within(seconds, send_by=send_by):
                response = self._session.request(
                    request.method,
                    f"{self._base_url}{request.path}{query}",
                    data=body,
                    headers={"Content-Type": "application/json"} if body is not None else None,
                    auth=_Authorization(header),
                    timeout=(min(CONNECT_TIMEOUT, seconds), seconds),
                    # Credentials go to the configured host and to no other.
                    allow_redirects=False,
                    stream=True,
                )
                content = read_body(response)
            headers = response.headers
            if request.kind != "token" or not response.ok:  # what is granted is taken as it is
                echoes = Echoes(request, header)
                headers, content = echoes.mask_headers(headers), echoes.mask(content)
            return AttemptResult(self._clock() - started, response.status_code, headers, content)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
            error = unavailable_from(exc, host=self.host, is_write=is_write)
            error.__cause__ = exc
        except NotSentInTime:
            error = Unavailable(f"Nothing was sent to {self.host}: this program was suspended for a while.")
        except AnswerTooLong as exc:
            error = Unavailable(
                f"{self.host} sent an answer that is too large to be read.",
                fate_unknown=is_write,
                too_large=True,
            )
            error.__cause__ = exc
        return AttemptResult(self._clock() - started, error=error)


class _Authorization(requests.auth.AuthBase):
    """Sets the Authorization header.

    It is passed as ``auth`` because requests would replace a plain header with credentials from a .netrc
    file.
    """

    def __init__(self, header: str) -> None:
        self._header = header

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._header:
            prepared.headers["Authorization"] = self._header
        return prepared


def _session(product: str) -> requests.Session:
    session = requests.Session()
    # No retries at this level: the requestor alone decides about them.
    adapter = DeadlineAdapter(
        pool_connections=1, pool_maxsize=POOL_SIZE, max_retries=urllib3.Retry(0, read=False)
    )
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    # Threads share the cookie jar, and a session cookie could authenticate calls as someone else.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(
        {
            "User-Agent": f"{product} (+bulk tagging of Zendesk tickets)",
            # Without it errors may come as text or HTML (developer.zendesk.com, requests).
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
    )
    return session
