"""Network failures as Unavailable: whether the request may have reached Zendesk."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import RemoteDisconnected

import requests
import urllib3.exceptions

from zendesk.errors import Unavailable

# Raised before the first byte of a request is sent; a failed DNS lookup is a NewConnectionError too.
NEVER_SENT = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)
# The second comes alone if the headers arrived in time and the body did not.
TIMED_OUT = (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError)
CLOSED_BY_SERVER = (RemoteDisconnected, ConnectionResetError, BrokenPipeError)


def unavailable_from(exc: Exception, *, host: str, is_write: bool) -> Unavailable:
    causes = list(_causes(exc))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Unavailable(
            f"This machine does not trust the certificate of {host}, so nothing was sent. Check the address, "
            "this machine's certificates, and those of any proxy."
        )
    if any(isinstance(cause, NEVER_SENT) for cause in causes):
        return Unavailable(
            f"{host} cannot be reached, so nothing was sent. Check the network and the address."
        )
    after = " It is not known whether the change was made." if is_write else ""
    if any(isinstance(cause, TIMED_OUT) for cause in causes):
        return Unavailable(f"{host} did not answer in time.{after}", fate_unknown=is_write, too_large=True)
    return Unavailable(
        f"The connection to {host} broke before the answer was complete.{after}",
        fate_unknown=is_write,
        dropped=any(isinstance(cause, CLOSED_BY_SERVER) for cause in causes),
    )


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and all it wraps: as cause or, with requests and urllib3, as reason or argument.

    Not its context: that includes unrelated errors the caller happens to handle, such as an earlier call that
    was never sent.
    """
    seen: set[int] = set()
    waiting: list[object] = [exc]
    while waiting:
        found = waiting.pop()
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, getattr(found, "reason", None), *found.args]
