from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zendesk.recorded import sample
from zendesk import Page, TagCount, Ticket, UnexpectedAnswer
from zendesk.pages import follow_pages


def test_the_recorded_last_page_ends_the_list_despite_its_next_link():
    body = sample("tags-list-last-page").body
    assert body["links"]["next"]
    assert body["meta"]["after_cursor"]
    assert Page.from_json(body, "tags", TagCount.from_json) == Page(
        [TagCount("foo", 1), TagCount("new", 1), TagCount("tag", 1)], None
    )


@pytest.mark.parametrize(
    "name", ["view-tickets-cursor-page1", "view-tickets-cursor-page2", "tickets-list-cursor"]
)
def test_recorded_pages_have_a_next_cursor(name):
    body = sample(name).body
    page = Page.from_json(body, "tickets", Ticket.from_json)
    assert page.next_cursor == body["meta"]["after_cursor"]
    assert [ticket.id for ticket in page.items] == [raw["id"] for raw in body["tickets"]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tags": []},
        {"tags": [], "meta": {}},
        {"tags": [], "meta": {"has_more": "no"}},
        {"tags": [], "meta": {"has_more": True}},
        {"tags": [], "meta": {"has_more": True, "after_cursor": ""}},
        {"tags": {}, "meta": {"has_more": False}},
        {"meta": {"has_more": False}},
        {"tags": [None], "meta": {"has_more": False}},
    ],
)
def test_a_page_without_a_cursor_or_an_end_is_refused(body):
    with pytest.raises(UnexpectedAnswer):
        Page.from_json(body, "tags", TagCount.from_json)


def list_in_pages(things: list[int], size: int, asked: list[str | None]):
    """A list behind cursors, as a server keeps it."""

    def fetch(cursor: str | None) -> Page[int]:
        asked.append(cursor)
        start = int(cursor or 0)
        more = start + size < len(things)
        return Page(things[start : start + size], str(start + size) if more else None)

    return fetch


@given(st.lists(st.integers(), max_size=60), st.integers(1, 20))
def test_every_item_comes_once_and_in_order(things, size):
    asked: list[str | None] = []
    pages = list(follow_pages(list_in_pages(things, size, asked)))
    assert [item for page in pages for item in page.items] == things
    assert len(asked) == max(1, -(-len(things) // size))


@given(st.lists(st.integers(), min_size=1, max_size=60), st.integers(1, 20), st.data())
def test_a_saved_cursor_resumes_the_list(things, size, data):
    pages = list(follow_pages(list_in_pages(things, size, [])))
    stop = data.draw(st.integers(0, len(pages) - 1))
    seen = [item for page in pages[: stop + 1] for item in page.items]
    if pages[stop].next_cursor is None:
        assert seen == things
        return
    rest = [
        i
        for page in follow_pages(list_in_pages(things, size, []), pages[stop].next_cursor)
        for i in page.items
    ]
    assert seen + rest == things


def test_pages_are_fetched_on_demand():
    asked: list[str | None] = []
    pages = follow_pages(list_in_pages(list(range(10)), 2, asked))
    assert asked == []
    next(pages)
    assert asked == [None]


def test_a_page_that_leads_to_itself_raises():
    pages = follow_pages(lambda _cursor: Page([1], "again"))
    with pytest.raises(UnexpectedAnswer, match="never ends"):
        list(pages)
