"""Whatever Zendesk sends, nothing but an error of ours comes out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import requests
import urllib3
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st

from zendesk import (
    BearerToken,
    JobStatus,
    OAuthClient,
    Page,
    TagError,
    UnexpectedAnswer,
    Zendesk,
    ZendeskError,
    parse_tags,
)
from zendesk.job_status import ItemResult
from zendesk.pages import follow_pages
from zendesk.records import (
    CustomRole,
    Macro,
    Rule,
    TagCount,
    Ticket,
    TicketField,
    User,
    View,
    ViewCount,
)
from zendesk.sandbox.tickets import tags as stored
from zendesk.tags import stored_form
from zendesk.transport.limits import (
    MAX_HOLD,
    RateLimit,
    endpoint_limits,
    exhausted_endpoint,
    retry_after_of,
    retry_after_or_default,
)

BASE = "https://acme.zendesk.com"

#: The words of the API: values of any kind under them reach further than any kind of value under any word.
WORDS = [
    "id", "status", "tags", "updated_at", "subject", "results", "total", "progress", "message", "index",
    "success", "error", "errors", "details", "code", "meta", "has_more", "after_cursor", "links",
    "next", "next_page", "count", "tickets", "job_status", "job_statuses", "user", "users", "name",
    "email", "role", "custom_role", "configuration", "ticket_tag_editing", "role_type", "value",
    "pretty", "fresh", "view", "views", "view_count", "field", "actions", "conditions", "all", "any",
    "custom_field_options", "tag", "ticket_fields", "triggers", "automations", "macros", "macro", "groups",
    "result", "ticket", "result_type", "access_token", "expires_in", "token_type", "url", "title",
    "description", "raw", "completed", "working",
]  # fmt: skip
words = st.sampled_from(WORDS)
odd = st.sampled_from([10**400, -1, 0, 1, True, 1e308, float("inf"), float("nan"), "\ud800", "\x00", "", "1"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | words | odd
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=12,
)
objects = st.dictionaries(words, values, max_size=8)
deep = ("[" * 100_000).encode()


@pytest.mark.parametrize(
    "read",
    [
        JobStatus.from_json, Ticket.from_json, User.from_json, CustomRole.from_json, View.from_json,
        ViewCount.from_json, TagCount.from_json, Macro.from_json, TicketField.from_json, Rule.from_json,
    ],
)  # fmt: skip
@given(raw=values | objects)
def test_a_record_is_parsed_or_raises_unexpected_answer(read: Callable[[Any], object], raw: Any) -> None:
    with suppress(UnexpectedAnswer):
        hash(repr(read(raw)))


@given(raw=objects)
def test_a_result_of_a_bulk_job_is_a_success_only_if_it_says_so(raw: dict[str, Any]) -> None:
    result = ItemResult.from_json(raw)
    verdicts = [result.is_conflict, result.is_passing, result.is_not_found]
    if result.ok:
        assert verdicts == [False] * 3
        assert raw.get("success") is True or raw.get("status") == "Updated"


@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "Retry-After",
                "Date",
                "x-rate-limit",
                "x-rate-limit-remaining",
                "ratelimit-limit",
                "ratelimit-remaining",
                "ratelimit-reset",
                "zendesk-ratelimit-tickets-index",
                "zendesk-ratelimit-inflight-jobs",
            ]
        ),
        st.text(max_size=30)
        | st.integers().map(str)
        | st.sampled_from(["1e400", "inf", "nan", "-5", "9" * 5000, "total=1; remaining=0; resets=1.2.3"])
        | st.sampled_from(["total=9; remaining=0; resets=5", "Mon, 01 Jan 9999 00:00:00 GMT", "²", "١٢"]),
        max_size=6,
    ),
    share=st.floats(0.01, 1),
)
def test_limit_headers_never_cause_an_endless_wait(headers: dict[str, str], share: float) -> None:
    endpoint_limits(headers)
    exhausted_endpoint(headers)
    rate = RateLimit.from_headers(headers)
    waits = [retry_after_of(headers) or 0.0, retry_after_or_default(headers)]
    waits += [rate.hold_for(share)] if rate else []
    assert len(waits) >= 2
    assert [wait for wait in waits if not 0 <= wait <= MAX_HOLD] == []


class Scripted:
    """Answers each request with the next answer, and remembers where the requests went."""

    def __init__(self, *answers: tuple[int, dict[str, str], bytes]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, _method: str, url: str, **_given: Any) -> requests.Response:
        self.asked.append(url)
        status, headers, body = self.answers[min(len(self.asked), len(self.answers)) - 1]
        answer = requests.Response()
        answer.status_code = status
        answer.headers.update(headers)
        answer.raw = urllib3.HTTPResponse(io.BytesIO(body), preload_content=False)
        return answer


def talk(answers: Scripted, ask: Callable[[Zendesk], object], **options: Any) -> object:
    """What a client makes of the answers; an error of ours is as good as any."""
    credentials = options.pop("credentials", BearerToken("sesame"))
    moment = [1_700_000_000.0]

    def sleep(seconds: float) -> None:
        moment[0] += seconds

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "request", answers)
        with Zendesk(BASE, credentials, sleep=sleep, clock=lambda: moment[0], **options) as zendesk:
            try:
                answer = ask(zendesk)
            except ZendeskError as error:
                answer = error
    assert "sesame" not in repr(answer)
    return answer


CALLS: list[Callable[[Zendesk], object]] = [
    lambda z: z.me(),
    lambda z: z.tickets([1]),
    lambda z: z.update_many([1], {"additional_tags": ["vip"]}),
    lambda z: z.job_statuses(["a"]),
    lambda z: z.job_status("a"),
    lambda z: next(z.view_tickets(1)),
    lambda z: next(z.search("x")),
    lambda z: z.search_count("x"),
    lambda z: next(z.search_export("x")),
    lambda z: next(z.recent_job_statuses(), None),
    lambda z: z.tags_starting_with("vi"),
    lambda z: z.preview_macro(1, 2),
    lambda z: next(z.ticket_fields(), None),
    lambda z: next(z.groups(), None),
    lambda z: next(z.triggers(), None),
]
bodies = (
    objects.map(lambda value: json.dumps(value).encode())
    | values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=40)
    | st.just(deep)
)
any_headers = st.dictionaries(
    st.sampled_from(["Retry-After", "Location", "x-zendesk-api-warn", "ratelimit-reset", "Content-Type"]),
    st.text(st.characters(max_codepoint=255), max_size=20),
    max_size=3,
)


@given(
    call=st.sampled_from(CALLS),
    status=st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 404, 409, 422, 429, 500, 503, 999]),
    headers=any_headers,
    body=bodies,
)
@example(call=CALLS[1], status=200, headers={}, body=b'{"tickets": [{"id": 1' + b"0" * 5000 + b"}]}")
@tried(deadline=None, max_examples=150)
def test_no_answer_makes_the_client_raise_another_error(
    call: Callable[[Zendesk], object], status: int, headers: dict[str, str], body: bytes
) -> None:
    talk(Scripted((status, headers, body)), call)


@given(status=st.sampled_from([200, 201, 400, 401, 403, 404, 429, 500]), body=bodies)
@tried(deadline=None)
def test_no_answer_to_a_token_request_makes_it_raise_another_error(status: int, body: bytes) -> None:
    answers = Scripted((status, {}, body), (401, {}, b""))
    assert isinstance(
        talk(answers, lambda z: z.tickets([1]), credentials=OAuthClient("id", "sesame"), max_wait=1.0),
        ZendeskError,
    )


@given(
    items=st.lists(st.integers(1, 50), max_size=30),
    sizes=st.lists(st.integers(0, 7), min_size=1, max_size=10),
    link=st.sampled_from(
        ["https://evil.example/x", "http://169.254.169.254/", "//evil.example", "", None, 7]
    ),
    cursors=st.sampled_from(["plain", "https://evil.example/?page[after]=", "../../oauth/tokens?", "é&x=1#"]),
)
@tried(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_item_of_a_list_comes_once_and_no_link_is_followed(
    items: list[int], sizes: list[int], link: object, cursors: str
) -> None:
    parts, rest = [], list(items)
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    parts.append(rest)
    pages = [
        {
            "tags": [{"name": str(item), "count": 1} for item in part],
            "meta": {"has_more": number + 1 < len(parts), "after_cursor": f"{cursors}{number}"},
            "links": {"next": link},
            "next_page": link,
        }
        for number, part in enumerate(parts)
    ]
    answers = Scripted(*((200, {}, json.dumps(page).encode()) for page in pages))
    seen = talk(answers, lambda z: [item.name for page in z.tags() for item in page.items])
    assert seen == [str(item) for item in items]
    assert len(answers.asked) == len(parts)
    first_page = f"{BASE}/api/v2/tags.json?page%5Bsize%5D=100"
    assert [url for url in answers.asked if not url.startswith(first_page)] == []


@given(start=st.integers(0, 12), circle=st.integers(1, 12))
def test_a_cyclic_list_ends_after_each_page_was_read_once(start: int, circle: int) -> None:
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> Page[int]:
        asked.append(cursor)
        number = int(cursor or 0) + 1
        return Page([1], str(number if number < start + circle else start))

    pages = list(follow_pages(fetch))
    assert [bool(page.broke_off) for page in pages] == [False] * (len(pages) - 1) + [True]
    assert len(asked) == len(set(asked)) <= start + circle + 1


tag_texts = st.text(max_size=20) | st.text(
    st.sampled_from("aAbÉéßİ\u0131٣²½ǅ-_:/!# ,\t\u200b\u0301\u2028"), max_size=12
)


@given(tag_texts)
def test_accepted_tags_are_what_zendesk_stores(text: str) -> None:
    problem = None
    tags: frozenset[str] = frozenset()
    try:
        tags = parse_tags(text)
    except TagError as refused:
        problem = refused
    if problem:
        assert str(problem).endswith(".")
        assert {tag: stored_form(tag) for tag in problem.stored} == problem.stored
    assert parse_tags(" ".join(sorted(tags))) == tags
    assert set(stored.normalise(" ".join(sorted(tags)))) == tags
