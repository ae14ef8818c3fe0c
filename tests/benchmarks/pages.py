"""The pages to measure: every page that reads jobs or items, with its target if it has one."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.dataset import FIRST_REF, Dataset

#: Milliseconds at the 95th percentile: the targets for lists and job pages, and for the status JSON.
PAGE_TARGET, STATUS_TARGET = 100, 20


@dataclass(frozen=True, slots=True)
class Page:
    """One page, by its name in the table; `target` is None if it has no target."""

    name: str
    url: str
    target: int | None = PAGE_TARGET


def all_pages(dataset: Dataset) -> list[Page]:
    """Each address points at rows in the middle of the dataset, where paging by OFFSET would be slow."""
    partial, running, dry_run = (f"/jobs/{pk}/" for pk in (dataset.partial, dataset.running, dataset.dry_run))
    half = FIRST_REF + dataset.items // 4 * 3  # the ticket in the middle of the largest job
    return [
        Page("(health, for comparison)", "/healthz", None),
        Page("jobs", "/jobs/"),
        Page("jobs, a page in the middle", f"/jobs/?after={dataset.middle}"),
        Page("jobs, back from the middle", f"/jobs/?before={dataset.middle}"),
        Page("jobs, active", "/jobs/?show=active"),
        Page("jobs, finished, of one tool", "/jobs/?show=finished&tool=bulk-tag"),
        Page("jobs of one person", "/jobs/?by=person07"),
        Page("jobs of a month", "/jobs/?since=2026-03-01&until=2026-03-31"),
        Page("jobs with a tag", "/jobs/?tag=campaign_7"),
        Page("jobs with words in the title", "/jobs/?q=march.csv"),
        Page("jobs with all filters", "/jobs/?show=finished&tool=bulk-tag&by=person07&tag=campaign_7&q=add"),
        Page("jobs, none matches", "/jobs/?q=nothing-of-this-name"),
        Page("rows of the list", "/jobs/rows"),
        Page("rows of the active", "/jobs/rows?show=active"),
        Page("cancel all that match", "/jobs/cancel?all=yes&show=stopped"),
        Page("job with failures", partial),
        Page("job with failures, failed", f"{partial}?outcome=failed"),
        Page("job with failures, a reason", f"{partial}?outcome=failed&reason=conflict"),
        Page("job with failures, rare reason", f"{partial}?outcome=failed&reason=none-has-it"),
        Page("job with failures, half-way", f"{partial}?after={half}"),
        Page("job with failures, changed, half-way", f"{partial}?outcome=changed&after={half}"),
        Page("running job", running),
        Page("running job, not yet done", f"{running}?outcome=pending"),
        Page("running job, live part", f"{running}live"),
        Page("running job, account", f"{running}account"),
        Page("status JSON, running", f"{running}status", STATUS_TARGET),
        Page("status JSON, ended", f"{partial}status", STATUS_TARGET),
        Page("preview (dry run)", dry_run),
        Page("preview, samples", f"/tools/preview/{dataset.dry_run}/samples"),
        Page("preview, warnings", f"/tools/preview/{dataset.dry_run}/warnings"),
        Page("cancel?", f"{running}cancel"),
        Page("retry?", f"{partial}retry"),
        Page("retry one reason?", f"{partial}retry?reason=conflict"),
        Page("undo?", f"{partial}undo"),
        Page("run for real?", f"{dry_run}run"),
        Page("dashboard", "/"),
        Page("dashboard, its jobs", "/now"),
        Page("admin, jobs", "/admin/jobs/job/"),
        Page("admin, jobs by words", "/admin/jobs/job/?q=march"),
        Page("admin, items", "/admin/jobs/item/"),
        Page("admin, items failed", "/admin/jobs/item/?outcome=failed"),
        Page("admin, items of one ticket", f"/admin/jobs/item/?q={dataset.ticket}"),
        Page("admin, batches", "/admin/jobs/batch/"),
        Page("admin, transitions", "/admin/jobs/transition/"),
    ]


def pages_of_one_job(pk: int, *, half: int) -> list[Page]:
    """The pages of an ended job, and the lists of all jobs; `half` is a ticket in the middle of the job."""
    job = f"/jobs/{pk}/"
    return [
        Page("dashboard", "/"),
        Page("dashboard, its jobs", "/now"),
        Page("jobs", "/jobs/"),
        Page("the job", job),
        Page("the job, what failed", f"{job}?outcome=failed"),
        Page("the job, half-way", f"{job}?after={half}"),
        Page("the job, live part", f"{job}live"),
        Page("the job, account", f"{job}account"),
        Page("status JSON", f"{job}status", STATUS_TARGET),
        Page("retry?", f"{job}retry"),
        Page("undo?", f"{job}undo"),
        Page("admin, jobs", "/admin/jobs/job/"),
        Page("admin, items", "/admin/jobs/item/"),
        Page("admin, batches", "/admin/jobs/batch/"),
        Page("admin, transitions", "/admin/jobs/transition/"),
    ]
