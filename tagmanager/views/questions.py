"""Which pages may ask Zendesk something, for whom, and how long each may wait for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponseBase

from jobs.views.permissions import ACT, P, View
from tagmanager.account import patience

#: Seconds for all questions of one request: a page, a part of one, and a form that was sent.
PAGE, PART, FORM = 1.0, 5.0, 5.0


def may_ask(seconds: float) -> Callable[[View[P]], View[P]]:
    """Let the view ask Zendesk for people who may start jobs; others see what is known.

    Below `allowed`. All questions together wait for so many seconds at most.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            with patience.for_seconds(seconds if request.user.has_perm(ACT) else 0.0):
                return view(request, *args, **kwargs)

        return guarded

    return guard
