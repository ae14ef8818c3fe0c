"""What is asked for: every page that reads jobs or items, with the target that it has, if any."""

from __future__ import annotations

from dataclasses import dataclass

from tests.benchmarks.dataset import FIRST_REF, Stock

#: Milliseconds, for the 95th percentile: the promise for list and job page, and for the status JSON.
PAGE, STATUS = 100, 20


@dataclass(frozen=True, slots=True)
class Address:
    """One page by the name it has in the table; `target` is None where nothing was promised."""

    name: str
    url: str
    target: int | None = PAGE


def addresses(stock: Stock) -> list[Address]:
    """Each names rows in the thick of the stock, where a page that counted its way there would be slow."""
    partial, running, dry_run = (f"/jobs/{pk}/" for pk in (stock.partial, stock.running, stock.dry_run))
    half = FIRST_REF + stock.items // 4 * 3  # the ticket in the middle of the largest job
    return [
        Address("(health, for comparison)", "/healthz", None),
        Address("jobs", "/jobs/"),
        Address("jobs, a page in the middle", f"/jobs/?after={stock.middle}"),
        Address("jobs, back from the middle", f"/jobs/?before={stock.middle}"),
        Address("jobs, active", "/jobs/?show=active"),
        Address("jobs, finished, of one tool", "/jobs/?show=finished&tool=bulk-tag"),
        Address("jobs of one person", "/jobs/?by=person07"),
        Address("jobs of a month", "/jobs/?since=2026-03-01&until=2026-03-31"),
        Address("jobs with a tag", "/jobs/?tag=campaign_7"),
        Address("jobs with words in the title", "/jobs/?q=march.csv"),
        Address(
            "jobs with all filters", "/jobs/?show=finished&tool=bulk-tag&by=person07&tag=campaign_7&q=add"
        ),
        Address("jobs, none matches", "/jobs/?q=nothing-of-this-name"),
        Address("rows of the list", "/jobs/rows"),
        Address("rows of the active", "/jobs/rows?show=active"),
        Address("cancel all that match", "/jobs/cancel?all=yes&show=stopped"),
        Address("job with failures", partial),
        Address("job with failures, failed", f"{partial}?outcome=failed"),
        Address("job with failures, a reason", f"{partial}?outcome=failed&reason=conflict"),
        Address("job with failures, rare reason", f"{partial}?outcome=failed&reason=none-has-it"),
        Address("job with failures, half-way", f"{partial}?after={half}"),
        Address("job with failures, changed, half-way", f"{partial}?outcome=changed&after={half}"),
        Address("running job", running),
        Address("running job, not yet done", f"{running}?outcome=pending"),
        Address("running job, live part", f"{running}live"),
        Address("running job, account", f"{running}account"),
        Address("status JSON, running", f"{running}status", STATUS),
        Address("status JSON, ended", f"{partial}status", STATUS),
        Address("preview (dry run)", dry_run),
        Address("preview, samples", f"/tools/preview/{stock.dry_run}/samples"),
        Address("preview, warnings", f"/tools/preview/{stock.dry_run}/warnings"),
        Address("cancel?", f"{running}cancel"),
        Address("retry?", f"{partial}retry"),
        Address("retry one reason?", f"{partial}retry?reason=conflict"),
        Address("undo?", f"{partial}undo"),
        Address("run for real?", f"{dry_run}run"),
        Address("dashboard", "/"),
        Address("dashboard, its jobs", "/now"),
        Address("admin, jobs", "/admin/jobs/job/"),
        Address("admin, jobs by words", "/admin/jobs/job/?q=march"),
        Address("admin, items", "/admin/jobs/item/"),
        Address("admin, items failed", "/admin/jobs/item/?outcome=failed"),
        Address("admin, items of one ticket", f"/admin/jobs/item/?q={stock.ticket}"),
        Address("admin, batches", "/admin/jobs/batch/"),
        Address("admin, transitions", "/admin/jobs/transition/"),
    ]


def of_one_job(pk: int, *, half: int) -> list[Address]:
    """The pages of a job that has ended, and of those that list all; `half` is a ticket in its middle."""
    job = f"/jobs/{pk}/"
    return [
        Address("dashboard", "/"),
        Address("dashboard, its jobs", "/now"),
        Address("jobs", "/jobs/"),
        Address("the job", job),
        Address("the job, what failed", f"{job}?outcome=failed"),
        Address("the job, half-way", f"{job}?after={half}"),
        Address("the job, live part", f"{job}live"),
        Address("the job, account", f"{job}account"),
        Address("status JSON", f"{job}status", STATUS),
        Address("retry?", f"{job}retry"),
        Address("undo?", f"{job}undo"),
        Address("admin, jobs", "/admin/jobs/job/"),
        Address("admin, items", "/admin/jobs/item/"),
        Address("admin, batches", "/admin/jobs/batch/"),
        Address("admin, transitions", "/admin/jobs/transition/"),
    ]
