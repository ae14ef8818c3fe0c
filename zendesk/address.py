"""The base URL of an account, and which base URLs may receive credentials."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

SUBDOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def address_of(subdomain: str) -> str:
    """The base URL of an account: ``acme`` gives ``https://acme.zendesk.com``.

    The domain never comes from the input, so a person who may enter a subdomain cannot make the server send
    its credentials elsewhere. Raises ValueError, with a sentence, for anything but a subdomain.
    """
    if not SUBDOMAIN.match(subdomain):
        raise ValueError(
            f"{subdomain!r} is not a Zendesk subdomain. Give only the first part of the address, such as "
            "acme for acme.zendesk.com: lower-case letters, digits and dashes."
        )
    return f"https://{subdomain}.zendesk.com"


def checked_base_url(base_url: str) -> str:
    """The base URL without a trailing slash. Raises ValueError, with a sentence, if it is unusable."""
    parts = urlsplit(base_url)
    # The message does not repeat the address, which may contain a password.
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("The Zendesk address should look like https://acme.zendesk.com.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("The Zendesk address must not contain a user name or password. Set them separately.")
    if parts.query or parts.fragment:
        raise ValueError("The Zendesk address must end after the host or a path, without ? or #.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        log.warning("Zendesk credentials travel unencrypted to %s: use https", parts.hostname)
    return base_url.rstrip("/")
