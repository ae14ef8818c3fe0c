"""Parts of a tool's form that the page fetches while a person types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs.common.input import whole_number
from jobs.views.permissions import ACT, SEE, allowed
from tagmanager.account import choices, suggestions
from tagmanager.account.asking import Known
from tagmanager.account.choices import Choices
from tagmanager.account.status import account_status
from tagmanager.changes import closed_tickets, guard_tag
from tagmanager.changes.guard_tag import Condition
from tagmanager.intake import tag_pairs
from tagmanager.intake.fields import OneTagField, TagsField
from tagmanager.intake.tables.given import Given
from tagmanager.tools import tag_patterns
from tagmanager.views.questions import PART, may_ask

#: How many pairs are shown as they would be read.
MOST_PAIRS = 12
#: Seconds until the page asks again while Zendesk counts a view, doubled each time: the first answer is often
#: there after six, and Zendesk allows five questions a minute.
FIRST_RETRY, LAST_RETRY = 6, 60
#: What a text box may offer once Zendesk has answered.
OFFERED: dict[str, Callable[[], Choices]] = {"views": choices.views, "macros": choices.macros}


@require_safe
@allowed(SEE, ACT, script=True)
@may_ask(PART)
def tags(request: HttpRequest) -> JsonResponse:
    """Tags that begin as `?q=` does. Without Zendesk there are none, and typing goes on all the same."""
    known = suggestions.tags_like(request.GET.get("q", "")[:100])
    found: dict[str, object] = {"tags": known.answer or []}
    return JsonResponse(found | ({"problem": known.why_not_current} if known.why_not_current else {}))


@require_safe
@allowed(SEE, ACT, draft=True)
def stored(request: HttpRequest) -> HttpResponse:
    """What Zendesk would store of the tags in the text box of the request, or why it would not."""
    text = next(iter(request.GET.values()), "")
    try:
        return _part(request, "stored", {"tags": TagsField(required=False).clean(text)})
    except ValidationError as problem:
        return _part(request, "stored", {"problem": " ".join(problem.messages)})


@require_safe
@allowed(SEE, ACT, draft=True)
def guard(request: HttpRequest) -> HttpResponse:
    """The condition for triggers with the tag of `?guard=`, or with the usual tag."""
    try:
        tag = OneTagField(required=False).clean(request.GET.get("guard", ""))
    except ValidationError:
        tag = ""  # the text box itself says what is wrong
    return _part(request, "guard", {"condition": Condition(tag or guard_tag.USUAL)})


@require_safe
@allowed(SEE, ACT, draft=True)
@may_ask(PART)
def closed_problem(request: HttpRequest) -> HttpResponse:
    """With `?include_closed=`: why closed tickets cannot be changed, as far as that is known."""
    problem = closed_tickets.why_not_as(account_status()) if "include_closed" in request.GET else ""
    return _part(request, "closed", {"problem": problem})


@require_safe
@allowed(SEE, ACT, draft=True)
def pairs(request: HttpRequest) -> HttpResponse:
    """Which tag the lines in the text box of the request turn into which, or why a line cannot be used."""
    text = str(next(iter(request.GET.values()), ""))
    try:
        found = list(tag_pairs.read(Given.typed(text)).pairs.items())
    except ValidationError as problem:
        return _part(request, "pairs", {"problem": " ".join(problem.messages)})
    context = {"pairs": found[:MOST_PAIRS], "number": len(found), "more": len(found[MOST_PAIRS:])}
    return _part(request, "pairs", context)


@require_safe
@allowed(SEE, ACT, draft=True)
@may_ask(PART)
def meant(request: HttpRequest) -> HttpResponse:
    """The tags that match `?patterns=`, to tick; what a person has unticked stays unticked."""
    try:
        wanted = tag_patterns.read(request.GET.get("patterns", "")[:2_000])
    except ValidationError as problem:
        return _part(request, "meant", {"problem": " ".join(problem.messages)})
    seen = request.GET.get("seen", "")[:2_000].split()
    found = tag_patterns.find_matches(wanted, seen=seen, ticked=request.GET.getlist("tags"))
    return _part(request, "meant", {"meant": found})


@require_safe
@allowed(SEE, ACT, draft=True)
@may_ask(PART)
def view_count(request: HttpRequest) -> HttpResponse:
    """About how many tickets the view `?view=` holds; `?after=` is how long the page waited, in seconds."""
    number, waited = (whole_number(request.GET.get(name, "")) for name in ("view", "after"))
    if not number:
        return _part(request, "count", {})
    known = suggestions.view_count(number)
    if known.answer is None:
        return _no_count(request, known)
    after = 2 * waited if waited and FIRST_RETRY <= waited <= LAST_RETRY else FIRST_RETRY
    found = known.answer
    context: dict[str, object] = {
        "number": found.value,
        "is_rough": not found.fresh,
        "asked": True,
        "known": known,
    }
    return _part(request, "count", context | {"after": min(after, LAST_RETRY)})


@require_safe
@allowed(SEE, ACT, draft=True)
@may_ask(PART)
def search_count(request: HttpRequest) -> HttpResponse:
    """How many tickets the search `?search=` finds."""
    query = request.GET.get("search", "").strip()[:2_000]
    if not query:
        return _part(request, "count", {})
    known = suggestions.search_count(query)
    if known.answer is None:
        return _no_count(request, known)
    return _part(request, "count", {"number": known.answer, "asked": True, "known": known})


@require_safe
@allowed(SEE, ACT, draft=True)
@may_ask(PART)
def offered(request: HttpRequest, name: str) -> HttpResponse:
    """The views or macros for a text box that came without them."""
    return _part(request, "offered", {"offered": OFFERED[name]()})


def _no_count(request: HttpRequest, known: Known[Any]) -> HttpResponse:
    """Why there is no number; the page asks again by itself where that helps."""
    address = request.get_full_path() if known.is_pending else ""
    return _part(request, "count", {"problem": known.why_not_current, "again": address})


def _part(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    return render(request, f"tools/_{name}.html", context)
