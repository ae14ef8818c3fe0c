"""Views: what is in them, how they shrink, and how slowly they are counted."""

from typing import Any

from tests.sandbox.conftest import Start, Zendesk
from zendesk.sandbox import (
    VIEW_EMPTY,
    VIEW_HOSTILE,
    VIEW_INACTIVE,
    VIEW_NOT_ARCHIVED,
    VIEW_PENDING,
    VIEW_UNSOLVED,
    VIEW_UNTAGGED,
)

UNSOLVED = ("new", "open", "pending", "hold")


def pages(zendesk: Zendesk, view_id: int, size: int = 100) -> list[dict[str, Any]]:
    """All pages of a view, by cursor."""
    found = [zendesk.read(f"views/{view_id}/tickets", **{"page[size]": size})]
    while found[-1]["meta"]["has_more"]:
        after = found[-1]["meta"]["after_cursor"]
        found.append(zendesk.read(f"views/{view_id}/tickets", **{"page[size]": size, "page[after]": after}))
    return found


def ids_of(found: list[dict[str, Any]]) -> list[int]:
    return [ticket["id"] for page in found for ticket in page["tickets"]]


def test_the_pages_of_a_view_have_each_ticket_once(zendesk: Zendesk) -> None:
    listed = ids_of(pages(zendesk, VIEW_UNSOLVED))

    expected = [
        number for number in zendesk.sandbox.ticket_ids() if zendesk.sandbox.ticket(number).status in UNSOLVED
    ]
    assert listed == sorted(expected, reverse=True)


def test_offset_pages_have_the_same_tickets(zendesk: Zendesk) -> None:
    first = zendesk.read(f"views/{VIEW_PENDING}/tickets.json", per_page=60)
    second = zendesk.read(f"views/{VIEW_PENDING}/tickets.json", per_page=60, page=2)

    assert first["next_page"].startswith(f"{zendesk.server.url}/api/v2/views/{VIEW_PENDING}/tickets.json?")
    assert first["count"] == len(zendesk.sandbox.view_ticket_ids(VIEW_PENDING))
    assert ids_of([first, second]) == ids_of(pages(zendesk, VIEW_PENDING))[:120]


def test_pages_skip_tickets_when_others_leave_the_view(zendesk: Zendesk) -> None:
    """The trap of tagging while paging: the cursor is an offset in disguise."""
    before = ids_of(pages(zendesk, VIEW_UNTAGGED))
    first = zendesk.read(f"views/{VIEW_UNTAGGED}/tickets", **{"page[size]": 100})
    tagged = ids_of([first])
    zendesk.tag(tagged, additional_tags=["vip"])

    after = first["meta"]["after_cursor"]
    second = zendesk.read(f"views/{VIEW_UNTAGGED}/tickets", **{"page[size]": 100, "page[after]": after})

    assert tagged == before[:100]
    assert ids_of([second]) == before[200:300]


def test_a_view_reflects_every_kind_of_change(zendesk: Zendesk) -> None:
    one, two, three = zendesk.sandbox.view_ticket_ids(VIEW_UNTAGGED)[:3]

    zendesk.sandbox.edit(one, status="solved")
    zendesk.sandbox.edit(two, add=["vip"])
    zendesk.sandbox.delete(three)
    gone = set(zendesk.sandbox.view_ticket_ids(VIEW_UNTAGGED))
    zendesk.sandbox.edit(one, status="open")
    zendesk.sandbox.edit(two, remove=["vip"])
    back = set(zendesk.sandbox.view_ticket_ids(VIEW_UNTAGGED))

    assert gone.isdisjoint({one, two, three})
    assert back & {one, two, three} == {one, two}


def test_archived_tickets_are_found_by_search_but_not_by_views(zendesk: Zendesk) -> None:
    viewed = ids_of(pages(zendesk, VIEW_NOT_ARCHIVED))
    archived = set(zendesk.sandbox.ticket_ids()) - set(viewed)

    closed = {
        number for number in zendesk.sandbox.ticket_ids() if zendesk.sandbox.ticket(number).status == "closed"
    }
    long_ago = "2026-07-26T12:00:00Z"  # 120 days before the clock of these tests
    assert archived
    assert {number for number in closed if zendesk.sandbox.ticket(number).updated_at < long_ago} == archived
    assert zendesk.read("search/count.json", query="status:closed")["count"] >= len(archived)


