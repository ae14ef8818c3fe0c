"""A foreign client works with the demo as it does with Zendesk: zenpy, unchanged, over real HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from zenpy import Zenpy
from zenpy.lib.api_objects import Ticket

from tests.sandbox.conftest import Start, Zendesk
from zendesk.sandbox import API_TOKEN, EMAIL, VIEW_UNSOLVED, VIEW_URGENT

HOST = "https://demo.zendesk.com"


class ToTheDemo(HTTPAdapter):
    """Carries what is meant for demo.zendesk.com to the demo's address."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        assert request.url is not None
        there = request.copy()
        there.url = request.url.replace(HOST, self._address, 1)
        response = super().send(there, **options)
        # zenpy tells by the address which kind of answer it holds.
        response.request, response.url = request, request.url
        return response


@pytest.fixture
def zendesk(start: Start) -> Zendesk:
    return start(canonical_url=HOST)


@pytest.fixture
def zenpy(zendesk: Zendesk) -> Iterator[Any]:
    with requests.Session() as session:
        session.trust_env = False
        session.mount(HOST, ToTheDemo(zendesk.server.url))
        yield Zenpy(subdomain="demo", email=EMAIL, token=API_TOKEN, session=session)


def test_zenpy_reads_the_connected_user(zenpy: Any) -> None:
    me = zenpy.users.me()

    assert (me.name, me.role) == ("Dana Demo", "admin")


def test_zenpy_lists_views_and_reads_their_tickets(zenpy: Any, zendesk: Zendesk) -> None:
    views = {view.title: view.id for view in zenpy.views()}

    tickets = list(zenpy.views.tickets(VIEW_UNSOLVED))

    assert views["All unsolved tickets"] == VIEW_UNSOLVED
    assert sorted(ticket.id for ticket in tickets) == zendesk.sandbox.view_ticket_ids(VIEW_UNSOLVED)


def test_zenpy_counts_a_view(zenpy: Any, zendesk: Zendesk) -> None:
    zenpy.views.count(VIEW_URGENT)

    assert zenpy.views.count(VIEW_URGENT).value == len(zendesk.sandbox.view_ticket_ids(VIEW_URGENT))


def test_zenpy_updates_many_and_follows_the_job(zenpy: Any, zendesk: Zendesk) -> None:
    ids = zendesk.ids(count=5)
    zendesk.sandbox.configure(scale=1.0)

    job = zenpy.tickets.update([Ticket(id=number, tags=["from_zenpy"]) for number in ids])
    queued = zenpy.job_status(id=job.id).status
    zendesk.clock.move(10)
    ended = zenpy.job_status(id=job.id)

    assert (job.status, queued, ended.status, ended.progress) == ("queued", "queued", "completed", 5)
    assert sorted(item.id for item in ended.results) == ids
    assert [zendesk.sandbox.ticket(number).tags for number in ids] == [("from_zenpy",)] * 5


def test_zenpy_searches_and_exports(zenpy: Any, zendesk: Zendesk) -> None:
    tagged = [
        number for number in zendesk.sandbox.ticket_ids() if "vip" in zendesk.sandbox.ticket(number).tags
    ]

    searched = [ticket.id for ticket in zenpy.search(type="ticket", tags="vip")]
    exported = [ticket.id for ticket in zenpy.search_export(type="ticket", tags="vip")]

    assert sorted(searched) == sorted(exported) == tagged


def test_zenpy_reads_tags_macros_and_single_tickets(zenpy: Any, zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]

    zenpy.tickets.add_tags(number, ["added"])
    ticket = zenpy.tickets(id=number)

    assert "added" in ticket.tags
    assert ticket.requester.name
    assert {macro.title for macro in zenpy.macros()} >= {"Solve as spam"}
    assert {tag.name for tag in zenpy.tags()} >= {"vip", "added"}
