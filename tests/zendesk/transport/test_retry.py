"""What is tried again, and what never is."""

from __future__ import annotations

import logging
import socket
import ssl

import pytest
import requests
import urllib3

from tests.zendesk.conftest import BASE, http_answer
from tests.zendesk.recorded import sample
from zendesk import (
    Call,
    NotFound,
    RateLimited,
    Redirected,
    Refused,
    TooManyJobs,
    Unavailable,
    UnexpectedAnswer,
    ZendeskError,
)

COUNT = f"{BASE}/api/v2/search/count.json"
UPDATE = f"{BASE}/api/v2/tickets/update_many.json"
CHANGE = {"additional_tags": ["a"]}
QUEUED = sample("update_many-1-queued")

OPEN_FATES = {
    "a 500": {"status": 500},
    "a 502 in HTML": {"status": 502, "body": "<html>Bad gateway</html>", "content_type": "text/html"},
    "a 503": {"status": 503},
    "a 504": {"status": 504},
    "half of the JSON": {"body": '{"job_status": {"id": "V3-'},
    "an HTML page with 200": {"body": "<html>We'll be right back</html>", "content_type": "text/html"},
    "nothing with 200": {"body": ""},
    "a connection that breaks": {
        "body": requests.exceptions.ConnectionError(urllib3.exceptions.ProtocolError("x"))
    },
    "a body that breaks off": {"body": requests.exceptions.ChunkedEncodingError("x")},
    "silence": {"body": requests.exceptions.ReadTimeout("x")},
    "a body that cannot be unpacked": {"body": requests.exceptions.ContentDecodingError("x")},
    "a TLS error on the way": {"body": requests.exceptions.SSLError(ssl.SSLError("bad record mac"))},
}
NEVER_SENT = {
    "a connection that takes too long": requests.exceptions.ConnectTimeout("x"),
    "a proxy that is away": requests.exceptions.ProxyError("x"),
    "a certificate nobody trusts": requests.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed")),
}


@pytest.mark.parametrize("answer", OPEN_FATES.values(), ids=OPEN_FATES.keys())
def test_a_read_is_retried_after(http, connect, answer, clock):
    http.get(COUNT, **answer)
    http.get(COUNT, json={"count": 6})
    assert connect().search_count("") == 6
    assert clock.slept == [0.5]


@pytest.mark.parametrize("answer", OPEN_FATES.values(), ids=OPEN_FATES.keys())
def test_a_write_is_never_retried_after(http, connect, answer, clock):
    http.put(UPDATE, **answer)
    with pytest.raises(Unavailable) as caught:
        connect().update_many([1], CHANGE)
    assert caught.value.fate_unknown
    assert len(http.calls) == 1
    assert clock.slept == []


@pytest.mark.parametrize("failure", NEVER_SENT.values(), ids=NEVER_SENT.keys())
def test_an_unsent_write_may_be_retried_after(http, connect, failure, clock):
    http.put(UPDATE, body=failure)
    http.put(UPDATE, **QUEUED.as_response)
    assert connect().update_many([1], CHANGE).status == "queued"
    assert clock.slept == [0.5]


@pytest.mark.parametrize("failure", NEVER_SENT.values(), ids=NEVER_SENT.keys())
def test_an_unsent_write_is_not_in_doubt_after(http, connect, failure):
    http.put(UPDATE, body=failure)
    with pytest.raises(Unavailable, match="nothing was sent") as caught:
        connect(max_wait=0).update_many([1], CHANGE)
    assert not caught.value.fate_unknown


@pytest.mark.parametrize("body", [{}, {"job_status": None}, {"job_status": {"id": "V3-1"}}, {"error": "Odd"}])
def test_a_write_with_an_answer_of_unknown_shape_is_in_doubt_and_not_retried(http, connect, body):
    http.put(UPDATE, json=body)
    with pytest.raises(UnexpectedAnswer) as caught:
        connect().update_many([1], CHANGE)
    assert caught.value.fate_unknown
    assert caught.value.status == 200


def test_a_read_with_an_answer_of_unknown_shape_is_neither_retried_nor_in_doubt(http, connect):
    http.get(COUNT, json={"count": "many"})
    with pytest.raises(UnexpectedAnswer) as caught:
        connect().search_count("")
    assert not caught.value.fate_unknown


@pytest.mark.parametrize("send", ["read", "write"])
def test_reads_and_writes_wait_out_a_429_and_retry(http, connect, clock, send):
    answer = {"status": 429, "headers": {"Retry-After": "4"}, "body": "<html>Slow down</html>"}
    zendesk = connect()
    if send == "read":
        http.get(COUNT, **answer)
        http.get(COUNT, json={"count": 6})
        zendesk.search_count("")
    else:
        http.put(UPDATE, **answer)
        http.put(UPDATE, **QUEUED.as_response)
        zendesk.update_many([1], CHANGE)
    assert clock.slept == [4.0]


