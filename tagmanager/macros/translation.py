"""A macro's actions as a change that can be sent to any number of tickets, and what of it cannot be sent.

Zendesk's own apply endpoints only show what a macro would do (developer.zendesk.com, macros): its actions
have to be written to the tickets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from jobs.common.input import whole_number
from tagmanager.macros.comments import PLACEHOLDER, Comment
from tagmanager.ticket_change import SETTABLE, FieldValue
from zendesk import Action, CustomStatus, Macro, TicketField

CUSTOM_FIELD = "custom_fields_"
COMMENT, COMMENT_HTML, COMMENT_MODE = "comment_value", "comment_value_html", "comment_mode_is_public"
#: The comment of a macro may be meant for one channel; this one means all.
ALL_CHANNELS = "channel:all"
#: Fields whose value is one tag (support.zendesk.com, articles 4408881943194 and 4408825689882).
TAG_TYPES = ("tagger", "checkbox")
TICKED = ("true", "1", "yes")
CUSTOM_STATUS = "custom_status_id"
NEW, NEVER_NEW = "new", "Zendesk sets no ticket back to new"
WORDS = {
    "status": ("open", "pending", "hold", "solved"),
    "type": ("question", "incident", "problem", "task"),
    "priority": ("low", "normal", "high", "urgent"),
}
#: Actions that cannot be applied, by the beginning of their names, tested in this order.
LEFT_OUT = {
    "comment": "its comment",
    "side_conversation": "its side conversations",
    "attachment": "its attachments",
    "subject": "the new subject (the old ones are not kept, so they could not be put back)",
    "cc": "the people that it puts in copy",
    "follower": "the followers that it adds",
    "ticket_form_id": "its ticket form",
}


@dataclass(slots=True)
class Translation:
    """What a macro does to any ticket. With `exact`, `add` is the whole list of tags; `remove` is empty."""

    exact: bool = False
    add: set[str] = field(default_factory=set)
    remove: set[str] = field(default_factory=set)
    fields: dict[str, FieldValue] = field(default_factory=dict)
    custom: dict[int, bool] = field(default_factory=dict)  # checkboxes without a tag, by the field's id
    left_out: list[str] = field(
        default_factory=list
    )  # phrases for the parts of the macro that are not applied
    comment: Comment | None = None  # as the macro holds it, placeholders and all
    differs: bool = False  # its tags differ from ticket to ticket

    @property
    def does_something(self) -> bool:
        changes = self.add or self.remove or self.fields or self.custom
        return bool(self.exact or changes or self.comment or self.differs)

    @property
    def is_asked_for_each(self) -> bool:
        """Whether Zendesk has to preview the macro for each ticket."""
        return self.differs or (self.comment is not None and self.comment.differs)

    def leave_comment_out(self) -> None:
        """Do not post the comment, and report that; everything else stays."""
        if self.comment is not None:
            self.comment = None
            self._leave_out(LEFT_OUT["comment"])

    def _add_tags(self, tags: Iterable[str]) -> None:
        self.add |= set(tags)
        self.remove -= set(tags)

    def _remove_tags(self, tags: Iterable[str]) -> None:
        self.add -= set(tags)
        if not self.exact:
            self.remove |= set(tags)

    def add_action(
        self, action: Action, fields: Mapping[int, TicketField], statuses: Mapping[int, CustomStatus]
    ) -> None:
        """Apply one more action on top of those before it."""
        name, value = action.field, action.value
        if action.tags and PLACEHOLDER.search(str(value)):
            self.differs = True
        elif name == "set_tags":
            self.exact, self.add, self.remove = True, set(action.tags), set()
            self.differs = True
        elif name == "current_tags":
            self._add_tags(action.tags)
            self._remove_tags(_replaced_options(action.tags, fields))
        elif name == "remove_tags":
            self._remove_tags(action.tags)
        elif name == CUSTOM_STATUS:
            self._set_custom_status(value, statuses)
        elif name in SETTABLE:
            self._set_field(name, value)
        elif name.startswith(CUSTOM_FIELD):
            self._set_custom_field(name, value, fields)
        elif name in (COMMENT, COMMENT_HTML):
            self._set_comment(value, is_html=name == COMMENT_HTML)
        elif name != COMMENT_MODE:
            self._leave_out(_phrase(name))

    def _set_field(self, name: str, value: object) -> None:
        text = str(value).strip()
        if name == "status" and text == NEW:
            self._leave_out(f"the status “{text}” ({NEVER_NEW})")
        elif name in WORDS and text in WORDS[name]:
            self.fields[name] = text
            if name == "status":
                self.fields.pop(CUSTOM_STATUS, None)  # the last action counts
        elif name not in WORDS and re.fullmatch(r"[1-9][0-9]*", text):
            self.fields[name] = int(text)
        elif value in (None, "") and name != "status":
            self.fields[name] = None
        elif text.startswith("current_"):
            whom = "the person who applies it" if name == "assignee_id" else "the group of that person"
            self._leave_out(f"the {SETTABLE[name]} ({whom}: from here that would be the connected user)")
        else:
            self._leave_out(f"the {SETTABLE[name]} “{text}”")

    def _set_custom_status(self, value: object, statuses: Mapping[int, CustomStatus]) -> None:
        number = whole_number(str(value).strip()) or 0
        known = statuses.get(number)
        if not number:
            self._leave_out(f"the custom status “{value}”")
        elif known is not None and not known.active:
            self._leave_out(f"the custom status “{known.label}” (it is not active)")
        elif known is not None and known.category == NEW:
            self._leave_out(f"the custom status “{known.label}” ({NEVER_NEW})")
        else:
            self.fields.pop("status", None)
            self.fields[CUSTOM_STATUS] = number

    def _set_custom_field(self, name: str, value: object, fields: Mapping[int, TicketField]) -> None:
        """Set a field by its tag, so that undo restores the field with the tags; without a tag, by itself."""
        number = name.removeprefix(CUSTOM_FIELD)
        known = fields.get(whole_number(number) or 0)
        text = str(value).strip().lower()
        if known is None or known.type not in TAG_TYPES:
            what = f"“{known.title}”" if known else number
            self._leave_out(f"the field {what} (only dropdown and checkbox fields can be put back)")
        elif known.type == "checkbox" and not known.tags:
            self.custom[known.id] = text in TICKED
        elif not known.tags:
            self._leave_out(f"the field “{known.title}” (it has no options)")
        elif known.type == "checkbox":
            (self._add_tags if text in TICKED else self._remove_tags)(known.tags)
        elif text in known.tags or value in (None, ""):
            self._remove_tags(known.tags - {text})
            self._add_tags(known.tags & {text})
        else:
            self._leave_out(f"the field “{known.title}” (it has no option “{text}”)")

    def _set_comment(self, value: object, *, is_html: bool) -> None:
        channel, text = value if isinstance(value, list) and len(value) == 2 else (ALL_CHANNELS, value)
        if channel != ALL_CHANNELS:
            self._leave_out(f"its comment for {str(channel).removeprefix('channel:')} alone")
        elif isinstance(text, str) and text.strip():
            # Where a macro does not say who sees its comment, it is a public reply, as in Zendesk's editor.
            self.comment = Comment(text, is_public=True, is_html=is_html)

    def _leave_out(self, phrase: str) -> None:
        if phrase not in self.left_out:
            self.left_out.append(phrase)


def translate(
    macro: Macro, fields: Iterable[TicketField], statuses: Iterable[CustomStatus] = ()
) -> Translation:
    """The macro's actions in order; fields and custom statuses are those of the account, as far as known."""
    known = {each.id: each for each in fields}
    known_statuses = {each.id: each for each in statuses}
    whole = Translation()
    for action in macro.actions:
        whole.add_action(action, known, known_statuses)
    if whole.comment is not None and any(map(_hides_comment, macro.actions)):
        whole.comment = replace(whole.comment, is_public=False)
    return whole


def _hides_comment(action: Action) -> bool:
    return action.field == COMMENT_MODE and str(action.value).lower() in ("false", "0", "no")


def names_fields(macro: Macro) -> bool:
    """Whether the account's fields must be known to translate it: it sets one, or adds a possible option."""
    return any(
        action.field.startswith(CUSTOM_FIELD) or (action.field == "current_tags" and action.tags)
        for action in macro.actions
    )


def _replaced_options(tags: frozenset[str], fields: Mapping[int, TicketField]) -> frozenset[str]:
    """The tags of other options of the dropdowns that these tags set.

    Zendesk takes them off by itself where a tag is added (support.zendesk.com, article 4408881943194), but
    perhaps not where the whole list is sent. And undo brings back only what is on record as removed.
    """
    dropdowns = (field.tags for field in fields.values() if field.type == "tagger" and field.tags & tags)
    return frozenset().union(*dropdowns) - tags


def _phrase(name: str) -> str:
    for start, phrase in LEFT_OUT.items():
        if name.startswith(start):
            return phrase
    return f"its action “{name}”"
