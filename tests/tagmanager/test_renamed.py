"""Old import names work for one release, and say what to import instead."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from tagmanager.renamed import moved

#: Everything that a tool of the release before imported from an old place, and where it is now.
NAMES = {
    "tagmanager.tickets": {
        "Seen": "tagmanager.ticket_change.TicketSnapshot",
        "Foreseen": "tagmanager.ticket_change.MacroPreview",
        "TicketChange": "tagmanager.ticket_change.TicketChange",
        "SETTABLE": "tagmanager.ticket_change.SETTABLE",
        "too_long": "tagmanager.ticket_change.too_long",
    },
    "tagmanager.tools.base": {
        "LeftOut": "jobs.work.Skipped",
        "NothingToDo": "jobs.work.Unchanged",
    },
    "tagmanager.fields": {
        "TagsField": "tagmanager.tools.fields.TagsField",
        "OneTagField": "tagmanager.tools.fields.OneTagField",
        "WholeNumberField": "tagmanager.tools.fields.WholeNumberField",
    },
    "tagmanager.sources": {
        name: f"tagmanager.intake.sources.{name}"
        for name in ("Source", "all_tickets", "any_of", "ids", "items", "search", "tag", "view")
    },
    "tagmanager.work": {
        name: f"tagmanager.changes.ticket_work.{name}" for name in ("TicketWork", "work_for")
    },
}


@pytest.mark.parametrize(
    ("module", "name", "path"),
    [(module, name, path) for module, names in NAMES.items() for name, path in names.items()],
)
def test_an_old_name_is_the_new_thing_with_a_warning(module: str, name: str, path: str) -> None:
    with pytest.warns(FutureWarning, match=rf"{module}\.{name} is now {path}; the old name goes"):
        found = getattr(import_module(module), name)
    assert found is import_string(path)


def test_the_warning_points_at_the_line_that_imports() -> None:
    with pytest.warns(FutureWarning, match="goes with the next release") as warned:
        exec(compile("from tagmanager.tickets import Seen", "a_tool.py", "exec"), {})
    assert [warning.filename for warning in warned] == ["a_tool.py"]


def test_the_warning_is_shown_where_nobody_asks_for_warnings(tmp_path: Path) -> None:
    (tmp_path / "a_tool.py").write_text("from tagmanager.tickets import Seen\n", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    said = subprocess.run(
        [sys.executable, "-c", "import a_tool"],
        env=environment | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{settings.BASE_DIR}"},
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    assert "a_tool.py:1: FutureWarning: tagmanager.tickets.Seen is now" in said


def test_a_name_that_never_was_is_no_attribute() -> None:
    look_up = moved("somewhere", {"old": "jobs.work.Skipped"})
    with pytest.raises(AttributeError, match="module 'somewhere' has no attribute 'nope'"):
        look_up("nope")
    with pytest.raises(ImportError):
        exec("from tagmanager.tickets import Nope", {})


def test_a_tool_of_the_release_before_still_loads_and_answers() -> None:
    source = """
from tagmanager.fields import TagsField
from tagmanager.tickets import Seen, TicketChange
from tagmanager.tools.base import LeftOut, NothingToDo, ToolForm

def answer(seen):
    if seen.is_closed:
        return LeftOut("closed", "It is closed.")
    return TicketChange(add=frozenset({"vip"}) - seen.tags) or NothingToDo()
"""
    names: dict = {}
    with pytest.warns(FutureWarning, match="goes with the next release"):
        exec(source, names)
    ticket = import_string("tagmanager.ticket_change.TicketSnapshot")
    assert names["answer"](ticket(1, frozenset({"vip"}), "open", "now")) == names["NothingToDo"]()
    assert names["answer"](ticket(1, frozenset(), "closed", "now")).reason == "closed"
