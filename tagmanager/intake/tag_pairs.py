"""Which tag becomes which, as people give it: `old,new` line by line, typed, pasted or from a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from tagmanager.intake import csv_rows
from zendesk import TagError, parse_tags

#: Names of the columns, as spreadsheets of ours and of others call them.
OLD_COLUMNS = ("old", "old_tag", "old tag", "from", "tag")
NEW_COLUMNS = ("new", "new_tag", "new tag", "to")
#: Between the two where there is no comma, semicolon or tab: "billing = invoices", "billing -> invoices".
BETWEEN = re.compile(r"\s*(?:->|=>|→|=)\s*|\s+")
#: A mapping is kept in the job's row and read with it.
MOST_PAIRS = 2_000
#: So many lines that cannot be used are named.
MOST_NAMED = 10

#: Old tag to new one, in the order given; "" takes the old one away.
Pairs = dict[str, str]


@dataclass(slots=True)
class Mapping:
    """What was given: the pairs, and the lines that ask for nothing because old and new are the same."""

    pairs: Pairs = field(default_factory=dict)
    kept: int = 0

    def __bool__(self) -> bool:
        """Whether anything was given at all."""
        return bool(self.pairs or self.kept)


def read(lines: Iterable[str]) -> Mapping:
    """The pairs of some lines; the first may name columns old and new. Not resolved: see `resolved`.

    Raises `ValidationError` that names every line that cannot be used, up to ten of them.
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
            mapping.kept += 1
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


def circles(pairs: Pairs) -> list[list[str]]:
    """Tags that become each other in a round, each round once, from its first tag on."""
    found, done = [], set[str]()
    for start in pairs:
        way: list[str] = []
        tag = start
        while tag in pairs and tag not in done and tag not in way:
            way.append(tag)
            tag = pairs[tag]
        if tag in way:
            found.append(way[way.index(tag) :])
        done.update(way)
    return found


def chains(pairs: Pairs) -> list[list[str]]:
    """Ways over more than one pair, each from a tag that nothing becomes to its end ("": taken away).

    Without circles in the pairs.
    """
    news = set(pairs.values())
    ways = [_way(pairs, old) for old in pairs if old not in news]
    return [way for way in ways if len(way) > 2]


def resolved(pairs: Pairs) -> Pairs:
    """Each old tag to the end of its chain, so that one write does all. Without circles in the pairs."""
    return {old: _way(pairs, old)[-1] for old in pairs}


def shown(way: Iterable[str]) -> str:
    """A way over several pairs, as people read it."""
    return " → ".join(tag or "(removed)" for tag in way)


def written(pairs: Pairs) -> str:
    """The lines that `read` takes back to the same pairs."""
    return "\n".join(f"{old},{new}" for old, new in pairs.items())


def _way(pairs: Pairs, tag: str) -> list[str]:
    way = [tag]
    while way[-1] in pairs:
        way.append(pairs[way[-1]])
    return way


def _cells(lines: Iterable[str]) -> Iterator[tuple[int, str, str]]:
    """Line, old and new; the rest of a line is for people's notes."""
    old, new = 0, 1
    for number, (line, cells) in enumerate(csv_rows.rows(lines)):
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
