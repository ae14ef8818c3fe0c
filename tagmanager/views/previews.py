"""The parts of a dry run's page that call Zendesk. Each is a whole page without htmx."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.models import Job
from jobs.views.job_detail import job_or_404
from jobs.views.permissions import SEE, allowed
from tagmanager.account import connection, tag_references
from tagmanager.previews.samples import samples_of
from tagmanager.previews.tag_changes import affected_tags, pair_counts
from tagmanager.previews.warnings import warnings_of
from tagmanager.views.questions import PART, may_ask
from zendesk import ZendeskError


@require_safe
@allowed(SEE)
@may_ask(PART)
@never_cache
def samples(request: HttpRequest, pk: int) -> HttpResponse:
    """Sample tickets with the changes to their tags."""
    job = _dry_run(pk)
    return _answer(request, "samples", {"job": job, "samples": samples_of(job)})


@require_safe
@allowed(SEE)
@may_ask(PART)
@never_cache
def cautions(request: HttpRequest, pk: int) -> HttpResponse:
    """The side effects of the change."""
    job = _dry_run(pk)
    return _answer(request, "cautions", {"job": job, "warnings": warnings_of(job)})


@require_safe
@allowed(SEE)
@never_cache
def pairs(request: HttpRequest, pk: int) -> HttpResponse:
    """The number of tickets for each pair of old and new tag."""
    job = _dry_run(pk)
    return _answer(request, "pairs", {"job": job, "pairs": pair_counts(job)})


@require_safe
@allowed(SEE)
@may_ask(PART)
@never_cache
def references(_request: HttpRequest, pk: int) -> HttpResponse:
    """The references in the account to the tags that would change, as CSV."""
    job = _dry_run(pk)
    change = affected_tags(job)
    try:
        setup = tag_references.account_setup().latest()
    except (connection.NotConnected, ZendeskError) as problem:
        return HttpResponse(str(problem), status=503, content_type="text/plain; charset=utf-8")
    found = setup.references_to(change.add | change.remove)
    headers = {
        "Content-Disposition": f'attachment; filename="job-{job.pk}-named-in.csv"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(tag_references.as_csv(found), content_type="text/csv; charset=utf-8", headers=headers)


def _dry_run(pk: int) -> Job:
    job = job_or_404(pk)
    if not (job.dry_run and job.is_ended):
        raise Http404("Only a preview that has ended has this.")
    return job


def _answer(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    is_part = request.headers.get("HX-Request") == "true"
    return render(
        request, f"preview/_{name}.html" if is_part else "preview/page.html", context | {"part": name}
    )
