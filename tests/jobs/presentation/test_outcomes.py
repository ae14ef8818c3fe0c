"""Every outcome of a ticket is counted, and has all that pages, the admin and terminals show of it."""

from __future__ import annotations

import pytest

from jobs.models import Batch, Job, Pruning
from jobs.presentation.outcomes import (
    OUTCOMES,
    Reasons,
    outcome_counts,
    outcome_line,
    outcome_word,
    outcomes_with,
)
from jobs.states import BATCH_COUNTS, FINAL, SENT_OUTCOMES, WITH_CHANGE, Outcome, Status
from tests import factories

COLOURS = {"primary", "secondary", "success", "warning", "danger"}


def columns(model: type[Job | Batch | Pruning]) -> set[str]:
    return {field.name for field in model._meta.get_fields()}


def test_no_outcome_is_missing() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert sorted(FINAL) == sorted(set(Outcome) - {Outcome.PENDING})


def test_every_final_outcome_is_counted_on_jobs_batches_and_what_is_kept_of_deleted_jobs() -> None:
    names = {outcome.value for outcome in FINAL}
    assert names <= columns(Job)
    assert names <= columns(Pruning)
    assert set(BATCH_COUNTS) == names & columns(Batch) == names - {Outcome.PLANNED}


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_has_its_words_and_its_colour(outcome: Outcome) -> None:
    assert outcome.label
    assert OUTCOMES[outcome].colour in COLOURS
    for status in (Status.RUNNING, Status.CANCELLED):
        job = Job(status=status)
        assert outcome_word(outcome, job)
        assert len(outcome_line(outcome, job)) < 14  # the column that `cli.summary` gives it


def test_what_is_pending_in_an_ended_job_was_not_attempted() -> None:
    said = [
        (outcome_word(Outcome.PENDING, job), outcome_line(Outcome.PENDING, job))
        for job in (Job(status=Status.RUNNING), Job(status=Status.PARTIAL))
    ]
    assert said == [("not yet done", "open"), ("not attempted", "not attempted")]


def test_reasons_are_shown_for_what_failed_and_for_what_was_left_out() -> None:
    assert outcomes_with(Reasons.FAILURES) == [Outcome.FAILED, Outcome.UNVERIFIED]
    assert outcomes_with(Reasons.LEFT_OUT) == [Outcome.SKIPPED]
    assert set(outcomes_with(Reasons.NONE)) == set(Outcome) - {
        Outcome.FAILED,
        Outcome.UNVERIFIED,
        Outcome.SKIPPED,
    }
    assert not set(SENT_OUTCOMES) - {Outcome.CHANGED, *outcomes_with(Reasons.FAILURES)}
    assert not WITH_CHANGE & set(outcomes_with(Reasons.FAILURES, Reasons.LEFT_OUT))


@pytest.mark.parametrize(
    ("is_dry_run", "first", "missing"),
    [(False, "changed", "planned"), (True, "planned", "changed")],
)
def test_a_page_counts_what_its_kind_of_job_can_have(
    db: None, is_dry_run: bool, first: str, missing: str
) -> None:
    job = factories.job(Status.RUNNING, dry_run=is_dry_run, total=10, skipped=4)
    counts = outcome_counts(job)
    assert [count.outcome for count in counts] == [
        first, "unchanged", "skipped", "failed", "unverified", "pending",
    ]  # fmt: skip
    assert [count.outcome for count in counts if count.is_failure] == ["failed", "unverified"]
    assert [count.number for count in counts] == [0, 0, 4, 0, 0, 6]
    setattr(job, missing, 1)  # what should not be there is not hidden
    assert missing in [count.outcome for count in outcome_counts(job)]


def test_previews_have_words_of_their_own_for_what_they_foresee(db: None) -> None:
    outcomes = (Outcome.PLANNED, Outcome.UNCHANGED, Outcome.SKIPPED, Outcome.FAILED, Outcome.PENDING)
    preview, real = (factories.job(Status.SUCCEEDED, dry_run=dry_run) for dry_run in (True, False))
    assert [outcome_word(outcome, preview) for outcome in outcomes] == [
        "will change", "no change needed", "left out", "failed", "not attempted",
    ]  # fmt: skip
    assert [outcome_word(outcome, real) for outcome in outcomes[1:]] == [
        "unchanged", "skipped", "failed", "not attempted",
    ]  # fmt: skip
