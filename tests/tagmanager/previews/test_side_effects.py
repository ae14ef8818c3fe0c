"""What a change sets in motion in the account: told in the preview, and what cannot be looked up as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from jobs.models import Job
from jobs.states import Guarded, Outcome, Status
from tagmanager.account.tag_references import account_setup, kinds_in_words
from tagmanager.changes.job_options import JobOptions
from tagmanager.previews.warnings import PreviewWarnings, warnings_of
from tests import factories
from tests.demo import Demo, demo_zendesk, params
from tests.processes import command

ADMIN_LISTS = "SLA policies, queues, deletion schedules and webhooks"


@pytest.fixture
def demo(db: None, settings: Any) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=60) as running:
        yield running


def preview(
    *, add: tuple[str, ...] = (), remove: tuple[str, ...] = (), number: int = 1, **fields: Any
) -> Job:
    return factories.job(
        Status.SUCCEEDED, dry_run=True, planned=number, params=params(add=add, remove=remove), **fields
    )


def told(job: Job, *words: str) -> list[str]:
    """The warnings with all of these words."""
    cache.clear()
    return [each.text for each in warnings_of(job).all if all_in(words, each.text)]


def all_in(words: tuple[str, ...], text: str) -> bool:
    return [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("vip", "The SLA policy “VIP customers” names vip, so these tickets may come under it or leave it"),
        ("escalated", "The queue “Escalations” names escalated, so these tickets may be routed into it"),
        ("refund", "The workspace “Refunds” names refund, so agents may see these tickets with other macros"),
        (
            "gdpr",
            "The deletion schedule “Privacy requests after a year” names gdpr, so it may delete these",
        ),
    ],
)
def test_what_has_the_tag_among_its_conditions_is_named(demo: Demo, tag: str, said: str) -> None:
    (found,) = told(preview(remove=(tag,)), said)
    assert found.startswith(said)


def test_what_is_inactive_or_about_users_is_not_named(demo: Demo) -> None:
    assert told(preview(add=("vip",)), "Old VIP desk") == []
    assert told(preview(add=("left",)), "End users who left") == []


def test_a_change_restarts_the_clock_of_deletion_schedules(demo: Demo) -> None:
    (said,) = told(preview(add=("brand-new",)), "clock")
    assert said == (
        "The deletion schedule “Privacy requests after a year” counts from a ticket's last change, so this "
        "change restarts the clock of closed tickets."
    )


def test_an_undo_cannot_bring_back_what_a_schedule_deletes(demo: Demo) -> None:
    (said,) = told(preview(remove=("gdpr",)), "names gdpr")
    assert said.endswith("Deleted tickets cannot be restored, and no undo brings them back.")


def test_a_webhook_on_events_receives_one_for_each_ticket(demo: Demo) -> None:
    (said,) = told(preview(add=("brand-new",), number=100_000), "webhook")
    assert re.match(
        r"The webhook “Data warehouse” receives 100,000 events of these tickets, about [\d,]+ an", said
    )
    assert said.endswith(
        "Zendesk stops calling it for a while after 1,000 errors in 5 minutes, or if 70 % of the calls fail. "
        "A guard tag does not stop these events."
    )
    (few,) = told(preview(add=("brand-new",), number=5), "webhook")
    assert "receives 5 events of these tickets. Zendesk" in few


def test_the_guard_tag_that_comes_off_sends_another_event(demo: Demo) -> None:
    guard = JobOptions(guard="bulk_update").to_json()
    job = preview(add=("brand-new",), number=5, options=guard, guarded=Guarded.UNTIL_END)
    assert "receives 10 events" in told(job, "webhook")[0]


def test_fields_that_change_send_events_of_their_own(demo: Demo) -> None:
    job = preview(number=3)
    factories.item(job, 7, Outcome.PLANNED, change={"add": ["brand-new"], "fields": {"status": "solved"}})
    assert "receives 6 events" in told(job, "webhook")[0]


def test_the_auto_routing_tag_is_found_under_its_own_name(demo: Demo) -> None:
    demo.account.configure(autorouting_tag="route-me")
    assert told(preview(add=("auto-routing",)), "routable") == []
    (said,) = told(preview(add=("route-me",)), "routable")
    assert said == (
        "route-me is the account's auto-routing tag: adding it makes new and open e-mail tickets routable at "
        "once, so Zendesk assigns them to agents."
    )
    assert told(preview(remove=("route-me",)), "routing") == [
        "route-me is the account's auto-routing tag: removing it takes e-mail tickets out of the routing."
    ]


def test_without_omnichannel_routing_its_tag_is_a_tag_like_any_other(demo: Demo) -> None:
    demo.account.configure(routing_enabled=False)
    assert told(preview(add=("auto-routing",)), "routable") == []


def test_the_usual_auto_routing_tag_is_told_where_its_setting_cannot_be_read(demo: Demo) -> None:
    demo.account.configure(withheld=("account/settings",))
    job = preview(add=("auto-routing",))
    assert "is the usual auto-routing tag of Zendesk" in told(job, "routable")[0]
    assert warnings_of(job).gaps == ("Zendesk does not show the auto-routing tag to this user.",)


def test_it_is_told_while_zendesk_is_away_too(db: None, settings: Any) -> None:
    settings.ZENDESK_BASE_URL = settings.ZENDESK_SUBDOMAIN = ""
    found = warnings_of(preview(add=("auto-routing", "intent__refund")))
    assert [text[:15] for text in (each.text for each in found.all)] == ["auto-routing is", "intent__refund "]
    assert found.problem.startswith("No Zendesk account is set up.")


def test_tags_that_mirror_fields_of_intelligent_triage_part_from_them(demo: Demo) -> None:
    changed = preview(add=("intent__refund",), remove=("sentiment__negative", "intentional", "language__"))
    (said,) = told(changed, "triage")
    assert said == (
        "intent__refund, sentiment__negative mirror fields of intelligent triage. This changes the tag "
        "alone, so tag and field no longer agree."
    )


def gaps(found: PreviewWarnings) -> tuple[str, ...]:
    assert not found.problem
    return found.gaps


def test_what_the_connected_user_may_not_list_is_told_and_the_rest_stands(demo: Demo, web: Client) -> None:
    demo.account.configure(role="agent")
    job = preview(add=("vip", "refund"))
    assert gaps(warnings_of(job)) == (f"Zendesk does not show {ADMIN_LISTS} to this user.",)
    assert told(job, "workspace “Refunds”") != []
    page = web.get(f"/tools/preview/{job.pk}/warnings").content.decode()
    assert f"Zendesk does not show {ADMIN_LISTS} to this user." in page


@pytest.mark.parametrize("option", ["withheld", "missing_lists"])
def test_a_list_that_is_refused_or_missing_takes_no_other_away(demo: Demo, option: str) -> None:
    demo.account.configure(**{option: ("slas/policies",)})
    job = preview(add=("vip", "escalated"))
    assert gaps(warnings_of(job)) == ("Zendesk does not show SLA policies to this user.",)
    assert told(job, "queue “Escalations”") != []


def test_a_list_that_fails_is_named_with_the_reason_and_asked_again_soon(demo: Demo) -> None:
    demo.fault("server_error_before", on="GET /api/v2/queues", times=None)
    job = preview(add=("vip", "escalated"))
    assert gaps(warnings_of(job))[0].startswith("The queues could not be read. ")
    assert told(job, "SLA policy") != []
    demo.account.faults.clear()
    cache.clear()
    assert gaps(warnings_of(job)) == ()


def test_the_lists_are_asked_once_for_all_people(demo: Demo) -> None:
    account_setup()
    account_setup()
    assert {path: demo.calls(f"GET {path}") for path in ("queues", "webhooks", "triggers")} == {
        "queues": 1, "webhooks": 1, "triggers": 1,
    }  # fmt: skip


def test_the_command_tells_it_too(demo: Demo) -> None:
    demo.account.configure(role="agent")
    ref = demo.open_tickets[0]
    ran = command("tag_tickets", "--ids", str(ref), "--add", "route", "--dry-run")
    assert f"Zendesk does not show {ADMIN_LISTS} to this user." in ran.out


def test_kinds_are_counted_in_words() -> None:
    assert [kinds_in_words(n, kind) for n, kind in ((1, "SLA policy"), (2, "SLA policy"), (3, "queue"))] == [
        "1 SLA policy",
        "2 SLA policies",
        "3 queues",
    ]
