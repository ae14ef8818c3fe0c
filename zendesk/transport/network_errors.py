"""From a failure of the network to Unavailable: did the call leave this machine or not?"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import RemoteDisconnected

import requests
import urllib3.exceptions

from zendesk.errors import Unavailable

# Raised before the first byte of a call is sent; a failed name look-up is a NewConnectionError too.
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
# The second comes alone where the headers were in time and the body was not.
TOO_LATE = (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError)
DROPPED = (RemoteDisconnected, ConnectionResetError, BrokenPipeError)


def unavailable_from(exc: Exception, *, host: str, is_write: bool) -> Unavailable:
    causes = list(_causes(exc))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Unavailable(
            f"The certificate of {host} is not trusted here, so nothing was sent. Check the address, and the "
            "certificates of this machine and of a proxy in between."
        )
    if any(isinstance(cause, NEVER_SENT) for cause in causes):
        return Unavailable(
            f"{host} cannot be reached, so nothing was sent. Check the network and the address."
        )
    after = " Whether the change was carried out is not known." if is_write else ""
    if any(isinstance(cause, TOO_LATE) for cause in causes):
        return Unavailable(f"{host} did not answer in time.{after}", fate_unknown=is_write)
    return Unavailable(
        f"The connection to {host} broke before the answer was complete.{after}",
        fate_unknown=is_write,
        dropped=any(isinstance(cause, DROPPED) for cause in causes),
    )


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception and all it wraps: as cause, or, as requests and urllib3 do, as reason or argument.

    Not its context: that reaches out to whatever the caller happens to be handling, such as an earlier
    call that was never sent.
    """
    seen: set[int] = set()
    waiting: list[object] = [exc]
    while waiting:
        found = waiting.pop()
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            waiting += [found.__cause__, getattr(found, "reason", None), *found.args]
