"""The status of bulk jobs."""

from zendesk.sandbox.errors import ApiError, invalid_attribute, not_found, too_many_values
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import MAX_IDS, Request
from zendesk.sandbox.state import Sandbox


def _with_type(sandbox: Sandbox) -> bool:
    return sandbox.options.header_style == "2024"


def index(sandbox: Sandbox, request: Request) -> Reply:
    found = sandbox.jobs.all(sandbox.now())
    records = [job.to_json(request.base, with_type=_with_type(sandbox)) for job in found]
    return paging.paginated(request, "job_statuses", records)


def show(sandbox: Sandbox, request: Request, job_id: str) -> Reply:
    job = sandbox.jobs.find(job_id, sandbox.now())
    return json_reply({"job_status": job.to_json(request.base, with_type=_with_type(sandbox))})


def show_many(sandbox: Sandbox, request: Request) -> Reply:
    """Omits jobs that are unknown or too old."""
    if not sandbox.options.jobs_show_many:
        raise not_found()
    ids = [part for part in request.query.get("ids", "").split(",") if part]
    if not ids:
        raise invalid_attribute("ids", "Must be a list of job ids separated by commas.")
    if len(ids) > MAX_IDS:
        raise too_many_values()
    records = []
    for job_id in dict.fromkeys(ids):
        try:
            job = sandbox.jobs.find(job_id, sandbox.now())
        except ApiError:
            continue
        records.append(job.to_json(request.base, with_type=_with_type(sandbox)))
    return json_reply(
        {"job_statuses": records, "next_page": None, "previous_page": None, "count": len(records)}
    )
