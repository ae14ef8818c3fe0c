"""The names of a running installation's cookies, which differ by installation."""

from __future__ import annotations

import requests


def session_cookie_at(address: str) -> str:
    """The name of the session's cookie, after that of the form token, which the sign-in page sets."""
    with requests.Session() as browser:
        browser.trust_env = False
        browser.get(f"{address}/login/", timeout=60)
        (name,) = [cookie.name for cookie in browser.cookies if "-csrf-" in cookie.name]
    return name.replace("-csrf-", "-session-")
