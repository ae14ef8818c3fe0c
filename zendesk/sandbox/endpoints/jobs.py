"""Job statuses."""

from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Refusal, Reply, answer, invalid_attribute, too_many_values
from zendesk.sandbox.serving.request import MAX_IDS, Request
from zendesk.sandbox.state import Sandbox


def _with_type(sandbox: Sandbox) -> bool:
    return sandbox.options.header_style == "2024"


def index(sandbox: Sandbox, asked: Request) -> Reply:
    found = sandbox.jobs.all(sandbox.now())
    records = [job.to_json(asked.base, with_type=_with_type(sandbox)) for job in found]
    return paging.of_few(asked, "job_statuses", records)


def show(sandbox: Sandbox, asked: Request, job_id: str) -> Reply:
    job = sandbox.jobs.find(job_id, sandbox.now())
    return answer({"job_status": job.to_json(asked.base, with_type=_with_type(sandbox))})


def show_many(sandbox: Sandbox, asked: Request) -> Reply:
    """Jobs that are unknown or too old are left out."""
    ids = [part for part in asked.query.get("ids", "").split(",") if part]
    if not ids:
        raise invalid_attribute("ids", "Must be a list of job ids separated by commas.")
    if len(ids) > MAX_IDS:
        raise too_many_values()
    records = []
    for job_id in dict.fromkeys(ids):
        try:
            job = sandbox.jobs.find(job_id, sandbox.now())
        except Refusal:
            continue
        records.append(job.to_json(asked.base, with_type=_with_type(sandbox)))
    return answer({"job_statuses": records, "next_page": None, "previous_page": None, "count": len(records)})
