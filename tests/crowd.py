"""A crowd at the pages: people who all open every page that looks something up in Zendesk, and its parts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

PEOPLE = 12
#: Seconds; longer than any answer may take.
PATIENCE = 90.0
#: What Zendesk is asked by pages, and never by a job on given ticket numbers.
ASKED_BY_PAGES = (
    *("users/me", "search/count", "views", "macros", "autocomplete", "ticket_fields", "triggers"),
    *("automations", "slas", "queues", "workspaces", "deletion_schedules", "webhooks", "account/settings"),
    *("tags", "custom_statuses", "groups", "brands"),
)
PAGES = (
    *("/healthz", "/", "/tools/bulk-tag/", "/tools/apply-macro/", "/tools/macro-search/"),
    *("/tools/tag-inventory/", "/jobs/", "/jobs/1/", "/healthz"),
)
PARTS = (
    *("/connection", "/tools/parts/tags?q=vi", "/tools/parts/view-count?view=1", "/tools/parts/views"),
    *("/tools/parts/search-count?search=x", "/tools/parts/closed?include_closed=on", "/tools/parts/macros"),
    *("/tools/parts/meant?patterns=temp_*", "/tools/tag-inventory/state", "/tools/macro-search/"),
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One answer to one person."""

    path: str
    is_part: bool
    status: int  # 0: none within `PATIENCE`
    seconds: float


def visit_all(
    address: str,
    cookies: dict[str, str],
    *,
    people: int = PEOPLE,
    rounds: int = 1,
    parts: Sequence[str] = PARTS,
) -> list[Visit]:
    """Every person opens a page, then what it fetches; each begins at another page."""
    with ThreadPoolExecutor(people) as crowd:
        seen = [crowd.submit(_visit, address, cookies, number, rounds, parts) for number in range(people)]
        return [visit for one in seen for visit in one.result()]


def _visit(
    address: str, cookies: dict[str, str], number: int, rounds: int, parts: Sequence[str]
) -> list[Visit]:
    visits = []
    with requests.Session() as browser:
        browser.trust_env = False
        browser.cookies.update(cookies)
        for step in range(rounds * len(PAGES)):
            place = number + step
            visits.append(_get(browser, address, PAGES[place % len(PAGES)]))
            if parts:
                visits.append(_get(browser, address, parts[place % len(parts)], is_part=True))
    return visits


def _get(browser: requests.Session, address: str, path: str, *, is_part: bool = False) -> Visit:
    began = time.monotonic()
    headers = {"HX-Request": "true"} if is_part else {}
    try:
        status = browser.get(f"{address}{path}", headers=headers, timeout=PATIENCE).status_code
    except requests.RequestException:
        status = 0
    return Visit(path, is_part, status, time.monotonic() - began)
