"""A tool's page: its form, what is filled into it beforehand, and the job that it makes."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2s
from typing import Any

from django.contrib import messages
from django.forms import BaseForm, MultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jobs.actions import NotPossible, Submission
from jobs.actors import person
from jobs.input import whole_number
from jobs.models import Job
from jobs.views import saved_form
from jobs.views.inline_run import run_inline
from jobs.views.permissions import ACT, SEE, allowed, redirect_to_sign_in, signed_in
from jobs.workers import heartbeats
from tagmanager import tools as installed
from tagmanager.changes import guard_tag
from tagmanager.changes.guard_tag import Condition
from tagmanager.forms import prefill
from tagmanager.forms.job_form import OptionsForm, SourceForm
from tagmanager.forms.submit import submit
from tagmanager.intake import source_size
from tagmanager.intake.sources import Source
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.tools.base import ChoosesTickets, StartsElsewhere, Tool, ToolForm
from tagmanager.tools.demands import why_not_made, why_not_read

MAIL_PREVIEW_FIRST = (
    "This replies publicly, which e-mails a customer for each ticket, so a preview comes first. Press "
    "Preview: it counts them, shows what some of them would read, writes nothing, and starts the job from "
    "there."
)
#: What to do, on which tickets (None: the first says that too), and how.
Forms = tuple[ToolForm, SourceForm | None, OptionsForm]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tool(request: HttpRequest, slug: str) -> HttpResponseBase:
    """A tool's form; sent in whole, it makes the job, works on it for a moment, and shows its page.

    `?again=` fills it from an earlier job, and fields of the tool may be named in the address. Who sends it
    after the session has ended signs in and comes back to it as it was filled in.
    """
    if request.method == "POST" and not request.user.is_authenticated:
        return redirect_to_sign_in(request, back=f"{request.path}?restore=1")
    return _tool(request, slug)


@allowed(SEE, ACT)
def _tool(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        chosen = installed.tool(slug)
    except installed.UnknownTool as problem:
        raise Http404(str(problem)) from problem
    if isinstance(chosen, StartsElsewhere):
        return redirect(chosen.starts_at)
    return _make_from(request, chosen) if request.method == "POST" else _begin(request, chosen)


def _make_from(request: HttpRequest, chosen: Tool) -> HttpResponse:
    forms = (
        chosen.form_class(request.POST, request.FILES),
        _source_form(chosen, request.POST, request.FILES),
        OptionsForm(request.POST),
    )
    # All of them: everything that is wrong is said at once.
    valid = [form.is_valid() for form in forms if form is not None]
    if not all(valid):
        return _show(request, chosen, forms)
    params = forms[0].params()
    if why := why_not_made(chosen, params) or why_not_read(chosen, params):
        forms[0].add_error(None, why)
        return _show(request, chosen, forms)
    source = _source(chosen, forms)
    if not _is_possible(source, forms):
        return _show(request, chosen, forms)
    try:
        made = _make(request, chosen, source, forms)
    except NotPossible as problem:  # an earlier job that was there when its number was looked at
        (forms[1] or forms[0]).add_error(None, str(problem))
        return _show(request, chosen, forms)
    if made.token:
        run_inline(made)
    if made.is_new:
        for note in [*forms[0].notes, *(forms[1].notes if forms[1] else ())]:
            messages.info(request, note)
    else:
        messages.info(
            request, "This form had been sent before, and this is the job that it made. Nothing runs twice."
        )
    return redirect(made.job)


def _source_form(chosen: Tool, *filled: Any, **initial: Any) -> SourceForm | None:
    if chosen.form_class.lists_tickets:
        return None
    own = chosen.own_tickets if isinstance(chosen, ChoosesTickets) else ""
    return SourceForm(*filled, own_tickets=own, **initial)


def _source(chosen: Tool, forms: Forms) -> Source:
    if forms[1] is None:
        return forms[0].listed
    own = chosen.source_for(forms[0].params()) if isinstance(chosen, ChoosesTickets) else None
    return forms[1].chosen(own, forms[2].cleaned_data["order"])


def _why_not_guarded(forms: Forms) -> str:
    guard, listed = forms[2].cleaned_data["guard"], forms[0].listed.given if forms[1] is None else None
    return guard_tag.why_not_guarded(guard, forms[0].params(), listed) if guard else ""


def _only(forms: Forms) -> TicketFilter:
    return forms[1].only if forms[1] else TicketFilter()


def _is_possible(source: Source, forms: Forms) -> bool:
    """Whether valid forms can be carried out as they are; what speaks against it is said in them."""
    tool_form, source_form, options = forms
    only, asked = _only(forms), options.cleaned_data
    if why := _why_not_guarded(forms):
        options.add_error("guard", why)
        return False
    if why := source_size.why_not_tried(source, only, asked["limit"], asked["canary"]):
        options.add_error("canary", why)
        return False
    mails = MAIL_PREVIEW_FIRST if tool_form.writes_to_customers else ""
    if not asked["dry_run"] and (why := mails or source_size.why_preview_first(source, only, asked["limit"])):
        (source_form or tool_form).add_error(None, why)
        return False
    return True


def _begin(request: HttpRequest, chosen: Tool) -> HttpResponse:
    filling, earlier, typed = prefill.Filling(), _earlier(request, chosen), saved_form.take(request)
    if typed:
        return _show(request, chosen, _filled_in(chosen, typed), is_back=True)
    if earlier is not None:
        filling = prefill.filling_of(earlier)
    forms = (
        chosen.form_class(initial=_named_in(request, chosen) | filling.tool),
        _source_form(chosen, initial=filling.source),
        OptionsForm(initial=filling.options),
    )
    return _show(request, chosen, forms, earlier)


def _named_in(request: HttpRequest, chosen: Tool) -> dict[str, str]:
    """What the address itself fills into the tool's fields: a link from elsewhere to a form half done."""
    names = chosen.form_class.names_on_page().items()
    return {name: request.GET[sent] for name, sent in names if sent in request.GET}


