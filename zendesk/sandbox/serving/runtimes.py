"""How long Zendesk takes to answer, by route: the `x-runtime` of recorded answers, seconds.

Zenpy's cassettes of 2023 and 2024; where two pages were recorded, what lies between. The way there and back
comes on top (`Options.latency`), and so does what a bulk job takes after its call was answered.
"""

RECORDED_SECONDS = {
    "GET views/{view_id}/tickets": 0.228,
    "GET search/export": 0.142,
    "GET tickets/show_many": 0.212,
    "PUT tickets/update_many": 0.119,
    "GET job_statuses/show_many": 0.069,
    "GET job_statuses/{job_id}": 0.069,
    "PUT tickets/{ticket_id}": 0.241,
}
#: Of all other routes; most that were recorded lie close to it.
DEFAULT_SECONDS = 0.085


def runtime(route: str) -> float:
    """Seconds that an answer of this route takes, by the name that the ledger has for it."""
    return RECORDED_SECONDS.get(route, DEFAULT_SECONDS)
