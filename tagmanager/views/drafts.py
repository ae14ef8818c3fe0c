"""The request of a tool's form while a person fills it in: its numbers, its sentence, its command."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from jobs.source_spec import SourceSpec
from jobs.views.permissions import ACT, SEE, allowed
from tagmanager import tools as installed
from tagmanager.forms.command_line import NoCommand, command_line
from tagmanager.forms.page_forms import PageForms
from tagmanager.forms.submit import phrase
from tagmanager.intake import source_size
from tagmanager.intake.source_kinds.registry import phrase_of
from tagmanager.intake.sources import Source
from tagmanager.views.questions import PART, may_ask


@dataclass(frozen=True, slots=True)
class Row:
    """A source of the request, and about how many tickets it holds; None: not counted yet."""

    verb: str
    words: str
    number: int | None


@require_POST
@allowed(SEE, ACT, draft=True)
@may_ask(PART)
def draft(request: HttpRequest, slug: str) -> HttpResponse:
    """What the form asks for so far. Counts are at most a minute old, and no ticket is read."""
    try:
        tool = installed.tool(slug)
    except installed.UnknownTool as problem:
        raise Http404(str(problem)) from problem
    if tool.form_class.lists_tickets:
        raise Http404("Each row of this tool's form says its ticket.")
    return render(request, "tools/_draft.html", _described(PageForms.draft(tool, request.POST)))


def _described(forms: PageForms) -> dict[str, object]:
    """What can be said; nothing of tickets that are not named yet, or wrongly."""
    asks = forms.tool_form.asks_zendesk
    knows_change = not asks and forms.tool_form.is_valid()
    form = forms.source_form
    if form is None or not (form.is_valid() and forms.options_form.is_valid()):
        return {}
    if not (knows_change or form.named or form.added.named):
        return {}
    source = forms.source if knows_change else form.chosen(order=forms.options_form.cleaned_data["order"])
    rows = _rows(source)
    taken = [row.number for row in rows if row.verb != "Leave out"]
    tickets = phrase(source, forms.only, forms.options_form.cleaned_data["limit"])
    context: dict[str, object] = {
        "rows": rows,
        "slug": forms.tool.slug,
        # Five questions a minute are allowed for each view, so the page asks again after 15 seconds.
        "is_pending": any(row.number is None for row in rows),
        "only": forms.only.phrase.removeprefix("only "),
        "total": None if None in taken else sum(filter(None, taken)),
        "is_exact": source_size.is_exact(source) and not forms.only,
        "sentence": tickets[:1].upper() + tickets[1:],
    }
    if knows_change:
        context["sentence"] = forms.tool.title(forms.tool_form.params(), tickets)
        try:
            context["command"] = command_line(forms)
        except NoCommand as problem:
            context["no_command"] = str(problem)
    return context


def _rows(source: Source) -> list[Row]:
    spec = SourceSpec.read(source.stored)
    return [
        Row(_verb(number, len(spec.of)), phrase_of(part), source_size.known(Source(part)))
        for number, part in enumerate(spec.parts)
    ]


def _verb(number: int, taken: int) -> str:
    if number == 0:
        return "Take"
    return "Also" if number < taken else "Leave out"
