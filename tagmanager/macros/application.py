"""A macro being applied: Zendesk's preview of each ticket, the comment to post, and whether it was posted.

The comment on a ticket may hold words of a customer, so it is never stored: it is previewed with the ticket,
kept in memory until it is sent, and previewed again when that was too long ago.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import zendesk as api
from jobs.errors import NeedsPerson, ReadAgain
from jobs.work import DeliveryEvidence, Sendable
from tagmanager.macros.comments import Comment
from tagmanager.ticket_change import FieldValue, MacroPreview, TicketChange, second_of
from zendesk import normalise

logger = logging.getLogger(__name__)

#: The key of our mark in the metadata of an update (developer.zendesk.com, ticket audits).
MARK = "tag_manager"
#: Tickets in a batch where Zendesk has to preview each: few, so that a click is noticed between two batches,
#: and a wait for the rate limit does not outlast the previews.
ASKED_AT_ONCE = 20
#: Failures of a preview that may be that ticket's own; all others concern every call.
OWN_FAILURES = (api.Refused, api.NotAllowed, api.Unavailable, api.UnexpectedAnswer)
#: The most comments kept in memory for sending.
MAX_COMMENTS = 300


@dataclass(frozen=True, slots=True)
class AppliedMacro:
    """What a job stores of a macro."""

    id: int
    title: str
    as_of: str = ""  # when it was last edited, as Zendesk says it; of one that is asked for ticket by ticket
    mark: str = ""  # of one with a comment: found again in the history of each ticket that got it
    comment: Comment | None = None  # the account's own text
    does: str = ""  # `digest_of` it; "" in jobs of an earlier release, which compare `as_of`

    @property
    def is_asked_for_each(self) -> bool:
        return bool(self.as_of)

    @property
    def writes_to_customers(self) -> bool:
        return self.comment is not None and self.comment.is_public


def digest_of(macro: api.Macro) -> str:
    """Equal for macros that do the same, whatever they are called and wherever they stand."""
    actions = [[action.field, action.value] for action in macro.actions]
    return hashlib.sha256(json.dumps(actions, sort_keys=True).encode()).hexdigest()[:32]


class Application:
    """Applies one macro for one worker. All methods may raise `ZendeskError`."""

    def __init__(self, zendesk: api.Zendesk, macro: AppliedMacro, fields: Sequence[str]) -> None:
        self.macro = macro
        self._zendesk = zendesk
        self._fields = fields
        self._comments: OrderedDict[int, tuple[str, Comment | None]] = OrderedDict()
        self._kept: dict[int, tuple[str, MacroPreview]] = {}  # by ref, with the ticket's stamp
        self._marks_are_kept = False

    # Reading

    def preview(self, tickets: Iterable[api.Ticket]) -> dict[int, MacroPreview]:
        """Zendesk's own preview of each ticket; tickets that have vanished are missing.

        A ticket whose preview fails twice while others succeed has one with a `problem`. Where all of several
        fail, or Zendesk asks to wait, this raises; the previews that succeeded are then not requested again.
        Raises `NeedsPerson` when the macro has been edited or deleted since the job was made.
        """
        found: dict[int, MacroPreview] = {}
        failed: list[api.Ticket] = []
        wanted = list(tickets)
        try:
            for ticket in wanted:
                try:
                    self._add_preview(found, ticket)
                except OWN_FAILURES as problem:
                    failed.append(ticket)
                    if len(failed) == len(wanted) > 1:
                        raise
                    logger.info("the preview of ticket %s failed: %s", ticket.id, type(problem).__name__)
            for ticket in failed:
                try:
                    self._add_preview(found, ticket)
                except OWN_FAILURES as problem:
                    found[ticket.id] = MacroPreview(ticket.tags, problem=str(problem))
            self._check_macro()  # afterwards, so that every preview is of the macro as the job was made with
        except api.ZendeskError:
            self._kept = {
                ticket.id: (ticket.updated_at, found[ticket.id])
                for ticket in wanted
                if ticket.id in found and not found[ticket.id].problem
            }
            raise
        return found

    def _add_preview(self, found: dict[int, MacroPreview], ticket: api.Ticket) -> None:
        """Add the preview of a ticket that has not vanished: kept from a call that broke off, or new."""
        stamp, kept = self._kept.pop(ticket.id, ("", None))
        if kept is not None and stamp == ticket.updated_at:
            found[ticket.id] = kept
            return
        try:
            result = self._zendesk.preview_macro(self.macro.id, ticket.id)
        except api.NotFound:
            return
        comment = self.comment_in(result)
        self._comments[ticket.id] = (ticket.updated_at, comment)
        self._comments.move_to_end(ticket.id)
        while len(self._comments) > MAX_COMMENTS:
            self._comments.popitem(last=False)
        found[ticket.id] = _macro_preview(ticket, result, self._fields, comment)

    def comment_in(self, result: Mapping[str, Any]) -> Comment | None:
        """The comment of a preview; None for a macro without one."""
        if self.macro.comment is None:
            return None
        return Comment.from_preview(result, is_html=self.macro.comment.is_html)

    def _check_macro(self) -> None:
        try:
            now = self._zendesk.macro(self.macro.id)
        except api.NotFound as exc:
            raise NeedsPerson(
                f"The macro “{self.macro.title}” is no more in Zendesk, or the connected user may not see "
                "it. Nothing more is sent. Cancel this job."
            ) from exc
        same = digest_of(now) == self.macro.does if self.macro.does else now.updated_at == self.macro.as_of
        if not same:
            raise NeedsPerson(
                f"The macro “{self.macro.title}” was edited in Zendesk after this job was made. Nothing more "
                "is sent, since it would be something else than was asked for. Cancel this job, and apply "
                "the macro as it is now with a new one."
            )

    # Sending

    def note(self) -> dict[str, object]:
        """What goes with every change: the id of the macro."""
        return {"macro_id": self.macro.id}

    def extras(self, item: Sendable, change: TicketChange) -> dict[str, object]:
        """What goes with the change of one ticket; raises `ReadAgain` if its comment is not in memory."""
        if not change.comment:
            return self.note()
        comment = self.macro.comment
        if self.macro.is_asked_for_each:
            stamp, comment = self._comments.get(item.ref, ("", None))
            if comment is None or stamp != item.before["updated_at"]:
                raise ReadAgain("What the macro says on these tickets has to be asked for again.")
        assert comment is not None  # else no change of this job had one
        return self.note() | {"comment": comment.to_json(), "metadata": {"custom": {MARK: self.macro.mark}}}

    # Looking up

    def find_evidence(self, items: Sequence[Sendable], known: int | None) -> dict[int, DeliveryEvidence]:
        """Whether the comment was posted, by the history of each ticket; deleted tickets are missing.

        Our mark proves that it was. Without the mark and without any comment since the reading, it was not. A
        comment without the mark is someone else's if this account keeps marks at all: that shows in the other
        tickets, or in one `known` to have the mark.
        """
        found = {item.ref: self._history_of(item.ref) for item in items}
        histories = {ref: history for ref, history in found.items() if history is not None}
        marked = {ref for ref, history in histories.items() if self._has_mark(history)}
        self._marks_are_kept = self._marks_are_kept or bool(marked)
        if not self._marks_are_kept and known is not None:
            self._marks_are_kept = self._has_mark(self._history_of(known) or [])
        since = {item.ref: str(item.before["updated_at"]) for item in items}
        return {
            ref: DeliveryEvidence.MADE if ref in marked else self._evidence_in(history, since[ref])
            for ref, history in histories.items()
        }

    def made(self, job: api.JobStatus) -> bool:
        """Whether a finished bulk job was ours: with a comment, one of its tickets has our mark."""
        done = next((result.id for result in job.results or [] if result.ok and result.id), None)
        if self.macro.comment is None or done is None:
            return True
        return self._has_mark(self._history_of(done) or [])

    def _evidence_in(self, history: Sequence[api.Audit], since: str) -> DeliveryEvidence:
        if not history:  # an archived ticket shows none
            return DeliveryEvidence.UNCLEAR
        read_at = second_of(since)
        was_commented = any(audit.has_comment and _is_after(audit.created_at, read_at) for audit in history)
        return (
            DeliveryEvidence.NOT_MADE
            if self._marks_are_kept or not was_commented
            else DeliveryEvidence.UNCLEAR
        )

    def _history_of(self, ref: int) -> list[api.Audit] | None:
        """None for a deleted ticket; empty if we may not see the history."""
        try:
            return list(self._zendesk.audits(ref))
        except api.NotFound:
            return None
        except api.NotAllowed:
            return []

    def _has_mark(self, history: Iterable[api.Audit]) -> bool:
        return any(_mark_in(audit.custom) == self.macro.mark for audit in history)


def _mark_in(custom: Mapping[str, Any]) -> object:
    """Our mark in the metadata of an audit, which may show what was sent under one more ``custom``."""
    inner = custom.get("custom")
    return custom.get(MARK) or (inner.get(MARK) if isinstance(inner, dict) else None)


def _is_after(stamp: str, second: int | None) -> bool:
    """Whether a stamp names a later second; so does one that cannot be compared."""
    at = second_of(stamp)
    return at is None or second is None or at > second


def _macro_preview(
    ticket: api.Ticket, result: Mapping[str, Any], fields: Sequence[str], comment: Comment | None
) -> MacroPreview:
    tags = result.get("tags")
    kept: dict[str, FieldValue] = {name: result.get(name) for name in fields}
    return MacroPreview(
        frozenset(map(normalise, tags)) if isinstance(tags, list) else ticket.tags,
        kept,
        comment.kind if comment else "",
    )
