"""Sample tickets of a dry run, with the changes to their tags and fields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from jobs.models import Item, Job
from jobs.presentation.field_changes import FieldChange, field_changes
from jobs.states import Outcome
from tagmanager.account import asking
from tagmanager.account.asking import Known, Question
from tagmanager.macros.application import Application, AppliedMacro
from tagmanager.ticket_change import TicketChange, TicketSnapshot
from tagmanager.tools import macro_of
from zendesk import Zendesk, ZendeskError

MAX_SAMPLES = 20


#: How many samples show what a macro would write: each costs a call.
MAX_COMMENTS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """One ticket, with the changes to its tags and fields."""

    ref: int
    subject: str
    kept: list[str]
    added: list[str]
    removed: list[str]
    fields: list[FieldChange] = field(default_factory=list)
    comment: str = ""  # as it would be posted, if it differs between tickets

    @property
    def kind(self) -> str:
        """The kind of change, which samples have in common: "Status: open → solved, tags added"."""
        tags = " and ".join(
            word for word, given in (("added", self.added), ("removed", self.removed)) if given
        )
        parts = [*map(str, self.fields), *([f"tags {tags}"] if tags else [])]
        words = ", ".join(parts) or "Comment only"
        return words[0].upper() + words[1:]


@dataclass(frozen=True, slots=True)
class Samples:
    """Some of the tickets; `problem` says why Zendesk could not be read."""

    rows: list[Sample]
    problem: str = ""
    comment: str = ""  # as it would be posted, if it is the same on all tickets
    is_public: bool = False
    is_pending: bool = False  # asking again in a moment helps

    @property
    def kinds(self) -> dict[str, list[Sample]]:
        """The samples by kind of change, in the order in which the kinds occur."""
        kinds: dict[str, list[Sample]] = {}
        for row in self.rows:
            kinds.setdefault(row.kind, []).append(row)
        return kinds


@dataclass(frozen=True, slots=True)
class _Words:
    """What Zendesk says of the samples: never stored, but in this process's memory for a minute."""

    subjects: dict[int, str]
    comments: dict[int, str]
    problem: str = ""  # why there are no comments


def samples_of(job: Job) -> Samples:
    """The ten tickets with the lowest and the ten with the highest ids that would change.

    Reads their subjects from Zendesk.
    """
    planned = job.items.filter(outcome=Outcome.PLANNED)
    first = list(planned.order_by("ref")[:MAX_SAMPLES])
    if len(first) == MAX_SAMPLES:
        seen = {item.pk for item in first[: MAX_SAMPLES // 2]}
        last = [item for item in planned.order_by("-ref")[: MAX_SAMPLES // 2] if item.pk not in seen]
        first = first[: MAX_SAMPLES // 2] + last[::-1]
    macro = macro_of(job)
    known = _words_of(job, [item.ref for item in first], macro)
    words = known.answer or _Words({}, {})
    rows = [
        _sample(item, job, words.subjects.get(item.ref, ""), words.comments.get(item.ref, ""))
        for item in first
    ]
    problem = words.problem or ("" if known.at else known.why_not_current)
    found = Samples(rows, problem, is_pending=known.is_pending)
    if macro is None or macro.comment is None:
        return found
    same = "" if macro.comment.differs else macro.comment.plain
    return replace(found, comment=same, is_public=macro.comment.is_public)


def _words_of(job: Job, refs: list[int], macro: AppliedMacro | None) -> Known[_Words]:
    """The subjects of the tickets, and what a macro would write on the first of them."""
    asked = macro if macro is not None and macro.comment is not None and macro.comment.differs else None

    def read(zendesk: Zendesk) -> _Words:
        subjects = {ticket.id: ticket.subject for ticket in zendesk.tickets(refs)}
        if asked is None:
            return _Words(subjects, {})
        try:
            return _Words(subjects, _comments(zendesk, asked, refs[:MAX_COMMENTS]))
        except ZendeskError as problem:
            return _Words(subjects, {}, str(problem))

    calls = 2 if asked is None else 2 + MAX_COMMENTS
    return asking.ask(Question(f"samples:{job.pk}", read, calls, _current_seconds, has_customers_words=True))


def _current_seconds(words: _Words) -> float:
    return asking.FAILED_SECONDS if words.problem else asking.CURRENT_SECONDS


def _comments(zendesk: Zendesk, macro: AppliedMacro, refs: Iterable[int]) -> dict[int, str]:
    """The macro's comment on each ticket, with Zendesk's placeholders filled in; never stored."""
    application = Application(zendesk, macro, ())
    found = {ref: application.comment_in(zendesk.preview_macro(macro.id, ref)) for ref in refs}
    return {ref: comment.plain for ref, comment in found.items() if comment is not None}


def _sample(item: Item, job: Job, subject: str, comment: str) -> Sample:
    seen = TicketSnapshot.from_json(item.ref, item.before or {"tags": [], "status": "", "updated_at": ""})
    change = TicketChange.from_json(item.change or {})
    return Sample(
        item.ref,
        subject,
        kept=sorted(seen.tags - change.remove),
        added=sorted(change.added),
        removed=sorted(change.remove),
        fields=field_changes(item, job),
        comment=comment,
    )
