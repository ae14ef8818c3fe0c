"""What a terminal and a pipe show of a job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import time_machine

from jobs.cli.progress_bar import ProgressBar
from jobs.cli.progress_lines import ProgressLines, printable
from jobs.cli.summary import summary_lines
from jobs.models import Job
from jobs.presentation.statuses import progress_words
from jobs.states import Outcome, Status, WaitReason
from tests import factories

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_pipe_gets_a_line_on_changes_every_ten_percent_and_every_ten_seconds(db: None) -> None:
    said: list[str] = []
    clock = Clock()
    lines = ProgressLines(said.append, clock)
    job = factories.job(Status.RUNNING, total=1000)

    def show(changed: int, status: Status = Status.RUNNING) -> None:
        job.changed, job.status = changed, status
        lines.show(job)

    show(0)
    show(50)  # nothing new
    show(100)  # ten percent
    clock.now += 9
    show(150)  # nothing new
    clock.now += 1
    show(160)  # ten seconds
    show(160, Status.PAUSING)  # a change
    show(160, Status.CANCELLED)  # the tally tells
    name = f"Job {job.pk}:"
    assert said == [
        f"{name} 0 %, 0 of 1,000 tickets",
        f"{name} 10 %, 100 of 1,000 tickets",
        f"{name} 16 %, 160 of 1,000 tickets",
        f"{name} settles what is in flight, then pauses",
    ]


@time_machine.travel(NOON, tick=False)
def test_a_wait_is_shown_with_its_reason_and_its_end(db: None) -> None:
    job = factories.job(
        Status.WAITING, waiting_for=WaitReason.RATE_LIMIT, resumes_at=NOON + timedelta(seconds=75)
    )
    why = "the other side asked us to slow down"
    assert progress_words(job) == f"goes on at 12:01:15 UTC, in 1 min 15 s: {why}"


def test_a_bar_is_drawn_whatever_the_job_is_called(db: None) -> None:
    stream = StringIO()
    with ProgressBar(stream) as bar:
        bar.show(factories.job(Status.SELECTING, title="[red]odd[/red]", found=3))
        bar.show(factories.job(Status.RUNNING, total=4, changed=1))
        bar.say("[bold]as it is")
    assert "25 %" in stream.getvalue()
    assert "[bold]as it is" in stream.getvalue()


def test_control_characters_from_outside_reach_no_terminal() -> None:
    assert printable("a\x1b[31m\u202eb\x00") == "a\ufffd[31m\ufffdb\ufffd"


def test_the_summary_of_a_job_with_every_outcome_adds_up(db: None) -> None:
    job = factories.job(
        Status.CANCELLED,
        title="Add vip to a view",
        changed=5,
        unchanged=2,
        skipped=3,
        failed=1,
        unverified=1,
        total=20,
        calls_read=1,
        calls_write=2,
        calls_status=3,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=80),
    )
    for ref in (1, 2):
        factories.item(job, ref, Outcome.SKIPPED, reason="closed", detail="It is closed.")
    factories.item(job, 3, Outcome.SKIPPED, reason="not_found", detail="It is not there.")
    factories.item(job, 4, Outcome.FAILED, reason="refused", detail="Zendesk says no.")
    factories.item(job, 5, Outcome.UNVERIFIED, reason="gone", detail="It cannot be seen.")
    assert list(summary_lines(job)) == [
        f"Job {job.pk} cancelled: Add vip to a view",
        "  changed                 5",
        "  unchanged               2",
        "  skipped                 3   closed 2; not found 1",
        "  failed                  1   refused 1 (such as 4: Zendesk says no.)",
        "  unverified              1   gone 1 (such as 5: It cannot be seen.)",
        "  not attempted           8",
        "  total                  20",
        "  6 calls (1 read, 2 write, 3 status) in 1 min 20 s",
        f"  manage.py jobs retry {job.pk}   tries those that failed again",
        f"  manage.py jobs rest {job.pk}   does the rest",
        f"  manage.py jobs undo {job.pk}   takes back what was changed",
    ]


def test_a_list_that_was_not_complete_has_no_total(db: None) -> None:
    job = Job(pk=7, title="Add vip", status=Status.CANCELLED, found=300, finished_at=NOON)
    job.save()
    assert list(summary_lines(job, hints=False))[1:] == [
        "  changed                 0",
        "  unchanged               0",
        "  skipped                 0",
        "  failed                  0",
        "  unverified              0",
        "  not attempted         300",
        "  The list was not complete; 300 tickets of it had been read.",
        "  0 calls (0 read, 0 write, 0 status)",
    ]
