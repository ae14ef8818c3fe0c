"""Taking a job back, ticket by ticket: the tags and fields it really changed, and nothing else.

Of a ticket that was sent and is unverified, what looks like the job's change counts as such.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from jobs.states import Outcome
from jobs.work import PreviousResult, Skipped, Unchanged
from tagmanager.changes import closed_tickets
from tagmanager.macros.comments import INTERNAL, PUBLIC
from tagmanager.macros.field_names import FieldNames
from tagmanager.ticket_change import (
    FIELD_WORDS,
    MOVED_BY,
    FieldValue,
    TicketChange,
    TicketSnapshot,
    same_choice,
    same_value,
)
from tagmanager.tools.base import Answer

#: By who sees the comment that was posted.
STAYS = {
    PUBLIC: "The public reply and the mail that it sent stay.",
    INTERNAL: "The internal note stays.",
}
#: The reason of a ticket that an undo could not bring back to what it was.
NOT_TAKEN_BACK = "not_taken_back"
#: The status that no existing ticket can be given (support.zendesk.com, article 4959212269210).
NEW = "new"
#: Fields that hold what a ticket's type brings along, and that are gone with it.
OF_TYPE = MOVED_BY["type"]
#: Fields of which one sets the other.
STATUS_FIELDS = ("status", "custom_status_id")
NO_NAMES = FieldNames()


def change_for(
    ticket: TicketSnapshot,
    earlier: PreviousResult | None,
    *,
    refusals: int = 0,
    names: FieldNames = NO_NAMES,
) -> Answer:
    """What takes back what the earlier job did to this ticket, as far as nobody has done so since.

    After `refusals` of Zendesk's, values that it may not take back (`is_doubtful`) stay as they are.
    """
    if earlier is None or earlier.change is None or earlier.before is None:
        return Skipped("not_changed", "The job that is undone did not change this ticket.")
    done = TicketChange.from_json(earlier.change)
    before = TicketSnapshot.from_json(ticket.id, earlier.before)
    fields = _fields_back(ticket, done, before)
    back = TicketChange(
        done.remove - ticket.tags,
        done.add & ticket.tags,
        exact=done.exact,
        fields=fields.sent,
        stays=fields.stay,
        custom={
            number: bool(before.custom.get(number)) if isinstance(value, bool) else before.custom.get(number)
            for number, value in done.custom.items()
            if same_choice(ticket.custom.get(number), value)
        },
    )
    back = without_doubtful(back, refusals)
    if ticket.is_closed:
        back = _keeping(back, back.fields.keys() - closed_tickets.CHANGEABLE)
    if not back and back.stays:
        return Skipped(NOT_TAKEN_BACK, why_not_back(back, ticket, names))
    return back or Unchanged(*_remark_on(ticket, earlier))


def _keeping(change: TicketChange, names: Collection[str]) -> TicketChange:
    """The change without these of its fields, which stay as they are."""
    kept = {name: value for name, value in change.fields.items() if name not in names}
    left = {name: value for name, value in change.fields.items() if name in names}
    return replace(change, fields=kept, stays={**change.stays, **left})


def is_doubtful(change: TicketChange) -> bool:
    """Whether Zendesk may refuse or ignore parts of it that it once gave itself.

    Null empties a field perhaps, and a problem or a custom status may be gone by now.
    """
    return any(_doubtful_parts(change))


def without_doubtful(change: TicketChange, refusals: int) -> TicketChange:
    """The change without parts that may be why it was refused so often; they stay as they are.

    A refusal does not say in a language that we know which part it is about: first one kind is left out, then
    the other, then both.
    """
    parts = [names for names in _doubtful_parts(change) if names]
    if not refusals or not parts:
        return change
    tried = [*parts, [name for names in parts for name in names]]
    return _keeping(change, tried[min(refusals, len(tried)) - 1])


def _doubtful_parts(change: TicketChange) -> tuple[list[str], list[str]]:
    """The fields that are emptied, and those whose old value may be gone."""
    emptied = [name for name, value in change.fields.items() if value is None]
    gone = [name for name, value in change.fields.items() if value is not None and name in OF_TYPE]
    if "status" in change.fields and "custom_status_id" in change.fields:
        gone.append("custom_status_id")
    return emptied, gone


def why_not_back(change: TicketChange, now: TicketSnapshot, names: FieldNames = NO_NAMES) -> str:
    """What of the ticket's old state does not stand although the undo was made, for people; "" for nothing.

    `change` is that of the undo, and `now` the ticket as it is after it. Where it lacks what Zendesk takes
    for certain, the undo was not made, and this says nothing.
    """
    doubtful = {name: change.fields[name] for names in _doubtful_parts(change) for name in names}
    if not _keeping(change, doubtful).is_shown_by(now):
        return ""
    wished = {**change.stays, **doubtful}
    left = [name for name, old in wished.items() if not same_value(now.value(name), old)]
    return " ".join(_sentence(name, wished[name], now, names) for name in left)


def _sentence(name: str, old: FieldValue, now: TicketSnapshot, names: FieldNames) -> str:
    label, becomes = FIELD_WORDS.get(name, name), names.value(name, now.value(name))
    if name == "status" and old == NEW:
        return f"The ticket was new, and Zendesk sets no ticket back to new: its status stays {becomes}."
    if now.is_closed and name not in closed_tickets.CHANGEABLE:
        return f"The {label} of a closed ticket cannot be changed: it stays {becomes}."
    if old is None:
        return f"The ticket had no {label}, and Zendesk did not empty the field: it stays {becomes}."
    return f"Zendesk did not take the old {label}, {names.value(name, old)}: it stays {becomes}."


@dataclass(slots=True)
class _Fields:
    """The fields of one ticket that an undo puts back, and those that it cannot."""

    sent: dict[str, FieldValue] = field(default_factory=dict)
    stay: dict[str, FieldValue] = field(default_factory=dict)


def _fields_back(ticket: TicketSnapshot, done: TicketChange, before: TicketSnapshot) -> _Fields:
    found = _Fields()
    for name, value in done.fields.items():
        is_ours = same_value(ticket.value(name), value)
        if name == "type":
            _type_back(found, ticket, before, is_ours=is_ours)
        elif is_ours and name in STATUS_FIELDS:
            _status_back(found, ticket, before)
        elif is_ours:
            found.sent[name] = before.fields.get(name)
    return found


def _status_back(found: _Fields, ticket: TicketSnapshot, before: TicketSnapshot) -> None:
    """Status and custom status together: the one without the other would be the default of its category."""
    was, now = before.value("status"), ticket.value("status")
    if was == NEW != now:
        found.stay["status"] = NEW
        return
    if was != now:
        found.sent["status"] = was
    old = before.value("custom_status_id")
    if old is not None and not same_value(ticket.value("custom_status_id"), old):
        found.sent["custom_status_id"] = old


def _type_back(found: _Fields, ticket: TicketSnapshot, before: TicketSnapshot, *, is_ours: bool) -> None:
    """The type with its problem or due date; those alone where the type is back already without them."""
    if is_ours and not [*_set_since(ticket, before)]:
        found.sent["type"] = before.fields.get("type")
    elif is_ours or not same_value(ticket.value("type"), before.value("type")):
        return
    for name in OF_TYPE:
        if before.value(name) is not None and ticket.value(name) is None:
            found.sent[name] = before.value(name)


def _set_since(ticket: TicketSnapshot, before: TicketSnapshot) -> Iterator[str]:
    """What others gave the ticket that goes with its new type, and would be lost with it."""
    for name in OF_TYPE:
        if before.knows(name) and ticket.value(name) not in (None, before.value(name)):
            yield name


def note_on(ticket: TicketSnapshot, earlier: PreviousResult | None) -> tuple[str, str]:
    """Code and sentence of what a person should know about a ticket taken back; both "" for nothing."""
    if earlier is not None and earlier.outcome == Outcome.UNVERIFIED:
        return "unverified", (
            "Whether the job changed this ticket was never learned: what looks like its change is taken back."
        )
    return _remark_on(ticket, earlier)


def _remark_on(ticket: TicketSnapshot, earlier: PreviousResult | None) -> tuple[str, str]:
    touched, stays = touched_since(ticket, earlier), _stays(earlier)
    reason = "touched_since" if touched else "comment_stays" if stays else ""
    return reason, " ".join(filter(None, (touched, stays)))


def _stays(earlier: PreviousResult | None) -> str:
    """A sentence on what the earlier job did to the ticket that nobody can take back; "" for nothing."""
    if earlier is None or earlier.change is None:
        return ""
    return STAYS.get(TicketChange.from_json(earlier.change).comment, "")


def touched_since(ticket: TicketSnapshot, earlier: PreviousResult | None) -> str:
    """A sentence on what others did to tags and fields after the job; "" when they are as it left them."""
    if earlier is None or earlier.change is None or earlier.before is None:
        return ""
    done = TicketChange.from_json(earlier.change)
    before = TicketSnapshot.from_json(ticket.id, earlier.before)
    left = done.applied_to(before.tags)
    ours = {done.guard}  # whether it was taken off yet says nothing of others
    parts = []
    if added := sorted(ticket.tags - left - ours):
        parts.append(f"added {', '.join(added)}")
    if removed := sorted(left - ticket.tags - ours):
        parts.append(f"removed {', '.join(removed)}")
    others = [name for name, value in done.fields.items() if not same_value(ticket.value(name), value)]
    if "type" in done.fields and "type" not in others:
        others += _set_since(ticket, before)
    labels = [FIELD_WORDS[name] for name in others]
    labels += [
        f"field {number}"
        for number, value in done.custom.items()
        if not same_choice(ticket.custom.get(number), value)
    ]
    if labels:
        parts.append(f"changed the {', the '.join(labels)}")
    return f"Since then someone {' and '.join(parts)}; that was left alone." if parts else ""
