"""Every way Zendesk says no becomes one error with a sentence."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zendesk.recorded import names, sample
from zendesk import (
    AccountRefused,
    Conflict,
    CredentialsRefused,
    NoSuchAccount,
    NotAllowed,
    NotFound,
    RateLimited,
    Redirected,
    Refused,
    TooLarge,
    TooManyJobs,
    Unavailable,
    UnexpectedAnswer,
    ZendeskError,
    error_from,
)


def error_of(name: str, method: str = "GET") -> ZendeskError:
    answer = sample(name)
    return error_from(answer.status, answer.headers, answer.content, method=method)


@pytest.mark.parametrize(
    ("name", "kind", "code", "words"),
    [
        (
            "400-InvalidPaginationDepth",
            Refused,
            "InvalidPaginationDepth",
            "using Offset Pagination are limited",
        ),
        ("400-TooManyValues-tickets", Refused, "TooManyValues", "cannot specify more than 100 values"),
        ("400-TooManyValues-users", Refused, "TooManyValues", "Maximum 100 users may be created per call"),
        ("401-bad-credentials", CredentialsRefused, "", "Couldn't authenticate you"),
        ("401-invalid_token", CredentialsRefused, "invalid_token", "The access token provided is expired"),
        ("403-forbidden-object", NotAllowed, "Forbidden", "Please contact the account owner"),
        ("403-missing-scope", NotAllowed, "Forbidden", "lacks the scope read"),
        ("404-RecordNotFound-ticket", NotFound, "RecordNotFound", "Not found"),
        ("404-empty-body-content_tag", NotFound, "", "Zendesk has no such record"),
        ("404-no-help-desk", NoSuchAccount, "No help desk at example.zendesk.com", "Check the subdomain"),
        ("409-UpdateConflict", Conflict, "UpdateConflict", "Safe Update prevented the update"),
        ("422-closed-ticket", Refused, "RecordInvalid", "Status: closed prevents ticket update"),
        ("422-required-to-solve", Refused, "RecordInvalid", "field is empty (required to solve)"),
        ("429-APIRateLimitExceeded-incremental", RateLimited, "APIRateLimitExceeded", "incremental export"),
        ("429-TooManyJobs", TooManyJobs, "TooManyJobs", "limit of bulk jobs"),
    ],
)
def test_each_recorded_error_is_distinguished(name, kind, code, words):
    error = error_of(name, "PUT")
    assert (type(error), error.status, error.code) == (kind, sample(name).status, code)
    assert words in error.text
    assert str(error) == error.text


def test_every_recorded_error_is_covered_above():
    (mark,) = test_each_recorded_error_is_distinguished.pytestmark
    assert [case[0] for case in mark.args[1]] == names("4")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (409, b""),
        (409, b'{"error":"DatabaseConflict","description":"Database collision"}'),
        (423, b""),
        (422, b'{"error":"DatabaseDeadlock","description":"please retry your transaction"}'),
    ],
)
def test_a_collision_is_a_conflict_of_a_write_and_passes_for_a_read(status, body):
    assert type(error_from(status, {}, body, method="PUT")) is Conflict
    read = error_from(status, {}, body, method="GET")
    assert (type(read), read.fate_unknown) == (Unavailable, False)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (402, b'{"error":"PaymentRequired"}', "asks for a payment"),
        (403, b"<html><title>Blocked</title>", "answers with a page that blocks this program"),
        (403, b'{"error":"AccountSuspended"}', "may be suspended, or its trial over"),
    ],
)
def test_a_refusal_of_the_account_tells_what_to_do(status, body, words):
    assert words in error_from(status, {}, body, method="PUT").text


def test_a_missing_scope_is_named():
    error = error_of("403-missing-scope")
    assert isinstance(error, NotAllowed)
    assert error.missing_scopes == ("read",)


def test_details_has_a_sentence_for_each_field():
    closed, required = error_of("422-closed-ticket"), error_of("422-required-to-solve")
    assert isinstance(closed, Refused)
    assert isinstance(required, Refused)
    assert closed.details == ("Status: closed prevents ticket update",)
    assert required.details == ("Type of Content: field is empty (required to solve)",)


@pytest.mark.parametrize("status", [200, 400, 422, 429, 503])
def test_too_many_jobs_is_known_by_its_code_whatever_the_status(status):
    error = error_from(status, {}, sample("429-TooManyJobs").content, method="PUT")
    assert type(error) is TooManyJobs
    assert error.current_job_ids == ("V3-<id>", "V3-<id>")
    assert error.retry_after is None
    assert not error.fate_unknown


@pytest.mark.parametrize("status", [200, 422, 503])
def test_a_busy_search_is_unavailable_whatever_the_status(status):
    body = b'{"error":"unavailable","description":"Sorry, we could not complete your search query."}'
    assert type(error_from(status, {}, body)) is Unavailable


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind"),
    [
        (401, {}, b"", CredentialsRefused),
        (401, {"Content-Type": "text/html"}, b"<html>", CredentialsRefused),
        (403, {}, b"<!DOCTYPE html><title>Suspended</title>", AccountRefused),
        (403, {}, b"", NotAllowed),
        (402, {}, b"", AccountRefused),
        (402, {}, b'{"error":"PaymentRequired"}', AccountRefused),
        (451, {}, b"", AccountRefused),
        (403, {}, b'{"error":"AccountSuspended","description":"Account suspended"}', AccountRefused),
        (422, {}, b'{"description":"Your trial period has expired"}', AccountRefused),
        (403, {}, b'{"error":{"title":"Forbidden","message":"This account is suspended."}}', AccountRefused),
        (400, {}, b"<html><title>Request blocked</title>", AccountRefused),
        (422, {}, b'{"error":"RecordInvalid","details":{"base":["Account is suspended"]}}', Refused),
        (410, {}, b"", Refused),
        (409, {}, b'{"error":"DatabaseConflict","description":"Database collision"}', Unavailable),
        (423, {}, b"", Unavailable),
        (404, {}, b"<!DOCTYPE html><title>Nobody lives here</title>", NoSuchAccount),
        (404, {}, b'{"error":"InvalidEndpoint","description":"Not found"}', NotFound),
        (408, {}, b"", Unavailable),
        (413, {}, b"", TooLarge),
        (414, {}, b"Request-URI Too Long", TooLarge),
        (418, {}, b"", Refused),
        (429, {}, b"Slow down", RateLimited),
        (500, {}, b'{"error":"InternalError"}', Unavailable),
        (502, {}, b"<html><title>Bad gateway</title>", Unavailable),
        (503, {"Retry-After": "7"}, b"", Unavailable),
        (302, {"Location": "https://elsewhere.example/login"}, b"", Redirected),
        (200, {}, b"[]", UnexpectedAnswer),
        (299, {}, b"", UnexpectedAnswer),
        (300, {}, b"", Redirected),
        (399, {}, b"", Redirected),
        (400, {}, b"", Refused),
        (409, {}, b"", Unavailable),
        (499, {}, b"", Refused),
    ],
)
def test_answers_without_json_are_classified_by_status(status, headers, body, kind):
    error = error_from(status, headers, body)
    assert (type(error), error.status) == (kind, status)


def test_the_error_for_a_redirect_names_the_host_and_the_remedy():
    error = error_from(301, {"location": "https://acme-new.zendesk.com/api?token=x"}, b"")
    assert "to acme-new.zendesk.com" in error.text
    assert "change its address" in error.text
    assert "token=x" not in error.text


def test_only_a_write_without_a_clear_answer_has_an_unknown_fate():
    open_fates = {
        (status, method)
        for status in (200, 302, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504)
        for method in ("GET", "get", "HEAD", "PUT")
        if error_from(status, {}, b"", method=method).fate_unknown
    }
    assert open_fates == {(status, "PUT") for status in (200, 408, 500, 502, 503, 504)}


def test_the_retry_after_of_a_503_is_kept():
    error = error_from(503, {"Retry-After": "7"}, b"")
    assert isinstance(error, Unavailable)
    assert error.retry_after == 7.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        ("599", "599 seconds."),
        ("600", "600 seconds. (Zendesk may have asked for a longer wait; we try again then.)"),
        ("9999", "600 seconds. (Zendesk may have asked for a longer wait; we try again then.)"),
    ],
)
def test_a_long_wait_says_that_it_was_cut(seconds, words):
    error = error_from(429, {"Retry-After": seconds}, b"")
    assert error.text == f"Zendesk accepts no calls for now. The next one is possible in {words}"


def test_a_part_of_zendesk_that_the_account_lacks_is_no_missing_record():
    body = b'{"error":"InvalidEndpoint","description":"Not found"}'
    assert error_from(404, {}, body).text == (
        "This account's plan or the user's role does not include this part of Zendesk. "
        "Zendesk says: Not found"
    )


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://acme-new.zendesk.com/api", "to acme-new.zendesk.com,"),
        ("/login", "elsewhere,"),
        ("https://[broken", "elsewhere,"),
        (None, "elsewhere,"),
    ],
)
def test_a_redirect_names_a_host_where_there_is_one(location, where):
    headers = {"Date": "Mon, 06 Nov 2023 08:00:00 GMT"} | ({"LOCATION": location} if location else {})
    assert error_from(302, headers, b"").text.startswith(f"Zendesk redirects this call {where}")


def test_the_advice_on_the_credentials_comes_after_zendesks_words():
    body = b'{"error":"Couldn\'t authenticate you"}'
    said = "Zendesk does not accept the credentials. Zendesk says: Couldn't authenticate you"
    assert error_from(401, {}, body, advice="Renew them.").text == f"{said} Renew them."
    assert error_from(401, {}, body).text == said


def test_jobs_that_take_the_places_are_named_only_in_a_list():
    def ids(told):
        body = json.dumps({"error": "TooManyJobs", "current_job_ids": told}).encode()
        error = error_from(429, {"Retry-After": "9"}, body)
        assert isinstance(error, TooManyJobs)
        return error.current_job_ids

    assert [ids(told) for told in (["a", 7], [], "ab", None)] == [("a", "7"), (), (), ()]


def test_older_and_unusual_error_bodies_are_parsed():
    texts = {
        body: error_from(422, {}, body).text.removeprefix(
            "Zendesk refused the call (HTTP 422) and changed nothing. Zendesk says: "
        )
        for body in (
            b'{"error":{"title":"Invalid attribute","message":"You passed an invalid value"}}',
            b'{"errors":[{"code":"A","title":"one"},{"code":"B","detail":"two"}]}',
            b'{"errors":["Subject is too long"]}',
            b'{"errors":{"subject":["is too long"]}}',
            b'{"description":"Only words"}',
            b'{"error":"RecordInvalid","details":{"tags":[{"error":"Invalid"}]}}',
            b"Just text",
            b'"A JSON text"',
        )
    }
    assert list(texts.values()) == [
        "You passed an invalid value",
        "one; two",
        "Subject is too long",
        "subject: is too long",
        "Only words",
        "tags: Invalid",
        "Just text",
        "A JSON text",
    ]


def test_quoted_text_is_short_and_on_one_line():
    body = json.dumps({"error": "RecordInvalid", "description": "a\r\nb\x00" + "x" * 10_000}).encode()
    text = error_from(422, {}, body).text
    assert "a b\ufffdx" in text
    assert len(text) < 500
    assert text.isprintable()


def test_errors_survive_pickling():
    for name in names("4"):
        error = error_of(name, "PUT")
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error)
        assert vars(copy) == vars(error)
        assert str(copy) == error.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
keys = st.sampled_from(
    [
        "error",
        "errors",
        "description",
        "details",
        "message",
        "title",
        "code",
        "current_job_ids",
        "error_description",
    ]
)
envelopes = st.dictionaries(keys, json_values | st.sampled_from(["TooManyJobs", "unavailable"]), max_size=6)
bodies = (
    st.binary()
    | envelopes.map(lambda value: json.dumps(value).encode())
    | envelopes.map(lambda value: json.dumps(value).encode()[:-1])
    | st.text().map(lambda text: f"<html>{text}".encode("utf-8", "replace"))
)
header_names = st.sampled_from(
    ["Retry-After", "Location", "Date", "x-rate-limit", "ratelimit-remaining", "x"]
)


@given(
    status=st.integers(100, 999),
    headers=st.dictionaries(header_names, st.text(max_size=30), max_size=4),
    body=bodies,
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", ""]),
)
def test_no_answer_breaks_the_parser(status, headers, body, method):
    error = error_from(status, headers, body, method=method)
    assert isinstance(error, ZendeskError)
    assert error.text
    assert error.text.isprintable()
    assert len(error.text) < 1000 + 20 * 400
    assert error.status == status


def test_an_error_leaves_nothing_in_doubt_unless_it_says_so():
    error = Unavailable("x")
    assert (error.fate_unknown, error.dropped, error.too_large) == (False, False, False)
    assert not UnexpectedAnswer("x").fate_unknown


def test_deeply_nested_json_is_harmless():
    assert type(error_from(422, {}, b'{"details":' + b"[" * 100_000)) is Refused
    nested = b"[" * 500 + b"]" * 500
    assert type(error_from(422, {}, b'{"error":"x","details":' + nested + b"}")) is Refused
