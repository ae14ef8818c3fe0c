"""What a table is for, and which of its columns a name means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from tagmanager.intake.tables import column_names
from tagmanager.intake.tables.column_names import plain

ID, ADD, REMOVE, OLD, NEW, IGNORE = "id", "add", "remove", "old", "new", "ignore"
#: How a person is asked about each role.
LABELS = {
    ID: "ticket number",
    ADD: "tags to add",
    REMOVE: "tags to remove",
    OLD: "old tag",
    NEW: "new tag",
    IGNORE: "ignore",
}


#: How database programs end a table.
_COUNT_OF_ROWS = re.compile(
    r"\(?\d[\d,.]* (?:rows?|tickets?|records?)(?: in set| selected)?[.)]?", re.IGNORECASE
)


def is_total(cell: str) -> bool:
    """Whether a cell names a row of totals: "Total", "Summe:", "Total (2)", "(2 rows)"."""
    name = plain(cell)
    return _COUNT_OF_ROWS.fullmatch(cell) is not None or (
        bool(name)
        and (name in column_names.TOTALS or name.rstrip("0123456789") in column_names.TOTALS)
        and not name.isdigit()
    )


@dataclass(frozen=True, slots=True)
class Use:
    """What a table is for: its columns, each with the names known for it, the surest first."""

    name: str
    roles: Mapping[str, Sequence[frozenset[str]]]
    needs: Sequence[Sequence[str]]  # of each group of roles one at least
    example: str  # of a header
    reads_instructions: bool = True  # whether no column that says what to do may be passed over
    instructions: frozenset[str] = frozenset()  # further words of such columns
    choices_of_rows: frozenset[str] = frozenset()  # names of columns that say what to do with each row
    has_plain_rows: bool = False  # whether rows without a header can be read

    def choices(self) -> list[tuple[str, str]]:
        """The roles of a column, as a person chooses one."""
        return [("", "ignore"), *((role, LABELS[role]) for role in self.roles)]

    def columns(self, names: Sequence[str]) -> dict[str, list[int]]:
        """For each role the columns of the surest name that occurs."""
        found: dict[str, list[int]] = {}
        # "Remove?" asks whether, and holds yes or no.
        plain_names = ["" if name.rstrip().endswith(("?", "？")) else plain(name) for name in names]
        for role, tiers in self.roles.items():
            for tier in tiers:
                if places := [place for place, name in enumerate(plain_names) if name in tier]:
                    found[role] = places
                    break
        return found

    def is_complete(self, roles: Mapping[str, object]) -> bool:
        return all(any(role in roles for role in group) for group in self.needs)

    def is_known(self, name: str) -> bool:
        """Whether a column of this name would be one of the table's."""
        return any(plain(name) in tier for tiers in self.roles.values() for tier in tiers)

    def is_instruction(self, name: str) -> bool:
        """Whether a name that is not known looks as if it said what to do."""
        if plain(name) in self.choices_of_rows:
            return True
        if (
            not self.reads_instructions
            or plain(name) in column_names.OWN | column_names.OTHER_WORDS
            or (self.is_known(name) and not name.rstrip().endswith(("?", "？")))
        ):
            return False
        if name.strip() in {"+", "-", "–", "\N{MINUS SIGN}"}:
            return True
        words = {plain(word.rstrip("0123456789")) for word in _words(name)}
        is_said = (
            words & (column_names.INSTRUCTIONS | self.instructions)
            or plain(name) in column_names.SHORT_INSTRUCTIONS
        )
        return bool(is_said) or bool(self.nearest(name))

    def nearest(self, name: str) -> str:
        """The usual name that a misspelt one is near to; "" where none is."""
        wanted = plain(name)
        if len(wanted) < 5 or wanted in column_names.OWN | column_names.OTHER_WORDS:
            return ""
        for role, tiers in self.roles.items():
            if role == ID:
                continue
            for known in sorted(name for tier in tiers for name in tier if len(name) > 4 and name.isascii()):
                if OSA.distance(wanted, known, score_cutoff=2) <= (1 if len(known) < 8 else 2):
                    return role
        return ""


def _words(name: str) -> list[str]:
    parts = "".join(
        f" {char}" if char.isupper() and before.islower() else char
        for before, char in zip(" " + name, name, strict=False)
    )
    return "".join(char if char.isalnum() else " " for char in parts).split()


IDS = Use(
    "ids",
    {ID: (column_names.TICKET_IDS, column_names.TICKETS, frozenset({"id"}), column_names.ADDRESSES)},
    needs=((ID,),),
    example="id",
    reads_instructions=False,
    choices_of_rows=column_names.CHOICES,
    has_plain_rows=True,
)
ROWS = Use(
    "rows",
    {ID: IDS.roles[ID], ADD: (column_names.ADD,), REMOVE: (column_names.REMOVE,)},
    needs=((ID,), (ADD, REMOVE)),
    example="id,add,remove",
    instructions=frozenset({"new"}),
    choices_of_rows=column_names.ACTIONS | column_names.CHOICES,
)
MAPPING = Use(
    "mapping",
    {OLD: (column_names.OLD, column_names.TAG), NEW: (column_names.NEW,)},
    needs=((OLD,), (NEW,)),
    example="old,new",
    choices_of_rows=column_names.ACTIONS | column_names.CHOICES,
    has_plain_rows=True,
)
