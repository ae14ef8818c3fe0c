"""HEAD has the headers of GET on every page, no body, and nothing to log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.test import Client, RequestFactory

from jobs.states import Status
from tagmanager.ops.logging import HeadFilter
from tests import factories

Answer = tuple[str, dict[str, str], bytes]


def ask(method: str, path: str, cookies: str) -> Answer:
    """What a WSGI server gets; Django's test client would take the body away itself."""
    environ = RequestFactory().generic(method, path, headers={"cookie": cookies}).environ
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = BytesIO()

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        started.append((status, headers))
        return body.write

    parts = get_wsgi_application()(environ | {"wsgi.input": BytesIO()}, start_response)
    body.writelines(parts)
    parts.close()
    status, headers = started[0]
    return status, dict(headers), body.getvalue()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/jobs/",
        "/jobs/{job}/",
        "/jobs/{job}/status",
        "/jobs/{job}/export.csv",
        "/jobs/{job}/export.zip",
        "/jobs/{job}/undo",
        "/admin/jobs/job/",
        "/healthz",
        "/nothing",
        "/logout/",
    ],
)
def test_head_is_get_without_the_body(client: Client, db: None, path: str) -> None:
    job = factories.job(Status.SUCCEEDED, changed=1, total=1)
    factories.item(job, 4711, "changed")
    client.force_login(User.objects.create_superuser("root", password=factories.PASSWORD))
    cookies = "; ".join(f"{name}={each.value}" for name, each in client.cookies.items())
    got, headed = (ask(method, path.format(job=job.pk), cookies) for method in ("GET", "HEAD"))
    assert (headed[0], headed[2]) == (got[0], b"")
    for name in ("Content-Type", "Content-Length", "Content-Disposition"):
        assert headed[1].get(name) == got[1].get(name)
    assert got[2] or path == "/logout/"


@pytest.mark.parametrize(
    ("method", "status", "is_logged"),
    [("HEAD", 405, False), ("GET", 405, True), ("HEAD", 404, True), ("HEAD", 500, True)],
)
def test_the_log_leaves_out_a_page_that_has_no_get(method: str, status: int, is_logged: bool) -> None:
    request = RequestFactory().generic(method, "/logout/")
    record = logging.LogRecord("django.request", logging.WARNING, "x", 1, "Not allowed", None, None)
    record.__dict__.update(status_code=status, request=request)
    assert HeadFilter().filter(record) is is_logged
    assert HeadFilter().filter(logging.LogRecord("x", logging.WARNING, "x", 1, "x", None, None))
