"""Every fault of the demo Zendesk, at every endpoint it can hit, with the outcomes that must result.

This is the only list. The tests run the quick cases; `make reliability` runs all and writes the table.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from tests.demo import Demo
from zendesk import sandbox
from zendesk.sandbox import VIEW_UNSOLVED

#: Tickets in a trial: two batches.
TICKETS = 120

TOKEN = "POST /oauth/tokens"
VIEW = "GET /api/v2/views"
VIEW_TICKETS = f"GET /api/v2/views/{VIEW_UNSOLVED}/tickets"
COUNT = f"GET /api/v2/views/{VIEW_UNSOLVED}/count"
EXPORT = "GET /api/v2/search/export"
READ = "GET /api/v2/tickets/show_many"
UPDATE = "PUT /api/v2/tickets/update_many"
STATUS = "GET /api/v2/job_statuses/show_many"
STATUS_OF_ONE = "GET /api/v2/job_statuses/V3"
JOB_LIST = "GET /api/v2/job_statuses"
ANY_CALL = "* /"

#: A source: a view whose pages end early, so the job also asks for its ticket count.
LONG_VIEW = "long view"
#: A source: a long list of numbers, whose tickets are read right before they are sent.
LONG_LIST = "long list"
#: A source: numbers, for a macro that adds the tag and posts a note, so each ticket is sent its own change.
WITH_A_NOTE = "numbers, with a note"
#: A tag that an agent adds meanwhile.
THEIRS = "theirs"
#: Sources that a search finds, which lags: all tickets with a tag; those for a rename of it; for a filter by
#: it; to be left out of a list of numbers; and so many with the tag that they are read when they are sent.
TAGGED, RENAMED, HAVING, LEFT_OUT = "tag", "rename", "search and filter", "numbers without a search"
LONG_SEARCH = "long search"
CHOSEN = "chosen"  # the tag that they go by
#: How a job stands still: a person pauses it, it asks after its first tickets, or it waits for Zendesk.
PAUSED, HELD, WAITING = "pause", "hold", "wait"
#: The same with a placeholder in the note, so that Zendesk previews the macro on each ticket.
PREVIEWED = "numbers, with previews"
#: Sources: a job that set status and priority and took the tag off is undone. One of its tickets was new, or
#: had no priority; the others were open and low.
UNDO_OF_NEW, UNDO_OF_EMPTY = "undo of a new ticket", "undo of an emptied field"
#: In a rule's `ids`: one of the job's tickets.
ONE_TICKET = "one"
POISON: dict[str, Any] = {"times": None, "ids": ONE_TICKET}
ALL_CHANGED = {"changed": TICKETS}


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault to add to the demo; `params` holds those of its kind and `times`, `after`, `every`."""

    kind: str
    on: str = UPDATE
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One fault or several, and the required result."""

    name: str
    rules: tuple[Rule, ...]
    outcomes: dict[str, int] | None = field(default_factory=lambda: ALL_CHANGED)  # None: any true ones
    waits_for: frozenset[str] = frozenset()  # wait reasons that must occur
    stop_messages: tuple[str, ...] = ()  # words in the message of each stop, in order
    outage_seconds: float = float("inf")  # seconds of waiting after which Zendesk recovers
    source: str = "ids"
    before: Callable[[Demo, list[int]], None] | None = None  # prepares Zendesk
    midway: Callable[[Demo, list[int]], None] | None = None  # changes Zendesk once the job has listed tickets
    short_timeout: bool = False  # a call times out after a second, not half a minute
    scale: float = 0.0  # factor for how long Zendesk's jobs take; 0: each is done when its call is answered
    stands_still: str = ""  # how the job is stopped on its way
    meanwhile: Callable[[Demo, list[int]], None] | None = None  # what others do while it stands still
    undone: bool = False  # a trigger undoes every change: a changed ticket need not show it
    quick: bool = True  # run by every test run; the others by `make reliability` only


#: The calls that each transient fault is tried on: words to endpoint, source, and rules that cause the call.
ENDPOINTS: dict[str, tuple[str, str, tuple[Rule, ...]]] = {
    "when a token is fetched": (TOKEN, "ids", ()),
    "on a page of a view": (VIEW, "view", ()),
    "when a long view is counted": (COUNT, LONG_VIEW, ()),
    "on a page of a search": (EXPORT, "tag", ()),
    "when tickets are read": (READ, "ids", ()),
    "when a long list is read": (READ, LONG_LIST, ()),
    "when tickets are sent": (UPDATE, "ids", ()),
    "when batch status is checked": (STATUS, "ids", ()),
    "when the status of a forgotten batch is checked": (STATUS_OF_ONE, "ids", (Rule("job_gone"),)),
    "when a lost batch is searched for": (JOB_LIST, "ids", (Rule("reset_after"),)),
}
#: Faults that hit one call: words, kind and parameters.
TRANSIENT: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("429 with Retry-After", "rate_limited", {"retry_after": 40}),
    ("429 without Retry-After", "rate_limited", {"retry_after": None}),
    ("429 as an HTML page", "rate_limited", {"retry_after": 40, "html": True}),
    ("503 with Retry-After", "server_error_before", {"retry_after": 40}),
    ("500, work not done", "server_error_before", {"status": 500}),
    ("502 as HTML, work not done", "server_error_before", {"status": 502, "html": True}),
    ("500, work done", "server_error_after", {"status": 500}),
    ("504 as HTML, work done", "server_error_after", {"status": 504, "html": True}),
    ("connection reset, work not done", "reset_before", {}),
    ("connection reset, work done", "reset_after", {}),
    ("no answer, work not done", "hang", {}),
    ("no answer, work done", "hang", {"after_work": True}),
    ("body byte by byte", "trickle", {"pause": 0.2}),
    ("headers and body byte by byte", "trickle", {"pause": 0.2, "head": True}),
    ("truncated JSON", "truncated", {}),
    ("an HTML page instead of JSON", "html", {}),
    ("a token that expired early", "unauthorized", {}),
    ("a collision in the database", "refused", {"status": 409, "code": "DatabaseConflict"}),
    ("all tokens revoked", "revoke_tokens", {}),
)
HANGING = ("hang", "trickle")
ODD_RETRY_AFTER = (
    "-5",
    "0",
    "999999999",
    "1e400",
    "nan",
    "soon",
    "",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "\u0665",
)

#: Values that mean a wait too short to be recorded.
SHORT_WAITS = ("0", "Wed, 21 Oct 2015 07:28:00 GMT")


def _at_every_endpoint() -> Iterator[Case]:
    for where, (on, source, setup) in ENDPOINTS.items():
        for what, kind, params in TRANSIENT:
            if on == TOKEN and kind in ("unauthorized", "revoke_tokens"):
                continue  # fetching a token is the remedy for these
            yield Case(
                f"{what}, {where}",
                (*setup, Rule(kind, on, params)),
                source=source,
                short_timeout=kind in HANGING,
                quick=on == UPDATE and kind not in HANGING and not params.get("html"),
            )


def _odd_retry_after() -> Iterator[Case]:
    for value in ODD_RETRY_AFTER:
        shown = value.encode("ascii", "backslashreplace").decode()
        rule = Rule("rate_limited", UPDATE, {"retry_after": value})
        waits = frozenset() if value in SHORT_WAITS else frozenset({"rate_limit"})
        yield Case(f"429 with Retry-After “{shown}”", (rule,), waits_for=waits, quick=value == "-5")


def _too_many_jobs() -> Iterator[Case]:
    slots = frozenset({"job_slots"})
    yield Case("30 jobs of another client in the queue", (), waits_for=slots, before=_fill_the_queue)
    yield Case("TooManyJobs three times", (Rule("too_many_jobs", params={"times": 3}),), waits_for=slots)
    for header in ("exact", "late", "queued", "absent"):
        yield Case(
            f"29 of 30 job slots taken by others, header of free slots {header}",
            (),
            before=partial(_configure, other_jobs=29, slots_header=header),
            scale=1.0,
            quick=header in ("exact", "absent"),
        )
    for value in ("total=0; remaining=0", "total=30; remaining=-7", "total=999999999; remaining=999999998"):
        yield Case(
            f"header of free slots “{value}”", (), before=partial(_configure, slots_header=value), quick=False
        )


def _outages() -> Iterator[Case]:
    forever: dict[str, Any] = {"times": None}
    unavailable = frozenset({"service_away"})
    yield Case(
        "Zendesk unavailable for ten minutes",
        (Rule("server_error_before", ANY_CALL, forever | {"after": 3}),),
        waits_for=unavailable,
        outage_seconds=600,
    )
    yield Case(
        "no connection to Zendesk for ten minutes",
        (Rule("reset_before", ANY_CALL, forever | {"after": 3}),),
        waits_for=unavailable,
        outage_seconds=600,
        quick=False,
    )
    yield Case(
        "HTML pages for ten minutes",
        (Rule("html", ANY_CALL, forever | {"after": 3, "status": 503}),),
        waits_for=unavailable,
        outage_seconds=600,
        quick=False,
    )
    yield Case(
        "429 for ten minutes",
        (Rule("rate_limited", ANY_CALL, forever | {"after": 3, "retry_after": 60}),),
        waits_for=frozenset({"rate_limit"}),
        outage_seconds=600,
        quick=False,
    )
    for where, on in (
        ("sending", UPDATE),
        ("checking status", STATUS),
        ("reading", READ),
        ("signing in", TOKEN),
    ):
        yield Case(
            f"credentials refused permanently while {where}",
            (Rule("unauthorized", on, forever),),
            stop_messages=("credentials",),
            quick=on == UPDATE,
        )
    yield Case(
        "no Zendesk account at the address",
        (Rule("html", READ, forever | {"status": 404}),),
        stop_messages=("no Zendesk account",),
        quick=False,
    )


def _account_refused() -> Iterator[Case]:
    for what, params, words in (
        ("402, payment required", {"status": 402, "code": "PaymentRequired"}, "payment"),
        ("403 for a suspended account", {"code": "AccountSuspended"}, "suspended"),
        ("403 with a page that blocks the program", {"html": True}, "blocks"),
        ("a trial that is over", {"status": 422, "text": "Your trial has expired."}, "trial"),
    ):
        for where, on in (("sending", UPDATE), ("reading", READ), ("checking status", STATUS)):
            yield Case(
                f"{what}, while {where}",
                (Rule("refused", on, params | {"times": None}),),
                stop_messages=(words,),
                quick=on == UPDATE,
            )


def _odd_answers() -> Iterator[Case]:
    """What cannot be understood, or only in part."""
    forever: dict[str, Any] = {"times": None}
    one_failed = {"changed": TICKETS - 1, "failed": 1}
    for what, params, result in (
        ("null tags", {"change": {"tags": None}}, ALL_CHANGED),
        ("tags as text", {"change": {"tags": "a b"}}, one_failed),
        ("no status", {"drop": ["status"]}, one_failed),
        ("no time of its update", {"change": {"updated_at": None}}, one_failed),
        ("null as its id", {"change": {"id": None}}, one_failed),
    ):
        rule = Rule("odd_records", READ, forever | params | {"ids": ONE_TICKET})
        yield Case(f"a ticket with {what}", (rule,), result)
        yield Case(f"a ticket with {what}, in a long list", (rule,), result, source=LONG_LIST, quick=False)
    yield Case(
        "a ticket with null tags on a page of a view",
        (Rule("odd_records", VIEW_TICKETS, forever | {"change": {"tags": None}}),),
        source="view",
    )
    for where, on in (("reading", READ), ("checking status", STATUS)):
        rule = Rule("odd_answer", on, {"times": 4})
        yield Case(f"four odd answers while {where}", (rule,), waits_for=frozenset({"service_away"}))
        yield Case(
            f"the same odd answer always while {where}",
            (Rule("odd_answer", on, forever),),
            waits_for=frozenset({"service_away"}),
            stop_messages=("5 times in a row",),
        )
    yield Case(
        "a page instead of JSON always while reading",
        (Rule("html", READ, forever),),
        waits_for=frozenset({"service_away"}),
        stop_messages=("5 times in a row",),
        quick=False,
    )
    for where, on in (("read", READ), ("checked", STATUS)):
        rule = Rule("odd_characters", on, forever)
        yield Case(f"characters that databases refuse, when tickets are {where}", (rule,))


def _odd_lists() -> Iterator[Case]:
    forever: dict[str, Any] = {"times": None}
    for what, kind in (
        ("leads back to itself", "cursor_repeats"),
        ("has more without a cursor", "has_more_without_cursor"),
    ):
        yield Case(f"a last page of a search that {what}", (Rule(kind, EXPORT, forever),), source="tag")
    early = Rule("has_more_without_cursor", EXPORT, forever | {"early": True})
    small = Rule("page_too_large", EXPORT, forever | {"above": 100})
    yield Case(
        "a search that breaks off before its count",
        (small, early),
        source="tag",
        stop_messages=("the others cannot be listed",),
    )
    yield Case("504 for pages of more than 500", (Rule("page_too_large", EXPORT, forever),), source="tag")
    lost = Rule("reset_after")
    for paging, how in (("number", "by number"), ("none", "on one page")):

        def page_otherwise(demo: Demo, _refs: list[int], paging: str = paging) -> None:
            demo.account.configure(paging=paging)

        yield Case(f"a lost answer, and a list of jobs {how}", (lost,), before=page_otherwise)
    yield Case("no status of several jobs at once", (), before=_no_show_many)
    yield Case(
        "no status of any job",
        (Rule("refused", JOB_LIST, forever | {"status": 404, "code": "RecordNotFound"}),),
        quick=False,
    )


def _no_show_many(demo: Demo, _refs: list[int]) -> None:
    demo.account.configure(jobs_show_many=False)


def _bulk_job_faults() -> Iterator[Case]:
    yield Case("a batch whose results are null", (Rule("results_null"),))
    yield Case("a batch whose results are an object", (Rule("results_object"),))
    yield Case("results that lack seven tickets", (Rule("results_missing", params={"count": 7}),))
    yield Case(
        "results that lack every ticket", (Rule("results_missing", params={"count": 100}),), quick=False
    )
    yield Case("a batch whose status is 404", (Rule("job_gone"),))
    yield Case("a batch that stays queued for ten minutes", (Rule("job_stuck", params={"seconds": 600}),))
    for kind, word in (("job_failed", "that failed"), ("job_killed", "killed")):
        for done in (0, 30, 99):
            rule = Rule(kind, params={"done": done})
            yield Case(f"a batch {word} after {done} tickets", (rule,), quick=done == 30)
    one_failed = {"changed": TICKETS - 1, "failed": 1}
    yield Case("a ticket that breaks its batch", (Rule("poison", params=POISON),), one_failed)
    # Once the batch is small enough, all of it is done before it breaks.
    midway = Rule("poison", params=POISON | {"done": 20})
    yield Case("a ticket that breaks its batch after 20 are done", (midway,), quick=False)
    for shape in ("new", "old"):
        rule = Rule("item_error", params={"times": None, "shape": shape, "ids": ONE_TICKET})
        yield Case(f"a ticket that is refused, {shape} shape", (rule,), one_failed)
    yield Case("three tickets in conflict", (Rule("conflict", params={"count": 3}),))
    yield Case(
        "a ticket permanently in conflict",
        (Rule("conflict", params={"times": None, "ids": ONE_TICKET}),),
        one_failed,
    )
    refused = Rule("item_error", params={"text": "Resolution: is required"})
    yield Case("a whole batch refused, ticket by ticket", (refused,), {"changed": 20, "failed": 100})
    yield Case("a ticket deleted meanwhile", (), {"changed": TICKETS - 1, "skipped": 1}, midway=_delete_one)
    yield Case(
        "a ticket deleted meanwhile and missing from the results",
        (),
        {"changed": TICKETS - 1, "unverified": 1},
        midway=_delete_one_silently,
    )


def _ai_agents() -> Iterator[Case]:
    some_failed = {"changed": TICKETS - 3, "failed": 3}
    yield Case("three tickets that an AI agent holds, refused", (), some_failed, before=_hand_over)
    yield Case("three tickets that an AI agent holds, ignored", (), some_failed, before=_hand_over_in_silence)
    yield Case("three tickets handed to an AI agent meanwhile", (), some_failed, midway=_hand_over)
    yield Case("three tickets that an AI agent holds, accepted", (), before=_hand_over_open, quick=False)


def _batch_form() -> Iterator[Case]:
    """What Zendesk may make of changes that travel in the batch form, each ticket with its own."""
    for treatment, words in (("warned", "with a warning"), ("ignored", "without a word")):
        yield Case(
            f"tags to add ignored in the batch form, {words}",
            (),
            source=WITH_A_NOTE,
            before=partial(_configure, batch_tag_changes=treatment),
        )


def _belief() -> Iterator[Case]:
    """What Zendesk says of a ticket and what the ticket shows are two things."""
    for what, kind in (
        ("neither success nor failure", "no_verdict"),
        ("success and failure in two items", "two_verdicts"),
        ("success beside an error", "both_verdicts"),
    ):
        yield Case(f"a batch that reports {what}", (Rule(kind),))
        for applied in (True, False):
            rule = Rule(kind, params={"times": None, "ids": ONE_TICKET, "applied": applied})
            end = ALL_CHANGED if applied else {"changed": TICKETS - 1, "unverified": 1}
            done = "updated" if applied else "not updated"
            yield Case(f"a ticket, {done}, that always reports {what}", (rule,), end, quick=not applied)
    yield Case("results for tickets that were not sent", (Rule("other_ids"),))
    always: dict[str, Any] = {"times": None}
    not_made = ("did not make it",)
    yield Case("a batch accepted and not applied", (Rule("not_applied"),), stop_messages=not_made)
    moved = Rule("not_applied", params={"touched": True})
    yield Case("a batch accepted and not applied, its stamps moved", (moved,), stop_messages=not_made)
    yield Case(
        "every batch accepted and not applied", (Rule("not_applied", params=always),), stop_messages=not_made
    )
    one = Rule("not_applied", params=always | {"ids": ONE_TICKET})
    yield Case("a ticket accepted and not applied", (one,), stop_messages=not_made)
    yield Case(
        "a ticket accepted and not applied, touched by an agent since",
        (one,),
        stop_messages=not_made,
        midway=_touch_all,
    )
    some_keys = Rule("not_applied", params={"keys": ["additional_tags"]})
    yield Case("a batch accepted of which one key is not applied", (some_keys,), stop_messages=not_made)
    for audits, end in (
        ("steps", ALL_CHANGED),
        ("net", {"unverified": TICKETS}),
        ("refused", {"unverified": TICKETS}),
        ("empty", {"unverified": TICKETS}),
    ):
        yield Case(
            f"a change that a trigger undoes at once, audits: {audits}",
            (),
            end,
            before=partial(_undo_by_trigger, audits=audits),
            quick=audits != "empty",
            undone=True,
        )
    warning = ("ignores “additional_tags”",)
    yield Case("a key ignored, as the answer warns", (Rule("ignored_key"),), stop_messages=warning)
    yield Case(
        "a key ignored by every call, as the answers warn",
        (Rule("ignored_key", params=always),),
        stop_messages=warning,
        quick=False,
    )
    in_vain = Rule("ignored_key", params=always | {"applied": True})
    yield Case("a warning about a key that is applied all the same", (in_vain,), stop_messages=warning)
    harmless = Rule("ignored_key", params=always | {"key": "colour"})
    yield Case("a warning about a key that does not matter", (harmless,))
    yield from _vague()


def _vague() -> Iterator[Case]:
    """Failures with a general code, in another language: the tickets show why."""
    one_failed = {"changed": TICKETS - 1, "failed": 1}
    yield Case(
        "a ticket deleted meanwhile, with a general code",
        (),
        {"changed": TICKETS - 1, "skipped": 1},
        before=_be_vague,
        midway=_delete_one,
    )
    yield Case(
        "a ticket closed meanwhile, with a general code", (), one_failed, before=_be_vague, midway=_close_one
    )
    yield Case(
        "tickets touched meanwhile, with a general code", (), before=_be_vague, midway=_touch_all, scale=0.5
    )
    refused = Rule("item_error", params={"times": None, "ids": ONE_TICKET, "text": "Gruppe: nicht erlaubt"})
    yield Case("a ticket refused in another language", (refused,), one_failed)
    every = Rule("item_error", params={"text": "Gruppe: nicht erlaubt", "index": 0})
    yield Case("a batch refused, each ticket with index 0", (every,), {"changed": 20, "failed": 100})
    for code in ("DatabaseConflict", "DatabaseDeadlock", "ServiceUnavailable", "Timeout"):
        passing = Rule("item_error", params={"code": code, "text": "Bitte später"})
        yield Case(f"a batch whose tickets fail with {code}", (passing,), quick=code == "Timeout")


def _hearsay() -> Iterator[Case]:
    """A search that lags: it finds tickets that match no longer, and misses others."""
    without = {"changed": TICKETS - 20}
    for what, source, outcomes in (
        ("tickets by their tag", TAGGED, without),
        ("tickets for a rename", RENAMED, without),
        ("tickets for a filter", HAVING, without),
        ("tickets to leave out", LEFT_OUT, {"changed": 20}),
    ):
        yield Case(f"a stale search for {what}", (), outcomes, source=source, before=_lose_the_tag)
    yield Case(
        "a stale search for a long list",
        (),
        without | {"skipped": 20},
        source=LONG_SEARCH,
        before=_lose_the_tag,
    )


def _standstills() -> Iterator[Case]:
    limited = Rule("rate_limited", UPDATE, {"after": 1, "retry_after": 40})
    theirs = {"changed": TICKETS - 20, "unchanged": 10, "skipped": 10}
    for what, how, rules in (
        ("a pause", PAUSED, ()),
        ("the hold after the first tickets", HELD, ()),
        ("a wait for the rate limit", WAITING, (limited,)),
    ):
        yield Case(
            f"an agent at work during {what}",
            rules,
            theirs,
            source=TAGGED,
            stands_still=how,
            meanwhile=_work_as_an_agent,
        )


def _previews() -> Iterator[Case]:
    """Previews of a macro, one for each ticket. The numbers of tickets begin with a 4."""
    for what, kind, params in (
        ("500", "server_error_before", {"status": 500}),
        ("an HTML page", "html", {}),
        ("429 with Retry-After", "rate_limited", {"retry_after": 40}),
    ):
        rule = Rule(kind, "GET /api/v2/tickets/4", {"times": 1, "after": 5} | params)
        yield Case(f"{what} instead of a macro's preview", (rule,), source=PREVIEWED, quick=kind == "html")


def _undo() -> Iterator[Case]:
    """Values that Zendesk may not take back: the one ticket says so, and its tags come back all the same."""
    not_back = {"changed": TICKETS - 1, "failed": 1}
    for treatment in ("ignored", "refused"):
        yield Case(
            f"null {treatment} where an undo empties a field again",
            (),
            not_back,
            source=UNDO_OF_EMPTY,
            before=partial(_configure, nulls=treatment),
        )
        yield Case(
            f"the status new {treatment} in an undo",
            (),
            not_back,
            source=UNDO_OF_NEW,
            before=partial(_configure, back_to_new=treatment),
            quick=treatment == "ignored",
        )


def _combined() -> Iterator[Case]:
    """Combinations in which one fault hides another."""
    lost = Rule("reset_after", params={"times": None, "every": 2})
    yield Case("half of the answers to batches lost", (lost,), quick=False)
    yield Case("every answer to a batch lost", (Rule("reset_after", params={"times": None}),))
    yield Case(
        "answers lost, and the list of jobs fails",
        (lost, Rule("server_error_before", JOB_LIST, {"times": 3})),
    )
    yield Case(
        "answers lost for batches without results", (lost, Rule("results_null", params={"times": None}))
    )
    yield Case("answers lost for batches that fail", (lost, Rule("job_failed", params={"done": 30})))
    yield Case(
        "answers lost, and a ticket that breaks its batch",
        (lost, Rule("poison", params=POISON)),
        None,  # the answer about that ticket alone may be among the lost: then nobody says that it failed
    )
    yield Case(
        "every answer lost, and a ticket that breaks its batch",
        (Rule("reset_after", params={"times": None}), Rule("poison", params=POISON)),
        {"changed": TICKETS - 1, "unverified": 1},  # nobody ever says that it failed
    )
    yield Case("answers lost, and conflicts", (lost, Rule("conflict", params={"count": 3})), quick=False)


def _fill_the_queue(demo: Demo, refs: list[int]) -> None:
    """Start thirty jobs of another client, on other tickets; they end after ten minutes."""
    demo.fault("job_stuck", times=30, seconds=600)
    others = [ref for ref in demo.open_tickets if ref not in refs]
    for ref in others[:30]:
        demo.update_as_others(ref)


def _configure(demo: Demo, _refs: list[int], **options: Any) -> None:
    demo.account.configure(**options)


def _undo_by_trigger(demo: Demo, refs: list[int], audits: str) -> None:
    trigger = sandbox.Rule(
        "Takes the mark off", (("current_tags", "includes", "mark"),), (("remove_tags", "mark"),)
    )
    demo.account.configure(triggers=(trigger,), audits=audits)


def _be_vague(demo: Demo, refs: list[int]) -> None:
    demo.account.configure(vague_errors=True)


def _close_one(demo: Demo, refs: list[int]) -> None:
    demo.account.edit(refs[5], status="closed")


def _touch_all(demo: Demo, refs: list[int]) -> None:
    for ref in refs:
        demo.account.edit(ref, add=[THEIRS])


def _lose_the_tag(demo: Demo, refs: list[int]) -> None:
    """Twenty lose the tag that all have, and the search does not know it yet."""
    demo.account.configure(search_lag=3_600)
    for ref in refs[:20]:
        demo.account.edit(ref, remove=[CHOSEN])


def _work_as_an_agent(demo: Demo, refs: list[int]) -> None:
    """Of the tickets not sent yet, ten get the job's tag, and ten lose the one that they were chosen by."""
    left = [ref for ref in refs if not demo.account.ledger.sent[ref]]
    for ref in left[:10]:
        demo.account.edit(ref, add=["mark"])
    for ref in left[10:20]:
        demo.account.edit(ref, remove=[CHOSEN])


