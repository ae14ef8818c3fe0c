"""Each error of the client is one that the engine knows what to do about."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

import zendesk as api
from jobs import errors
from jobs.errors import CursorExpired, FateUnknown, NeedsPerson, Refused, RemoteError, TryLater
from jobs.states import WaitReason
from tagmanager.changes.engine_adapter import (
    AdaptedCall,
    as_engine_errors,
    reading,
    reading_pages,
    sending,
)

Translating = Callable[[], AbstractContextManager[None]]
TOO_DEEP = api.Refused("No more pages.", status=400, code="InvalidPaginationDepth")


def translated(translating: Translating, error: Exception) -> RemoteError:
    with pytest.raises(RemoteError) as caught, translating():
        raise error
    assert caught.value.__cause__ is not None
    return caught.value


@pytest.mark.parametrize(
    ("error", "reason", "seconds"),
    [
        (api.TooManyJobs("No slot.", retry_after=7), WaitReason.JOB_SLOTS, 7),
        (api.RateLimited("Too fast.", retry_after=9), WaitReason.RATE_LIMIT, 9),
        (api.Unavailable("Away.", retry_after=3), WaitReason.SERVICE_AWAY, 3),
        (api.Unavailable("Away."), WaitReason.SERVICE_AWAY, None),
        (api.UnexpectedAnswer("Odd."), WaitReason.SERVICE_AWAY, None),
    ],
)
@pytest.mark.parametrize("translating", [as_engine_errors, reading, sending, lambda: reading_pages("7")])
def test_what_passes_by_itself_is_tried_later(
    translating: Translating, error: api.ZendeskError, reason: WaitReason, seconds: float | None
) -> None:
    later = translated(translating, error)
    assert isinstance(later, TryLater)
    assert (later.reason, later.seconds) == (reason, seconds)
    assert str(later).startswith(error.text)


@pytest.mark.parametrize(("running", "receipts"), [(("V3-1",), ("V3-1",)), ((), None)])
def test_a_full_queue_names_the_bulk_jobs_that_fill_it_if_zendesk_does(
    running: tuple[str, ...], receipts: tuple[str, ...] | None
) -> None:
    full = translated(sending, api.TooManyJobs("No slot.", current_job_ids=running))
    assert isinstance(full, errors.QueueFull)
    assert full.receipts == receipts


@pytest.mark.parametrize(
    ("call", "text"), [("GET /api/v2/tickets", "Odd. (The call was GET /api/v2/tickets.)"), ("", "Odd.")]
)
def test_an_odd_answer_names_its_call_if_that_is_known(call: str, text: str) -> None:
    error = api.UnexpectedAnswer("Odd.")
    error.call = call
    odd = translated(reading, error)
    assert (type(odd), str(odd)) == (errors.OddAnswer, text)


@pytest.mark.parametrize("kind", [api.Unavailable, api.UnexpectedAnswer])
@pytest.mark.parametrize("translating", [as_engine_errors, sending])
def test_a_write_without_a_clear_answer_has_an_unknown_fate(translating: Translating, kind: Any) -> None:
    unknown = translated(translating, kind("No answer.", fate_unknown=True))
    assert (type(unknown), str(unknown)) == (FateUnknown, "No answer.")


@pytest.mark.parametrize("kind", [api.CredentialsRefused, api.NotAllowed, api.NotFound, api.NoSuchAccount])
@pytest.mark.parametrize("translating", [as_engine_errors, reading, sending, lambda: reading_pages("7")])
def test_what_a_person_has_to_mend_stops_the_job(translating: Translating, kind: Any) -> None:
    stops = translated(translating, kind("Look here."))
    assert (type(stops), str(stops)) == (NeedsPerson, "Look here.")


@pytest.mark.parametrize(("code", "told"), [("RecordInvalid", "RecordInvalid"), ("", "refused")])
@pytest.mark.parametrize("status", [400, 413, 414, 422])
def test_a_call_that_one_ticket_may_have_spoilt_is_refused_with_its_code(
    status: int, code: str, told: str
) -> None:
    refused = translated(sending, api.Refused("No.", status=status, code=code))
    assert isinstance(refused, Refused)
    assert (str(refused), refused.code) == ("No.", told)


@pytest.mark.parametrize("code", ["", "Conflict", "UpdateConflict"])
def test_every_conflict_has_one_code(code: str) -> None:
    conflict = translated(sending, api.Conflict("It was just changed.", status=409, code=code))
    assert isinstance(conflict, errors.Refused)
    assert conflict.code == "conflict"


def test_a_conflict_with_a_code_of_its_own_keeps_it() -> None:
    conflict = translated(sending, api.Conflict("It was just changed.", status=409, code="Locked"))
    assert isinstance(conflict, errors.Refused)
    assert conflict.code == "Locked"


def test_a_refusal_that_no_ticket_can_have_caused_needs_a_person() -> None:
    assert type(translated(sending, api.Refused("Teapot.", status=418))) is NeedsPerson
    assert type(translated(sending, api.Refused("Method not allowed.", status=405))) is NeedsPerson


def test_a_refused_reading_needs_a_person() -> None:
    stops = translated(reading, api.Refused("No.", status=422, code="RecordInvalid"))
    assert (type(stops), str(stops)) == (NeedsPerson, "No.")


@pytest.mark.parametrize(
    ("cursor", "error", "kind"),
    [
        ("7", api.Refused("Old.", status=422), CursorExpired),
        ("", api.Refused("Old.", status=422), NeedsPerson),
        ("7", TOO_DEEP, NeedsPerson),
        ("", TOO_DEEP, NeedsPerson),
    ],
)
def test_a_refused_page_means_that_its_cursor_is_too_old_unless_there_is_none(
    cursor: str, error: api.Refused, kind: type[RemoteError]
) -> None:
    problem = translated(lambda: reading_pages(cursor), error)
    assert type(problem) is kind
    assert ("gives no more pages of this list" in str(problem)) == (error is TOO_DEEP)


def test_other_errors_are_bugs_and_stay_as_they_are() -> None:
    for translating in (as_engine_errors, reading, sending, lambda: reading_pages("")):
        with pytest.raises(KeyError), translating():
            raise KeyError("a bug")


class Pending:
    """A call of the client."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.is_done = False
        self.told: list[Callable[[], None]] = []
        self.is_discarded = False

    def on_done(self, notify: Callable[[], None]) -> None:
        self.told.append(notify)

    def result(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def discard(self) -> None:
        self.is_discarded = True


def test_a_call_under_way_is_converted_when_its_result_is_taken() -> None:
    pending: Any = Pending("21")
    call = AdaptedCall(pending, lambda text: 2 * int(text), as_engine_errors)
    assert not call.is_done
    pending.is_done = True
    assert call.is_done
    call.on_done(print)
    assert pending.told == [print]
    assert call.result() == 42
    call.discard()
    assert pending.is_discarded


def test_the_errors_of_a_call_and_of_its_conversion_are_translated() -> None:
    def odd(_: object) -> None:
        raise api.UnexpectedAnswer("Odd.")

    failing: Any = Pending(api.NotAllowed("No."))
    assert type(translated_call(AdaptedCall(failing, str, as_engine_errors))) is NeedsPerson
    answered: Any = Pending("x")
    assert type(translated_call(AdaptedCall(answered, odd, as_engine_errors))) is errors.OddAnswer


def translated_call(call: AdaptedCall[Any, Any]) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        call.result()
    return caught.value
