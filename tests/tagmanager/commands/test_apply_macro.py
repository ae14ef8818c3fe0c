"""`apply_macro`: each ticket ends as Zendesk's own preview of the macro shows it, and undo puts it back."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest
import requests

from jobs import actions
from jobs.engine import execution, lost_search
from jobs.models import Batch, Item, Job
from jobs.states import FollowUp
from tagmanager import job_labels
from tagmanager.changes import ticket_work
from tests.demo import ANA, Demo, counts, follow, run
from tests.processes import Ran, command
from zendesk import sandbox as zd
from zendesk.sandbox.account import people

COMPARED = ("tags", "status", "type", "priority", "group_id", "assignee_id", "custom_fields")


def apply_macro(*arguments: str) -> Ran:
    return command("apply_macro", *arguments)


def joined(refs: list[int]) -> str:
    return ",".join(map(str, refs))


def read(demo: Demo, path: str) -> Any:
    answer = requests.get(
        f"{demo.url}/api/v2/{path}", headers={"Authorization": f"Bearer {zd.BEARER_TOKEN}"}, timeout=30
    )
    answer.raise_for_status()
    return answer.json()


def compared(ticket: dict[str, Any]) -> dict[str, Any]:
    fields = sorted(((field["id"], field["value"]) for field in ticket["custom_fields"]), key=lambda f: f[0])
    return {name: ticket[name] for name in COMPARED} | {"tags": set(ticket["tags"]), "custom_fields": fields}


def truth(demo: Demo, refs: list[int]) -> dict[int, dict[str, Any]]:
    return {ref: compared(read(demo, f"tickets/{ref}.json")["ticket"]) for ref in refs}


def previews(demo: Demo, refs: list[int], macro: int) -> dict[int, dict[str, Any]]:
    """What the demo Zendesk itself says the macro would make of each ticket."""
    path = "tickets/{}/macros/{}/apply.json"
    return {ref: compared(read(demo, path.format(ref, macro))["result"]["ticket"]) for ref in refs}


@pytest.mark.once
@pytest.mark.parametrize(
    "macro", [zd.MACRO_ESCALATE, zd.MACRO_CLOSE_SPAM, zd.MACRO_UNTAG, zd.MACRO_RESET_TAGS]
)
def test_every_ticket_ends_as_zendesks_own_preview_shows_it_and_undo_puts_it_back(
    demo: Demo, macro: int
) -> None:
    refs = demo.open_tickets[:60]
    before, wished = truth(demo, refs), previews(demo, refs, macro)
    ran = apply_macro("--ids", joined(refs), "--macro", str(macro), "--yes")
    job = Job.objects.get()
    changed = sum(wished[ref] != before[ref] for ref in refs)
    left = len(refs) - changed
    assert (ran.code, counts(job)) == (0, {"changed": changed} | ({"unchanged": left} if left else {}))
    assert truth(demo, refs) == wished
    assert demo.account.ledger.updates.total() == changed
    assert counts(follow(job, FollowUp.UNDO)) == {"changed": changed}
    assert truth(demo, refs) == before


def test_a_dropdown_is_set_and_put_back_with_its_tag(demo: Demo) -> None:
    refs = demo.open_tickets[:40]
    before, wished = truth(demo, refs), previews(demo, refs, zd.MACRO_SOLVE_FIXED)
    apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_SOLVE_FIXED), "--without", "--yes")
    made = truth(demo, refs)
    assert list(made) == refs
    for ref, ticket in made.items():
        # A preview shows the field and not yet the tag that comes with it.
        tags = {tag for tag in before[ref]["tags"] if not tag.startswith("resolution_")}
        as_left = {"assignee_id": before[ref]["assignee_id"], "tags": tags | {"resolution_fixed"}}
        assert ticket == wished[ref] | as_left
    follow(Job.objects.get(), FollowUp.UNDO)
    assert truth(demo, refs) == before


def test_what_cannot_be_done_is_reported_before_and_nothing_is_made(demo: Demo) -> None:
    ran = apply_macro("--ids", str(demo.open_tickets[0]), "--macro", str(zd.MACRO_SOLVE_FIXED), "--yes")
    assert ran.code == 2
    assert (
        "It would lack: the assignee (the person who applies it: from here that would be the connected user)."
    ) in ran.err
    assert not Job.objects.exists()


def test_with_the_rest_left_out_no_comment_is_posted_and_the_job_says_so(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    ran = apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_NOTE), "--without", "--yes")
    assert ran.code == 0
    assert "Of the macro this is left out: its comment." in ran.out + ran.err
    title = "Apply the macro “Note: checked by the night shift”, in part, to 3 tickets given by number"
    assert Job.objects.get().title == title
    ledger = demo.account.ledger
    assert ledger.public_comments.total() + ledger.internal_comments.total() == 0
    assert ["night_shift" in demo.tags(ref) for ref in refs] == [True] * 3


def test_a_lost_answer_is_settled_by_the_fields_and_no_ticket_is_written_twice(demo: Demo) -> None:
    refs = demo.open_tickets[:30]
    wished = previews(demo, refs, zd.MACRO_ESCALATE)
    demo.fault("reset_after", times=1)
    assert apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_ESCALATE), "--yes").code == 0
    assert truth(demo, refs) == wished
    assert max(demo.account.ledger.updates.values()) == 1


def comments(demo: Demo, refs: list[int]) -> dict[int, list[tuple[str, bool]]]:
    """What was posted on each ticket by us, and whether customers see it."""
    return {ref: [(c.html, c.public) for c in demo.account.audits.comments(ref)] for ref in refs}


def foreseen_comments(demo: Demo, refs: list[int], macro: int) -> dict[int, list[tuple[str, bool]]]:
    """The same, as the demo Zendesk itself foresees it for the macro."""
    found = {}
    for ref in refs:
        comment = read(demo, f"tickets/{ref}/macros/{macro}/apply.json")["result"]["ticket"]["comment"]
        found[ref] = [(html.escape(comment["body"], quote=False), comment["public"])]
    return found


@pytest.mark.once
@pytest.mark.parametrize(
    ("macro", "options"),
    [
        (zd.MACRO_NOTE, ()),
        (zd.MACRO_NOT_RESPONDING, ("--yes-email", "30")),
        (zd.MACRO_HOSTILE, ("--yes-email", "30")),
    ],
)
def test_each_ticket_gets_the_comment_that_zendesks_own_preview_shows_and_undo_leaves_it(
    demo: Demo, macro: int, options: tuple[str, ...]
) -> None:
    refs = demo.open_tickets[:30]
    before, wished, said = (
        truth(demo, refs),
        previews(demo, refs, macro),
        foreseen_comments(demo, refs, macro),
    )
    ran = apply_macro("--ids", joined(refs), "--macro", str(macro), "--yes", *options)
    assert ran.code == 0
    assert (truth(demo, refs), comments(demo, refs)) == (wished, said)
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)
    job = Job.objects.latest("pk")
    assert counts(job) == {"changed": 30}
    exported = command("jobs", "export", str(job.pk), "--format", "ndjson").out.splitlines()
    public = "public" if said[refs[0]][0][1] else "internal"
    assert {json.loads(line)["comment"] for line in exported} == {public}
    undone = command("jobs", "undo", str(job.pk), "--yes")
    assert "Only tags and fields are put back." in undone.err
    assert (truth(demo, refs), comments(demo, refs)) == (before, said)


def test_what_a_macro_says_to_a_customer_is_kept_nowhere(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_NOT_RESPONDING), "--yes", "--yes-email", "3")
    names = [people.name(read(demo, f"tickets/{ref}.json")["ticket"]["requester_id"]) for ref in refs]
    said = "".join(text for posted in comments(demo, refs).values() for text, _ in posted)
    assert [name is not None and name in said for name in names] == [True] * 3
    kept = json.dumps(list(Item.objects.values()) + list(Batch.objects.values()), default=str)
    kept += json.dumps(list(Job.objects.values()), default=str)
    assert [name is not None and name in kept for name in names] == [False] * 3


@pytest.mark.once
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((), "This will e-mail 4 customers"),
        (("--yes-email", "5"), "--yes-email 5 is not the number of tickets, 4. This will e-mail 4 customers"),
    ],
)
def test_a_public_reply_wants_the_number_of_tickets_and_names_it(
    demo: Demo, given: tuple[str, ...], sentence: str
) -> None:
    refs = [*demo.open_tickets[:4], demo.closed_tickets[0]]
    public = ("--ids", joined(refs), "--macro", str(zd.MACRO_NOT_RESPONDING), "--yes")
    ran = apply_macro(*public, *given)
    assert (ran.code, sentence in ran.err) == (2, True)
    assert "Nothing was written. Add --yes-email 4 to do it." in ran.err
    assert demo.calls("PUT tickets/update_many") == 0
    preview = Job.objects.get()
    assert (preview.dry_run, counts(preview)) == (True, {"planned": 4, "skipped": 1})
    # The preview itself can be run from here, with the number as well.
    assert command("jobs", "run", str(preview.pk), "--yes").code == 2
    assert command("jobs", "run", str(preview.pk), "--yes", "--yes-email", "4").code == 0
    assert demo.account.ledger.public_comments.total() == 4
    again = apply_macro(*public, "--yes-email", "4", "--output", "json")
    assert (again.code, json.loads(again.out)["changed"]) == (0, 4)


def test_where_the_rest_is_left_out_the_comment_is_posted_on_request(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    fixed = ("--ids", str(ref), "--macro", str(zd.MACRO_SOLVE_FIXED), "--without", "--yes")
    assert apply_macro(*fixed, "--with-comment").code == 2
    assert apply_macro(*fixed, "--with-comment", "--yes-email", "1").code == 0
    assert comments(demo, [ref]) == {ref: [("This is fixed. Thank you for your patience.", True)]}


def test_a_macro_that_is_edited_while_the_job_waits_stops_it_with_a_sentence(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    macro = str(zd.MACRO_NOT_RESPONDING)
    apply_macro("--ids", joined(refs), "--macro", macro, "--dry-run")
    demo.account.edit_macro(zd.MACRO_NOT_RESPONDING, actions=(("comment_value", "Bye {{ticket.id}}"),))
    ran = command("jobs", "run", str(Job.objects.get().pk), "--yes", "--yes-email", "3")
    assert ran.code == 1
    assert "was edited in Zendesk after this job was made. Nothing more is sent" in ran.err
    assert demo.calls("PUT tickets/update_many") == 0


def test_a_macro_in_html_is_posted_as_html(demo: Demo) -> None:
    said = (("comment_value_html", "<p>Checked: #{{ticket.id}}</p>"), ("comment_mode_is_public", "false"))
    demo.account.edit_macro(4711, title="In HTML", actions=said)
    refs = demo.open_tickets[:3]
    assert apply_macro("--ids", joined(refs), "--macro", "4711", "--yes").code == 0
    assert comments(demo, refs) == {ref: [(f"<p>Checked: #{ref}</p>", False)] for ref in refs}


def test_where_calls_are_few_a_ticket_that_is_listed_is_not_asked_about_again(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_work, "CALL_MAX_WAIT", 0.0)
    refs = demo.open_tickets[:45]
    for ref in refs:
        demo.account.edit(ref, add=["of-the-page"])
    demo.fault("rate_limited", on=f"GET /api/v2/tickets/{refs[14]}/macros", retry_after=1)
    ran = apply_macro("--tag", "of-the-page", "--macro", str(zd.MACRO_NOT_RESPONDING), "--dry-run")
    assert (ran.code, counts(Job.objects.get())) == (0, {"planned": 45})
    # Only the one whose answer was to wait is requested again.
    assert demo.calls("GET tickets/{ticket_id}/macros/{macro_id}/apply") == 45 + 1


@pytest.mark.parametrize("fault", ["reset_after", "server_error_after", "truncated", "results_null"])
def test_whatever_answer_is_lost_no_customer_gets_two_mails(
    demo: Demo, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
    monkeypatch.setattr(lost_search, "ABSENCE_CONFIRM_DELAY", 0.0)
    refs = demo.open_tickets[:45]
    demo.fault(fault, times=2)
    number = str(len(refs))
    macro = ("--macro", str(zd.MACRO_NOT_RESPONDING))
    assert apply_macro("--ids", joined(refs), *macro, "--yes", "--yes-email", number).code == 0
    assert dict(demo.account.ledger.public_comments) == dict.fromkeys(refs, 1)


def test_a_dry_run_writes_nothing_and_its_run_applies_the_macro(demo: Demo) -> None:
    refs = demo.open_tickets[:5]
    before, wished = truth(demo, refs), previews(demo, refs, zd.MACRO_ESCALATE)
    ran = apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_ESCALATE), "--dry-run")
    assert (ran.code, truth(demo, refs)) == (0, before)
    follow(Job.objects.get(), FollowUp.RUN)
    assert truth(demo, refs) == wished


@pytest.mark.once
@pytest.mark.parametrize(
    ("macro", "sentence"),
    [
        (zd.MACRO_INACTIVE, "is not active. Activate it in Zendesk"),
        (1, "There is no macro 1 in Zendesk"),
        (0, "The number of a macro is a whole number"),
    ],
)
def test_a_macro_that_cannot_be_applied_is_refused_with_a_sentence(
    demo: Demo, macro: int, sentence: str
) -> None:
    ran = apply_macro("--ids", str(demo.open_tickets[0]), "--macro", str(macro), "--yes")
    assert (ran.code, sentence in ran.err) == (2, True)


def test_where_zendesk_cannot_be_reached_the_command_could_not_run(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_OAUTH_CLIENT_SECRET = "wrong-secret"
    assert apply_macro("--ids", "1", "--macro", "1", "--yes").code == 1


def test_a_macro_that_only_got_another_title_goes_on(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    macro = str(zd.MACRO_NOT_RESPONDING)
    apply_macro("--ids", joined(refs), "--macro", macro, "--dry-run")
    demo.account.edit_macro(zd.MACRO_NOT_RESPONDING, title="Customer silent")
    ran = command("jobs", "run", str(Job.objects.get().pk), "--yes", "--yes-email", "3")
    assert (ran.code, counts(Job.objects.latest("pk"))) == (0, {"changed": 3})


def test_a_job_of_an_earlier_release_knows_only_when_its_macro_was_edited(demo: Demo) -> None:
    refs = demo.open_tickets[:3]
    for saved, code in ((False, 0), (True, 1)):
        apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_NOT_RESPONDING), "--dry-run")
        preview = Job.objects.latest("pk")
        preview.params.pop("does")
        preview.save(update_fields=["params"])
        if saved:
            demo.account.edit_macro(zd.MACRO_NOT_RESPONDING)
        ran = command("jobs", "run", str(preview.pk), "--yes", "--yes-email", "3")
        assert ran.code == code, ran.err


PREVIEW = "GET tickets/{ticket_id}/macros/{macro_id}/apply"


@pytest.mark.parametrize(
    ("kind", "params"),
    [("server_error_before", {"status": 500}), ("html", {}), ("truncated", {}), ("reset_before", {})],
)
def test_a_preview_that_fails_once_is_requested_again_by_itself(
    demo: Demo, kind: str, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_work, "CALL_MAX_WAIT", 0.0)
    refs = demo.open_tickets[:5]
    demo.fault(kind, on=f"GET /api/v2/tickets/{refs[1]}/macros", times=1, **params)
    ran = apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_RESET_TAGS), "--dry-run")
    assert (ran.code, counts(Job.objects.get())) == (0, {"planned": 5})
    assert demo.calls(PREVIEW) <= 6


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize(
    ("kind", "params"), [("server_error_before", {"status": 500}), ("html", {}), ("html", {"status": 422})]
)
def test_a_ticket_that_cannot_be_previewed_is_left_out_alone(
    demo: Demo, kind: str, params: dict[str, Any], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_work, "CALL_MAX_WAIT", 0.0)
    refs = demo.open_tickets[:number]
    demo.fault(kind, on=f"GET /api/v2/tickets/{refs[0]}/macros", times=None, **params)
    ran = apply_macro("--ids", joined(refs), "--macro", str(zd.MACRO_RESET_TAGS), "--yes")
    changed = {"changed": number - 1} if number > 1 else {}
    assert (ran.code, counts(Job.objects.get())) == (0, changed | {"skipped": 1})
    left = Item.objects.get(ref=refs[0])
    assert left.reason == "not_foreseen"
    assert left.detail.startswith("Zendesk could not preview the macro on this ticket, twice: ")


def test_where_no_preview_works_nothing_is_left_out(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticket_work, "CALL_MAX_WAIT", 0.0)
    monkeypatch.setattr(execution, "LONGEST_WAIT_IN_HAND", 0.0)
    refs = demo.open_tickets[:3]
    demo.fault("server_error_before", on="GET /api/v2/tickets/", times=None, status=500)
    params = {"macro": zd.MACRO_RESET_TAGS, "macro_title": "Afresh", "as_of": "2024-01-08T09:00:00Z"}
    made = actions.submit(
        tool="apply-macro",
        title="Apply a macro",
        params=params | {"add": [], "remove": [], "set": ["triage"], "fields": {}, "left_out": []},
        source={"kind": "ids", "name": ""},
        refs=refs,
        by=ANA,
        here=True,
    )
    job = run(made)
    assert (job.status, job.waiting_for) == ("waiting", "service_away")
    assert not job.items.exclude(outcome="pending").exists()


def test_a_custom_status_is_set_shown_by_its_name_and_undone(demo: Demo) -> None:
    refs = [ref for ref in demo.open_tickets if demo.account.ticket(ref).status != "new"][:20]
    demo.account.edit_macro(4711, title="Supplier", actions=(("custom_status_id", str(zd.STATUS_SUPPLIER)),))
    shown = ("status", "custom_status_id")

    def state() -> dict[int, list[Any]]:
        return {ref: [read(demo, f"tickets/{ref}.json")["ticket"][name] for name in shown] for ref in refs}

    before = state()
    assert apply_macro("--ids", joined(refs), "--macro", "4711", "--yes").code == 0
    job = Job.objects.get()
    assert state() == {ref: ["pending", zd.STATUS_SUPPLIER] for ref in refs}
    assert counts(job) == {"changed": 20}
    assert job_labels.field(job, "custom_status_id", zd.STATUS_SUPPLIER) == (
        "custom status",
        "Waiting for the supplier",
    )
    assert counts(follow(job, FollowUp.UNDO)) == {"changed": 20}
    assert state() == before


@pytest.mark.parametrize("treatment", ["refused", "unknown"])
def test_where_custom_statuses_may_not_be_listed_the_number_is_shown_and_the_person_told(
    demo: Demo, treatment: str
) -> None:
    demo.account.configure(custom_statuses=treatment)
    demo.account.edit_macro(4711, actions=(("custom_status_id", str(zd.STATUS_SUPPLIER)),))
    ran = apply_macro("--ids", str(demo.open_tickets[0]), "--macro", "4711", "--yes")
    told = f"does not tell the name of the custom status {zd.STATUS_SUPPLIER}, so it is shown by its number"
    assert (ran.code, told in ran.out) == (0, True)
    name = job_labels.field(Job.objects.get(), "custom_status_id", zd.STATUS_SUPPLIER)[1]
    assert name == str(zd.STATUS_SUPPLIER)


@pytest.mark.parametrize(
    ("action", "phrase"),
    [
        (
            ("custom_status_id", str(zd.STATUS_RETIRED)),
            "the custom status “Reopened in 2023” (it is not active)",
        ),
        (
            ("custom_status_id", "6130830355738"),
            "the custom status “New” (Zendesk sets no ticket back to new)",
        ),
        (("status", "new"), "the status “new” (Zendesk sets no ticket back to new)"),
    ],
)
def test_a_status_that_no_ticket_takes_is_refused_by_name(
    demo: Demo, action: tuple[str, str], phrase: str
) -> None:
    demo.account.edit_macro(4711, actions=(action, ("current_tags", "x")))
    ran = apply_macro("--ids", str(demo.open_tickets[0]), "--macro", "4711", "--yes")
    assert (ran.code, phrase in ran.err) == (2, True)


def test_a_checkbox_without_a_tag_is_ticked_through_its_field_and_undone(demo: Demo) -> None:
    refs = demo.open_tickets[:6]
    field = f"custom_fields_{zd.FIELD_CALLED_BACK}"
    requests.put(
        f"{demo.url}/api/v2/tickets/{refs[0]}.json",
        json={"ticket": {"custom_fields": [{"id": zd.FIELD_CALLED_BACK, "value": True}]}},
        headers={"Authorization": f"Bearer {zd.BEARER_TOKEN}"},
        timeout=30,
    ).raise_for_status()
    before = truth(demo, refs)
    # Only with a note does each ticket get its own call; both forms must work.
    note = ("comment_value", "Called."), ("comment_mode_is_public", "false")
    for more in ((), note):
        demo.account.edit_macro(4711, actions=(("current_tags", "called"), (field, "true"), *more))
        assert apply_macro("--ids", joined(refs), "--macro", "4711", "--yes").code == 0
        job = Job.objects.filter(follow_up="").latest("pk")
        ticked = {
            ref: dict(ticket["custom_fields"])[zd.FIELD_CALLED_BACK]
            for ref, ticket in truth(demo, refs).items()
        }
        assert ticked == dict.fromkeys(refs, True)
        assert counts(job) == {"changed": 6}
        assert job_labels.field(job, field, True) == ("Called back", "yes")
        assert counts(follow(job, FollowUp.UNDO)) == {"changed": 6}
        assert truth(demo, refs) == before
    latest = Job.objects.filter(follow_up="").latest("pk")
    exported = command("jobs", "export", str(latest.pk), "--format", "ndjson").out.splitlines()
    assert {json.loads(line)["fields_set"] for line in exported} == {"", f"{field}=True"}


def test_a_lost_answer_about_a_checkbox_is_settled_by_the_field(demo: Demo) -> None:
    refs = demo.open_tickets[:6]
    demo.account.edit_macro(4711, actions=((f"custom_fields_{zd.FIELD_CALLED_BACK}", "true"),))
    demo.fault("results_null", times=1)
    assert apply_macro("--ids", joined(refs), "--macro", "4711", "--yes").code == 0
    assert counts(Job.objects.get()) == {"changed": 6}
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)
