"""A form that was sent after the session had ended, saved until its page is shown again.

It passes through the sign-in page in a hidden field, and enters a session only once the person has signed in:
nobody else can fill the database with it. Files, passwords and one-time tokens are not saved.
"""

from __future__ import annotations

import json
from urllib.parse import quote_plus

from django.http import HttpRequest, QueryDict

#: The hidden field of the sign-in page, and the key in the session.
FIELD = "kept"
#: The longest form that is saved, bytes as the browser sends it: somebody who is not signed in may send
#: little more (`tagmanager.middleware.upload_limit`). The browser has its own copy of a tool's form.
MOST = 50_000
#: Fields that are useless a second time; so is every field with "password" in its name.
UNKEPT = frozenset({"csrfmiddlewaretoken", "nonce", "dry_run", FIELD, "next", "username"})


def packed(data: QueryDict) -> str:
    """The fields of a form that was sent, as text for the hidden field; "" if none is worth saving."""
    fields = {
        name: values for name, values in data.lists() if name not in UNKEPT and "password" not in name.lower()
    }
    text = json.dumps(fields)
    return text if fields and len(quote_plus(text)) <= MOST else ""


def keep(request: HttpRequest, text: str, *, at: str) -> None:
    """Store the text of `packed` in the session for the page at the path `at`; drop anything else."""
    fields = _unpacked(text)
    if fields:
        request.session[FIELD] = {"at": at, "fields": fields}


def take(request: HttpRequest) -> QueryDict:
    """The saved form of this page, once; empty if there is none."""
    found = QueryDict(mutable=True)
    if FIELD not in request.session:
        return found
    laid = request.session.pop(FIELD)
    if laid["at"] == request.path:
        for name, values in laid["fields"].items():
            found.setlist(name, values)
    return found


def _unpacked(text: str) -> dict[str, list[str]]:
    try:
        fields = json.loads(text[: MOST + 1])
    except (ValueError, RecursionError):  # the latter for thousands of lists in each other
        return {}
    if not isinstance(fields, dict):
        return {}
    return {name: values for name, values in fields.items() if name not in UNKEPT and _are_texts(values)}


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
