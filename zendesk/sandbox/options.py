"""How a demo Zendesk behaves: its size, speed, limits, and the settings of its account."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from zendesk.sandbox.account.rules import Rule

HeaderStyle = Literal["2024", "2023"]


@dataclass(frozen=True, slots=True)
class Options:
    """The configuration of a `Sandbox`. Times are in seconds."""

    tickets: int = 12_000
    seed: int = 1
    """The same seed gives the same ids, statuses, tags, names and subjects. Dates count back from the last
    midnight (UTC), so the demo never looks old."""
    scale: float = 1.0
    """Factor on the duration of a bulk job; 0: a job is done when its call returns."""
    latency: float = 0.0
    """Added to the response time of every API call."""
    runtime_scale: float = 0.0
    """Factor on the recorded response times (`runtimes`); 0: answers at once."""
    rate_limit: int = 700
    """Calls per minute for the whole account; 700 is Zendesk's Enterprise plan."""
    token_life: float = 1800
    """Lifetime of a token from `POST /oauth/tokens`."""
    max_jobs: int = 30
    """Limit on bulk jobs queued or running (developer.zendesk.com, job limits)."""
    other_jobs: int = 0
    """How many of these other users have at the moment; they stay until this option says otherwise."""
    slots_header: str = "exact"
    """The header `inflight-jobs` of `update_many`: "exact"; "late" by `slots_lag`; "queued", which counts
    jobs that have not begun; "absent"; or the very value to send. No document describes it."""
    slots_lag: float = 5.0
    allow_closed: bool = False
    """The admin setting "Allow admins to modify specific fields on a closed ticket"."""
    header_style: HeaderStyle = "2024"
    """Spelling of the rate headers and other details that differ between these years."""
    too_many_jobs_status: int = 429
    """HTTP status of `TooManyJobs`; Zendesk documents only the code."""
    missing_ids: Literal["error", "omit"] = "error"
    """How a job's results treat an id that does not exist: an error item, or nothing."""
    search_lag: float = 0.0
    """How far search and its export lag behind the tickets: they miss some that match by now, and give others
    that match no longer, as they were (zendesk_api_client_rb issue 122)."""
    readding_tag: str | None = None
    """A tag that a trigger adds again whenever an update removes it."""
    triggers: tuple[Rule, ...] = ()
    """Triggers that really run on each update, besides the sample ones, which never do."""
    require_resolution: bool = False
    """Whether the field "Resolution" must be filled in to solve a ticket."""
    ai_agent_tickets: int = 0
    """Number of tickets that an AI agent holds: open ones, spread over the account. Where there are none,
    tickets lack `support_type`, as in recordings from before 2026."""
    ai_agent_updates: Literal["refused", "ignored", "accepted"] = "refused"
    """What an update of such a ticket does; Zendesk documents only that they are read-only. A refusal has the
    general code of its kind; an ignored update is called a success and changes nothing."""
    setup_lists: Literal["cursor", "offset", "bare"] = "cursor"
    """How SLA policies, queues, workspaces, deletion schedules and webhooks are listed: by cursor where
    asked, by page number, or all at once without a word on pages."""
    withheld: tuple[str, ...] = ()
    """Those of these lists that answer 403, by path: `slas/policies`; `account/settings` too."""
    missing_lists: tuple[str, ...] = ()
    """Those of them that answer 404, as on a plan without them."""
    routing_enabled: bool = True
    """Whether omnichannel routing is on."""
    autorouting_tag: str = "auto-routing"
    """The tag that makes e-mail tickets routable; admins can rename it."""
    role: Literal["admin", "agent"] = "admin"
    """Role of the connected user. Agents get no incremental export."""
    allowed_scopes: str = ""
    """Scopes that the OAuth client is registered for; "" for any. Others are refused as `invalid_scope`."""
    granted_scopes: str = ""
    """Scopes that a token gets whatever was asked for; "" for those."""
    brands: int = 1
    """Number of brands."""
    agent_brands: int | None = None
    """How many brands the connected user belongs to; None: it may not list them, as the documents say."""
    brands_listed: bool = True
    """Whether the user may list the brands."""
    view_depth: int | None = None
    """Number of tickets after which a view's cursor pages end; Zendesk does not document its limit."""
    view_end: Literal["quiet", "refused"] = "quiet"
    """Beyond `view_depth`, end as if that were the last page, or refuse the next page."""
    batch_tag_changes: Literal["done", "warned", "ignored"] = "done"
    """What the batch form (`{"tickets": [...]}`) does with `additional_tags` and `remove_tags`, which older
    documents confine to the form with `?ids=`: `warned` ignores them with a header, `ignored` without."""
    back_to_new: Literal["refused", "ignored", "done"] = "refused"
    """What setting the status `new` does to a ticket that has another one."""
    nulls: Literal["done", "ignored", "refused"] = "done"
    """What null does to a ticket's priority, group, assignee or type."""
    type_drops: bool = True
    """Whether a ticket keeps `problem_id` only as an incident, and `due_at` only as a task."""
    custom_statuses: Literal["shown", "refused", "unknown"] = "shown"
    """How the list of custom statuses answers: with them, with 403, or with 404."""
    paging: Literal["cursor", "number", "none"] = "cursor"
    """How lists are paged that are asked for by cursor, but for exports. Of `GET /job_statuses` the documents
    say by cursor, and a copy of them shows no paging."""
    page_size: int = 100
    """Records on a page of a list that is paged by number although it was asked for by cursor."""
    jobs_show_many: bool = True
    """Whether `job_statuses/show_many` exists; otherwise it answers 404."""
    job_life: float = 24 * 3600
    """How long the API knows a job's status."""
    keeps_metadata: bool = True
    """Whether the audit of an update shows the metadata sent with it."""
    audits: Literal["steps", "net", "refused", "empty"] = "steps"
    """How a ticket's audits show an update that a trigger changed again: each step, or only what remained.
    Or they are refused, as to a token without the scope `read`, or empty, as those of archived tickets."""
    vague_errors: bool = False
    """Failed items of bulk jobs have the general code TicketUpdateFailed, whatever the reason, and details in
    German, the language of the connected user."""
    canonical_url: str | None = None
    """The host in `url` and `next`, if it differs from the one called (renamed subdomain)."""
    clock: Callable[[], float] = time.time
    """Seconds since 1970; tests move it instead of waiting."""
