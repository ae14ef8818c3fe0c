"""The first page, the tools, and what a probe asks."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.views import LoginView
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from jobs import reaper
from jobs.access import ACT, SEE, allowed, signed_in
from jobs.actions import Made
from jobs.actors import person
from jobs.at_once import run_at_once
from jobs.models import Job
from tagmanager import connections
from tagmanager import tools as installed
from tagmanager.asking import ask
from tagmanager.forms import OptionsForm, SourceForm
from tagmanager.tools.base import Tool, ToolForm

RUNNING_SHOWN, LATEST_SHOWN = 10, 5


class SignIn(LoginView):
    """Sign in with a name and a password, and go on where one was."""

    template_name = "login.html"
    redirect_authenticated_user = True


@require_safe
@allowed()
def home(request: HttpRequest) -> HttpResponse:
    """The tools, what is going on, and whether everything is there that is needed."""
    jobs = Job.objects.select_related("created_by").defer("params", "source")
    if not request.user.has_perm(SEE):
        jobs = jobs.none()
    running = list(jobs.active()[:RUNNING_SHOWN])
    context = {
        "tools": list(installed.tools().values()),
        "running": running,
        "latest": list(jobs.exclude(pk__in=[job.pk for job in running])[:LATEST_SHOWN]),
        "worker_alive": reaper.is_worker_alive(),
        **_connection(),
    }
    return render(request, "home.html", context)


def _connection() -> dict[str, str]:
    """Which account the settings name, or what they lack; nobody is called for it."""
    try:
        connections.credentials()
        return {"account": connections.address()}
    except connections.NotConnected as problem:
        return {"not_connected": str(problem)}


@require_http_methods(["GET", "HEAD", "POST"])
@allowed(SEE, ACT)
@never_cache
def tool(request: HttpRequest, slug: str) -> HttpResponse:
    """A tool's form; sent in whole, it makes the job, works on it for a moment, and shows its page."""
    try:
        chosen = installed.tool(slug)
    except installed.UnknownTool as problem:
        raise Http404(str(problem)) from problem
    if request.method != "POST":
        forms = (chosen.form_class(), SourceForm(), OptionsForm())
        return _show(request, chosen, forms)
    forms = (
        chosen.form_class(request.POST, request.FILES),
        SourceForm(request.POST, request.FILES),
        OptionsForm(request.POST),
    )
    valid = [form.is_valid() for form in forms]  # all three: everything that is wrong is said at once
    if not all(valid):
        return _show(request, chosen, forms)
    made = _make(request, chosen, forms)
    if made.token:
        run_at_once(made)
    if not made.is_new:
        messages.info(
            request, "This form had been sent before, and this is the job that it made. Nothing runs twice."
        )
    return redirect(made.job)


Forms = tuple[ToolForm, SourceForm, OptionsForm]


def _make(request: HttpRequest, chosen: Tool, forms: Forms) -> Made:
    tool_form, source_form, options_form = forms
    options = options_form.cleaned_data
    return ask(
        chosen,
        tool_form,
        source_form.cleaned_data["source"],
        by=person(signed_in(request)),
        limit=options["limit"],
        dry_run=options["dry_run"],
        include_closed=options["include_closed"],
        here=True,
        nonce=options["nonce"],
    )


def _show(request: HttpRequest, chosen: Tool, forms: Forms) -> HttpResponse:
    tool_form, source_form, options_form = forms
    context = {
        "tool": chosen,
        "tool_form": tool_form,
        "source_form": source_form,
        "options_form": options_form,
        "has_errors": any(form.errors for form in forms),
        "lost_file": request.FILES.get("ids_file"),
        "worker_alive": reaper.is_worker_alive(),
    }
    return render(request, "tool.html", context)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's shape of a view
    """For probes, without a login: 200 while the database answers. A missing worker is no failure."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        worker = reaper.is_worker_alive()
    except DatabaseError:
        return JsonResponse({"database": "away", "worker": False}, status=503)
    return JsonResponse({"database": "ok", "worker": worker})
