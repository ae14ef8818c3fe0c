"""Which tag becomes which, as people give it: `old,new` line by line, typed, pasted or from a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from tagmanager.intake import csv_rows
from zendesk import TagError, parse_tags

#: What spreadsheets call the columns.
OLD_COLUMNS = ("old", "old_tag", "old tag", "from", "tag")
NEW_COLUMNS = ("new", "new_tag", "new tag", "to")
#: Between the two where there is no comma, semicolon or tab: "billing = invoices", "billing -> invoices".
BETWEEN = re.compile(r"\s*(?:->|=>|→|=)\s*|\s+")
#: A mapping is kept in the job's row and read with it.
MOST_PAIRS = 2_000
#: How many unusable lines an error names.
MOST_NAMED = 10

#: Old tag to new one, in the order given; "" removes the old one.
Pairs = dict[str, str]


@dataclass(slots=True)
class Mapping:
    """The pairs, and the number of lines that change nothing because old and new are the same."""

    pairs: Pairs = field(default_factory=dict)
    same: int = 0

    def __bool__(self) -> bool:
        """Whether there was any pair."""
        return bool(self.pairs or self.same)


def read(lines: Iterable[str]) -> Mapping:
    """The pairs of some lines; the first line may name the columns. Chains stay as they are: see `resolved`.

    Raises `ValidationError` that names the unusable lines, up to `MOST_NAMED`.
    """
    mapping, problems = Mapping(), list[str]()
    places: dict[str, int] = {}
    for line, old, new in _cells(lines):
        try:
            pair = _tag(old, "old"), _tag(new, "new") if new else ""
        except ValidationError as problem:
            problems.append(f"Line {line}: {problem.message}")
            continue
        before = mapping.pairs.get(pair[0])
        if before is not None and before != pair[1]:
            problems.append(
                f"Line {line}: {pair[0]} {_becomes(pair[1])} here, and {_becomes(before)} by line "
                f"{places[pair[0]]}. Leave one of the two."
            )
        elif pair[0] == pair[1]:
            mapping.same += 1
        else:
            mapping.pairs[pair[0]] = pair[1]
            places.setdefault(pair[0], line)
    if problems:
        more = f" And {len(problems) - MOST_NAMED:,} more lines." if len(problems) > MOST_NAMED else ""
        raise ValidationError(" ".join(problems[:MOST_NAMED]) + more, code="mapping")
    if len(mapping.pairs) > MOST_PAIRS:
        raise ValidationError(
            f"These are {len(mapping.pairs):,} pairs; one job takes {MOST_PAIRS:,}. Give them in parts.",
            code="too_many",
        )
    return mapping


def cycles(pairs: Pairs) -> list[list[str]]:
    """Tags that become each other in a cycle; each cycle once, from its first tag on."""
    found, done = [], set[str]()
    for start in pairs:
        chain: list[str] = []
        tag = start
        while tag in pairs and tag not in done and tag not in chain:
            chain.append(tag)
            tag = pairs[tag]
        if tag in chain:
            found.append(chain[chain.index(tag) :])
        done.update(chain)
    return found


def chains(pairs: Pairs) -> list[list[str]]:
    """Chains of more than one pair, each from a tag that no tag becomes to its end ("": removed).

    The pairs must have no cycles.
    """
    news = set(pairs.values())
    found = [_chain_from(pairs, old) for old in pairs if old not in news]
    return [chain for chain in found if len(chain) > 2]


def resolved(pairs: Pairs) -> Pairs:
    """Each old tag to the end of its chain, so that one write does all. The pairs must have no cycles."""
    return {old: _chain_from(pairs, old)[-1] for old in pairs}


def chain_words(chain: Iterable[str]) -> str:
    """A chain as people read it: "a → b → c"."""
    return " → ".join(tag or "(removed)" for tag in chain)


def as_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Lines from which `read` makes the same pairs, the tags `old` and `new` included."""
    rows = list(pairs)
    is_like_header = rows and rows[0][0].lower() in OLD_COLUMNS and rows[0][1].lower() in NEW_COLUMNS
    header = [(OLD_COLUMNS[0], NEW_COLUMNS[0])] if is_like_header else []
    return "\n".join(f"{old},{new}" for old, new in [*header, *rows])


def _chain_from(pairs: Pairs, tag: str) -> list[str]:
    chain = [tag]
    while chain[-1] in pairs:
        chain.append(pairs[chain[-1]])
    return chain


def _cells(lines: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Line, old and new; further cells are people's notes."""
    old, new = 0, 1
    for number, (line, cells) in enumerate(csv_rows.read_rows(lines)):
        if not number:
            names = [cell.lower() for cell in cells]
            columns = [
                next((names.index(name) for name in known if name in names), None)
                for known in (OLD_COLUMNS, NEW_COLUMNS)
            ]
            if columns[0] is not None and columns[1] is not None:
                old, new = columns[0], columns[1]
                continue
        parts = BETWEEN.split(cells[0], maxsplit=1) if len(cells) == 1 else cells
        yield line, _cell(parts, old), _cell(parts, new)


def _cell(cells: list[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _tag(text: str, which: str) -> str:
    try:
        tags = parse_tags(text)
    except TagError as problem:
        raise ValidationError(str(problem)) from problem
    if len(tags) != 1:
        what = f"{text!r} is several tags" if tags else "there is none"
        raise ValidationError(f"the {which} tag has to be one tag, and {what}.")
    return next(iter(tags))


def _becomes(tag: str) -> str:
    return f"becomes {tag}" if tag else "is removed"
