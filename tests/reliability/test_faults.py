"""Every kind of fault, and some mixtures: each ticket has its true outcome and is changed once at most."""

from __future__ import annotations

from typing import Any

import pytest

from tagmanager.changes.ticket_work import TicketWork
from tests.reliability import table
from tests.reliability.cases import CASES, Case, random_mixture
from tests.reliability.trial import Trial, run_case
from zendesk.sandbox.faults import KINDS

pytestmark = pytest.mark.once

#: Random mixtures in every test run; `make reliability` tries more.
SEEDS = range(3)


def check(case: Case, settings: Any) -> Trial:
    """Run the case and assert everything that must hold for it."""
    trial = run_case(case, settings)
    assert (trial.false_records, trial.changed_twice) == ([], 0)
    went_well = set(trial.outcomes) <= {"changed", "unchanged", "skipped"}
    assert trial.status == ("succeeded" if went_well else "partial")
    assert case.outcomes is None or trial.outcomes == case.outcomes
    assert case.outcomes is None or not trial.unused_faults
    assert case.waits_for <= set(trial.waits)
    if case.outcomes is not None:
        assert len(trial.stops) == len(case.stop_messages)
    told = zip(case.stop_messages, trial.stops, strict=False)
    assert [(words, stop) for words, stop in told if words not in stop] == []
    return trial


@pytest.mark.parametrize("case", [case for case in CASES if case.quick], ids=lambda case: case.name)
def test_every_ticket_ends_with_its_true_outcome_and_is_changed_once(
    case: Case, db: None, settings: Any
) -> None:
    check(case, settings)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_mixtures_of_faults_end_with_true_outcomes_too(seed: int, db: None, settings: Any) -> None:
    check(random_mixture(seed), settings)


def case_named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def test_a_change_that_zendesk_shows_late_is_found_before_it_is_resent(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tickets are updated, but the first read does not show it yet."""
    reads = 0
    shows = TicketWork.is_applied

    def shows_late(self: TicketWork, change: Any, now: Any) -> bool:
        nonlocal reads
        reads += 1
        return reads > 100 and shows(self, change, now)

    monkeypatch.setattr(TicketWork, "is_applied", shows_late)
    trial = run_case(case_named("a batch whose results are null"), settings)
    assert (trial.false_records, trial.changed_twice, trial.outcomes) == ([], 0, {"changed": 120})


def test_the_trials_detect_a_job_that_takes_no_change_as_applied(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the trials can fail: the job records tickets that it changed as unchanged."""
    monkeypatch.setattr(TicketWork, "is_applied", lambda *_: False)
    assert len(run_case(case_named("a batch whose results are null"), settings).false_records) == 100


def test_the_trials_detect_a_job_that_takes_every_change_as_applied(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TicketWork, "is_applied", lambda *_: True)
    assert len(run_case(case_named("a batch that failed after 30 tickets"), settings).false_records) == 70


def test_every_kind_of_fault_is_tried() -> None:
    assert {rule.kind for case in CASES for rule in case.rules} == KINDS


def test_case_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))


def test_the_document_lists_every_case() -> None:
    names = table.listed_names(table.PATH.read_text())
    assert names[: len(CASES)] == [case.name for case in CASES]
