"""What a demo Zendesk can be asked to be."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from zendesk.sandbox.account.rules import Rule

HeaderStyle = Literal["2024", "2023"]


@dataclass(frozen=True, slots=True)
class Options:
    """One set-up of a `Sandbox`. Times are in seconds."""

    tickets: int = 12_000
    seed: int = 1
    """The same seed gives the same ids, statuses, tags, names and subjects. Dates are counted back from
    the midnight (UTC) before the start, so that the demo never looks old."""
    scale: float = 1.0
    """Multiplies how long a bulk job takes; 0: it is done when its call is answered."""
    latency: float = 0.0
    """Added to every answer of the API."""
    runtime_scale: float = 0.0
    """Multiplies how long an answer of the API takes by the recordings (`runtimes`); 0: it comes at once."""
    rate_limit: int = 700
    """Calls per minute for the whole account; 700 is Zendesk's Enterprise plan."""
    token_life: float = 1800
    """How long a token of `POST /oauth/tokens` is good for."""
    max_jobs: int = 30
    """Bulk jobs queued or running at a time (developer.zendesk.com, job limits)."""
    allow_closed: bool = False
    """The admin setting "Allow admins to modify specific fields on a closed ticket"."""
    header_style: HeaderStyle = "2024"
    """Spelling of the rate headers, and the small differences of that year's answers."""
    too_many_jobs_status: int = 429
    """Zendesk's papers name the code `TooManyJobs` but no HTTP status."""
    missing_ids: Literal["error", "omit"] = "error"
    """What a job's results say of an id that does not exist: an error item, or nothing."""
    search_lag: float = 0.0
    """How far search and its export are behind."""
    readding_tag: str | None = None
    """A trigger puts this tag back when an update removes it."""
    triggers: tuple[Rule, ...] = ()
    """Triggers that really run on each update, beside those that are only listed."""
    require_resolution: bool = False
    """The field "Resolution" has to be filled to solve a ticket."""
    role: Literal["admin", "agent"] = "admin"
    """Of the person behind every credential. Agents get no incremental export."""
    view_depth: int | None = None
    """Tickets after which the cursor pages of a view end; how deep they reach is not documented."""
    view_end: Literal["quiet", "refused"] = "quiet"
    """Whether a view that is longer than that ends as if it were all, or refuses the next page."""
    job_life: float = 24 * 3600
    """How long a job's status can be asked for."""
    keeps_metadata: bool = True
    """Whether the audit of an update shows the metadata that came with it."""
    canonical_url: str | None = None
    """The host in `url` and `next`, where it differs from the one that was asked (renamed subdomain)."""
    clock: Callable[[], float] = time.time
    """Seconds since 1970; tests move it instead of waiting."""
