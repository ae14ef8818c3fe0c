"""Search and its export: the query language, and the ways in which the index is not the truth."""

import pytest

from tests.sandbox.conftest import Start, Zendesk
from zendesk.sandbox import timestamps

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")


def found(zendesk: Zendesk, query: str) -> set[int]:
    """All that search/export finds."""
    numbers: list[int] = []
    params = {"query": query, "filter[type]": "ticket", "page[size]": 100}
    while True:
        body = zendesk.read("search/export.json", **params)
        numbers += [ticket["id"] for ticket in body["results"]]
        if not body["meta"]["has_more"]:
            break
        params["page[after]"] = body["meta"]["after_cursor"]
    assert len(numbers) == len(set(numbers))
    assert zendesk.read("search/count.json", query=query)["count"] == len(numbers)
    return set(numbers)


def those(zendesk: Zendesk, question: str) -> set[int]:
    """The tickets of which a Python expression is true, asked of the tickets themselves."""
    numbers = set()
    store = zendesk.sandbox.store
    for slot, number in enumerate(store.ids):
        known = {
            "rank": store.status[slot],
            "tags": store.tags(slot),
            "created": timestamps.iso(store.created(slot)),
            "updated": timestamps.iso(store.updated(slot)),
            "priority": store.priority(slot),
            "subject": store.subject(slot).lower(),
        }
        if eval(question, known):
            numbers.add(number)
    return numbers


@pytest.mark.parametrize(
    ("query", "question"),
    [
        ("", "True"),
        ("type:ticket", "True"),
        ("type:user", "False"),
        ("tags:vip", "'vip' in tags"),
        ("tags:vip tags:bug", "'vip' in tags or 'bug' in tags"),
        ('tags:"web bug"', "'web' in tags and 'bug' in tags"),
        ("-tags:vip", "'vip' not in tags"),
        ("tags:日本語", "'日本語' in tags"),
        ("tags:VIP -tags:web status<solved", "'vip' in tags and 'web' not in tags and rank < 4"),
        ("tags:priority:high", "'priority:high' in tags"),
        ("status:open", "rank == 1"),
        ("status:open status:hold", "rank in (1, 3)"),
        ("status>=pending status<closed", "2 <= rank < 5"),
        ("-status:closed", "rank != 5"),
        ("status:nonsense", "False"),
        ("created>=2026-01-01 created<2026-03-01", "'2026-01-01' <= created < '2026-03-01'"),
        ("created>2026-01-01", "created >= '2026-01-02'"),
        ("created:2026-01-01", "created.startswith('2026-01-01')"),
        ("updated<=2026-02-01T12:00:00Z", "updated <= '2026-02-01T12:00:00Z'"),
        ("solved>2026-06-01", "rank >= 4 and updated >= '2026-06-02'"),
        ("priority:high", "priority == 'high'"),
        ("priority>normal", "priority in ('high', 'urgent')"),
        ("priority:none", "priority is None"),
        ("refund", "'refund' in subject"),
        ("efund", "False"),
        ('"password reset"', "'password reset' in subject"),
        ("subject:order status:new", "'order' in subject and rank == 0"),
        ("unknown_keyword:5", "False"),
    ],
)
def test_a_query_finds_the_expected_tickets(zendesk: Zendesk, query: str, question: str) -> None:
    assert found(zendesk, query) == those(zendesk, question)


def test_a_number_finds_the_ticket(zendesk: Zendesk) -> None:
    number = zendesk.ids(count=1)[0]

    assert number in found(zendesk, str(number))
    assert found(zendesk, f"id:{number}") == found(zendesk, f"ticket_id:{number}") == {number}


def test_search_has_pages_and_the_true_count(zendesk: Zendesk) -> None:
    body = zendesk.read("search.json", query="status<closed", page=2, per_page=50)

    assert len(body["results"]) == 50
    assert {result["result_type"] for result in body["results"]} == {"ticket"}
    assert body["count"] == len(those(zendesk, "rank < 5"))
    assert body["next_page"].endswith("page=3&per_page=50&query=status%3Cclosed")


@pytest.mark.parametrize(
    ("order", "key"), [("created_at", "created_at"), ("updated_at", "updated_at"), ("status", "status")]
)
def test_search_sorts_as_requested(zendesk: Zendesk, order: str, key: str) -> None:
    by_query = zendesk.read("search.json", query=f"tags:web order_by:{order} sort:asc")["results"]
    by_params = zendesk.read("search.json", query="tags:web", sort_by=order, sort_order="asc")["results"]

    values = [STATUSES.index(one[key]) if key == "status" else one[key] for one in by_query]
    assert values == sorted(values)
    assert [one["id"] for one in by_query] == [one["id"] for one in by_params]