def test_the_last_page_has_a_next_link_to_an_empty_page(zendesk: Zendesk) -> None:
    last = pages(zendesk, VIEW_PENDING)[-1]
    assert last["meta"]["has_more"] is False

    beyond = zendesk.call("GET", last["links"]["next"].removeprefix(zendesk.server.url)).json()

    assert (beyond["tickets"], beyond["meta"]["has_more"]) == ([], False)


def test_a_view_is_counted_later_and_then_roughly(start: Start) -> None:
    zendesk = start(tickets=2000, scale=1.0)
    real = len(zendesk.sandbox.view_ticket_ids(VIEW_UNSOLVED))

    def told() -> tuple[Any, str, bool]:
        count = zendesk.read(f"views/{VIEW_UNSOLVED}/count.json")["view_count"]
        return count["value"], count["pretty"], count["fresh"]

    assert told() == (None, "...", False)
    assert told() == (None, "...", False)
    zendesk.clock.move(6)
    assert told() == (real, str(real), True)
    zendesk.sandbox.delete(zendesk.sandbox.view_ticket_ids(VIEW_UNSOLVED)[0])
    zendesk.clock.move(600)
    assert told() == (real, f"~{round(real, -2)}", False)
    zendesk.clock.move(3600)
    assert told() == (real - 1, str(real - 1), True)


def test_a_view_can_be_counted_five_times_a_minute(zendesk: Zendesk) -> None:
    statuses = [zendesk.get(f"views/{VIEW_PENDING}/count.json").status_code for _ in range(6)]
    other_view = zendesk.get(f"views/{VIEW_UNSOLVED}/count.json").status_code
    executed = zendesk.get(f"views/{VIEW_PENDING}/execute.json").status_code
    zendesk.clock.move(60)

    assert statuses == [200] * 5 + [429]
    assert (other_view, executed) == (200, 429)
    assert zendesk.get(f"views/{VIEW_PENDING}/count.json").status_code == 200


def test_offset_pages_end_at_ten_thousand_tickets(zendesk: Zendesk) -> None:
    response = zendesk.get(f"views/{VIEW_UNSOLVED}/tickets.json", page=101)

    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "InvalidPaginationDepth")


def test_pages_larger_than_a_hundred_are_refused(zendesk: Zendesk) -> None:
    assert zendesk.get(f"views/{VIEW_UNSOLVED}/tickets", **{"page[size]": 101}).status_code == 400


def test_active_views_omit_the_inactive_one(zendesk: Zendesk) -> None:
    every = {view["id"] for view in zendesk.read("views.json")["views"]}
    active = {view["id"] for view in zendesk.read("views/active.json")["views"]}

    assert every - active == {VIEW_INACTIVE}
    assert {view["id"] for view in zendesk.read("views.json", active="true")["views"]} == active


def test_one_view_has_a_hostile_title_and_one_is_empty(zendesk: Zendesk) -> None:
    assert "<script>" in zendesk.read(f"views/{VIEW_HOSTILE}.json")["view"]["title"]
    assert zendesk.read(f"views/{VIEW_EMPTY}/tickets", **{"page[size]": 10})["tickets"] == []


def test_a_view_that_does_not_exist_is_not_found(zendesk: Zendesk) -> None:
    for path in ("views/1.json", "views/1/count.json", "views/1/tickets.json", "views/1/execute.json"):
        assert zendesk.get(path).status_code == 404


def test_executing_a_view_returns_rows(zendesk: Zendesk) -> None:
    body = zendesk.read(f"views/{VIEW_PENDING}/execute.json", per_page=2)

    assert [row["ticket_id"] for row in body["rows"]] == ids_of(pages(zendesk, VIEW_PENDING))[:2]
