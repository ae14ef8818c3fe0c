"""What each method asks for, and what it makes of the recorded answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.zendesk.conftest import BASE
from tests.zendesk.recorded import sample
from zendesk import (
    Call,
    CredentialsRefused,
    Group,
    ItemResult,
    NotAllowed,
    RateLimit,
    RateLimited,
    Refused,
    TagCount,
    UnexpectedAnswer,
    ViewCount,
    Zendesk,
    client,
)
from zendesk.transport.attempt import ATTEMPT_TIMEOUT, CONNECT_TIMEOUT

API = f"{BASE}/api/v2"


def asked(http: responses.RequestsMock) -> list[dict[str, str]]:
    """The parameters of the calls."""
    return [dict(parse_qsl(urlsplit(str(call.request.url)).query)) for call in http.calls]


def raw_ticket(number: int, **more: object) -> dict[str, object]:
    return {"id": number, "status": "open", "tags": [], "updated_at": "2026-01-01T00:00:00Z", **more}


def cursor_page(key: str, items: Sequence[object], after: str | None) -> dict[str, object]:
    links = {"next": "https://elsewhere.example/next"}
    return {
        key: items,
        "meta": {"has_more": after is not None, "after_cursor": after or "past"},
        "links": links,
    }


def test_me_is_the_user_of_the_credentials(http, zendesk):
    http.get(f"{API}/users/me.json", **sample("users-me").as_response)
    assert zendesk.me().name == "Example Agent"


def test_me_raises_for_an_anonymous_200(http, zendesk):
    http.get(f"{API}/users/me.json", **sample("users-me-anonymous").as_response)
    with pytest.raises(CredentialsRefused, match="belong to no Zendesk user"):
        zendesk.me()


def test_the_latest_limit_is_available(http, zendesk):
    assert zendesk.rate is None
    http.get(f"{API}/users/me.json", **sample("users-me").as_response)
    zendesk.me()
    assert zendesk.rate == RateLimit(limit=700, remaining=699, reset=32.0)


def test_views_are_listed_to_the_end(http, zendesk):
    view = sample("views-list-cursor").body["views"][0]
    http.get(f"{API}/views.json", json=cursor_page("views", [view], "c1"))
    http.get(f"{API}/views.json", json=cursor_page("views", [{**view, "id": 5}], None))
    assert [v.id for v in zendesk.views()] == [view["id"], 5]
    assert asked(http) == [{"page[size]": "100"}, {"page[size]": "100", "page[after]": "c1"}]


def test_one_view_and_its_count(http, zendesk):
    view = sample("views-active").body["views"][0]
    http.get(f"{API}/views/7.json", json={"view": view})
    http.get(f"{API}/views/7/count.json", **sample("view-count-loading").as_response)
    assert zendesk.view(7).title == "Your unsolved tickets"
    assert zendesk.view_count(7) == ViewCount(None, "...", False)


def test_the_tickets_of_a_view_come_in_pages_from_the_configured_host(http, zendesk):
    path = f"{API}/views/6164074383386/tickets.json"
    first, second = sample("view-tickets-cursor-page1"), sample("view-tickets-cursor-page2")
    http.get(path, **first.as_response)
    http.get(path, **second.as_response)
    pages = zendesk.view_tickets(6164074383386)
    assert [next(pages).items[0].id, next(pages).items[0].id] == [4029, 4013]
    assert asked(http)[1] == {"page[size]": "100", "page[after]": first.body["meta"]["after_cursor"]}
    assert {urlsplit(call.request.url).netloc for call in http.calls} == {"acme.zendesk.com"}


def test_a_list_starts_from_a_saved_cursor(http, zendesk):
    http.get(f"{API}/views/7/tickets.json", json=cursor_page("tickets", [raw_ticket(1)], None))
    (page,) = zendesk.view_tickets(7, cursor="saved==")
    assert page.next_cursor is None
    assert asked(http) == [{"page[size]": "100", "page[after]": "saved=="}]


def numbered(numbers: range, count: int, *, more: bool) -> dict[str, object]:
    results = [raw_ticket(n, result_type="ticket") for n in numbers]
    return {"results": results, "count": count, "next_page": "https://elsewhere.example" if more else None}


def test_a_search_finds_only_tickets_and_continues_by_page_number(http, zendesk):
    http.get(f"{API}/search.json", json=numbered(range(1, 101), 101, more=True))
    http.get(f"{API}/search.json", json=numbered(range(101, 102), 101, more=False))
    first, second = zendesk.search("tags:vip type:ticket")
    assert (len(first.items), first.next_cursor, first.total) == (100, "2", 101)
    assert (len(second.items), second.next_cursor) == (1, None)
    assert asked(http) == [
        {"query": "type:ticket tags:vip", "page": "1", "per_page": "100"},
        {"query": "type:ticket tags:vip", "page": "2", "per_page": "100"},
    ]


def test_a_search_can_start_on_a_later_page(http, zendesk):
    http.get(f"{API}/search.json", json=numbered(range(3), 303, more=False) | {"results": []})
    (page,) = zendesk.search("x", page=4)
    assert (page.items, asked(http)[0]["page"]) == ([], "4")


def test_results_that_are_not_tickets_are_omitted(http, zendesk):
    results = [raw_ticket(1), {"id": 2, "result_type": "user"}, raw_ticket(3, result_type="ticket")]
    http.get(f"{API}/search.json", json={"results": results, "count": 3, "next_page": None})
    (page,) = zendesk.search("x")
    assert [ticket.id for ticket in page.items] == [1, 3]


def test_a_search_with_more_than_the_maximum_raises_instead_of_ending(http, zendesk):
    http.get(f"{API}/search.json", json=numbered(range(1, 2), 4000, more=True))
    pages = zendesk.search("x")
    seen = [next(pages) for _ in range(10)]
    assert len(seen) == len(http.calls) == 10
    with pytest.raises(Refused, match="only its first 1,000 tickets") as caught:
        next(pages)
    assert (caught.value.code, len(http.calls)) == ("SearchLimit", 10)


def test_a_search_with_exactly_the_maximum_ends(http, zendesk):
    http.get(f"{API}/search.json", json=numbered(range(1, 2), 1000, more=False))
    assert len(list(zendesk.search("x", page=10))) == 1


def test_the_pages_of_a_search_begin_at_one(zendesk):
    with pytest.raises(ValueError, match="begin at 1"):
        zendesk.search("x", page=0)


def test_a_search_is_counted(http, zendesk):
    http.get(f"{API}/search/count.json", json={"count": 6})
    assert zendesk.search_count("status<closed") == 6
    assert asked(http) == [{"query": "type:ticket status<closed"}]


def test_an_export_sends_the_type_apart_from_the_query(http, zendesk):
    http.get(f"{API}/search/export.json", json=cursor_page("results", [raw_ticket(1)], "c1"))
    http.get(f"{API}/search/export.json", json=cursor_page("results", [raw_ticket(2)], None))
    found = [t.id for page in zendesk.search_export('type:ticket subject:"a  type:b"') for t in page.items]
    assert found == [1, 2]
    query = {"query": 'subject:"a type:b"', "filter[type]": "ticket", "page[size]": "1000"}
    assert asked(http) == [query, {**query, "page[after]": "c1"}]
    assert http.calls[0].request.req_kwargs["timeout"] == (CONNECT_TIMEOUT, ATTEMPT_TIMEOUT)


def test_an_export_resumes_from_a_cursor(http, zendesk):
    http.get(f"{API}/search/export.json", json=cursor_page("results", [], None))
    list(zendesk.search_export("x", cursor="c9"))
    assert asked(http)[0]["page[after]"] == "c9"


@pytest.mark.parametrize("size", [1, 1000])
def test_a_page_of_an_export_has_as_many_tickets_as_was_asked_for(http, connect, size):
    http.get(f"{API}/search/export.json", json=cursor_page("results", [], None))
    list(connect(export_page=size).search_export("x"))
    assert asked(http)[0]["page[size]"] == str(size)


@pytest.mark.parametrize("size", [0, 1001])
def test_the_page_size_of_an_export_is_limited(connect, size):
    with pytest.raises(ValueError, match="1 to 1,000"):
        connect(export_page=size)


@pytest.mark.parametrize(
    "export",
    [
        ("search/export.json", "page[size]", lambda zendesk: zendesk.search_export("x")),
        ("incremental/tickets/cursor.json", "per_page", lambda zendesk: zendesk.incremental_tickets()),
    ],
)
def test_a_page_that_is_too_large_is_halved_without_a_wait(http, zendesk, clock, export):
    path, name, read = export
    whole = {**cursor_page("results", [raw_ticket(1)], None), **increment([1], "c1", ended=True)}
    for _ in range(4):
        http.get(f"{API}/{path}", status=504)
    http.get(f"{API}/{path}", json=whole)
    (page,) = read(zendesk)
    assert [ticket.id for ticket in page.items] == [1]
    assert [parameters[name] for parameters in asked(http)] == ["1000", "500", "250", "125", "100"]
    assert clock.slept == []
    # The next export begins with the size that worked; the least one is not halved any more.
    http.get(f"{API}/{path}", status=504)
    http.get(f"{API}/{path}", json=whole)
    list(read(zendesk))
    assert [parameters[name] for parameters in asked(http)][5:] == ["100", "100"]
    assert len(clock.slept) == 1


def increment(numbers: Sequence[int], cursor: str, *, ended: bool) -> dict[str, object]:
    return {
        "tickets": [raw_ticket(number) for number in numbers],
        "after_cursor": cursor,
        "end_of_stream": ended,
    }


@pytest.mark.parametrize("cursor", ["", None, 7])
def test_an_incremental_export_that_goes_on_without_a_cursor_broke_off(http, zendesk, cursor):
    page = increment([1], "", ended=False) | {"after_cursor": cursor}
    http.get(f"{API}/incremental/tickets/cursor.json", json=page)
    (only,) = zendesk.incremental_tickets()
    assert (only.next_cursor, "not how to get them" in only.broke_off) == (None, True)
    assert [ticket.id for ticket in only.items] == [1]


def test_the_incremental_export_reads_to_the_end_of_the_stream(http, zendesk):
    http.get(f"{API}/incremental/tickets/cursor.json", json=increment([2, 1], "c1", ended=False))
    http.get(f"{API}/incremental/tickets/cursor.json", json=increment([3], "c2", ended=True))
    pages = list(zendesk.incremental_tickets())
    assert [[ticket.id for ticket in page.items] for page in pages] == [[2, 1], [3]]
    assert [page.next_cursor for page in pages] == ["c1", None]
    assert asked(http) == [
        {"start_time": "0", "per_page": "1000"},
        {"cursor": "c1", "per_page": "1000"},
    ]


def test_the_recorded_export_is_parsed(http, zendesk):
    http.get(f"{API}/incremental/tickets/cursor.json", **sample("incremental-tickets-cursor").as_response)
    page = next(zendesk.incremental_tickets())
    assert [(ticket.id, ticket.status) for ticket in page.items] == [(28, "new")]
    assert page.next_cursor == "MTY5NTA1MjY2My4wfHwyOHw="


def test_an_export_that_does_not_say_whether_there_are_more_raises(http, zendesk):
    http.get(f"{API}/incremental/tickets/cursor.json", json={"tickets": []})
    with pytest.raises(UnexpectedAnswer) as caught:
        list(zendesk.incremental_tickets())
    assert caught.value.call == "GET /api/v2/incremental/tickets/cursor.json"


@pytest.mark.parametrize(
    ("cursor", "why"), [(None, "but not how to get them"), ("abc", "leads back to a page that was read")]
)
def test_an_export_that_cannot_go_on_ends_and_says_so(http, zendesk, cursor, why):
    http.get(f"{API}/incremental/tickets/cursor.json", json=increment([1], "abc", ended=False))
    http.get(f"{API}/incremental/tickets/cursor.json", json=increment([2], cursor, ended=False))
    first, last = zendesk.incremental_tickets()
    assert (first.broke_off, [ticket.id for ticket in last.items], last.next_cursor) == ("", [2], None)
    assert why in last.broke_off


def test_a_list_without_paging_is_one_page(http, zendesk):
    job = {"id": "V3-1", "status": "completed", "total": 1, "progress": 1, "results": []}
    http.get(f"{API}/job_statuses.json", json={"job_statuses": [job]})
    assert [job.id for job in zendesk.recent_job_statuses()] == ["V3-1"]


def test_a_list_by_number_is_read_with_the_size_of_its_first_page(http, zendesk):
    jobs = [{"id": f"V3-{number}", "status": "working"} for number in range(3)]
    link = "https://elsewhere.example/api/v2/job_statuses.json?page=2&per_page=2"
    http.get(f"{API}/job_statuses.json", json={"job_statuses": jobs[:2], "next_page": link, "count": 3})
    http.get(f"{API}/job_statuses.json", json={"job_statuses": jobs[2:], "next_page": None, "count": 3})
    assert [job.id for job in zendesk.recent_job_statuses()] == ["V3-0", "V3-1", "V3-2"]
    assert asked(http) == [{"page[size]": "100"}, {"page": "2", "per_page": "2"}]


def test_no_list_goes_on_for_ever(http, zendesk, monkeypatch):
    monkeypatch.setattr(client, "MAX_PAGES", 3)
    for number in range(3):
        meta = {"has_more": True, "after_cursor": str(number)}
        http.get(f"{API}/groups.json", json={"groups": [{"id": number + 1, "name": "A"}], "meta": meta})
    groups = zendesk.groups()
    assert [next(groups).id for _ in range(3)] == [1, 2, 3]
    with pytest.raises(UnexpectedAnswer, match="list of groups has not ended after 3 pages"):
        next(groups)


def test_a_reader_that_leaves_ends_the_list(http, connect):
    """Nothing goes on in the background."""
    asked_for = threading.Event()

    def second(_request: Any) -> tuple[int, dict[str, str], str]:
        asked_for.set()
        return 200, {}, "{}"

    meta = {"has_more": True, "after_cursor": "b"}
    http.get(f"{API}/groups.json", json={"groups": [{"id": 1, "name": "A"}], "meta": meta})
    http.add_callback("GET", f"{API}/groups.json", second)
    http.assert_all_requests_are_fired = False  # the second is counted once it is answered, perhaps later
    zendesk = connect(may_read_ahead=lambda: True)
    groups = zendesk.groups()
    next(groups)
    assert asked_for.wait(10)
    groups.close()
    assert not zendesk._transport._background


def test_an_odd_ticket_stops_no_page(http, zendesk):
    tickets = [raw_ticket(11), raw_ticket(12) | {"tags": "a b"}, raw_ticket(13) | {"id": None}]
    meta = {"has_more": False, "after_cursor": None}
    http.get(f"{API}/views/7/tickets.json", json={"tickets": tickets, "meta": meta})
    (page,) = zendesk.view_tickets(7)
    assert [(ticket.id, ticket.odd) for ticket in page.items] == [(11, ""), (12, "its tags are text")]
    assert page.unreadable == ("Zendesk sent a ticket whose id is null.",)


def test_a_ticket_whose_record_has_no_id_is_odd_when_asked_for(http, zendesk):
    http.get(f"{API}/tickets/show_many.json", json={"tickets": [raw_ticket(11), raw_ticket(12) | {"id": 0}]})
    assert [(ticket.id, ticket.odd) for ticket in zendesk.tickets([11, 12])] == [
        (11, ""),
        (12, "its record came without a usable id"),
    ]


def test_the_error_for_other_users_says_that_an_admin_is_needed(http, zendesk):
    http.get(f"{API}/incremental/tickets/cursor.json", **sample("403-forbidden-object").as_response)
    with pytest.raises(NotAllowed, match="to admins only"):
        list(zendesk.incremental_tickets())


def test_a_rate_limited_export_holds_no_other_call(http, zendesk, clock):
    account = {"x-rate-limit": "700", "x-rate-limit-remaining": "650", "retry-after": "40"}
    refusal = sample("429-APIRateLimitExceeded-incremental").as_response | {"headers": account}
    http.get(f"{API}/incremental/tickets/cursor.json", **refusal)
    http.get(f"{API}/search/count.json", json={"count": 6})
    with pytest.raises(RateLimited) as caught:
        list(zendesk.incremental_tickets())
    assert caught.value.retry_after == 40
    assert zendesk.search_count("") == 6
    assert clock.slept == []
    with pytest.raises(RateLimited):
        list(zendesk.incremental_tickets())
    assert len(http.calls) == 2


def test_tickets_are_read_by_id_and_missing_ones_omitted(http, zendesk):
    http.get(f"{API}/tickets/show_many.json", **sample("tickets-show_many").as_response)
    assert [ticket.id for ticket in zendesk.tickets([3863, 3862, 3863])] == [3862]
    assert http.calls[0].request.url == f"{API}/tickets/show_many.json?ids=3863,3862"
    assert http.calls[0].request.req_kwargs["timeout"] == (CONNECT_TIMEOUT, ATTEMPT_TIMEOUT)


def test_no_tickets_need_no_call(zendesk):
    assert (zendesk.tickets([]), zendesk.job_statuses([])) == ([], [])


def test_one_change_for_many_tickets_sends_the_ids_in_the_query(http, zendesk):
    http.put(f"{API}/tickets/update_many.json", **sample("update_many-01-queued").as_response)
    job = zendesk.update_many([3, 1, 2], {"additional_tags": ["vip"], "remove_tags": ["new"]})
    assert (job.id, job.status, job.results) == ("V3-47ed156789697d342091e8d273f50b5d", "queued", None)
    request = http.calls[0].request
    assert request.url == f"{API}/tickets/update_many.json?ids=3,1,2"
    assert json.loads(request.body) == {"ticket": {"additional_tags": ["vip"], "remove_tags": ["new"]}}


def test_a_separate_change_for_each_ticket_is_sent_in_the_body(http, zendesk):
    http.put(f"{API}/tickets/update_many.json", **sample("update_many-1-queued").as_response)
    changes = [
        {"id": 1, "tags": ["a"], "updated_stamp": "2026-01-01T00:00:00Z", "safe_update": True},
        {"id": 2, "tags": []},
    ]
    assert zendesk.update_each(changes).total == 1
    request = http.calls[0].request
    assert request.url == f"{API}/tickets/update_many.json"
    assert json.loads(request.body) == {"tickets": changes}


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        ([], "1 to 100 tickets, not 0"),
        (range(1, 102), "1 to 100 tickets, not 101"),
        ([1, 2, 1], "must not occur twice"),
        ([0], "whole numbers"),
        ([-1], "whole numbers"),
        ([True], "whole numbers"),
        (["1"], "whole numbers|numeric id"),
    ],
)
def test_an_invalid_write_is_never_sent(zendesk, ids, sentence):
    with pytest.raises(ValueError, match=sentence):
        zendesk.update_many(ids, {})
    with pytest.raises(ValueError, match=f"{sentence}|numeric id"):
        zendesk.update_each([{"id": number} for number in ids])


def test_a_request_for_too_many_is_never_sent(zendesk):
    with pytest.raises(ValueError, match="not 101"):
        zendesk.tickets(range(1, 102))
    with pytest.raises(ValueError, match="at most 100"):
        zendesk.job_statuses([f"V3-{n}" for n in range(101)])


def test_several_bulk_jobs_take_one_call(http, zendesk):
    jobs = [
        sample(name).body["job_status"] for name in ("update_many-02-working", "update_many-50-completed")
    ]
    http.get(f"{API}/job_statuses/show_many.json", json={"job_statuses": jobs})
    working, completed = zendesk.job_statuses(["V3-1", "V3-2", "V3-3"])
    assert (working.progress, completed.results) == (
        31,
        [ItemResult(3962, None, True), ItemResult(3963, None, True)],
    )
    assert http.calls[0].request.url == f"{API}/job_statuses/show_many.json?ids=V3-1,V3-2,V3-3"


def test_the_id_of_a_bulk_job_cannot_change_the_path(http, zendesk):
    http.get(f"{API}/job_statuses/..%2Fusers%2Fme.json", **sample("update_many-02-working").as_response)
    assert zendesk.job_status("../users/me").status == "working"


def test_recent_bulk_jobs_are_listed(http, zendesk, calls: list[Call]):
    job = sample("update_many-02-working").body["job_status"]
    http.get(f"{API}/job_statuses.json", json=cursor_page("job_statuses", [job], None))
    assert [job.progress for job in zendesk.recent_job_statuses()] == [31]
    assert [call.kind for call in calls] == ["status"]


def test_tags_come_in_pages(http, zendesk):
    http.get(f"{API}/tags.json", **sample("tags-list-cursor").as_response)
    http.get(f"{API}/tags.json", **sample("tags-list-last-page").as_response)
    first, second = zendesk.tags()
    assert first.items == [TagCount("foo", 1)]
    assert [tag.name for tag in second.items] == ["foo", "new", "tag"]


def test_tags_are_completed_from_two_characters(http, zendesk):
    http.get(f"{API}/autocomplete/tags.json", json={"tags": ["vip", None, 7, "vip_gold"], "count": 4})
    assert zendesk.tags_starting_with("v") == []
    assert zendesk.tags_starting_with("vi") == ["vip", "vip_gold"]
    assert asked(http) == [{"name": "vi"}]


def test_macros_are_listed_and_read(http, zendesk):
    http.get(f"{API}/macros.json", **sample("macros-list-cursor").as_response)
    http.get(f"{API}/macros/6164110315034.json", json=sample("macro-create-201").body)
    assert [macro.title for macro in zendesk.macros()] == ["Customer not responding", "Downgrade and inform"]
    assert zendesk.macro(6164110315034).title == "TestMacro"


def test_a_macro_is_previewed_with_and_without_a_ticket(http, zendesk):
    http.get(f"{API}/macros/3/apply.json", **sample("macro-apply").as_response)
    http.get(f"{API}/tickets/8/macros/3/apply.json", json={"result": {"ticket": {"id": 8}}})
    assert zendesk.preview_macro(3)["comment"] == {"body": "Assigned to Support.", "public": False}
    assert zendesk.preview_macro(3, 8) == {"id": 8}


def test_fields_groups_triggers_and_automations_are_listed(http, zendesk):
    field = {"id": 1, "title": "Product", "type": "tagger", "custom_field_options": [{"value": "a"}]}
    rule = {
        "id": 2,
        "title": "T",
        "actions": [{"field": "set_tags", "value": "b"}],
        "conditions": {"all": []},
    }
    http.get(f"{API}/ticket_fields.json", json=cursor_page("ticket_fields", [field], None))
    http.get(f"{API}/groups.json", json=cursor_page("groups", [{"id": 3, "name": "Billing"}], None))
    http.get(f"{API}/triggers.json", json=cursor_page("triggers", [rule], None))
    http.get(f"{API}/automations.json", json=cursor_page("automations", [rule], None))
    assert [field.tags for field in zendesk.ticket_fields()] == [{"a"}]
    assert list(zendesk.groups()) == [Group(3, "Billing")]
    assert [rule.tags for rule in zendesk.triggers()] == [{"b"}]
    assert [rule.id for rule in zendesk.automations()] == [2]


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("views/7", lambda z: z.view(7)),
        ("views/7/count", lambda z: z.view_count(7)),
        ("search/count", lambda z: z.search_count("x")),
        ("search", lambda z: list(z.search("x"))),
        ("tickets/show_many", lambda z: z.tickets([1])),
        ("job_statuses/V3-1", lambda z: z.job_status("V3-1")),
        ("job_statuses/show_many", lambda z: z.job_statuses(["V3-1"])),
        ("autocomplete/tags", lambda z: z.tags_starting_with("ab")),
        ("macros/3", lambda z: z.macro(3)),
        ("macros/3/apply", lambda z: z.preview_macro(3)),
        ("views", lambda z: list(z.views())),
    ],
)
@pytest.mark.parametrize("body", [{}, {"unexpected": True}, {"results": 5, "tickets": {}, "view": []}])
def test_an_answer_of_another_shape_raises_unexpected_answer(http, zendesk, path, call, body):
    http.get(f"{API}/{path}.json", json=body)
    with pytest.raises(UnexpectedAnswer):
        call(zendesk)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.integers(1, 10**9), unique=True, max_size=30), st.integers(1, 7), st.integers(0, 9))
def test_a_view_is_read_whole_however_often_reading_is_resumed(connect, numbers, size, leave_after):
    def serve(request):
        start = int(dict(parse_qsl(urlsplit(request.url).query)).get("page[after]", 0))
        more = start + size < len(numbers)
        tickets = [raw_ticket(n) for n in numbers[start : start + size]]
        return 200, {}, json.dumps(cursor_page("tickets", tickets, str(start + size) if more else None))

    with responses.RequestsMock() as http:
        http.add_callback("GET", f"{API}/views/7/tickets.json", serve)
        seen, cursor, first = [], None, True
        while first or cursor is not None:
            first = False
            for read, page in enumerate(connect().view_tickets(7, cursor=cursor)):
                seen += [ticket.id for ticket in page.items]
                cursor = page.next_cursor
                if read >= leave_after:
                    break
        assert seen == numbers


def test_a_client_can_be_closed_by_its_block(connect):
    with connect() as zendesk:
        assert repr(zendesk) == "Zendesk('https://acme.zendesk.com')"


def test_defaults_need_no_clock_and_no_gate(http):
    from zendesk import BearerToken

    http.get(f"{API}/search/count.json", json={"count": 6})
    with Zendesk(BASE, BearerToken("sesame")) as zendesk:
        assert zendesk.search_count("") == 6
