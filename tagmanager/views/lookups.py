"""The search for macros."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.views.permissions import SEE, allowed
from tagmanager import tools as installed
from tagmanager.account import connection
from tagmanager.macros import search
from tagmanager.views.lookup_pages import LOOKUPS
from zendesk import ZendeskError

#: The page only counts further macros; a download has them all.
MAX_SHOWN = 200
WRITERS = {
    "csv": (search.as_csv, "text/csv; charset=utf-8"),
    "json": (search.as_json, "application/json"),
}


@require_safe
@allowed(SEE)
@never_cache
def macros(request: HttpRequest) -> HttpResponse:
    """Macros by `?q=` in the parts `?in=` (by default all); `?format=csv` or `json` downloads them."""
    parts = [part for part in request.GET.getlist("in") if part in search.PARTS]
    text = request.GET.get("q", "")[:200]
    problem, found = "", []
    try:
        found = search.search(text, parts or search.PARTS)
    except (connection.NotConnected, ZendeskError) as trouble:
        problem = str(trouble)
    if (chosen := request.GET.get("format", "")) in WRITERS:
        return _download(chosen, found, problem)
    context = {
        "lookup": next(lookup for lookup in LOOKUPS if lookup.slug == "macro-search"),
        "text": text,
        "parts": [(name, label, not parts or name in parts) for name, label in search.PARTS.items()],
        "problem": problem,
        "number": len(found),
        "found": found[:MAX_SHOWN],
        "more": len(found[MAX_SHOWN:]),
        "query": request.GET.urlencode(),
        "can_apply": "apply-macro" in installed.tools(),
    }
    return render(request, "lookups/macros.html", context)


def _download(kind: str, found: list[search.Found], problem: str) -> HttpResponse:
    if problem:
        return HttpResponse(problem, status=503, content_type="text/plain; charset=utf-8")
    write, media_type = WRITERS[kind]
    headers = {
        "Content-Disposition": f'attachment; filename="macros.{kind}"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(write(found), content_type=media_type, headers=headers)
