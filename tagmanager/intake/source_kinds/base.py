"""What a kind of source is: its fields, its option, its words, its tickets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from django import forms

from jobs.models import Job
from jobs.source_spec import Stored
from tagmanager.account import asking
from tagmanager.account.choices import Choices
from tagmanager.intake.source_kinds.source import Source
from zendesk import Page, Ticket, Zendesk

#: The prefixes of the forms for further tickets: those to take as well, and those to leave out.
AND, NOT = "and", "not"


@dataclass(frozen=True, slots=True)
class Way:
    """A field that names tickets, and the option of a command that means the same."""

    name: str  # of the field: links and kept forms hold it
    help: str  # of the option; {} stands for "The tickets" or "Not the tickets"
    option: str = ""  # without dashes before it; "": as the field is called
    argument: Mapping[str, Any] = field(default_factory=dict)  # of the option: its type and metavar
    labels: Mapping[str, str] = field(default_factory=dict)  # by AND and NOT; missing: not offered there
    takes_file: bool = False  # the option names a file
    empty: str = ""  # said of an option that was given and names nothing

    def option_in(self, prefix: str = "") -> str:
        """The option as people type it: `--not-ids-file`."""
        return "--" + "-".join(filter(None, (prefix, *(self.option or self.name).split("_"))))

    def dest_in(self, prefix: str = "") -> str:
        """Where a parsed command line holds the option."""
        return self.option_in(prefix)[2:].replace("-", "_")

    def add_to(self, group: Any, what: str, prefix: str = "") -> None:
        """Add the option to a group of arguments; it may be repeated."""
        argument = {"action": "append", "help": self.help.format(what)} | dict(self.argument)
        group.add_argument(self.option_in(prefix), **argument)


class Counts(Protocol):
    """Where the numbers of tickets come from: asked just now, or a minute ago."""

    def view(self, view_id: int) -> int | None:
        """About how many tickets a view holds; None while Zendesk still counts."""
        ...

    def search(self, query: str) -> int:
        """How many tickets a search finds."""
        ...


class SourceKind(ABC):
    """One kind of source. Of `stored` each method may take for granted what `read` and `checked` put there.

    A `stored` that lacks something raises `KeyError`, which the callers treat like an unknown kind.
    """

    #: What a stored source has under "kind": never changed, rows hold it.
    kind: ClassVar[str]
    #: The name of its tab, as links and sent forms hold it; "": nobody chooses it on the page.
    panel: ClassVar[str] = ""
    #: What the tab says, and its place among the others.
    tab: ClassVar[str] = ""
    tab_place: ClassVar[int] = 100
    #: The part of the page with its fields; this one shows them one after the other.
    template: ClassVar[str] = "tool/_panel_fields.html"
    #: Each field that names tickets, and its option.
    ways: ClassVar[Sequence[Way]] = ()
    #: Whether `number` is certain, because people or earlier jobs named each ticket.
    is_exact: ClassVar[bool] = False
    #: Whether a cursor of its pages stays good for days.
    keeps_cursor: ClassVar[bool] = False
    #: Whether its pages tell only which tickets were found, because what finds them lags behind the tickets.
    gives_refs_only: ClassVar[bool] = False

    # The form

    def fields(self, *, extra: bool) -> dict[str, forms.Field]:
        """New fields for a form; with `extra` for further tickets, where fewer things are asked."""
        return {}

    def choices(self) -> Choices | None:
        """What a page offers beside the fields, asked for once a page; None: nothing."""
        return None

    def offer(self, form: forms.BaseForm, choices: Choices) -> None:  # noqa: B027 - most offer nothing
        """Put the choices into the fields of a form."""

    def hidden(self, form: forms.BaseForm) -> Sequence[str]:
        """Those of its fields that the page does not show now."""
        return ()

    def read(self, way: str, form: forms.BaseForm) -> Source | None:
        """The source of a field; None where it names nothing. Calls nobody; raises `ValidationError`."""
        raise NotImplementedError

    def checked(self, source: Source, zendesk: Zendesk | None) -> Source:
        """The same source once it is known to exist, completed; raises `ValidationError` or `ZendeskError`.

        Without a connection it makes one of its own.
        """
        return source

    def filling(self, stored: Stored, *, job: Job, part: int, extra: bool) -> dict[str, Any]:
        """The fields that name this source again, and under "kind" their panel; {} where none can.

        `part` is where the job holds the numbers of the source; `extra` as in `fields`.
        """
        return {}

    def assumed(self, source: Source, choices: Choices | None) -> Source:
        """The same source while a person still types: completed from what the page offers, without a call."""
        return source

    def option_value(self, stored: Stored, refs: Iterable[int]) -> tuple[str, str] | None:
        """The way of a command that names this source, and its value; None where no option can.

        `refs` are the numbers that people gave; a way without a value has "".
        """
        return None

    # Words

    @abstractmethod
    def phrase(self, stored: Stored) -> str:
        """As the end of a title: "tickets of view “All unsolved”"."""

    @abstractmethod
    def words(self, stored: Stored) -> str:
        """As the job's page names it: "The view All unsolved"."""

    # Tickets

    def number(self, stored: Stored, counts: Counts) -> int | None:
        """How many tickets these are, exact or about; None when nobody can say."""
        return None

    def pages(self, zendesk: Zendesk, stored: Stored, cursor: str) -> Iterator[Page[Ticket]]:
        """The tickets, from the cursor on ("": from the start); for sources that Zendesk keeps."""
        raise ValueError(f"Zendesk keeps no tickets of the kind {self.kind!r}.")

    def held_tags(self, stored: Stored) -> frozenset[str]:
        """Only tickets with one of these tags are meant, whatever was found; empty: no such condition."""
        return frozenset()

    def equal_tags(self, stored: Stored) -> frozenset[str]:
        """The tags by which a ticket alone shows that it is one of these: it has one; empty: none do."""
        return self.held_tags(stored)

    def completeness_doubt(
        self,
        zendesk: Zendesk,
        stored: Stored,
        found: int,
        *,
        taken_out: bool,
    ) -> str:
        """Why `found` may not be all the tickets, in a sentence; "" where nothing speaks for that."""
        return ""

    def count(self, zendesk: Zendesk, stored: Stored) -> int | None:
        """How many tickets Zendesk counts in the source; None where it does not say, or not reliably."""
        return None


def connected(zendesk: Zendesk | None) -> AbstractContextManager[Zendesk]:
    """The connection given, or one for a call or two that is closed afterwards."""
    return nullcontext(zendesk) if zendesk else asking.asking(most_calls=2)
