"""Rename tags, merge several into one, or remove them, by pairs of old and new."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.work import Skipped, Unchanged
from tagmanager.intake import sources, tag_pairs
from tagmanager.intake.sources import Source
from tagmanager.intake.tag_pairs import Mapping, Pairs
from tagmanager.ticket_change import TicketChange, TicketSnapshot, too_long
from tagmanager.tools.base import Answer, ToolForm, join
from tagmanager.tools.fields import PastedTableField, TableField, TagsField

#: The most bytes of a file of pairs: far more than the pairs that a job may have.
LARGEST_FILE = 1_000_000


class PairsField(PastedTableField):
    """Lines of pairs; the page shows how they are read."""

    takes_pairs = True


class RenameTagsForm(ToolForm):
    prefix: str | None = None
    part = "tools/rename_tags.html"

    old = TagsField(
        label="Old tags", required=False, help_text="One to rename, or several to merge into the new one."
    )
    new = TagsField(label="New tag", required=False, help_text="All other tags stay as they are.")
    pairs = PairsField(
        label="Or many pairs",
        required=False,
        help_text="Each line an old tag, a comma and the new tag; without a new one the old is removed.",
        widget=forms.Textarea(
            attrs={"rows": 5, "spellcheck": "false", "placeholder": "billing_issue,billing"}
        ),
    )
    mapping_file = TableField(
        label="Or a file of pairs",
        required=False,
        help_text="CSV, Excel or LibreOffice with the columns old and new, or the tag inventory of this app "
        "with a column rename_to.",
        holds="Give a table with the columns old and new.",
        most_bytes=LARGEST_FILE,
        too_large="The file is too large to be a list of pairs. Choose another.",
    )
    follow_chains = forms.BooleanField(
        label="Follow chains to their end",
        required=False,
        help_text="Where a new tag is itself renamed by another pair, go to the last one at once.",
    )

    def clean_new(self) -> str:
        tags: list[str] = self.cleaned_data["new"]
        if len(tags) > 1:
            raise ValidationError(
                "Give one new tag. For several new tags use lines of pairs.", code="one_tag"
            )
        return tags[0] if tags else ""

    def clean_follow_chains(self) -> bool:
        """The tables, now that all that is said about them is known."""
        follow: bool = self.cleaned_data["follow_chains"]
        for name, field in (("pairs", PastedTableField), ("mapping_file", TableField)):
            given = field.given(self, name)
            try:
                self.cleaned_data[name] = tag_pairs.read(given, follow_chains=follow) if given else Mapping()
            except ValidationError as problem:
                self.add_error(name, problem)
        return follow

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        one = self._one_pair(cleaned["old"], cleaned["new"])
        ways = [way for way in (one, cleaned["pairs"], cleaned["mapping_file"]) if way]
        if len(ways) > 1:
            raise ValidationError(
                "Only one thing can say which tag becomes which: an old and a new tag, lines of pairs, or a "
                "file. Leave the others empty.",
                "many_ways",
            )
        if not ways and not self.errors:
            raise ValidationError("Say which tag becomes which.", "nothing")
        if ways:
            cleaned["mapping"] = _resolved(ways[0])
            self.given = ways[0]
        return cleaned

    def _one_pair(self, old: list[str], new: str) -> Mapping:
        if new and not old:
            self.add_error("old", "Say which tag is to become the new one.")
        if old and not new:
            self.add_error("new", "Say what it becomes. To take tags off, use “Add and remove tags”.")
        return Mapping({tag: new for tag in old if tag != new}, same=int(new in old))

    @property
    def notes(self) -> list[str]:
        same = sum(self.cleaned_data[name].same for name in ("pairs", "mapping_file"))
        told = [self.given.told()] if self.given.told() else []
        if same:
            pairs = "1 pair names" if same == 1 else f"{same:,} pairs name"
            told.append(f"{pairs} the same tag twice, so there is nothing to do for it.")
        return told

    @property
    def is_careful(self) -> bool:
        return self.given.reading is not None and self.given.reading.is_careful

    def params(self) -> dict[str, Any]:
        return {"pairs": self.cleaned_data["mapping"]}

    @classmethod
    def filling(cls, params: dict[str, Any]) -> dict[str, Any]:
        return {"pairs": tag_pairs.as_text(params["pairs"])}


def _resolved(given: Mapping) -> Pairs:
    """The pairs with chains followed; raises `ValidationError` where there is nothing to rename."""
    if not given.pairs:
        raise ValidationError("Old and new are the same, so there is nothing to rename.", "nothing")
    return tag_pairs.resolved(given.pairs)


class RenameTags:
    """Replaces old tags by new ones in one write per ticket, so that no ticket ever lacks both."""

    slug = "rename-tags"
    name = "Rename and merge tags"
    icon = "rename"
    summary = "Put a new tag in the place of old ones, on every ticket that carries one of them."
    form_class = RenameTagsForm
    own_tickets = "All tickets with an old tag"

    def title(self, params: dict[str, Any], tickets: str) -> str:
        pairs: Pairs = params["pairs"]
        news = set(pairs.values())
        old = join(list(pairs))
        if news == {""}:
            return f"Remove {old} from {tickets}"
        if len(pairs) == 1:
            return f"Rename {old} to {news.pop()} on {tickets}"
        if len(news) == 1:
            return f"Merge {old} into {news.pop()} on {tickets}"
        return f"Rename {len(pairs):,} tags on {tickets}"

    def source_for(self, params: dict[str, Any]) -> Source:
        """Every ticket that carries an old tag."""
        return sources.any_of(list(params["pairs"]))

    def pairs_of(self, params: dict[str, Any]) -> Pairs:
        pairs: Pairs = params["pairs"]
        return pairs

    def asked_of(self, params: dict[str, Any]) -> TicketChange | None:
        """A ticket gains a new tag only where it carries an old one of it."""
        pairs: Pairs = params["pairs"]
        return None if any(pairs.values()) else TicketChange(remove=frozenset(pairs))

    def change_for(self, ticket: TicketSnapshot, params: dict[str, Any]) -> Answer:
        pairs: Pairs = params["pairs"]
        old = frozenset(tag for tag in ticket.tags if tag in pairs)
        if not old:
            return Unchanged()
        new = frozenset(pairs[tag] for tag in old if pairs[tag])
        change = TicketChange(new - ticket.tags, old)
        if problem := too_long(change.applied_to(ticket.tags)):
            return Skipped("too_many_tags", problem)
        return change
