"""The tools, one module each, and the list of those that the setting `TOOLS` names by dotted path.

Never: which tickets a person chose, or how a change is sent.
"""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from jobs.models import Job
from tagmanager.macros.application import AppliedMacro
from tagmanager.tools.base import AppliesMacro, Tool
from tagmanager.tools.demands import why_not_loaded


class UnknownTool(LookupError):
    """No tool of that name is installed."""


def tool(slug: str) -> Tool:
    """The tool of that slug; raises `UnknownTool` with a sentence."""
    try:
        return tools()[slug]
    except KeyError:
        known = ", ".join(tools())
        raise UnknownTool(f"There is no tool {slug!r} here. The tools are: {known}.") from None


@lru_cache(maxsize=1)
def tools() -> dict[str, Tool]:
    """All tools by slug, in the order of the setting. `manage.py check` reports a broken list."""
    return load(settings.TOOLS)


def load(paths: list[str]) -> dict[str, Tool]:
    """The tools at these dotted paths; raises `ImproperlyConfigured` for doubles and broken ones."""
    found: dict[str, Tool] = {}
    for path in paths:
        try:
            candidate = import_string(path)
        except ImportError as exc:
            raise ImproperlyConfigured(f"TOOLS names {path}, which cannot be imported: {exc}.") from exc
        candidate = candidate() if isinstance(candidate, type) else candidate
        if why_not := why_not_loaded(candidate):
            raise ImproperlyConfigured(f"The tool {path} {why_not}.")
        if candidate.slug in found:
            raise ImproperlyConfigured(f"Two tools are called {candidate.slug!r}; the second is {path}.")
        found[candidate.slug] = candidate
    return found


def macro_of(job: Job) -> AppliedMacro | None:
    """The macro that the job applies; None for jobs of other tools."""
    maker: object = tools().get(job.tool)
    return maker.macro_of(job.tool_params) if isinstance(maker, AppliesMacro) else None
