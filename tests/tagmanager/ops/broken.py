"""A program with faults whose words and variables hold what nobody outside may see."""

from __future__ import annotations

from typing import NoReturn

from django.http import HttpRequest
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from jobs.models import Job
from tagmanager import urls

TAG, TOKEN, MAIL, WORD = "quokka_refund", "xyzzy-bearer-0815", "zenobia@customer.example", "platypus"
SECRETS = (TAG, TOKEN, MAIL, WORD, "zenobia")


def fail(told: object) -> NoReturn:
    """Raise as databases and validators do: with what they could not digest."""
    mails = (MAIL,)
    try:
        _refuse([TAG])
    except ValueError as cause:
        problem = RuntimeError(f"Key (mail)=({mails}) exists; {told!r}")
        problem.add_note(f"While looking at {TAG}")
        raise problem from cause


def _refuse(tags: list[str]) -> NoReturn:
    header = {"Authorization": f"Bearer {TOKEN}"}
    raise ValueError(f"{tags} is not allowed, {header}, {WORD}")


def work_for(job: Job) -> NoReturn:
    fail(job.params)


@csrf_exempt
def view(request: HttpRequest, word: str) -> NoReturn:
    fail((word, request.GET, request.POST, request.COOKIES, request.headers))


handler500 = urls.handler500
urlpatterns = [path("broken/<str:word>/", view), *urls.urlpatterns]
