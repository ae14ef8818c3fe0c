"""What was typed into a form that was sent after the session had ended, until its page is shown again.

It travels through the sign-in page in a hidden field, and lies in the session only of a person who has signed
in: nobody else can fill the database with it. Files, passwords and one-time tokens are not kept.
"""

from __future__ import annotations

import json

from django.http import HttpRequest, QueryDict

#: The hidden field of the sign-in page, and the place in the session.
FIELD = "kept"
#: A longer form is not kept here, characters; the browser has its own copy of what was typed.
MOST = 500_000
#: Fields that are of no use a second time; every name with "password" in it is one as well.
UNKEPT = frozenset({"csrfmiddlewaretoken", "nonce", "dry_run", FIELD, "next", "username"})


def packed(data: QueryDict) -> str:
    """The fields of a form that was sent, as a text for the hidden field; "" when none is worth keeping."""
    fields = {
        name: values for name, values in data.lists() if name not in UNKEPT and "password" not in name.lower()
    }
    text = json.dumps(fields)
    return text if fields and len(text) <= MOST else ""


def keep(request: HttpRequest, text: str, *, at: str) -> None:
    """Lay what `packed` made into the session, for the page at the path `at`; what is not that is dropped."""
    fields = _unpacked(text)
    if fields:
        request.session[FIELD] = {"at": at, "fields": fields}


def take(request: HttpRequest) -> QueryDict:
    """What was kept for this page, once; empty when nothing was."""
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
    except ValueError:
        return {}
    if not isinstance(fields, dict):
        return {}
    return {name: values for name, values in fields.items() if name not in UNKEPT and _are_texts(values)}


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
