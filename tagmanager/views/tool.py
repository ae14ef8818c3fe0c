"""A tool's page: its form, prefilled, and the job that it makes."""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2s

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jobs.actions import NotPossible
from jobs.actors import person
from jobs.common.input import whole_number
from jobs.models import Job
from jobs.views import saved_form
from jobs.views.inline_run import may_run_here, run_inline
from jobs.views.permissions import ACT, SEE, allowed, redirect_to_sign_in, signed_in
from jobs.workers import heartbeats
from tagmanager import tools as installed
from tagmanager.account import patience
from tagmanager.changes import guard_tag
from tagmanager.changes.guard_tag import Condition
from tagmanager.forms import prefill
from tagmanager.forms.page_forms import PageForms
from tagmanager.forms.prefill import Filling
from tagmanager.intake import kept_files
from tagmanager.tools.base import StartsElsewhere, Tool
from tagmanager.views.questions import FORM, PAGE


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tool(request: HttpRequest, slug: str) -> HttpResponseBase:
    """A tool's form; a valid POST makes the job, runs it for a moment, and redirects to its page.

    `?again=` fills the form from an earlier job; the address may also hold any field of the form but files. A
    person whose session has ended signs in and comes back to the form as it was filled in.
    """
    if request.method == "POST" and not request.user.is_authenticated:
        return redirect_to_sign_in(request, back=f"{request.path}?restore=1")
    return _tool(request, slug)


@allowed(SEE, ACT)
def _tool(request: HttpRequest, slug: str) -> HttpResponse:
    with patience.for_seconds(FORM if request.method == "POST" else PAGE):  # `allowed` asks for ACT
        return _answer(request, slug)


def _answer(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        chosen = installed.tool(slug)
    except installed.UnknownTool as problem:
        raise Http404(str(problem)) from problem
    if isinstance(chosen, StartsElsewhere):
        return redirect(chosen.starts_at)
    return _submit(request, chosen) if request.method == "POST" else _show_filled(request, chosen)


def _submit(request: HttpRequest, chosen: Tool) -> HttpResponse:
    kept_files.add_kept(request.POST, request.FILES)
    forms = PageForms.sent(chosen, request.POST, request.FILES)
    if not (forms.is_valid() and forms.is_possible()):
        return _show(request, forms)
    if not (forms.is_dry_run or forms.is_understood):
        return _show(request, forms, is_asked=True)
    try:
        made = forms.submit(
            by=person(signed_in(request)), nonce=_fingerprint(request, chosen), here=may_run_here()
        )
    except NotPossible as problem:  # an earlier job is gone since its number was checked, or this is a copy
        forms.add_error(str(problem))
        return _show(request, forms)
    if made.token:
        run_inline(made)
    forms.drop_files()
    if made.is_new:
        for note in forms.notes:
            messages.info(request, note)
    else:
        messages.info(
            request, "This form had been sent before, and this is the job that it made. Nothing runs twice."
        )
    return redirect(made.job)


def _show_filled(request: HttpRequest, chosen: Tool) -> HttpResponse:
    if typed := saved_form.take(request):
        return _show(request, PageForms.restored(chosen, typed), is_back=True)
    earlier = _earlier(request, chosen)
    filling = Filling() if earlier is None else prefill.filling_of(earlier)
    named = replace(
        filling,
        tool=_fields_in_address(request, chosen) | filling.tool,
        source=prefill.sources_in(request.GET) | filling.source,
        options=prefill.options_in(request.GET) | filling.options,
    )
    return _show(request, PageForms.empty(chosen, named), earlier)


def _fields_in_address(request: HttpRequest, chosen: Tool) -> dict[str, str]:
    """The tool's fields in the address: links from other pages fill in a part of the form."""
    names = chosen.form_class.names_on_page().items()
    return {name: request.GET[sent] for name, sent in names if sent in request.GET}


def _earlier(request: HttpRequest, chosen: Tool) -> Job | None:
    """The job of this tool that `?again=` names."""
    number = whole_number(request.GET.get("again", ""))
    return None if number is None else Job.objects.filter(pk=number, tool=chosen.slug).first()


def _fingerprint(request: HttpRequest, chosen: Tool) -> str:
    """Equal for a tool's form that one person sends twice; different once anything in it was changed."""
    fields = [(key, values) for key, values in sorted(request.POST.lists()) if key != "csrfmiddlewaretoken"]
    files = [
        (file.name, kept_files.content_digest(file))
        for name in sorted(request.FILES)
        for file in request.FILES.getlist(name)
    ]
    sent = (signed_in(request).pk, chosen.slug, fields, files)
    return blake2s(repr(sent).encode(), digest_size=24).hexdigest()


def _show(
    request: HttpRequest,
    forms: PageForms,
    earlier: Job | None = None,
    *,
    is_back: bool = False,
    is_asked: bool = False,
) -> HttpResponse:
    """The page; with `is_asked` it tells what was understood, and a real run begins when it is sent again."""
    is_lost = bool(request.FILES) and not forms.keep_files() if request.method == "POST" else False
    context = {
        "forms": forms,
        "tool": forms.tool,
        "tool_form": forms.tool_form,
        "source_form": forms.source_form,
        "options_form": forms.options_form,
        "condition": Condition(guard_tag.USUAL),
        "lost_file": is_lost,
        "is_asked": is_asked,
        "upload_limit": settings.UPLOAD_LIMIT,
        "worker_alive": heartbeats.is_worker_alive(),
        "earlier": earlier,
        "is_back": is_back,
    }
    return render(request, "tool.html", context)
