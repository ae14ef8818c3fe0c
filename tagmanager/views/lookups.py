"""The search for macros."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.views.permissions import SEE, allowed, is_partial_request
from tagmanager import tools as installed
from tagmanager.macros import search
from tagmanager.views.lookup_pages import LOOKUPS
from tagmanager.views.questions import PAGE, PART, may_ask

#: The page only counts further macros; a download has them all.
MAX_SHOWN = 200
WRITERS = {
    "csv": (search.as_csv, "text/csv; charset=utf-8"),
    "json": (search.as_json, "application/json"),
}


@require_safe
@never_cache
def macros(request: HttpRequest) -> HttpResponseBase:
    """The search. A part of it that htmx asks for, and a download, wait longer for Zendesk than the page."""
    is_page = not is_partial_request(request) and request.GET.get("format", "") not in WRITERS
    return (_macros_page if is_page else _macros_part)(request)


def _macros(request: HttpRequest) -> HttpResponse:
    """Macros by `?q=` in the parts `?in=` (by default all); `?format=csv` or `json` downloads them."""
    parts = [part for part in request.GET.getlist("in") if part in search.PARTS]
    text = request.GET.get("q", "")[:200]
    known = search.account_macros()
    found = search.search(known.answer, text, parts or search.PARTS) if known.answer else []
    problem = "" if known.answer else known.why_not_current
    if (chosen := request.GET.get("format", "")) in WRITERS:
        return _download(chosen, found, problem)
    context = {
        "lookup": next(lookup for lookup in LOOKUPS if lookup.slug == "macro-search"),
        "text": text,
        "parts": [(name, label, not parts or name in parts) for name, label in search.PARTS.items()],
        "problem": problem,
        "known": known,
        "again": request.get_full_path(),
        "number": len(found),
        "found": found[:MAX_SHOWN],
        "more": len(found[MAX_SHOWN:]),
        "query": request.GET.urlencode(),
        "can_apply": "apply-macro" in installed.tools(),
    }
    return render(request, "lookups/macros.html", context)


_macros_page, _macros_part = (allowed(SEE)(may_ask(seconds)(_macros)) for seconds in (PAGE, PART))


def _download(kind: str, found: list[search.Found], problem: str) -> HttpResponse:
    if problem:
        return HttpResponse(problem, status=503, content_type="text/plain; charset=utf-8")
    write, media_type = WRITERS[kind]
    headers = {
        "Content-Disposition": f'attachment; filename="macros.{kind}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(write(found), content_type=media_type, headers=headers)
