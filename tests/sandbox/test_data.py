"""The tickets of the demo: the same for everyone, realistic, and some of them hostile."""

import pytest

from tests.sandbox.conftest import Clock, Start, Zendesk
from zendesk.sandbox import VIEW_NOT_ARCHIVED, VIEW_UNSOLVED, Options, Sandbox


def everything(sandbox: Sandbox) -> list[tuple[object, ...]]:
    store = sandbox.store
    return [
        (sandbox.ticket(number), store.subject(slot), store.created(slot), store.priority(slot))
        for slot, number in enumerate(sandbox.ticket_ids())
    ]


def test_the_same_seed_gives_the_same_tickets(clock: Clock) -> None:
    one, two = (Sandbox(Options(tickets=300, seed=5, clock=clock)) for _ in range(2))

    assert everything(one) == everything(two)


def test_another_seed_gives_other_tickets(clock: Clock) -> None:
    one, two = (Sandbox(Options(tickets=300, seed=seed, clock=clock)) for seed in (5, 6))

    assert everything(one) != everything(two)


@pytest.mark.parametrize("seed", range(1, 9))
def test_more_than_ten_thousand_of_the_demo_s_tickets_are_unsolved(clock: Clock, seed: int) -> None:
    sandbox = Sandbox(Options(seed=seed, clock=clock))

    unsolved = len(sandbox.view_ticket_ids(VIEW_UNSOLVED))

    assert 10_000 < unsolved < len(sandbox.ticket_ids()) == 12_000


def test_ids_start_high_and_have_gaps(clock: Clock) -> None:
    ids = Sandbox(Options(tickets=1000, clock=clock)).ticket_ids()

    assert ids == sorted(set(ids))
    assert ids[0] > 1_000
    assert ids[-1] - ids[0] > 1_000


def test_every_status_occurs(clock: Clock) -> None:
    sandbox = Sandbox(Options(tickets=1000, clock=clock))

    statuses = {sandbox.ticket(number).status for number in sandbox.ticket_ids()}

    assert statuses == {"new", "open", "pending", "hold", "solved", "closed"}


def test_dates_are_in_the_two_years_before_the_start(clock: Clock) -> None:
    store = Sandbox(Options(tickets=1000, clock=clock)).store

    for slot in range(store.count):
        assert clock.now - 731 * 86_400 <= store.created(slot) <= store.updated(slot) <= clock.now


def test_some_subjects_are_hostile(clock: Clock) -> None:
    store = Sandbox(Options(clock=clock)).store

    subjects = {store.subject(slot) for slot in range(store.count)}

    for hostile in ("<script>", "=HYPERLINK(", "🔥", "مشكلة", "\n"):
        assert any(hostile in subject for subject in subjects)
    assert max(map(len, subjects)) > 500


def test_tags_are_counted_as_they_change(zendesk: Zendesk) -> None:
    def listed() -> dict[str, int]:
        return {tag["name"]: tag["count"] for tag in zendesk.read("tags.json")["tags"]}

    before = listed()
    ids = [number for number in zendesk.ids(count=20) if "vip" not in zendesk.sandbox.ticket(number).tags]
    zendesk.tag(ids, additional_tags=["vip", "brand_new"])

    after = listed()

    assert after["vip"] == before["vip"] + len(ids)
    assert after["brand_new"] == len(ids)
    tags = [zendesk.sandbox.ticket(number).tags for number in zendesk.sandbox.ticket_ids()]
    assert after["vip"] == sum("vip" in held for held in tags)


def test_autocomplete_finds_tags_by_prefix(zendesk: Zendesk) -> None:
    assert zendesk.read("autocomplete/tags.json", name="pri")["tags"] == ["priority:high"]
    assert zendesk.get("autocomplete/tags.json", name="p").status_code == 400


def test_a_list_of_tickets_skips_nothing_when_tickets_change(zendesk: Zendesk) -> None:
    """Its cursor holds the last number, not a place."""
    seen: list[int] = []
    page = zendesk.read("tickets.json", **{"page[size]": 100})
    while True:
        ids = [ticket["id"] for ticket in page["tickets"]]
        seen += ids
        if not page["meta"]["has_more"]:
            break
        zendesk.sandbox.delete(ids[0])
        page = zendesk.read(
            "tickets.json", **{"page[size]": 100, "page[after]": page["meta"]["after_cursor"]}
        )

    assert len(seen) == len(set(seen))
    assert set(zendesk.sandbox.view_ticket_ids(VIEW_NOT_ARCHIVED)) <= set(seen)


def test_a_list_of_tickets_can_be_read_backwards(zendesk: Zendesk) -> None:
    first = zendesk.read("tickets.json", **{"page[size]": 7})
    second = zendesk.read("tickets.json", **{"page[size]": 7, "page[after]": first["meta"]["after_cursor"]})

    back = zendesk.read("tickets.json", **{"page[size]": 7, "page[before]": second["meta"]["before_cursor"]})

    assert [one["id"] for one in back["tickets"]] == [one["id"] for one in first["tickets"]]


@pytest.mark.parametrize(("sort", "descending"), [("id", False), ("-id", True), ("status", False)])
def test_a_list_of_tickets_is_sorted_as_requested(zendesk: Zendesk, sort: str, descending: bool) -> None:
    page = zendesk.read("tickets.json", **{"page[size]": 100, "sort": sort})["tickets"]

    ranks = ("new", "open", "pending", "hold", "solved", "closed")
    keys = [one["id"] if "id" in sort else ranks.index(one["status"]) for one in page]
    assert keys == sorted(keys, reverse=descending)


def test_an_unknown_sort_is_refused(zendesk: Zendesk) -> None:
    response = zendesk.get("tickets.json", **{"page[size]": 10, "sort": "subject"})

    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "InvalidPaginationParameter")


def test_show_many_sorts_by_id_and_omits_missing_tickets(zendesk: Zendesk) -> None:
    one, two, three = zendesk.ids()
    zendesk.sandbox.delete(two)

    body = zendesk.read("tickets/show_many.json", ids=f"{three},{one},{two},5,{one}")

    assert [ticket["id"] for ticket in body["tickets"]] == [one, three]
    assert body["count"] == 2


def test_the_incremental_export_has_every_ticket_once_and_marks_deleted_ones(start: Start) -> None:
    zendesk = start(tickets=250)
    gone = zendesk.ids(count=1)[0]
    zendesk.sandbox.delete(gone)
    zendesk.clock.move(120)
    found: dict[int, str] = {}
    body = zendesk.read("incremental/tickets/cursor.json", start_time=0, per_page=100)
    while True:
        found |= {ticket["id"]: ticket["status"] for ticket in body["tickets"]}
        if body["end_of_stream"]:
            break
        body = zendesk.read("incremental/tickets/cursor.json", cursor=body["after_cursor"], per_page=100)

    assert len(found) == 250
    assert found.pop(gone) == "deleted"
    assert sorted(found) == zendesk.sandbox.ticket_ids()


def test_the_incremental_export_omits_the_last_minute(zendesk: Zendesk) -> None:
    number = zendesk.ids(count=1)[0]
    begin = int(zendesk.clock.now) - 100
    zendesk.sandbox.edit(number, add=["fresh"])

    at_once = zendesk.read("incremental/tickets/cursor.json", start_time=begin)["tickets"]
    zendesk.clock.move(61)
    later = zendesk.read("incremental/tickets/cursor.json", start_time=begin)["tickets"]

    assert (at_once, [ticket["id"] for ticket in later]) == ([], [number])
