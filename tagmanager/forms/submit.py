"""From a valid form to a job: the one way, for pages and commands alike."""

from __future__ import annotations

from jobs import actions
from jobs.actions import Submission
from jobs.actors import Actor
from jobs.source_spec import Order
from jobs.states import Guarded
from jobs.work import Verify
from tagmanager.changes.job_options import JobOptions
from tagmanager.intake.source_kinds.registry import phrase_of
from tagmanager.intake.sources import Source
from tagmanager.intake.ticket_filter import TicketFilter
from tagmanager.tools.base import Tool, ToolForm


def submit(
    tool: Tool,
    tool_form: ToolForm,
    source: Source,
    *,
    by: Actor,
    only: TicketFilter | None = None,
    limit: int | None = None,
    canary: int | None = None,
    dry_run: bool = False,
    include_closed: bool = False,
    guard: str = "",
    guard_stays: bool = False,
    verify: Verify | None = None,
    here: bool = False,
    nonce: str | None = None,
) -> Submission:
    """Make the job that a valid form of the tool asks for, on the tickets of the source that `only` lets in.

    With `here` this process holds the job, and runs it by `execution.run(made.job.pk, token=made.token, …)`.
    The same `nonce` twice makes one job: see `Submission.is_new`. Does not call Zendesk: the form has checked
    that the source exists. The tag `guard` is added in the same write as the change (`changes.guard_tag`),
    and comes off when the job has ended, or with `guard_stays` on request. `verify` says what is read back,
    if not what the setting says. Raises `NotPossible`.
    """
    params = tool_form.params()
    options = JobOptions(
        include_closed,
        only or TicketFilter(),
        guard,
        tool_form.display_names,
        verify.value if verify else "",
    )
    guarded = Guarded.NO
    if guard:
        guarded = Guarded.STAYS if guard_stays else Guarded.UNTIL_END
    return actions.submit(
        tool=tool.slug,
        title=tool.title(params, phrase(source, only, limit)),
        params=params,
        options=options.to_json(),
        source=source.stored,
        refs=source.refs,
        given=source.given,
        lists=source.lists,
        by=by,
        limit=limit,
        canary=canary,
        dry_run=dry_run,
        guarded=guarded,
        nonce=nonce,
        here=here,
    )


def phrase(source: Source, only: TicketFilter | None = None, limit: int | None = None) -> str:
    """The tickets as the end of a title: "tickets of view “A”, only those that have vip; the 10 oldest"."""
    tickets = phrase_of(source.stored)
    named = f"{tickets}, {only.phrase}" if only else tickets
    order = Order(source.stored.get("order", ""))
    if order:
        first = (
            order.label
            if limit is None
            else order.label.replace("the ", f"the {limit:,} ").removesuffix(" first")
        )
        return f"{named}; {first}"
    number = source.stored.get("number")
    if limit is None or number is None or limit >= number:
        return named
    return f"the first {limit:,} of {named}"
