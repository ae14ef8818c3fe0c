"""Labels for the pages of `jobs`: names of tools, addresses of tickets, advice about failures."""

from __future__ import annotations

from jobs.models import Job
from jobs.reports.exports import Asked
from jobs.source_spec import Stored
from jobs.states import FollowUp, Outcome
from tagmanager.account import connection
from tagmanager.changes import irrevocable, unplanned
from tagmanager.changes.job_options import JobOptions
from tagmanager.intake.source_kinds.registry import of_kind
from tagmanager.intake.ticket_filter import START, TicketFilter
from tagmanager.tools import UnknownTool, macro_of, tool
from zendesk import ItemResult

#: By reason, as `work.py`, the engine and Zendesk call it.
ADVICE = {
    "closed": "Closed tickets are changed only with the option “Include closed tickets”, and only where an "
    "admin has allowed it in Zendesk's Admin Center: Objects and rules, Tickets, Settings.",
    "closed_field": "Apply it to tickets that are not closed, or change only tags and priority.",
    "not_taken_back": "Zendesk does not take such a value back. Set it there by hand where that is possible.",
    "not_foreseen": "Look at the ticket in Zendesk, then apply the macro to it with a new job.",
    "odd_record": "Zendesk sent a record of the ticket that cannot be read. Look at it there, then retry.",
    "not_found": "Deleted tickets, and those that the connected user may not see, cannot be changed.",
    "deleted": "Restore the ticket in Zendesk if it is to be changed.",
    "ai_agent": "Wait until the conversation is handed over to a person, then retry. A tick on the form "
    "leaves such tickets out.",
    "not_shown": "Look at the ticket and its history in Zendesk. Retry if the change is still wanted.",
    "undone_since": "Look in Zendesk which trigger changes the ticket again, and change the trigger first.",
    "DatabaseConflict": "Zendesk's database was busy with the ticket each time. Retry later.",
    "DatabaseDeadlock": "Zendesk's database was busy with the ticket each time. Retry later.",
    "TicketUpdateFailed": "Zendesk's words say what stands against it. Mend that, then retry.",
    "conflict": "Others were changing the ticket at the same moment. Retry when they are done.",
    "gone": "Look at the ticket in Zendesk: whether the change was made is not known.",
    "untold": "Look at the ticket in Zendesk. Where the comment is missing, apply the macro to it with a new "
    "job: a retry looks again, and posts nothing while it cannot tell.",
    "given_up": "Retry when Zendesk can be asked again: the ticket is read first, and sent only if need be.",
    "batch_failed": "Zendesk broke off when it came to this ticket. Try it by hand to see why, then retry.",
    "no_result": "Zendesk never said what became of the change, and the ticket does not show it: retry.",
    "RecordInvalid": "A rule of Zendesk's stands against it, such as a required field. Mend the ticket or "
    "the rule, then retry.",
    "TicketTooBig": "The ticket has too many tags. Take some off, then retry.",
}

#: What takes in the tickets that an undo left out because they are closed.
INCLUDE_CLOSED = (
    "Undo job {job} again with “Include tickets closed since” (in a terminal: --include-closed). It changes "
    "tags and priority alone, and only where an admin has allowed that in Zendesk's Admin Center: Objects "
    "and rules, Tickets, Settings."
)


def tool_name(slug: str) -> str:
    """The name of a tool; for one no longer installed, derived from its slug."""
    try:
        return tool(slug).name
    except UnknownTool:
        return slug.replace("-", " ").capitalize()


def item_address(ref: int) -> str:
    """The page of the ticket in Zendesk; "" while no account is configured."""
    try:
        return connection.ticket_address(ref)
    except connection.NotConnected:
        return ""


def source_words(source: Stored) -> str:
    """Where the tickets of a job come from, but for several sources together."""
    return of_kind(source, lambda kind: kind.words(source), "")


def field(job: Job, name: str, value: object) -> tuple[str, str]:
    """Labels for a field that the job sets and for its value."""
    names = JobOptions.of(job).field_names
    return names.label(name), names.value(name, value)


def filter_words(only: Stored) -> str:
    """Which tickets of the source are in a job, after "only tickets that"."""
    return TicketFilter.from_json(only).phrase.removeprefix(START)


def warning_on(job: Job, number: int) -> str:
    """What this job sends to people outside if it runs on `number` tickets; "" for nothing."""
    macro = macro_of(job)
    if macro is None or not macro.writes_to_customers:
        return ""
    customers = "1 customer" if number == 1 else f"{number:,} customers"
    return (
        f"This will e-mail {customers}: the macro's public reply is posted on each ticket, and no undo takes "
        "it back."
    )


def what_stays(job: Job) -> str:
    """What an undo of the job cannot take back; "" for nothing."""
    macro = macro_of(job)
    if macro is None or macro.comment is None or job.dry_run:
        return ""
    if macro.writes_to_customers:
        return (
            "Only tags and fields are put back. The public replies that were posted stay, and the mails that "
            "they sent cannot be called back."
        )
    return "Only tags and fields are put back. The internal notes that were posted stay."


def undo_limits(job: Job) -> list[str]:
    """What an undo of the job cannot bring back, in sentences with the number of tickets."""
    return irrevocable.undo_limits(job, (Outcome.CHANGED, Outcome.UNVERIFIED))


def advice_on(outcome: str, reason: str, job: Job | None = None) -> str:
    """What a person can do about tickets of the job that ended so, in a sentence."""
    is_undo = job is not None and job.follow_up == FollowUp.UNDO
    if job is not None and is_undo and reason == "closed" and not JobOptions.of(job).include_closed:
        return INCLUDE_CLOSED.format(job=job.parent_id)
    if reason in ADVICE:
        return ADVICE[reason]
    if ItemResult(None, None, ok=False, code=reason).is_passing:
        return ADVICE["DatabaseConflict"]
    return "Mend what Zendesk names, then retry." if outcome == Outcome.FAILED else ""


def asked(job: Job) -> Asked:
    """Tells what the job was to do to tickets that it had no plan for, as far as its own request says so."""
    return unplanned.asked(job)
