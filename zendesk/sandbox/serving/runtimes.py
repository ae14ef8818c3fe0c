"""Zendesk's response times by route: the `x-runtime` of recorded answers, in seconds.

From zenpy's cassettes of 2023 and 2024; the mean where two pages were recorded. Network latency
(`Options.latency`) and the duration of a bulk job come on top.
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
#: For all other routes; most recorded times are close to it.
DEFAULT_SECONDS = 0.085


def runtime(route: str) -> float:
    """The response time of a route, in seconds; `route` is its name in the ledger."""
    return RECORDED_SECONDS.get(route, DEFAULT_SECONDS)
