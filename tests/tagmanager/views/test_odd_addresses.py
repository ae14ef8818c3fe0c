"""An address that no database could answer gets a page that says so, never a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from jobs.models import Job
from jobs.states import Status
from tests import factories

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

#: What a query or a path may hold that no column of ours does.
ODD = {
    "NUL": "a\x00b",
    "beyond bigint": "99999999999999999999",
    "below bigint": "-99999999999999999999",
    "thousands of digits": "9" * 5000,
    "a bad date": "2026-02-31",
    "a date beyond all": "99999-01-01",
    "a date before all": "0000-00-00",
    "not a number": "NaN",
    "a fraction": "1.5",
    "another script's digits": "١٢",
    "no UTF-8": "\udc80",
    "a list": "1,x,3",
    "nothing": "",
    "quotes": "'\"; --",
    "braces": "{%}",
}
LISTS = (
    "auth_user", "auth_group", "axes_accessattempt", "axes_accesslog", "jobs_job", "jobs_item", "jobs_batch",
    "jobs_transition", "jobs_pruning", "django_q_ormq", "django_q_failure", "django_q_success",
    "django_q_schedule",
)  # fmt: skip
#: Parameters that every list of the admin reads, and some lookups, known or not.
PARAMETERS = (
    "o", "all", "e", "id", "id__in", "id__gt", "id__isnull", "pk__gte",
    "job__id__exact",
    "created_by__id__exact", "created_at__gte", "created_at__lt", "date_joined__year", "last_login__range",
    "is_staff__exact", "groups__id__exact", "batch__id__exact", "outcome", "state", "who", "status__exact",
    "title__regex", "title__iregex", "nonsense", "nonsense__exact", "id__nonsense", "title__title__title",
    "password__startswith", "created_by__password", "attempt_time__gte", "_facets", "_popup", "_to_field",
)  # fmt: skip


@pytest.fixture
def root() -> Client:
    person = factories.user("root", is_staff=True, is_superuser=True)
    Group.objects.create(name="Support")
    job = factories.job(Status.PARTIAL, created_by=person)
    factories.item(of=job, ref=7)
    browser = Client(raise_request_exception=False)
    browser.force_login(person)
    return browser


def asked_for(browser: Client, address: str, query: dict[str, str]) -> Any:
    return browser.get(f"{address}?{urlencode(query, errors='surrogateescape')}")


def faults(browser: Client, asked: Iterator[tuple[str, dict[str, str]]]) -> dict[str, Any]:
    """The requests that met a fault of ours, or a page without our clothes."""
    found = {}
    for address, query in asked:
        answer = asked_for(browser, address, query)
        name = f"{address[:60]} { ({key: value[:30] for key, value in query.items()}) }"
        if answer.status_code >= 500 or answer.status_code not in (200, 204, 302, 400, 404):
            found[name] = answer.status_code
        elif answer.status_code == 400 and b"could not be read" not in answer.content:
            found[name] = answer.content[:80]
        elif answer.status_code == 302 and "e=1" in answer["Location"]:
            found[name] = answer["Location"]
    return found


@pytest.mark.parametrize("table", LISTS)
def test_every_list_of_the_admin_answers_every_parameter(root: Client, table: str) -> None:
    address = reverse(f"admin:{table}_changelist")
    few = (ODD["NUL"], ODD["beyond bigint"], ODD["not a number"])
    queries = [*product(("q", "p", "id__exact"), ODD.values()), *product(PARAMETERS, few)]
    assert faults(root, ((address, {name: value}) for name, value in queries)) == {}


@pytest.mark.parametrize("table", LISTS)
def test_every_page_of_the_admin_about_one_row_answers_every_number(root: Client, table: str) -> None:
    app, model = table.rsplit("_", 1)
    pages = ("change", "history")
    addresses = (
        f"/admin/{app}/{model}/{quote(value, safe='', errors='surrogateescape')}/{page}/"
        for value, page in product(ODD.values(), pages)
        if value
    )
    assert (
        faults(root, ((address, {}) for address in addresses if root.get(address).status_code != 403)) == {}
    )


def test_what_no_database_takes_is_answered_with_400(root: Client) -> None:
    asked = [
        {"q": "a\x00b"},
        {"created_by__id__exact": "x"},
        {"created_at__gte": "2026-02-31"},
        {"nonsense__exact": "1"},
        {"id__nonsense": "1"},
    ]
    assert [asked_for(root, "/admin/jobs/job/", query).status_code for query in asked] == [400] * len(asked)


def test_our_own_pages_answer_every_parameter(root: Client) -> None:
    job = Job.objects.get()
    parameters = {
        "/jobs/": ["q", "tool", "by", "tag", "since", "until", "show", "after", "before"],
        "/jobs/rows": ["q", "tool", "by", "tag", "since", "until", "show", "after", "before", "version"],
        "/jobs/cancel": ["job", "all", "upto", "q", "since"],
        f"/jobs/{job.pk}/": ["outcome", "reason", "after", "before"],
        f"/jobs/{job.pk}/account": ["outcome", "reason", "after", "before"],
        f"/jobs/{job.pk}/live": ["version", "spoken"],
        f"/jobs/{job.pk}/undo": ["reason"],
        f"/jobs/{job.pk}/retry": ["reason"],
        "/tools/bulk-tag/": ["again", "restore", "add", "source", "ids"],
        "/tools/tag-inventory/": ["q", "sort", "after"],
        "/login/": ["next", "ended"],
    }
    asked = (
        (address, {name: value})
        for address, names in parameters.items()
        for name, value in product(names, ODD.values())
    )
    assert faults(root, asked) == {}
    numbers = ("99999999999999999999", "9" * 300, "0")
    pages = ("", "live", "account", "status", "undo")
    assert faults(root, ((f"/jobs/{number}/{page}", {}) for number, page in product(numbers, pages))) == {}
