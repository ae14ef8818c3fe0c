"""One job: its page, the parts of it that refresh themselves, its status for scripts, its exports."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.common.input import MAX_INT64, storable, typed_number
from jobs.models import Item, Job
from jobs.presentation.job_page import JobPage
from jobs.presentation.job_summary import request_summary
from jobs.presentation.labels import labels
from jobs.presentation.outcomes import Reasons, outcome_word, outcomes_with
from jobs.reports import export_files, exports, progress
from jobs.reports.failure_reasons import causes_of, reason_in
from jobs.reports.item_search import Found, find_items
from jobs.views.pagination import KeysetPage, cursor_in, page_of
from jobs.views.permissions import SEE, allowed

PAGE = 25
CHILDREN_SHOWN = 20
#: Longest search text, in characters.
FIND_LENGTH = 255


@require_safe
@allowed(SEE)
@never_cache
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    job = job_or_404(pk)
    page = JobPage(job)
    children = list(job.children.order_by("-id")[:CHILDREN_SHOWN])
    context = {"job": job, "page": page, "children": children, "asked": request_summary(job)}
    return render(request, "jobs/detail.html", context | _account_context(request, page))


@require_safe
@allowed(SEE)
@never_cache
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part that changes, for a page that shows `?version=`; 204 when nothing has changed since.

    `?spoken=` is what was announced last. A new status, or another tenth, is announced and makes the page
    reload the tickets.
    """
    page = JobPage(job_or_404(pk))
    if request.GET.get("version") == page.version:
        return HttpResponse(status=204)
    speaks = request.GET.get("spoken") != page.announcement_key
    response = render(request, "jobs/_live.html", {"job": page.job, "page": page, "speaks": speaks})
    if speaks:
        response["HX-Trigger"] = "job-moved"
    return response


@require_safe
@allowed(SEE)
@never_cache
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """The tickets and the timeline, as a part of the page."""
    page = JobPage(job_or_404(pk))
    return render(
        request, "jobs/_account.html", {"job": page.job, "page": page} | _account_context(request, page)
    )


@require_safe
@allowed(SEE, script=True)
@never_cache
def status(_request: HttpRequest, pk: int) -> HttpResponse:
    """The status JSON."""
    return JsonResponse(progress.status_of(job_or_404(pk)))


@require_safe
@allowed(SEE, script=True)
def export(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """All tickets of the job as a file, streamed; `?outcome=` and `?reason=` narrow.

    With `?bom=1` CSV begins with a byte order mark, without which Excel does not read it as UTF-8.
    """
    job = job_or_404(pk)
    outcome = request.GET.get("outcome", "")
    if kind not in export_files.MEDIA_TYPES:
        known = ", ".join(export_files.MEDIA_TYPES)
        raise Http404(f"There is no export of the kind {kind}; there are {known}.")
    try:
        pieces = export_files.export_pieces(
            job,
            kind,
            outcome,
            reason=reason_in(request.GET),
            bom=request.GET.get("bom") == "1",
            asked=labels().asked(job),
        )
    except exports.UnknownOutcome as problem:
        return HttpResponse(str(problem), status=400, content_type="text/plain; charset=utf-8")
    name = f"job-{job.pk}-{outcome}.{kind}" if outcome else f"job-{job.pk}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(pieces, content_type=export_files.MEDIA_TYPES[kind], headers=headers)


def job_or_404(pk: int) -> Job:
    """The job with all that its page needs from other tables."""
    if pk > MAX_INT64:
        raise Http404("There is no job of that number.")
    return get_object_or_404(Job.objects.select_related("created_by", "parent"), pk=pk)


def _account_context(request: HttpRequest, page: JobPage) -> dict[str, Any]:
    job = page.job
    name, reason = request.GET.get("outcome", ""), reason_in(request.GET)
    items = job.items.defer("batch")
    rows: KeysetPage[Item] | Found
    if name:
        try:
            outcome = exports.stored_outcome(name)
        except exports.UnknownOutcome as problem:
            raise Http404(str(problem)) from problem
        items = items.filter(outcome=outcome)
    if reason:
        items = items.filter(reason=reason)
    find = storable(request.GET.get("find", "").strip(), FIND_LENGTH)
    place = cursor_in(request)
    number = typed_number(find)
    if number is not None:
        rows = page_of(items.filter(ref=number), place, key="ref", size=PAGE)
    elif find:
        rows = find_items(items, find, after=place.after, size=PAGE)
    else:
        rows = page_of(items, place, key="ref", size=PAGE)
    kept = {"outcome": name, "reason": reason, "find": find}
    return {
        "items": rows,
        "find": find,
        "outcome": name,
        "outcome_word": outcome_word(exports.stored_outcome(name), job) if name else "",
        "reason": reason,
        "failures": causes_of(job, outcomes_with(Reasons.FAILURES)),
        "left_out": causes_of(job, outcomes_with(Reasons.LEFT_OUT)),
        "query": request.GET.urlencode(),
        "kept": urlencode({key: value for key, value in kept.items() if value}),
        "kept_in_file": urlencode({key: value for key, value in kept.items() if value and key != "find"}),
    }