def test_search_ends_at_a_thousand_results(start: Start) -> None:
    zendesk = start(tickets=1500)

    tenth = zendesk.read("search.json", query="type:ticket", page=10)
    eleventh = zendesk.get("search.json", query="type:ticket", page=11)

    assert (len(tenth["results"]), tenth["count"]) == (100, 1500)
    assert eleventh.status_code == 422
    assert "Search Response Limits" in eleventh.json()["description"]


def test_search_has_no_cursor_pagination(zendesk: Zendesk) -> None:
    assert zendesk.get("search.json", query="tags:vip", **{"page[size]": 10}).status_code == 400


def test_the_export_needs_a_type(zendesk: Zendesk) -> None:
    assert zendesk.get("search/export.json", query="tags:vip").status_code == 400


def test_an_export_cursor_expires_after_an_hour(zendesk: Zendesk) -> None:
    params = {"query": "status<closed", "filter[type]": "ticket", "page[size]": 10}
    params["page[after]"] = zendesk.read("search/export.json", **params)["meta"]["after_cursor"]
    zendesk.clock.move(3600)
    in_time = zendesk.read("search/export.json", **params)
    params["page[after]"] = in_time["meta"]["after_cursor"]
    zendesk.clock.move(1)

    too_late = zendesk.get("search/export.json", **params)

    assert len(in_time["results"]) == 10
    assert (too_late.status_code, "expired" in too_late.text) == (400, True)


def test_the_export_skips_nothing_when_tickets_change(zendesk: Zendesk) -> None:
    params = {"query": "-tags:seen", "filter[type]": "ticket", "page[size]": 100}
    first = zendesk.read("search/export.json", **params)
    zendesk.tag([ticket["id"] for ticket in first["results"]], additional_tags=["seen"])
    params["page[after]"] = first["meta"]["after_cursor"]

    second = zendesk.read("search/export.json", **params)["results"]

    expected = sorted(zendesk.sandbox.ticket_ids(), reverse=True)[100:200]
    assert [ticket["id"] for ticket in second] == expected


def test_the_search_index_may_lag_behind(start: Start) -> None:
    """A run right after a job finds the tickets as they were."""
    zendesk = start(search_lag=120)
    number = zendesk.ids("open", count=1)[0]
    zendesk.tag([number], additional_tags=["just_now"], status="pending")

    def seen(query: str) -> list[str]:
        results = zendesk.read("search.json", query=f"id:{number} {query}")["results"]
        return [f"{one['status']} {'just_now' in one['tags']}" for one in results]

    early = (seen("tags:just_now"), seen("status:open"), seen("-tags:just_now"))
    zendesk.clock.move(121)
    late = (seen("tags:just_now"), seen("status:open"), seen("-tags:just_now"))

    assert early == ([], ["open False"], ["open False"])
    assert late == (["pending True"], [], [])


def test_a_lagging_export_gives_tickets_as_they_were_even_deleted_ones(start: Start) -> None:
    zendesk = start(search_lag=120)
    changed, deleted = zendesk.ids("open", count=2)
    zendesk.tag([changed, deleted], additional_tags=["legacy"])
    zendesk.clock.move(121)
    params = {"query": "tags:legacy", "filter[type]": "ticket"}
    before = zendesk.read("search/export.json", **params)["results"]
    zendesk.tag([changed], remove_tags=["legacy"])
    zendesk.sandbox.delete(deleted)

    early = zendesk.read("search/export.json", **params)["results"]
    zendesk.clock.move(121)

    assert {ticket["id"] for ticket in before} == {changed, deleted}
    assert early == before
    assert zendesk.read("search/export.json", **params)["results"] == []


@pytest.mark.parametrize("query", ["created>tomorrow", "id:abc"])
def test_an_invalid_value_is_refused_with_a_sentence(zendesk: Zendesk, query: str) -> None:
    response = zendesk.get("search.json", query=query)

    assert response.status_code == 422
    assert response.json()["description"].startswith("Invalid search: ")


def test_the_export_allows_a_hundred_calls_a_minute(zendesk: Zendesk) -> None:
    params = {"query": "tags:vip", "filter[type]": "ticket", "page[size]": 1}

    statuses = [zendesk.get("search/export.json", **params).status_code for _ in range(101)]

    assert statuses == [200] * 100 + [429]
