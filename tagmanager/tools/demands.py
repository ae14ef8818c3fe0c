"""What a tool must comply with, checked when it is loaded, or for each job where it depends on parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tagmanager.account import asking, connection
from tagmanager.ticket_change import SETTABLE
from tagmanager.tools.base import ReadsCustomFields, SetsFields, Tool, ToolForm
from zendesk import Zendesk, ZendeskError

PARTS = ("slug", "name", "summary", "form_class", "title", "change_for")
#: The package of this project's own tools.
OURS = "tagmanager.tools"
#: The most calls for the fields of the account: a token, and a page for a hundred.
MOST_CALLS = 8
#: The types of fields, as Zendesk calls them, whose values a tool may read: dropdowns and checkboxes.
READABLE = frozenset({"tagger", "checkbox"})


def why_not_loaded(candidate: Any) -> str:
    """What is wrong with an object that `TOOLS` names, as the end of a sentence; "" for nothing."""
    if missing := [part for part in PARTS if not hasattr(candidate, part)]:
        return f"lacks {', '.join(missing)}"
    if not (isinstance(candidate.form_class, type) and issubclass(candidate.form_class, ToolForm)):
        return "has a form that is not a ToolForm"
    if unfit := [name for name in candidate.form_class.base_fields if not name.isidentifier()]:
        return f"has form fields whose names are not identifiers: {', '.join(map(repr, unfit))}"
    if unfit := _without_prefix(candidate.form_class):
        return (
            f"has form fields without the prefix “{ToolForm.prefix}”, which may meet fields of the page: "
            f"{', '.join(unfit)}. Leave `prefix` as ToolForm has it"
        )
    if isinstance(candidate, SetsFields) and (unfit := _not_settable(_without_params(candidate))):
        return f"sets fields that cannot be set: {_named(unfit)}"
    return ""


def why_not_made(tool: Tool, params: dict[str, Any]) -> str:
    """Why the tool cannot make a job with these parameters, a sentence; "" when it can. Calls nobody."""
    try:
        json.dumps(params, allow_nan=False)
    except (TypeError, ValueError) as problem:
        return f"The tool “{tool.name}” gives parameters that cannot be stored as JSON: {problem}."
    if isinstance(tool, SetsFields) and (unfit := _not_settable(tool.fields_of(params))):
        return f"The tool “{tool.name}” sets fields that cannot be set: {_named(unfit)}."
    return ""


def why_not_read(tool: Tool, params: dict[str, Any], zendesk: Zendesk | None = None) -> str:
    """Why the tool cannot read the custom fields that it names; "" when it can, or names none.

    Asks Zendesk. Over a given connection it may raise `ZendeskError`; over one of its own it returns that
    problem as well.
    """
    numbers = list(tool.reads_of(params)) if isinstance(tool, ReadsCustomFields) else []
    if not numbers:
        return ""
    if zendesk is None:
        try:
            with asking.asking(MOST_CALLS) as own:
                return why_not_read(tool, params, own)
        except (connection.NotConnected, ZendeskError) as problem:
            return str(problem)
    readable = {field.id for field in zendesk.ticket_fields() if field.type in READABLE}
    if unfit := [str(number) for number in numbers if number not in readable]:
        return (
            f"The tool “{tool.name}” reads custom fields that are not dropdowns or checkboxes of this "
            f"account: {', '.join(unfit)}."
        )
    return ""


def _without_prefix(form: type[ToolForm]) -> list[str]:
    """Fields that may collide with fields of the page; those of this project's own forms do not."""
    if form.prefix == ToolForm.prefix:
        return []
    ours = next(base for base in form.__mro__ if base.__module__.startswith(f"{OURS}."))
    return [name for name in form.base_fields if name not in getattr(ours, "base_fields", ())]


def _without_params(tool: SetsFields) -> list[str]:
    """The fields that it sets with any parameters; none where it needs those to tell."""
    try:
        names: Iterable[object] = tool.fields_of({})
        return [name for name in names if isinstance(name, str) and name]
    except (LookupError, TypeError, ValueError, AttributeError):
        return []


def _not_settable(names: Iterable[object]) -> list[str]:
    return [str(name) for name in names if name not in SETTABLE]


def _named(unfit: Iterable[str]) -> str:
    return f"{', '.join(unfit)}. Those that can be set are {', '.join(SETTABLE)}"
