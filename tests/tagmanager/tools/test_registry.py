"""The list of tools tells at start what is wrong with it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from tagmanager.tools import UnknownTool, load, tool, tools
from tagmanager.tools.base import Tool
from tagmanager.tools.bulk_tag import BulkTag

PATH = "tagmanager.tools.bulk_tag.BulkTag"


class WithoutSummary:
    slug = "half"
    name = "Half a tool"
    form_class = BulkTag.form_class

    def title(self) -> None: ...
    def change_for(self) -> None: ...


class WithAnotherForm(WithoutSummary):
    summary = "A tool with a form of its own kind."
    form_class = dict  # type: ignore[assignment]


def test_every_tool_of_the_settings_is_whole() -> None:
    assert list(tools()) == [
        "bulk-tag",
        "rename-tags",
        "remove-pattern",
        "tag-rows",
        "apply-macro",
        "count-tags",
    ]
    assert [isinstance(one, Tool) for one in tools().values()] == [True] * 6
    assert tool("bulk-tag").name == "Add and remove tags"


def test_an_unknown_tool_is_reported_with_those_that_there_are() -> None:
    with pytest.raises(UnknownTool, match=r"no tool 'nope'.*bulk-tag"):
        tool("nope")


@pytest.mark.parametrize(
    ("paths", "sentence"),
    [
        ([PATH, PATH], "Two tools are called 'bulk-tag'"),
        ([f"{__name__}.WithoutSummary"], "lacks summary"),
        ([f"{__name__}.WithAnotherForm"], "has a form that is not a ToolForm"),
        (["tagmanager.tools.nowhere.Tool"], "cannot be imported"),
    ],
)
def test_a_broken_list_is_reported(paths: list[str], sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        load(paths)
