"""Where an account lives, and which addresses credentials may be sent to."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

SUBDOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def address_of(subdomain: str) -> str:
    """The address of an account: ``acme`` gives ``https://acme.zendesk.com``.

    The domain is never taken from the input, so that nobody who may type a subdomain can make the
    server send its credentials elsewhere. Raises ValueError with a sentence for anything else.
    """
    if not SUBDOMAIN.match(subdomain):
        raise ValueError(
            f"{subdomain!r} is not a Zendesk subdomain. Give only the first part of the address, such as "
            "acme for acme.zendesk.com: lower-case letters, digits and dashes."
        )
    return f"https://{subdomain}.zendesk.com"


def checked_base_url(base_url: str) -> str:
    """The address without a closing slash. Raises ValueError when calls cannot be built on it."""
    parts = urlsplit(base_url)
    # Not repeated in the message: someone may have put a password into it.
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("The Zendesk address should look like https://acme.zendesk.com.")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "The Zendesk address must not hold a user name or a password. Give them apart from it."
        )
    if parts.query or parts.fragment:
        raise ValueError("The Zendesk address must end after the host or a path, without ? or #.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        log.warning("Zendesk credentials travel unencrypted to %s: use https", parts.hostname)
    return base_url.rstrip("/")
