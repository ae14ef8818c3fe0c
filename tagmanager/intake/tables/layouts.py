"""Where a table begins, and what its columns are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2s

from tagmanager.intake.tables import ticket_numbers
from tagmanager.intake.tables.column_names import plain
from tagmanager.intake.tables.given import Answers
from tagmanager.intake.tables.headers import ID, IGNORE, LABELS, MAPPING, Use
from tagmanager.intake.tables.problems import Question, Refused, Unclear, shortened
from tagmanager.intake.tables.text import Row

#: How many rows that are not empty are searched for the header.
HEAD_ROWS = 10
#: How many columns a question shows.
MOST_COLUMNS = 40


@dataclass(frozen=True, slots=True)
class Layout:
    """The header, and for each role of a column its place. `line` 0: no header, and data from the start."""

    roles: dict[str, int] = field(default_factory=dict)
    line: int = 0
    names: Sequence[str] = ()
    width: int = 0  # how many cells a row may have
    titles: int = 0  # lines above the header
    is_remembered: bool = False
    is_chosen: bool = False  # by a person, above the columns of a header

    def name(self, role: str) -> str:
        """What the header calls the column; its number without a header."""
        place = self.roles[role]
        name = self.names[place] if place < len(self.names) else ""
        return shortened(name) or f"{place + 1}"


def find(head: Sequence[Row], use: Use, answers: Answers) -> Layout | None:
    """The layout of a table that begins with these rows; None where it has no header that is known.

    Raises `Unclear` for what a person has to say, `Refused` where an answer does not fit.
    """
    if answers.by_place and _is_asked(head, use, answers):
        return _as_placed(head, use, answers)
    if answers.named:
        return _as_named(head, use, answers)
    row = header_row(head, use)
    return None if row is None else _checked(head, row, use)


def _is_asked(head: Sequence[Row], use: Use, answers: Answers) -> bool:
    """Whether the answers are about this table: another one may have been chosen since."""
    return answers.digest in {digest(use, cells) for _, cells in head}


def header_row(head: Sequence[Row], use: Use) -> int | None:
    """The index of the row that names all columns needed: the fullest, and of equals the first."""
    best, best_score = None, (0, 0)
    for index, (_, cells) in enumerate(head):
        roles = use.columns(cells)
        if use.is_complete(roles):
            filled = sum(map(bool, cells))
            score = (len(roles), min(filled, 2))
            if score > best_score:
                best, best_score = index, score
    return best


def _checked(head: Sequence[Row], row: int, use: Use) -> Layout:
    _, names = head[row]
    found = use.columns(names)
    for role, places in found.items():
        if len(places) > 1:
            raise unclear(head, use, _two_columns(role, [names[place] for place in places]), row)
    for name in names:
        if use.is_instruction(name):
            role = use.nearest(name)
            near = f" Did you mean {role}?" if role else ""
            raise unclear(head, use, f"The column {shortened(name)} is not understood.{near}", row)
    layout = _layout(head, row, {role: places[0] for role, places in found.items()})
    _check_above(head, row, layout.roles.get(ID))
    return layout


def _two_columns(role: str, names: Sequence[str]) -> str:
    if len({plain(name) for name in names}) == 1:
        return f"There are two columns {shortened(names[0])}."
    return f"There are two columns for the {LABELS[role]}: {' and '.join(map(shortened, names[:4]))}."


def _layout(head: Sequence[Row], row: int, roles: dict[str, int]) -> Layout:
    line, names = head[row]
    width = _width(names)
    return Layout(roles, line, names[:width], max(width, *(place + 1 for place in roles.values())), row)


def with_roles(head: Sequence[Row], row: int, roles: Mapping[str, int]) -> Layout:
    """The layout with a header in this row and columns that were chosen before."""
    return replace(_layout(head, row, dict(roles)), is_remembered=True)


def has_named(head: Sequence[Row], answers: Answers) -> bool:
    """Whether a row holds all the names that a person gave."""
    wanted = {f"{role}{place}": [name] for place, (role, name) in enumerate(answers.named)}
    return _row_with(head, wanted, set()) is not None


def _width(cells: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(cells, 1) if cell), default=0)


def _check_above(head: Sequence[Row], row: int, place: int | None) -> None:
    """Titles may stand above a header, and no rows of data; `place` is the column of ticket numbers."""
    line, names = head[row]
    filled = sum(map(bool, names))
    for number, cells in head[:row]:
        given = [cell for cell in cells if cell]
        is_numbers = all(isinstance(ticket_numbers.read(cell), ticket_numbers.Found) for cell in given)
        has_number = place is None or (place < len(cells) and cells[place] and _has_number(cells, place))
        if is_numbers or (has_number and len(given) > 1 and len(given) >= filled):
            raise Refused(
                f"Line {line:,} names the columns, but line {number:,} above it looks like a row. Put the "
                "header first, or leave out what is above it."
            )


def _as_placed(head: Sequence[Row], use: Use, answers: Answers) -> Layout:
    roles: dict[str, int] = {}
    for place, role in enumerate(answers.by_place):
        if role in roles:
            raise unclear(
                head, use, f"Two columns are chosen as {LABELS[role]}. Choose one.", answers=answers
            )
        if role in use.roles:
            roles[role] = place
    if not use.is_complete(roles):
        raise unclear(head, use, f"Choose {_needed(use, roles)}.", answers=answers)
    row = next((index for index, (line, _) in enumerate(head) if line == answers.header), None)
    if row is None:
        return _without_header(head, roles)
    return replace(_layout(head, row, roles), is_chosen=True)


def _without_header(head: Sequence[Row], roles: dict[str, int]) -> Layout:
    width = max(_width(cells) for _, cells in head)
    return Layout(roles, width=max(width, *(place + 1 for place in roles.values())))


def _as_named(head: Sequence[Row], use: Use, answers: Answers) -> Layout:
    wanted: dict[str, list[str]] = {}
    ignored = {name for role, name in answers.named if role == IGNORE}
    for role, name in answers.named:
        if role in use.roles:
            wanted.setdefault(role, []).append(name)
    row = _row_with(head, wanted, ignored)
    if row is None:
        row = header_row(head, use)
    names = head[row][1] if row is not None else ()
    roles = {role: _place(head, names, role, given) for role, given in wanted.items()}
    if row is not None:
        left = [
            "" if place in roles.values() or _is_in(name, ignored) or str(place + 1) in ignored else name
            for place, name in enumerate(names)
        ]
        roles |= _roles_of_others(head, use, row, left, roles)
    if not use.is_complete(roles):
        raise unclear(head, use, f"Say also which column is {_needed(use, roles)}.", row)
    if row is None and ID in roles and not _has_number(head[0][1], roles[ID]):
        row = 0  # only a header has no ticket number there
    return _without_header(head, roles) if row is None else _layout(head, row, roles)


def _has_number(cells: Sequence[str], place: int) -> bool:
    cell = cells[place] if place < len(cells) else ""
    return not cell or isinstance(ticket_numbers.read(cell), ticket_numbers.Found)


def _roles_of_others(
    head: Sequence[Row], use: Use, row: int, names: Sequence[str], taken: Mapping[str, int]
) -> dict[str, int]:
    """The roles of the columns that nobody spoke of, by their names."""
    roles = {}
    for role, places in use.columns(names).items():
        if role in taken:
            is_surest = plain(names[places[0]]) in use.roles[role][0]
            if not (use.reads_instructions and is_surest):
                continue
            places = [taken[role], *places]  # noqa: PLW2901 - the one that was named, and the others
        if len(places) > 1:
            called = [head[row][1][place] for place in places]
            raise unclear(head, use, _two_columns(role, called), row)
        roles[role] = places[0]
    if odd := next((name for name in names if use.is_instruction(name)), ""):
        raise unclear(head, use, f"The column {shortened(odd)} is not understood.", row)
    return roles


def _is_in(name: str, names: set[str]) -> bool:
    return any(_is_called(name, wanted) for wanted in names)


def _is_called(name: str, wanted: str) -> bool:
    return name.strip() == wanted.strip() or bool(plain(wanted) and plain(name) == plain(wanted))


def _row_with(head: Sequence[Row], wanted: dict[str, list[str]], ignored: set[str]) -> int | None:
    """The first row with a column of each name that is no number."""
    groups = [names for names in wanted.values() if not all(name.isdecimal() for name in names)]
    groups += [[name] for name in ignored if not name.isdecimal()]
    if not groups:
        return None
    for index, (_, cells) in enumerate(head):
        if all(any(_is_called(cell, name) for cell in cells for name in names) for names in groups):
            return index
    return None


def _place(head: Sequence[Row], names: Sequence[str], role: str, wanted: Sequence[str]) -> int:
    """The column that one of these names or numbers means."""
    for name in wanted:
        exact = [place for place, given in enumerate(names) if given.strip() == name.strip()]
        places = exact or [place for place, given in enumerate(names) if _is_called(given, name)]
        if len(places) > 1:
            raise Refused(
                f"{len(places)} columns are called {name}. Say --column {role}=N with the number of the "
                "column: "
                f"{' or '.join(str(place + 1) for place in places)}.",
                code="column",
            )
        if places:
            return places[0]
        width = max((_width(cells) for _, cells in head), default=0)
        if name.isdecimal() and 0 < int(name[:6]) <= width:
            return int(name) - 1
    known = _listed(names or (head[0][1] if head else ()))
    raise Refused(f"No column is called {' or '.join(wanted)}; the columns are {known}.", code="column")


def _listed(names: Sequence[str]) -> str:
    named = [shortened(name, 30) or "(no name)" for name in names[: _width(names)]]
    more = f" and {len(named) - 12} more" if len(named) > 12 else ""
    return f"{', '.join(named[:12])}{more}"


def _needed(use: Use, roles: dict[str, int]) -> str:
    missing = [group for group in use.needs if not any(role in roles for role in group)]
    return " and ".join(" or ".join(LABELS[role] for role in group) for group in missing)


def nothing_known(head: Sequence[Row], use: Use) -> Unclear:
    """No row names all the columns that are needed; an unknown name that says what to do is named."""
    row = best_row(head, use)
    line, names = head[row]
    found = use.columns(names)
    odd = next((name for name in names if found and use.is_instruction(name)), None)
    if odd is not None:
        return unclear(head, use, f"The column {shortened(odd)} is not understood.", row)
    if not found:
        said = (
            f"No column is known; line {line:,} has {_listed(names)}. The first line has to name the columns"
        )
        return unclear(head, use, f"{said}, as in {use.example}.", row)
    missing = _needed(use, {role: places[0] for role, places in found.items()})
    return unclear(head, use, f"No column for {missing} is known; line {line:,} has {_listed(names)}.", row)


def best_row(head: Sequence[Row], use: Use) -> int:
    """The row that most likely names the columns."""
    scores = [
        (len(use.columns(cells)), min(_width(cells), 2), -index) for index, (_, cells) in enumerate(head)
    ]
    return -max(scores)[2]


def unclear(
    head: Sequence[Row], use: Use, said: str, row: int | None = None, answers: Answers | None = None
) -> Unclear:
    """The question about the columns of a table that begins with these rows."""
    if row is None:
        row = next((index for index, (line, _) in enumerate(head) if answers and line == answers.header), 0)
    line, names = head[row]
    width = min(max(_width(cells) for _, cells in head), MOST_COLUMNS)
    proposed = [""] * width
    if answers and answers.by_place:
        proposed = [*answers.by_place, *proposed][:width]
    else:
        for role, places in use.columns(names).items():
            if len(places) == 1 and places[0] < width:
                proposed[places[0]] = role
    is_header = bool(use.columns(names)) or not any(
        isinstance(ticket_numbers.read(cell), ticket_numbers.Found) for cell in names if cell
    )
    question = Question(
        rows=[(number, [shortened(cell, 60) for cell in cells[:width]]) for number, cells in head],
        choices=use.choices(),
        proposed=proposed,
        header=(answers.header or 0) if answers else line if is_header else 0,
        digest=digest(use, names),
    )
    return Unclear(said, advice=_advice(use, names), question=question)


def _advice(use: Use, names: Sequence[str]) -> str:
    known = use.columns(names)
    wanted = [role for group in use.needs for role in group if len(known.get(role, ())) != 1] or list(
        use.roles
    )
    example = next((name for name in names if plain(name) and not use.is_known(name)), "NAME")
    shown = shortened(example, 30)
    shown = f'"{shown}"' if " " in shown else shown
    either = " or ".join(
        f"--column {role}={shown if index == 0 else 'NAME'}" for index, role in enumerate(wanted[:2])
    )
    return f"Say which column is which, such as {either}; --column ignore=NAME leaves one out."


def digest(use: Use, names: Sequence[str]) -> str:
    """The same for each table of one use with this header."""
    text = "\n".join([use.name, *(plain(name) or name for name in names[: _width(names)])])
    return blake2s(text.encode(), digest_size=16).hexdigest()


def is_grid_with_counter(head: Sequence[Row]) -> bool:
    """Whether rows of numbers alone have a column that merely counts them: 1, 2, 3."""
    if len(head) < 2 or len({_width(cells) for _, cells in head}) != 1 or _width(head[0][1]) < 2:
        return False
    return any(
        [cells[place] for _, cells in head] == [str(first + number) for number in range(len(head))]
        for place in range(_width(head[0][1]))
        for first in (0, 1)
    )


def may_be_header(cells: Sequence[str], use: Use) -> bool:
    """Whether a first row of pairs has one known name, so that it may be a header or a pair."""
    return use is MAPPING and bool(use.columns(cells))


def has_id(cells: Sequence[str], use: Use) -> bool:
    """Whether a row further down is a header of its own."""
    return use.is_complete(use.columns(cells)) or ID in use.columns(cells)