def test_a_429_beyond_the_maximum_wait_raises_at_once(http, connect, clock):
    http.put(UPDATE, **sample("429-APIRateLimitExceeded-incremental").as_response)
    with pytest.raises(RateLimited) as caught:
        connect(max_wait=9.9).update_many([1], CHANGE)
    assert caught.value.retry_after == 10.0
    assert clock.slept == []


def test_an_absurd_retry_after_is_capped_and_the_error_says_so(http, connect):
    http.get(COUNT, status=429, headers={"Retry-After": "999999"})
    with pytest.raises(RateLimited, match=r"600 seconds.*asked for a longer wait") as caught:
        connect().search_count("")
    assert caught.value.retry_after == 600.0


def test_waits_add_up_to_the_maximum_at_most(http, connect, clock):
    http.get(COUNT, status=429, headers={"Retry-After": "4"})
    with pytest.raises(RateLimited):
        connect(max_wait=10).search_count("")
    assert clock.slept == [4.0, 4.0]


def test_the_waits_between_attempts_grow_and_end(http, connect, clock):
    http.get(COUNT, status=500)
    with pytest.raises(Unavailable):
        connect(max_wait=3600).search_count("")
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_jitter_shortens_a_wait_by_up_to_half(http, connect, clock):
    http.get(COUNT, status=500)
    http.get(COUNT, json={"count": 6})
    connect(jitter=lambda: 0.0).search_count("")
    assert clock.slept == [0.25]


def test_the_retry_after_of_a_503_is_obeyed(http, connect, clock):
    http.get(COUNT, status=503, headers={"Retry-After": "6"})
    http.get(COUNT, json={"count": 6})
    connect().search_count("")
    assert clock.slept == [6.0]


def test_a_maximum_wait_of_zero_never_waits(http, connect, clock):
    http.get(COUNT, status=500)
    with pytest.raises(Unavailable):
        connect(max_wait=0).search_count("")
    assert (clock.slept, len(http.calls)) == ([], 1)


@pytest.mark.parametrize("status", [200, 429, 503])
def test_too_many_jobs_raises_at_once_and_holds_no_other_call(http, connect, clock, status):
    answer = sample("429-TooManyJobs")
    http.put(UPDATE, json=answer.body, headers=answer.headers, status=status)
    http.get(COUNT, json={"count": 6})
    zendesk = connect()
    with pytest.raises(TooManyJobs):
        zendesk.update_many([1], CHANGE)
    assert zendesk.search_count("") == 6
    assert clock.slept == []


@pytest.mark.parametrize(
    "name", ["400-TooManyValues-tickets", "403-missing-scope", "404-RecordNotFound-ticket"]
)
def test_a_refused_call_is_not_retried(http, connect, name):
    http.get(COUNT, **sample(name).as_response)
    with pytest.raises(ZendeskError) as caught:
        connect().search_count("")
    assert caught.value.status == sample(name).status
    assert len(http.calls) == 1


def test_a_redirect_to_another_host_is_not_followed(http, connect):
    http.get(COUNT, status=302, headers={"Location": "https://thief.example/api/v2/search/count.json"})
    with pytest.raises(Redirected, match=r"to thief\.example"):
        connect().search_count("")
    assert [call.request.url for call in http.calls] == [f"{COUNT}?query=type%3Aticket"]


def test_every_request_made_is_reported(http, connect, calls, clock):
    http.get(COUNT, status=500)
    http.get(COUNT, body=requests.exceptions.ReadTimeout("x"))
    http.get(COUNT, json={"count": 6})
    http.put(UPDATE, **QUEUED.as_response)
    http.get(f"{BASE}/api/v2/job_statuses/show_many.json", json={"job_statuses": []})
    zendesk = connect()
    zendesk.search_count("secret words")
    zendesk.update_many([1], CHANGE)
    zendesk.job_statuses(["V3-1"])
    path = "/api/v2/search/count.json"
    assert calls == [
        Call("read", "GET", path, 500, 0.0, 1),
        Call("read", "GET", path, None, 0.0, 2),
        Call("read", "GET", path, 200, 0.0, 3),
        Call("write", "PUT", "/api/v2/tickets/update_many.json", 200, 0.0, 1),
        Call("status", "GET", "/api/v2/job_statuses/show_many.json", 200, 0.0, 1),
    ]


