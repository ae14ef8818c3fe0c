"""The real calls over real HTTP, against the demo Zendesk; both sides go by one clock that tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from tests.zendesk.conftest import Clock
from zendesk import (
    ApiToken,
    BearerToken,
    CredentialsRefused,
    ItemResult,
    JobStatus,
    NotFound,
    OAuthClient,
    RateLimited,
    Refused,
    TooManyJobs,
    Unavailable,
    Zendesk,
    check,
    sandbox,
)

UPDATE = "PUT /api/v2/tickets/update_many"


@pytest.fixture
def demo(clock: Clock) -> Iterator[Callable[..., sandbox.Server]]:
    """Starts a demo Zendesk, small and quick unless told otherwise."""
    running: list[sandbox.Server] = []

    def start(**options: Any) -> sandbox.Server:
        settings: dict[str, Any] = {"tickets": 1200, "scale": 0.0, "clock": clock, **options}
        running.append(sandbox.serve(sandbox.Sandbox(sandbox.Options(**settings))))
        return running[-1]

    yield start
    for server in running:
        server.close()


@pytest.fixture
def server(demo) -> sandbox.Server:
    return demo()


@pytest.fixture
def zendesk(connect, server) -> Zendesk:
    return connect(BearerToken(sandbox.BEARER_TOKEN), server.url)


def open_tickets(zendesk: Zendesk, number: int) -> list[int]:
    found = (t.id for page in zendesk.view_tickets(sandbox.VIEW_UNSOLVED) for t in page.items)
    return list(islice(found, number))


def closed_ticket(zendesk: Zendesk) -> int:
    return next(t.id for page in zendesk.search_export("status:closed") for t in page.items)


@pytest.mark.parametrize(
    "credentials",
    [
        OAuthClient(sandbox.CLIENT_ID, sandbox.CLIENT_SECRET),
        BearerToken(sandbox.BEARER_TOKEN),
        ApiToken(sandbox.EMAIL, sandbox.API_TOKEN),
    ],
    ids=lambda credentials: type(credentials).__name__,
)
def test_each_kind_of_credentials_connects(connect, server, credentials):
    connection = check(connect(credentials, server.url))
    assert (connection.role, connection.calls_per_minute) == ("admin", 700)


@pytest.mark.parametrize(
    "credentials",
    [
        OAuthClient(sandbox.CLIENT_ID, "wrong"),
        OAuthClient(sandbox.CLIENT_ID, sandbox.CLIENT_SECRET, scope="everything"),
        BearerToken("wrong"),
        ApiToken(sandbox.EMAIL, "wrong"),
    ],
    ids=repr,
)
def test_wrong_credentials_do_not_connect(connect, server, credentials):
    with pytest.raises(CredentialsRefused):
        check(connect(credentials, server.url))


def test_a_long_read_outlives_tokens_of_two_seconds(connect, demo, clock, calls):
    server = demo(token_life=2, tickets=3000)
    credentials = OAuthClient(sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
    zendesk = connect(credentials, server.url, export_page=100)
    seen = set()
    for page in zendesk.search_export("type:ticket"):
        seen |= {ticket.id for ticket in page.items}
        clock.move(1.0)
    assert len(seen) == zendesk.search_count("")
    assert {call.status for call in calls if call.kind == "read"} == {200}
    assert sum(call.kind == "token" for call in calls) > 5


def test_a_token_revoked_midway_costs_one_more_token(connect, server, calls):
    zendesk = connect(OAuthClient(sandbox.CLIENT_ID, sandbox.CLIENT_SECRET), server.url)
    zendesk.me()
    server.sandbox.faults.add("GET /api/v2/search/count", "revoke_tokens")
    zendesk.search_count("")
    assert [(call.kind, call.status) for call in calls] == [
        ("token", 201),
        ("read", 200),
        ("read", 401),
        ("token", 201),
        ("read", 200),
    ]


def test_a_view_is_read_page_by_page_and_resumed_from_a_cursor(zendesk):
    whole = [t.id for page in zendesk.view_tickets(sandbox.VIEW_UNSOLVED) for t in page.items]
    first = next(zendesk.view_tickets(sandbox.VIEW_UNSOLVED))
    rest = [
        t.id
        for page in zendesk.view_tickets(sandbox.VIEW_UNSOLVED, cursor=first.next_cursor)
        for t in page.items
    ]
    assert len(first.items) == 100
    assert [t.id for t in first.items] + rest == whole
    assert len(set(whole)) == len(whole)
    assert zendesk.view(sandbox.VIEW_UNSOLVED).id == sandbox.VIEW_UNSOLVED
    assert sandbox.VIEW_UNSOLVED in [view.id for view in zendesk.views()]


def test_a_search_its_count_and_its_export_agree(zendesk):
    query = "status:pending"
    searched = [t.id for page in zendesk.search(query) for t in page.items]
    exported = [t.id for page in zendesk.search_export(query) for t in page.items]
    assert sorted(searched) == sorted(exported)
    assert len(searched) == zendesk.search_count(query)


def test_a_search_for_more_than_a_thousand_says_so(zendesk):
    pages = zendesk.search("")
    assert sum(len(page.items) for page in islice(pages, 10)) == 1000
    with pytest.raises(Refused, match="only its first 1,000 tickets"):
        next(pages)


def test_an_expired_export_cursor_is_refused(zendesk, clock):
    cursor = next(zendesk.search_export("type:ticket")).next_cursor
    clock.move(3700)
    with pytest.raises(Refused):
        next(zendesk.search_export("type:ticket", cursor=cursor))


def test_tags_are_added_and_removed_and_read_back(zendesk, server):
    ids = open_tickets(zendesk, 100)
    receipt = zendesk.update_many(ids, {"additional_tags": ["bulk", "x:1/2"]})
    (job,) = zendesk.job_statuses([receipt.id])
    assert (job.is_over, job.succeeded, job.total) == (True, True, 100)
    assert job.results == [ItemResult(id_, None, True) for id_ in ids]
    assert [t.tags & {"bulk", "x:1/2"} for t in zendesk.tickets(ids)] == [{"bulk", "x:1/2"}] * 100

    zendesk.update_many(ids, {"remove_tags": ["bulk"]})
    assert [t.tags & {"bulk", "x:1/2"} for t in zendesk.tickets(ids)] == [{"x:1/2"}] * 100
    assert zendesk.job_status(receipt.id) == job
    assert receipt.id in [recent.id for recent in zendesk.recent_job_statuses()]


def test_a_ticket_that_cannot_be_changed_fails_alone_with_a_reason(zendesk, server):
    (good, touched), closed, missing = open_tickets(zendesk, 2), closed_ticket(zendesk), 99_999_999
    server.sandbox.faults.add(UPDATE, "conflict", ids=[touched])
    receipt = zendesk.update_many([good, touched, closed, missing], {"additional_tags": ["bulk"]})
    results = {result.id: result for result in zendesk.job_status(receipt.id).results or []}
    reasons = {id_: (r.ok, r.is_conflict, r.is_not_found) for id_, r in results.items()}
    assert reasons == {
        good: (True, False, False),
        touched: (False, True, False),
        closed: (False, False, False),
        missing: (False, False, True),
    }


def test_a_safe_replacement_loses_no_tags_of_others(zendesk, server, clock):
    first, second = zendesk.tickets(open_tickets(zendesk, 2))
    clock.move(5)
    server.sandbox.edit(second.id, ["theirs"])
    changes = [
        {"id": t.id, "tags": ["ours"], "updated_stamp": t.updated_at, "safe_update": True}
        for t in (first, second)
    ]
    results = zendesk.job_status(zendesk.update_each(changes).id).results or []
    assert {r.id: (r.ok, r.is_conflict) for r in results} == {
        first.id: (True, False),
        second.id: (False, True),
    }
    tags = {t.id: t.tags for t in zendesk.tickets([first.id, second.id])}
    assert tags[first.id] == {"ours"}
    assert "theirs" in tags[second.id]


def test_a_job_is_followed_through_its_states(connect, demo, clock):
    zendesk = connect(BearerToken(sandbox.BEARER_TOKEN), demo(scale=1.0).url)
    job = zendesk.update_many(open_tickets(zendesk, 100), {"additional_tags": ["bulk"]})
    states: list[JobStatus] = [job]
    while not states[-1].is_over:
        clock.move(4)
        states += zendesk.job_statuses([job.id])
    assert [state.status for state in states] == ["queued", "working", "working", "completed"]
    assert [state.results is None for state in states] == [True, True, True, False]


def test_a_forgotten_job_is_not_found(zendesk, clock):
    job = zendesk.update_many(open_tickets(zendesk, 1), {"additional_tags": ["bulk"]})
    clock.move(25 * 3600)
    with pytest.raises(NotFound):
        zendesk.job_status(job.id)
    assert zendesk.job_statuses([job.id]) == []


@pytest.mark.parametrize("status", [429, 200, 422])
def test_the_job_limit_is_known_whatever_its_status(connect, demo, status):
    zendesk = connect(
        BearerToken(sandbox.BEARER_TOKEN), demo(max_jobs=1, scale=1.0, too_many_jobs_status=status).url
    )
    first, second = open_tickets(zendesk, 2)
    running = zendesk.update_many([first], {"additional_tags": ["bulk"]})
    with pytest.raises(TooManyJobs) as caught:
        zendesk.update_many([second], {"additional_tags": ["bulk"]})
    assert caught.value.current_job_ids == (running.id,)


def test_calls_wait_for_the_next_minute_to_keep_within_the_share(connect, demo, clock):
    server = demo(rate_limit=20)
    # On a full minute, so that the second below is the end of the window.
    clock.time = 1_700_000_040.0
    zendesk = connect(BearerToken(sandbox.BEARER_TOKEN), server.url, rate_share=0.5, max_wait=60)
    for _ in range(25):
        zendesk.search_count("")
    assert clock.slept == [60.0, 60.0]
    assert zendesk.rate is not None
    assert zendesk.rate.remaining == 15


def test_a_used_up_minute_raises_for_callers_who_cannot_wait(connect, demo):
    zendesk = connect(BearerToken(sandbox.BEARER_TOKEN), demo(rate_limit=10).url, max_wait=0)
    for _ in range(7):
        zendesk.search_count("")
    with pytest.raises(RateLimited) as caught:
        zendesk.search_count("")
    assert 0 < (caught.value.retry_after or 0) <= 60


READ_FAULTS = ["rate_limited", "server_error_before", "reset_before", "reset_after", "truncated", "html"]


@pytest.mark.parametrize("fault", READ_FAULTS)
def test_a_read_survives_a_temporary_failure(zendesk, server, fault):
    server.sandbox.faults.add("GET /api/v2/search/count", fault, times=2)
    assert zendesk.search_count("") == 1200


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("server_error_before", 503),
        ("server_error_after", 503),
        ("reset_before", None),
        ("reset_after", None),
        ("truncated", 200),
        ("html", 200),
        ("html", 502),
    ],
)
def test_a_write_in_doubt_is_sent_only_once(zendesk, server, fault, status):
    (id_,) = open_tickets(zendesk, 1)
    server.sandbox.faults.add(UPDATE, fault, **({"status": status} if status else {}))
    with pytest.raises(Unavailable) as caught:
        zendesk.update_many([id_], {"additional_tags": ["bulk"]})
    assert caught.value.fate_unknown
    assert server.sandbox.ledger.calls["PUT tickets/update_many"] == 1


@pytest.mark.parametrize("html", [False, True])
def test_a_rate_limited_write_is_sent_again_and_done_once(zendesk, server, clock, html):
    (id_,) = open_tickets(zendesk, 1)
    server.sandbox.faults.add(UPDATE, "rate_limited", retry_after=3, html=html)
    zendesk.update_many([id_], {"additional_tags": ["bulk"]})
    assert clock.slept == [3.0]
    assert server.sandbox.ledger.sent[id_] == 1


def test_a_macro_is_previewed_and_nothing_is_written(zendesk):
    (ticket,) = zendesk.tickets(open_tickets(zendesk, 1))
    macro = zendesk.macro(sandbox.MACRO_ESCALATE)
    assert macro in list(zendesk.macros())
    assert zendesk.preview_macro(macro.id)
    assert zendesk.preview_macro(macro.id, ticket.id)["id"] == ticket.id
    assert zendesk.tickets([ticket.id]) == [ticket]


def test_tags_fields_rules_and_macros_are_read(zendesk):
    counted = [tag for page in zendesk.tags() for tag in page.items]
    assert counted
    name = next(tag.name for tag in counted if len(tag.name) > 3)
    assert name in zendesk.tags_starting_with(name[:3])
    assert any(field.tags for field in zendesk.ticket_fields())
    assert [group.name for group in zendesk.groups()] == ["Support", "Billing", "Escalations"]
    assert any(rule.tags for rule in [*zendesk.triggers(), *zendesk.automations()])


@pytest.mark.parametrize("style", ["2023", "2024"])
def test_both_spellings_of_the_limit_are_understood(connect, demo, style):
    zendesk = connect(BearerToken(sandbox.BEARER_TOKEN), demo(header_style=style).url)
    zendesk.me()
    assert zendesk.rate is not None
    assert (zendesk.rate.limit, zendesk.rate.remaining) == (700, 699)
    assert zendesk.rate.reset is not None


def test_links_to_the_old_name_of_an_account_are_not_followed(connect, demo):
    server = demo(canonical_url="https://acme-old.zendesk.com")
    zendesk = connect(BearerToken(sandbox.BEARER_TOKEN), server.url)
    assert len(open_tickets(zendesk, 250)) == 250


def test_the_history_of_a_ticket_has_metadata_but_no_text(zendesk: Zendesk) -> None:
    number = open_tickets(zendesk, 1)[0]
    said = {"comment": {"body": "Hello", "public": False}, "metadata": {"custom": {"ours": "7"}}}
    zendesk.update_many([number], said)
    first, ours = zendesk.audits(number)
    assert (first.has_comment, first.custom) == (True, {})
    assert (ours.has_comment, ours.custom) == (True, {"ours": "7"})
    assert "Hello" not in repr(ours)
