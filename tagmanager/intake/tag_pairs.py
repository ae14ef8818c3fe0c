"""Which tag becomes which, as people give it: `old,new` line by line, typed, pasted or from a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.core.exceptions import ValidationError

from jobs.common.formatting import some
from tagmanager.intake.tables import layouts
from tagmanager.intake.tables.column_names import MAYBE_PAIRS, plain
from tagmanager.intake.tables.given import Given
from tagmanager.intake.tables.headers import MAPPING, NEW, OLD, is_total
from tagmanager.intake.tables.layouts import Layout
from tagmanager.intake.tables.problems import Refused, shortened
from tagmanager.intake.tables.readings import Reading
from tagmanager.intake.tables.table import Table, known_before, open_table
from tagmanager.intake.tables.ticket_numbers import joined_words
from tagmanager.intake.tag_rows import tags_of

#: Between the two where there is no comma, semicolon or tab: "billing = invoices", "billing -> invoices",
#: "billing: invoices".
BETWEEN = re.compile(r"\s*(?:->|=>|→|=|:(?=\s))\s*|\s+")
#: The same in a table whose other rows have cells of their own, so that a blank parts no pair.
_MARKS_BETWEEN = re.compile(r"\s*(?:->|=>|→|=|:(?=\s))\s*")
#: What people write into the cell of a new tag, to have the old one removed.
_REMOVALS = frozenset(
    {"DELETE", "Delete", "REMOVE", "Remove", "DROP", "Drop", "KEEP", "Keep", "SAME", "Same"}
)
#: A mapping is kept in the job's row and read with it.
MOST_PAIRS = 2_000
#: How many problems an error names; a page shows them all as a table.
MOST_NAMED = 10
#: How many problems are kept, and how many lines are read at all: far more than a job may have.
MOST_PROBLEMS, MOST_LINES = 200, 100_000

#: Old tag to new one, in the order given; "" removes the old one.
Pairs = dict[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line."""

    line: int
    text: str

    def __str__(self) -> str:
        mark = "," if self.text.startswith(("the old cell", "the new cell")) else ":"
        return f"Line {self.line:,}{mark} {self.text}"


class MappingError(ValidationError):
    """All problems of a mapping at once, and the pairs as they were understood."""

    def __init__(self, problems: Sequence[Problem], number: int, mapping: Mapping) -> None:
        more = f" And {number - MOST_NAMED:,} more lines." if number > MOST_NAMED else ""
        super().__init__(" ".join(map(str, problems[:MOST_NAMED])) + more, code="mapping")
        self.problems = problems
        self.number = number
        self.mapping = mapping

    @property
    def pairs(self) -> list[tuple[int, str, str]]:
        """The pairs with their lines, as many as a page shows."""
        found = self.mapping
        return [(found.lines[old], old, new) for old, new in islice(found.pairs.items(), MOST_PROBLEMS)]


@dataclass(slots=True)
class Mapping:
    """The pairs, and the number of lines that change nothing because old and new are the same."""

    pairs: Pairs = field(default_factory=dict)
    same: int = 0
    lines: dict[str, int] = field(default_factory=dict, compare=False)  # of each old tag
    reading: Reading | None = field(default=None, compare=False)

    def __bool__(self) -> bool:
        """Whether there was any pair."""
        return bool(self.pairs or self.same)

    def told(self) -> str:
        """What was understood, told before anything runs; "" where nothing is worth telling."""
        return self.reading.sentence(some(len(self.pairs), "pair")) if self.reading else ""


def read(given: Given, *, follow_chains: bool = True) -> Mapping:
    """The pairs of a file or a text; the first lines may name the columns. Chains stay as they are: see
    `resolved`.

    Raises `MappingError` that names all unusable lines, also of circles, and of chains unless these are
    followed; else as `open_table` does.
    """
    table = open_table(given, MAPPING)
    if not table.head:
        if given.is_typed:
            return Mapping()
        raise Refused("The file is empty. Give a table with the columns old and new.", code="empty")
    layout = table.layout
    if layout is None and (why := _why_unclear(table)):
        unclear = layouts.unclear(table.head, MAPPING, why, 0) if why != "nothing" else None
        layout = table.layout = known_before(
            table, given, unclear or layouts.nothing_known(table.head, MAPPING)
        )
    reader = _Reader(table, layout)
    if not given.is_typed or layout is not None:
        reader.mapping.reading = Reading.of(table, given.name)
    return reader.read(follow_chains=follow_chains)


