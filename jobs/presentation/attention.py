"""Why a job stands in the list of those that need somebody, in one sentence."""

from __future__ import annotations

from jobs.models import Job
from jobs.presentation.job_page import JobPage
from jobs.states import Status

#: What a list says of a job that nobody explained.
UNEXPLAINED = "It could not go on."


def attention_words(job: Job) -> str:
    """At most one query, for a paused job."""
    if job.status == Status.ERRORED:
        return job.error or UNEXPLAINED
    if job.status == Status.PAUSED:
        page = JobPage(job)
        asked = page.request_transition
        return page.question or (f"{asked.who} paused it." if asked else "It is paused.")
    return f"{troubled_words(job)} of {job.total or 0:,} tickets."


def troubled_words(job: Job) -> str:
    """Such as "47 failed and 3 could not be verified": what a retry would take up; "" for none."""
    numbers = ((job.failed, "failed"), (job.unverified, "could not be verified"))
    return " and ".join(f"{number:,} {words}" for number, words in numbers if number)
