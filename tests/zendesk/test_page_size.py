"""The pages of an export are as large as Zendesk delivers in good time."""

from __future__ import annotations

from collections.abc import Callable

import responses

from tests.zendesk.conftest import BASE
from zendesk import Zendesk
from zendesk.page_size import MOST_PAGES_TO_GROW, PAGES_TO_GROW, QUICK, SLOW, PageSize


def sizes(page: PageSize, *seconds: float) -> list[int]:
    """The sizes of the pages requested, each answered after the given seconds."""
    asked = []
    for took in seconds:
        asked.append(page.now)
        page.arrived(page.now, took)
    return asked


def test_a_slow_page_makes_the_next_one_half_as_large() -> None:
    assert sizes(PageSize(1000), SLOW, SLOW + 1, SLOW + 1, SLOW + 1, SLOW + 1, SLOW + 1, 0) == [
        1000, 1000, 500, 250, 125, 100, 100,
    ]  # fmt: skip


def test_quick_pages_make_it_grow_again_each_time_more_slowly() -> None:
    page = PageSize(1000)
    assert (page.failed(1000), page.failed(500)) == (500, 250)
    needed = PAGES_TO_GROW * 4
    assert sizes(page, *[0.1] * (2 * needed), 0.1) == [250] * needed + [500] * needed + [1000]
    for _ in range(9):
        page.failed(1000)
    assert len([size for size in sizes(page, *[0.1] * 200) if size == 500]) == MOST_PAGES_TO_GROW


def test_neither_a_page_that_took_its_time_nor_a_smaller_one_counts_as_quick() -> None:
    page = PageSize(1000)
    page.failed(1000)
    needed = PAGES_TO_GROW * 2
    pauses = [0.1] * (needed - 1) + [QUICK + 1]
    assert sizes(page, *pauses, *[0.1] * needed, 0.1) == [500] * 2 * needed + [1000]
    page.failed(1000)
    for _ in range(50):
        page.arrived(250, 0.1)
    assert page.now == 500


def test_the_least_page_cannot_be_halved() -> None:
    assert PageSize(1000).failed(100) is None
    assert PageSize(50).failed(50) is None
    page = PageSize(1000)
    assert [page.failed(199), page.now] == [100, 100]


def test_a_page_that_was_read_ahead_is_halved_too(
    http: responses.RequestsMock, connect: Callable[..., Zendesk]
) -> None:
    export = f"{BASE}/api/v2/search/export.json"
    http.get(export, json={"results": [], "meta": {"has_more": True, "after_cursor": "b"}})
    http.get(export, status=504)
    http.get(export, json={"results": [], "meta": {"has_more": False}})
    assert len(list(connect(may_read_ahead=lambda: True).search_export("x"))) == 2
    asked = [call.request.params for call in http.calls]  # type: ignore[attr-defined]
    assert [(one.get("page[after]"), one["page[size]"]) for one in asked] == [
        (None, "1000"), ("b", "1000"), ("b", "500"),
    ]  # fmt: skip
