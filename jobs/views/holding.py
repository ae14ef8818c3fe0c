"""Hold and release all jobs, and confirm a copied database: GET asks, POST does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jobs import holding
from jobs.actions import NotPossible
from jobs.actors import Actor, person
from jobs.common.formatting import some
from jobs.common.input import storable
from jobs.installation import standstill
from jobs.models import Job
from jobs.views.permissions import HOLD, allowed, signed_in

#: The longest reason that is stored, characters.
WHY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Switch:
    """One of the switches: its button, and what it does with the reason given; returns what to say."""

    name: str
    label: str
    throw: Callable[[Actor, str], str]

    @property
    def template(self) -> str:
        return f"jobs/installation/{self.name}.html"


def _hold(by: Actor, why: str) -> str:
    holding.hold(by=by, why=why)
    return "All jobs are held."


def _release(by: Actor, _: str) -> str:
    return f"All jobs are released: {some(holding.release(by=by), 'job')} to go on."


def _confirm(by: Actor, _: str) -> str:
    paused = holding.confirm_database(by=by)
    asks = f" {some(paused, 'unfinished job')} paused: each asks you how to go on." if paused else ""
    return f"This database is the one that goes on.{asks}"


SWITCHES = {
    switch.name: switch
    for switch in (
        Switch("hold", "Hold all jobs", _hold),
        Switch("release", "Release all jobs", _release),
        Switch("this-database", "This is the one", _confirm),
    )
}


@require_http_methods(["GET", "HEAD", "POST"])
@allowed(HOLD)
@never_cache
def throw(request: HttpRequest, name: str) -> HttpResponse:
    """Ask to confirm on GET, act on POST; what does not fit any more is said on the first page."""
    switch = SWITCHES[name]
    if request.method != "POST":
        context = {
            "switch": switch,
            "stop": standstill.current(),
            "active": Job.objects.active().count(),
            "at_work": Job.objects.active().exclude(lease_token="").count(),
            "why_length": WHY_LENGTH,
        }
        return render(request, "jobs/installation/ask.html", context)
    try:
        why = storable(request.POST.get("why", ""), WHY_LENGTH)
        messages.success(request, switch.throw(person(signed_in(request)), why))
    except NotPossible as problem:
        messages.warning(request, str(problem))
    return redirect("home")
