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
from tagmanager.tools.fields import TagsField, TextFile, TextFileField

#: The most bytes of a file of pairs: far more than the pairs that a job may have.
LARGEST_FILE = 1_000_000
#: The most chains named in an error.
MOST_NAMED = 5


class PairsField(forms.CharField):
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
        error_messages={
            "null_characters_not_allowed": "The text holds a character that is not text. Paste it anew."
        },
    )
    mapping_file = TextFileField(
        label="Or a file of pairs",
        required=False,
        help_text="CSV with the columns old and new, as a spreadsheet saves it.",
        holds="Give CSV with the columns old and new.",
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

    def clean_pairs(self) -> Mapping:
        return tag_pairs.read(self.cleaned_data["pairs"].splitlines())

    def clean_mapping_file(self) -> Mapping:
        file: TextFile | None = self.cleaned_data["mapping_file"]
        return tag_pairs.read(file.lines()) if file else Mapping()

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
            cleaned["mapping"] = self._checked(ways[0], follow=cleaned["follow_chains"])
        return cleaned

    def _one_pair(self, old: list[str], new: str) -> Mapping:
        if new and not old:
            self.add_error("old", "Say which tag is to become the new one.")
        if old and not new:
            self.add_error("new", "Say what it becomes. To take tags off, use “Add and remove tags”.")
        return Mapping({tag: new for tag in old if tag != new}, same=int(new in old))

    def _checked(self, given: Mapping, *, follow: bool) -> Pairs:
        """The pairs with chains resolved; raises `ValidationError` for what one write cannot do."""
        if not given.pairs:
            raise ValidationError("Old and new are the same, so there is nothing to rename.", "nothing")
        if rounds := tag_pairs.cycles(given.pairs):
            named = "; ".join(tag_pairs.chain_words([*way, way[0]]) for way in rounds[:MOST_NAMED])
            raise ValidationError(f"These go in a circle: {named}. Take one pair out of each.", "circle")
        if (ways := tag_pairs.chains(given.pairs)) and not follow:
            named = "; ".join(tag_pairs.chain_words(way) for way in ways[:MOST_NAMED])
            more = f" and {len(ways) - MOST_NAMED:,} more" if len(ways) > MOST_NAMED else ""
            raise ValidationError(
                f"A new tag is itself renamed by another pair: {named}{more}. Choose to follow chains to "
                "their end, or take one of the pairs out.",
                "chain",
            )
        return tag_pairs.resolved(given.pairs)

    @property
    def notes(self) -> list[str]:
        same = sum(self.cleaned_data[name].same for name in ("pairs", "mapping_file"))
        pairs = "1 pair names" if same == 1 else f"{same:,} pairs name"
        return [f"{pairs} the same tag twice, so there is nothing to do for it."] if same else []

    def params(self) -> dict[str, Any]:
        return {"pairs": self.cleaned_data["mapping"]}

    @classmethod
    def filling(cls, params: dict[str, Any]) -> dict[str, Any]:
        return {"pairs": tag_pairs.as_text(params["pairs"].items())}


class RenameTags:
    """Replaces old tags by new ones in one write per ticket, so that no ticket ever lacks both."""

    slug = "rename-tags"
    name = "Rename and merge tags"
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