def _delete_one(demo: Demo, refs: list[int]) -> None:
    demo.account.delete(refs[5])


def _delete_one_silently(demo: Demo, refs: list[int]) -> None:
    demo.account.configure(missing_ids="omit")
    demo.account.delete(refs[5])


def _hand_over(demo: Demo, refs: list[int]) -> None:
    for ref in refs[:3]:
        demo.account.set_ai_agent(ref, holds=True)


def _hand_over_in_silence(demo: Demo, refs: list[int]) -> None:
    demo.account.configure(ai_agent_updates="ignored")
    _hand_over(demo, refs)


def _hand_over_open(demo: Demo, refs: list[int]) -> None:
    demo.account.configure(ai_agent_updates="accepted")
    _hand_over(demo, refs)


CASES: tuple[Case, ...] = tuple(
    chain(
        _at_every_endpoint(),
        _odd_retry_after(),
        _too_many_jobs(),
        _outages(),
        _account_refused(),
        _odd_answers(),
        _odd_lists(),
        _bulk_job_faults(),
        _ai_agents(),
        _batch_form(),
        _previews(),
        _undo(),
        _belief(),
        _hearsay(),
        _standstills(),
        _combined(),
    )
)


def random_mixture(seed: int) -> Case:
    """Random faults, each at a random endpoint and now and then; the same seed gives the same faults."""
    chance = random.Random(seed)
    rules = []
    for _ in range(chance.randint(2, 6)):
        frequency = {
            "times": chance.randint(1, 4),
            "after": chance.randint(0, 4),
            "every": chance.randint(1, 3),
        }
        if chance.random() < 0.5:
            _, kind, params = chance.choice([one for one in TRANSIENT if one[1] not in HANGING])
            rules.append(
                Rule(kind, chance.choice([on for on, _, _ in ENDPOINTS.values()]), params | frequency)
            )
        else:
            rule = chance.choice(
                [rule for case in _bulk_job_faults() for rule in case.rules if rule.kind != "job_stuck"]
            )
            rules.append(Rule(rule.kind, rule.on, rule.params | frequency))
    source = chance.choice(["ids", LONG_LIST, "view", "tag"])
    scale = chance.choice([0.0, 1.0, 5.0])
    kinds = ", ".join(sorted({rule.kind for rule in rules}))
    return Case(f"mixed {seed}: {kinds}", tuple(rules), None, source=source, scale=scale, quick=False)
