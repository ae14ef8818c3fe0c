"""From a filled-in form to a job: the one way, for the pages and for the command line alike."""

from __future__ import annotations

from jobs import actions
from jobs.actions import Made
from jobs.actors import Actor
from tagmanager.sources import Source
from tagmanager.tools.base import Tool, ToolForm


def ask(
    tool: Tool,
    tool_form: ToolForm,
    source: Source,
    *,
    by: Actor,
    limit: int | None = None,
    canary: int | None = None,
    dry_run: bool = False,
    include_closed: bool = False,
    here: bool = False,
    nonce: str | None = None,
) -> Made:
    """Make the job that a valid form of the tool asks for, on the tickets of the source.

    With `here` this process is to run it at once: `jobs.engine.run(made.job.pk, token=made.token, …)`. The
    same `nonce` twice makes one job; `Made.is_new` tells. Calls nobody: whether a view exists was for the
    caller to ask.
    """
    params = tool_form.params() | {"include_closed": include_closed}
    return actions.submit(
        tool=tool.slug,
        title=tool.title(params, _phrase(source, limit)),
        params=params,
        source=source.stored,
        refs=source.refs,
        given=source.given,
        by=by,
        limit=limit,
        canary=canary,
        dry_run=dry_run,
        nonce=nonce,
        here=here,
    )


def _phrase(source: Source, limit: int | None) -> str:
    number = source.stored.get("number")
    if limit is None or number is None or limit >= number:
        return source.phrase
    return f"the first {limit:,} of {source.phrase}"
