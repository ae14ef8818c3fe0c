"""The app below a path of a host, such as https://example.com/tags/ (`SCRIPT_NAME`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.urls import get_resolver

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: What links can begin with, without any escaping.
SEGMENTS = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")


def checked_sub_path(path: str) -> None:
    """Raise ValueError with a sentence if the app cannot be reached below this path."""
    if not path:
        return
    if not SEGMENTS.fullmatch(path):
        raise ValueError(
            f"{path!r} is not a path such as /tags: a slash, then letters, digits, dots, dashes, underscores."
        )
    # Nobody could tell whether a proxy had taken such a prefix off.
    first = path.split("/")[1]
    own = {re.split(r"[/<]", str(pattern.pattern))[0] for pattern in get_resolver().url_patterns}
    if first in own | {"static"}:
        raise ValueError(f"{path} begins like /{first} of the app; choose another name, such as /tags.")


def below(prefix: str, application: WSGIApplication) -> WSGIApplication:
    """The application, reached below the prefix, whether a proxy in front takes it off or not."""
    if not prefix:
        return application

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == prefix:  # cookies are for what is below it
            query = environ.get("QUERY_STRING", "")
            target = f"{prefix}/?{query}" if query else f"{prefix}/"
            start_response("308 Permanent Redirect", [("Location", target), ("Content-Length", "0")])
            return []
        if path.startswith(f"{prefix}/"):
            environ["PATH_INFO"] = path.removeprefix(prefix)
        environ["SCRIPT_NAME"] = prefix
        return application(environ, start_response)

    return answer