def cycles(pairs: Pairs) -> list[list[str]]:
    """Tags that become each other in a cycle; each cycle once, from its first tag on."""
    found, done = [], set[str]()
    for start in pairs:
        chain: list[str] = []
        on_the_way: set[str] = set()
        tag = start
        while tag in pairs and tag not in done and tag not in on_the_way:
            chain.append(tag)
            on_the_way.add(tag)
            tag = pairs[tag]
        if tag in on_the_way:
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


def as_text(pairs: Pairs) -> str:
    """Lines from which `read` makes the same pairs."""
    lines = [f"{old},{new}" for old, new in pairs.items()]
    return "\n".join(["old,new", *lines] if needs_header(pairs) else lines)


def needs_header(pairs: Pairs) -> bool:
    """Whether the first pair could be taken for a header."""
    first = next(iter(pairs.items()), ("", ""))
    return bool(MAPPING.columns(first)) or _names_columns(first) or _are_counts(pairs)


def _chain_from(pairs: Pairs, tag: str) -> list[str]:
    chain = [tag]
    while chain[-1] in pairs:
        chain.append(pairs[chain[-1]])
    return chain


def _why_unclear(table: Table) -> str:
    """Why rows without a known header are no plain pairs; "nothing" where no column is known."""
    line, first = table.head[0]
    filled = max(place for place, cell in enumerate(first, 1) if cell)
    if filled > 2:
        return "nothing"
    known = [place for places in MAPPING.columns(first).values() for place in places]
    # The name of a column does not occur below it again.
    others = [cells[place] for _, cells in table.head[1:] for place in known if place < len(cells)]
    if (
        filled == 2
        and (_names_columns(first) or known or table.has_rule)
        and not {first[place] for place in known} & set(others)
    ):
        return (
            f"Line {line:,} has {' and '.join(map(shortened, first[:2]))}: this may be a pair, or the names "
            "of the "
            "columns."
        )
    return ""


def _names_columns(cells: Sequence[str]) -> bool:
    return tuple(map(plain, cells[:2])) in MAYBE_PAIRS


def _are_counts(pairs: Pairs) -> bool:
    """Whether the new tags are numbers alone, as counts of tickets are."""
    return len(pairs) > 1 and not [new for new in pairs.values() if not new.isdecimal()]


