from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zendesk.recorded import sample
from zendesk import Page, TagCount, Ticket, UnexpectedAnswer
from zendesk.pages import LEADS_BACK, MAX_EMPTY_PAGES, ONLY_EMPTY, follow_pages, position


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
        {"tags": [], "meta": {}},
        {"tags": [], "meta": {"has_more": "no"}},
        {"tags": {}, "meta": {"has_more": False}},
        {"meta": {"has_more": False}},
        {"tags": [None] * 10, "meta": {"has_more": False}},
    ],
)
def test_a_page_that_does_not_say_whether_there_are_more_is_refused(body):
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


def test_a_page_that_leads_to_itself_is_the_last_and_says_so():
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> Page[int]:
        asked.append(cursor)
        return Page([len(asked)], "again")

    assert list(follow_pages(fetch)) == [Page([1], "again"), Page([2], None, broke_off=LEADS_BACK)]
    assert asked == [None, "again"]


def test_a_list_of_empty_pages_ends():
    numbers = count()
    pages: list[Page[int]] = list(follow_pages(lambda _cursor: Page([], str(next(numbers)))))
    assert (len(pages), pages[-1].next_cursor, pages[-1].broke_off) == (MAX_EMPTY_PAGES, None, ONLY_EMPTY)


ONE = [{"name": "a", "count": 1}]


@pytest.mark.parametrize(
    ("answer", "cursor", "broke_off"),
    [
        # By cursor.
        ({"meta": {"has_more": True, "after_cursor": "abc"}}, "abc", ""),
        ({"meta": {"has_more": False, "after_cursor": "abc"}}, None, ""),
        ({"meta": {"has_more": True}}, None, "there are more tags, but not how to get them"),
        ({"meta": {"has_more": True, "after_cursor": ""}}, None, "there are more tags, but not how to"),
        # By number, with the size that Zendesk chose.
        ({"next_page": "https://evil.example/api/v2/tags.json?page=2", "count": 200}, "page:2", ""),
        ({"next_page": "https://a.example/tags.json?per_page=50&page=3"}, "page:3:50", ""),
        ({"next_page": "https://a.example/tags.json?page%5Bafter%5D=xyz&page%5Bsize%5D=9"}, "xyz", ""),
        ({"next_page": None, "count": 1}, None, ""),
        ({"next_page": "https://a.example/tags.json"}, None, "there are more tags, but not how to get"),
        ({"next_page": 7}, None, "there are more tags, but not how to get them"),
        ({"next_page": "//[broken"}, None, "there are more tags, but not how to get them"),
        # On a single page.
        ({}, None, ""),
        ({"meta": None}, None, ""),
    ],
)
def test_the_next_page_is_found_whichever_way_a_list_is_paged(answer, cursor, broke_off):
    page = Page.from_json({"tags": ONE, **answer}, "tags", TagCount.from_json)
    assert (page.items, page.next_cursor) == ([TagCount("a", 1)], cursor)
    assert bool(page.broke_off) == bool(broke_off)
    assert broke_off in page.broke_off


def test_a_full_page_that_names_no_other_may_not_be_the_last():
    page = Page.from_json({"tags": ONE * 100}, "tags", TagCount.from_json)
    assert page.broke_off == "Zendesk listed 100 tags on one page, without saying whether there are more."


def test_a_record_that_cannot_be_read_does_not_stop_its_page():
    page = Page.from_json({"tags": [*ONE, {"name": 5}]}, "tags", TagCount.from_json)
    assert page.items == [TagCount("a", 1)]
    assert page.unreadable == ("Zendesk sent a tag in a shape this program does not understand (name).",)


@pytest.mark.parametrize(
    ("cursor", "parameters"),
    [
        (None, {"page[size]": 100}),
        ("abc", {"page[size]": 100, "page[after]": "abc"}),
        ("page:2", {"page": "2"}),
        ("page:3:50", {"page": "3", "per_page": "50"}),
    ],
)
def test_a_cursor_says_how_its_page_is_asked_for(cursor, parameters):
    assert position(cursor, 100) == parameters