def test_keys_that_zendesk_ignored_are_logged_once(http, connect, caplog):
    warning = sample("tickets-PUT-200").headers["x-zendesk-api-warn"]
    http.put(UPDATE, json=QUEUED.body, headers={"X-Zendesk-API-Warn": warning})
    zendesk = connect()
    zendesk.update_many([1], {"aditional_tags": ["a"]})
    zendesk.update_many([2], {"aditional_tags": ["a"]})
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert "Zendesk ignored a part of the call" in record.getMessage()
    assert 'unpermitted_keys=>["ticket.id"]' in record.getMessage()


# With real connections that really break


def test_a_pooled_connection_that_the_server_closed_costs_a_read_nothing(raw_server, connect, clock, calls):
    raw_server.script = [http_answer(b'{"count": 1}'), None, http_answer(b'{"count": 2}')]
    zendesk = connect(base_url=raw_server.base_url, max_wait=0)
    assert [zendesk.search_count(""), zendesk.search_count("")] == [1, 2]
    assert [call.status for call in calls] == [200, None, 200]
    assert clock.slept == []


def test_a_server_that_always_hangs_up_is_not_retried_for_ever(raw_server, connect):
    raw_server.script = [None] * 10
    with pytest.raises(Unavailable, match="broke before the answer was complete"):
        connect(base_url=raw_server.base_url, max_wait=0).search_count("")
    assert len(raw_server.requests) == 2


def test_a_write_whose_connection_broke_is_in_doubt(raw_server, connect):
    raw_server.script = [None]
    with pytest.raises(Unavailable, match="not known") as caught:
        connect(base_url=raw_server.base_url).update_many([1], CHANGE)
    assert caught.value.fate_unknown
    assert len(raw_server.requests) == 1


def test_a_truncated_answer_is_not_accepted(raw_server, connect, clock):
    raw_server.script = [
        http_answer(b'{"count": 1}', length=500, close=True),
        http_answer(b'{"count": 2}'),
    ]
    assert connect(base_url=raw_server.base_url).search_count("") == 2
    assert clock.slept == [0.5]


def test_the_error_for_a_closed_port_says_that_nothing_was_sent(raw_server, connect):
    address = raw_server.base_url
    raw_server.close()
    with pytest.raises(Unavailable, match="cannot be reached, so nothing was sent") as caught:
        connect(base_url=address, max_wait=0).update_many([1], CHANGE)
    assert not caught.value.fate_unknown


def test_calls_identify_the_program_and_ask_for_json(raw_server, connect):
    raw_server.script = [http_answer(b'{"count": 1}'), http_answer(b"{}", status="422 No")]
    zendesk = connect(base_url=raw_server.base_url, product="tag-manager/7.8.9")
    zendesk.search_count("")
    with pytest.raises(Refused):
        zendesk.update_many([1], CHANGE)
    read, write = (request.decode().lower() for request in raw_server.requests)
    for line in (
        "user-agent: tag-manager/7.8.9 (+bulk tagging",
        "accept: application/json",
        "accept-encoding: gzip",
    ):
        assert line in read
    assert "content-type" not in read
    assert "content-type: application/json" in write


def test_a_cookie_is_neither_stored_nor_sent(raw_server, connect):
    cookie = http_answer(b'{"count": 1}').replace(b"\r\n", b"\r\nSet-Cookie: session=1; Path=/\r\n", 1)
    raw_server.script = [cookie, http_answer(b'{"count": 2}')]
    zendesk = connect(base_url=raw_server.base_url)
    zendesk.search_count("")
    zendesk.search_count("")
    assert b"cookie" not in raw_server.requests[1].lower()


def test_a_write_in_doubt_stays_so_while_an_earlier_failure_is_being_handled(raw_server, connect):
    raw_server.script = [None]
    zendesk = connect(base_url=raw_server.base_url)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    in_doubt = False
    try:
        connect(base_url=f"http://127.0.0.1:{port}", max_wait=0).me()
    except Unavailable:
        with pytest.raises(Unavailable) as caught:
            zendesk.update_many([1], CHANGE)
        in_doubt = caught.value.fate_unknown
    assert in_doubt


def test_the_error_for_an_unknown_host_says_that_nothing_was_sent(connect, monkeypatch):
    def look_up(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(Unavailable, match="nothing was sent") as caught:
        connect(base_url="https://acme.zendesk.invalid", max_wait=0).update_many([1], CHANGE)
    assert not caught.value.fate_unknown


def test_the_cause_of_an_error_is_kept(http, connect):
    http.get(COUNT, body=requests.exceptions.ReadTimeout("x"))
    with pytest.raises(Unavailable) as caught:
        connect(max_wait=0).search_count("")
    assert isinstance(caught.value.__cause__, requests.exceptions.ReadTimeout)


def test_a_missing_record_differs_from_a_missing_account(http, connect):
    http.get(f"{BASE}/api/v2/views/5.json", **sample("404-empty-body-content_tag").as_response)
    with pytest.raises(NotFound):
        connect().view(5)
