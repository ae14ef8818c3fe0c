"""Every kind of fault, and some mixtures: the true outcome for every ticket, and nothing done twice."""

from __future__ import annotations

from typing import Any

import pytest

from tagmanager.changes.ticket_work import TicketWork
from tests.reliability import table
from tests.reliability.cases import CASES, Case, mixed
from tests.reliability.trial import Trial, attempt
from zendesk.sandbox.faults import KINDS

pytestmark = pytest.mark.once

#: Mixtures of the everyday tests; `make reliability` tries more.
SEEDS = range(3)


def check(case: Case, settings: Any) -> Trial:
    """Run the case; all that must be so of it is so."""
    trial = attempt(case, settings)
    assert (trial.lies, trial.sent_twice) == ([], 0)
    assert trial.status == ("succeeded" if set(trial.outcomes) <= {"changed", "skipped"} else "partial")
    assert case.outcomes is None or trial.outcomes == case.outcomes
    assert case.outcomes is None or not trial.spared
    assert case.waits_for <= set(trial.waits)
    if case.outcomes is not None:
        assert len(trial.stops) == len(case.says)
    told = zip(case.says, trial.stops, strict=False)
    assert [(words, stop) for words, stop in told if words not in stop] == []
    return trial


@pytest.mark.parametrize("case", [case for case in CASES if case.everyday], ids=lambda case: case.name)
def test_every_ticket_ends_with_its_true_outcome_once(case: Case, db: None, settings: Any) -> None:
    check(case, settings)


@pytest.mark.parametrize("seed", SEEDS)
def test_so_it_does_when_faults_come_together_at_random(seed: int, db: None, settings: Any) -> None:
    check(mixed(seed), settings)


def named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def test_what_zendesk_was_slow_to_show_is_seen_before_it_is_sent_again(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tickets are done, but look undone when they are read back for the first time."""
    looks = 0
    shows = TicketWork.is_applied

    def shows_late(self: TicketWork, change: Any, now: Any) -> bool:
        nonlocal looks
        looks += 1
        return looks > 100 and shows(self, change, now)

    monkeypatch.setattr(TicketWork, "is_applied", shows_late)
    trial = attempt(named("a batch whose results are null"), settings)
    assert (trial.lies, trial.sent_twice, trial.outcomes) == ([], 0, {"changed": 120})


def test_a_job_that_believes_nothing_it_reads_is_found_out(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trials can fail: tickets that the job changed are then called unchanged."""
    monkeypatch.setattr(TicketWork, "is_applied", lambda *_: False)
    assert len(attempt(named("a batch whose results are null"), settings).lies) == 100


def test_a_job_that_calls_everything_done_is_found_out(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TicketWork, "is_applied", lambda *_: True)
    assert len(attempt(named("a batch failed after 30 tickets"), settings).lies) == 70


def test_every_kind_of_fault_is_tried() -> None:
    assert {rule.kind for case in CASES for rule in case.rules} == KINDS


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))


def test_the_document_lists_every_case() -> None:
    names = table.names_in(table.PATH.read_text())
    assert names[: len(CASES)] == [case.name for case in CASES]