def _filled_in(chosen: Tool, typed: QueryDict) -> Forms:
    """The forms as they were sent, unchecked: nobody has sent them yet."""
    forms = (
        chosen.form_class(),
        _source_form(chosen, initial=typed.dict()),
        OptionsForm(),
    )
    for form in _all(forms):
        for name, field in form.fields.items():
            sent = form.add_prefix(name)
            if sent in typed:
                form.initial[name] = (
                    typed.getlist(sent) if isinstance(field, MultipleChoiceField) else typed[sent]
                )
    return forms


def _all(forms: Forms) -> Iterator[BaseForm]:
    """Each of them, with those that stand in others."""
    for form in forms:
        if form is not None:
            yield form
            yield from getattr(form, "parts", ())


def _earlier(request: HttpRequest, chosen: Tool) -> Job | None:
    """The job of this tool that `?again=` names."""
    number = whole_number(request.GET.get("again", ""))
    return None if number is None else Job.objects.filter(pk=number, tool=chosen.slug).first()


def _make(request: HttpRequest, chosen: Tool, source: Source, forms: Forms) -> Submission:
    tool_form, _, options_form = forms
    options = options_form.cleaned_data
    return submit(
        chosen,
        tool_form,
        source,
        by=person(signed_in(request)),
        only=_only(forms),
        limit=options["limit"],
        canary=options["canary"],
        dry_run=options["dry_run"],
        include_closed=options["include_closed"],
        guard=options["guard"],
        guard_stays=options["guard_stays"],
        here=True,
        nonce=_fingerprint(request),
    )


def _fingerprint(request: HttpRequest) -> str:
    """Equal for a form sent twice, different once anything in it was changed after coming Back to it."""
    fields = [(key, values) for key, values in sorted(request.POST.lists()) if key != "csrfmiddlewaretoken"]
    files = [(file.name, file.size) for name in sorted(request.FILES) for file in request.FILES.getlist(name)]
    return blake2s(repr((fields, files)).encode(), digest_size=24).hexdigest()


def _show(
    request: HttpRequest, chosen: Tool, forms: Forms, earlier: Job | None = None, *, is_back: bool = False
) -> HttpResponse:
    tool_form, source_form, options_form = forms
    context = {
        "tool": chosen,
        "tool_form": tool_form,
        "source_form": source_form,
        "options_form": options_form,
        "condition": Condition(guard_tag.USUAL),
        "panel": (source_form["kind"].value() if source_form else "") or "",
        "has_errors": any(form.errors for form in filter(None, forms)),
        "lost_file": bool(request.FILES),
        "worker_alive": heartbeats.is_worker_alive(),
        "earlier": earlier,
        "is_back": is_back,
    }
    return render(request, "tool.html", context)