class _Reader:
    def __init__(self, table: Table, layout: Layout | None) -> None:
        self.mapping = Mapping()
        self._table = table
        self._layout = layout
        roles = layout.roles if layout else {OLD: 0, NEW: 1}
        self._old, self._new = roles[OLD], roles[NEW]
        # Under any other header an empty cell means that nobody has decided yet.
        self._may_remove = layout is None or _is_literal(layout)
        self._problems: list[Problem] = []
        self._number = 0

    def read(self, *, follow_chains: bool) -> Mapping:
        mapping = self.mapping
        for count, (line, old, new) in enumerate(self._cells()):
            if count >= MOST_LINES:
                raise Refused(
                    f"These are more than {MOST_LINES:,} lines, so this is no list of pairs.", "too_many"
                )
            self._take(line, old, new)
        if len(mapping.pairs) > MOST_PAIRS:
            raise ValidationError(
                f"These are {len(mapping.pairs):,} pairs; one job takes {MOST_PAIRS:,}. Give them in parts.",
                code="too_many",
            )
        if self._layout is None and _are_counts(mapping.pairs):
            raise Refused(
                "Every new tag is a number, so these may be tags and their counts. If numbers are meant, put "
                "the line old,new first.",
                code="counts",
            )
        self._find_rounds()
        if not follow_chains:
            self._find_chains()
        if self._problems:
            self._problems.sort(key=lambda problem: problem.line)
            raise MappingError(self._problems, self._number, mapping)
        if not mapping and self._table.layout is not None:
            left = mapping.reading.undecided.count if mapping.reading else 0
            raise Refused(
                "No row has a new tag." if left else "The table holds a header and no pairs.", code="nothing"
            )
        return mapping

    def _cells(self) -> Iterator[tuple[int, str, str]]:
        """Line, old and new."""
        layout = self._layout
        is_wide = any(sum(map(bool, cells)) > 1 for _, cells in self._table.head)
        names = [plain(_cell(layout.names, place)) for place in (self._old, self._new)] if layout else []
        for line, cells in self._table.rows():
            pair = [plain(_cell(cells, place)) for place in (self._old, self._new)]
            # Right below the header it is meant as a pair: `as_text` writes one so.
            if layout is not None and all(names) and names == pair and line > layout.line + 1:
                self._add(line, "it names the columns again. Take it out.")
                continue
            if layout is None:
                filled = max(place for place, cell in enumerate(cells, 1) if cell)
                if filled > 2:
                    self._add(line, f"it has {filled} cells, and a pair has 2.")
                    continue
            between = _MARKS_BETWEEN if is_wide else BETWEEN
            parts = between.split(cells[0], maxsplit=1) if layout is None and len(cells) == 1 else cells
            yield line, _cell(parts, self._old), _cell(parts, self._new)

    def _take(self, line: int, old: str, new: str) -> None:
        mapping = self.mapping
        if not new and not self._may_remove:
            assert mapping.reading is not None
            mapping.reading.leave_out(mapping.reading.undecided, line, old)
            return
        if is_total(old) and old != old.lower() and (not new or new.isdecimal()):
            self._add(
                line,
                f"{shortened(old)} may sum up the lines above. Delete the line, or write {old.lower()} for "
                "the tag.",
            )
            return
        if new in _REMOVALS:
            self._add(line, f"{new} may say what to do. Write {new.lower()} if it is a tag.")
            return
        try:
            pair = self._tag(old, OLD), self._tag(new, NEW) if new else ""
        except ValidationError as problem:
            self._add(line, str(problem.message))
            return
        before = mapping.pairs.get(pair[0])
        if before is not None and before != pair[1]:
            self._add(
                line,
                f"{pair[0]} {_becomes(pair[1])} here, and {_becomes(before)} by line "
                f"{mapping.lines[pair[0]]:,}. Leave one of the two.",
            )
        elif pair[0] == pair[1]:
            mapping.same += 1
        else:
            mapping.pairs[pair[0]] = pair[1]
            mapping.lines.setdefault(pair[0], line)

    def _tag(self, text: str, which: str) -> str:
        tags = sorted(tags_of(text, which, self._table))
        if not tags:
            raise ValidationError(f"the {which} cell holds no tag.")
        if len(tags) > 1:
            number = "two" if len(tags) == 2 else f"{len(tags)}"
            raise ValidationError(
                f"the {which} cell holds {number} tags, {joined_words(tags[:4])}. Give each a line of its "
                "own."
            )
        return tags[0]

    def _find_rounds(self) -> None:
        mapping = self.mapping
        for way in cycles(mapping.pairs):
            self._add(
                max(mapping.lines[tag] for tag in way),
                f"These go in a circle: {chain_words([*way, way[0]])}. Take one pair out of each.",
            )

    def _find_chains(self) -> None:
        mapping = self.mapping
        if cycles(mapping.pairs):
            return
        for way in chains(mapping.pairs):
            self._add(
                mapping.lines[way[1]],
                f"A new tag is itself renamed by another pair: {chain_words(way)}. Choose to follow chains "
                "to their end, or take one of the pairs out.",
            )

    def _add(self, line: int, text: str) -> None:
        self._number += 1
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(line, text))


def _is_literal(layout: Layout) -> bool:
    """Whether the header is `old,new` itself."""
    names = [
        layout.names[layout.roles[role]] for role in (OLD, NEW) if layout.roles[role] < len(layout.names)
    ]
    return [name.strip().casefold() for name in names] == [OLD, NEW]


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place].strip() if place < len(cells) else ""


def _becomes(tag: str) -> str:
    return f"becomes {tag}" if tag else "is removed"
