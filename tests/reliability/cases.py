"""Every fault of the demo Zendesk, wherever it can strike a job, and what must become of the tickets.

The one list of them: the tests run the everyday ones, `make reliability` runs all and writes the table.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tests.demo import Demo
from zendesk.sandbox import VIEW_UNSOLVED

#: Tickets of a trial: two batches.
TICKETS = 120

TOKEN = "POST /oauth/tokens"
VIEW = "GET /api/v2/views"
COUNT = f"GET /api/v2/views/{VIEW_UNSOLVED}/count"
EXPORT = "GET /api/v2/search/export"
READ = "GET /api/v2/tickets/show_many"
UPDATE = "PUT /api/v2/tickets/update_many"
ASK = "GET /api/v2/job_statuses/show_many"
ASK_ONE = "GET /api/v2/job_statuses/V3"
JOB_LIST = "GET /api/v2/job_statuses"
ANY = "* /"

#: A source: a view whose pages end early, so that its tickets are counted.
LONG_VIEW = "long view"
#: A source: numbers of which there are so many that they are read as they are sent.
LONG_LIST = "long list"
#: In a rule's `ids`: one of the job's tickets.
ONE = "one"
POISON: dict[str, Any] = {"times": None, "ids": ONE}
ALL_CHANGED = {"changed": TICKETS}


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault as the demo is told of it; `params` are those of its kind, and `times`, `after`, `every`."""

    kind: str
    on: str = UPDATE
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, or several, and what must come of it."""

    name: str
    rules: tuple[Rule, ...]
    outcomes: dict[str, int] | None = field(default_factory=lambda: ALL_CHANGED)  # None: any that are true
    waits_for: frozenset[str] = frozenset()  # reasons for which the job must have waited
    says: tuple[str, ...] = ()  # words of each stop that a person has to mend, in turn
    lasts: float = float("inf")  # seconds of waiting after which Zendesk is well again by itself
    source: str = "ids"
    before: Callable[[Demo, list[int]], None] | None = None  # what is so at Zendesk already
    midway: Callable[[Demo, list[int]], None] | None = None  # what happens there once the job reads
    hurried: bool = False  # a try of a call has a second, not half a minute
    scale: float = 0.0  # of the time that Zendesk's jobs take; 0: they are done when their call is answered
    everyday: bool = True  # run with all the tests; the others by `make reliability`


#: Which calls a fault of calls is tried on, in words, with what must be so for them to be made.
PLACES: dict[str, tuple[str, str, tuple[Rule, ...]]] = {
    "when a token is fetched": (TOKEN, "ids", ()),
    "on a page of a view": (VIEW, "view", ()),
    "when a long view is counted": (COUNT, LONG_VIEW, ()),
    "on a page of a search": (EXPORT, "tag", ()),
    "when tickets are read": (READ, "ids", ()),
    "when a long list is read": (READ, LONG_LIST, ()),
    "when tickets are sent": (UPDATE, "ids", ()),
    "when batches are asked about": (ASK, "ids", ()),
    "when a forgotten batch is asked about": (ASK_ONE, "ids", (Rule("job_gone"),)),
    "when a lost batch is looked for": (JOB_LIST, "ids", (Rule("reset_after"),)),
}
#: Faults of calls that pass: what each is called, its parameters, and whether the job is seen to wait.
PASSING: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("429 with Retry-After", "rate_limited", {"retry_after": 40}),
    ("429 without Retry-After", "rate_limited", {"retry_after": None}),
    ("429 as a page of HTML", "rate_limited", {"retry_after": 40, "html": True}),
    ("503 with Retry-After", "server_error_before", {"retry_after": 40}),
    ("500 before the work", "server_error_before", {"status": 500}),
    ("502 as HTML before the work", "server_error_before", {"status": 502, "html": True}),
    ("500 after the work", "server_error_after", {"status": 500}),
    ("504 as HTML after the work", "server_error_after", {"status": 504, "html": True}),
    ("connection reset before the work", "reset_before", {}),
    ("connection reset after the work", "reset_after", {}),
    ("no answer, work not done", "hang", {}),
    ("no answer, work done", "hang", {"after_work": True}),
    ("answer byte by byte", "trickle", {"pause": 0.2}),
    ("answer byte by byte, headers too", "trickle", {"pause": 0.2, "head": True}),
    ("half of the JSON", "truncated", {}),
    ("a page of HTML instead of JSON", "html", {}),
    ("a token that ended early", "unauthorized", {}),
    ("all tokens revoked", "revoke_tokens", {}),
)
SLOW = ("hang", "trickle")
ABSURD = ("-5", "0", "999999999", "1e400", "nan", "soon", "", "Wed, 21 Oct 2015 07:28:00 GMT", "\u0665")

#: Those that mean a wait too short to be seen.
AT_ONCE = ("0", "Wed, 21 Oct 2015 07:28:00 GMT")


def _at_every_place() -> Iterator[Case]:
    for where, (on, source, before) in PLACES.items():
        for what, kind, params in PASSING:
            if on == TOKEN and kind in ("unauthorized", "revoke_tokens"):
                continue  # fetching a token is what mends these
            yield Case(
                f"{what}, {where}",
                (*before, Rule(kind, on, params)),
                source=source,
                hurried=kind in SLOW,
                everyday=on == UPDATE and kind not in SLOW and not params.get("html"),
            )


def _absurd() -> Iterator[Case]:
    for value in ABSURD:
        shown = value.encode("ascii", "backslashreplace").decode()
        rule = Rule("rate_limited", UPDATE, {"retry_after": value})
        waits = frozenset() if value in AT_ONCE else frozenset({"rate_limit"})
        yield Case(f"429 with Retry-After “{shown}”", (rule,), waits_for=waits, everyday=value == "-5")


def _too_many_jobs() -> Iterator[Case]:
    slots = frozenset({"job_slots"})
    yield Case("30 jobs of others in the queue", (), waits_for=slots, before=_fill_the_queue)
    yield Case("TooManyJobs, three times", (Rule("too_many_jobs", params={"times": 3}),), waits_for=slots)


def _lasting() -> Iterator[Case]:
    for_ever: dict[str, Any] = {"times": None}
    away = frozenset({"service_away"})
    yield Case(
        "Zendesk away for ten minutes",
        (Rule("server_error_before", ANY, for_ever | {"after": 3}),),
        waits_for=away,
        lasts=600,
    )
    yield Case(
        "Zendesk away for ten minutes, no connection",
        (Rule("reset_before", ANY, for_ever | {"after": 3}),),
        waits_for=away,
        lasts=600,
        everyday=False,
    )
    yield Case(
        "pages of HTML for ten minutes",
        (Rule("html", ANY, for_ever | {"after": 3, "status": 503}),),
        waits_for=away,
        lasts=600,
        everyday=False,
    )
    yield Case(
        "429 for ten minutes",
        (Rule("rate_limited", ANY, for_ever | {"after": 3, "retry_after": 60}),),
        waits_for=frozenset({"rate_limit"}),
        lasts=600,
        everyday=False,
    )
    for where, on in (("sending", UPDATE), ("asking", ASK), ("reading", READ), ("signing in", TOKEN)):
        yield Case(
            f"credentials refused while {where}, for good",
            (Rule("unauthorized", on, for_ever),),
            says=("credentials",),
            everyday=on == UPDATE,
        )
    yield Case(
        "no account at the address any more",
        (Rule("html", READ, for_ever | {"status": 404}),),
        says=("no Zendesk account",),
        everyday=False,
    )


def _of_jobs() -> Iterator[Case]:
    yield Case("a batch whose results are null", (Rule("results_null"),))
    yield Case("a batch whose results are an object", (Rule("results_object"),))
    yield Case("results without seven of the tickets", (Rule("results_missing", params={"count": 7}),))
    yield Case(
        "results without any ticket", (Rule("results_missing", params={"count": 100}),), everyday=False
    )
    yield Case("a batch whose status is 404", (Rule("job_gone"),))
    yield Case("a batch that stays queued for ten minutes", (Rule("job_stuck", params={"seconds": 600}),))
    for kind, word in (("job_failed", "failed"), ("job_killed", "killed")):
        for done in (0, 30, 99):
            rule = Rule(kind, params={"done": done})
            yield Case(f"a batch {word} after {done} tickets", (rule,), everyday=done == 30)
    one_failed = {"changed": TICKETS - 1, "failed": 1}
    yield Case("a ticket that breaks its batch", (Rule("poison", params=POISON),), one_failed)
    # Where the batch has become small enough, all of it is done before it breaks.
    midway = Rule("poison", params=POISON | {"done": 20})
    yield Case("a ticket that breaks its batch when 20 are done", (midway,), everyday=False)
    for shape in ("new", "old"):
        rule = Rule("item_error", params={"times": None, "shape": shape, "ids": ONE})
        yield Case(f"a ticket that is refused, {shape} shape", (rule,), one_failed)
    yield Case("three tickets in conflict", (Rule("conflict", params={"count": 3}),))
    yield Case(
        "a ticket in conflict, always", (Rule("conflict", params={"times": None, "ids": ONE}),), one_failed
    )
    refused = Rule("item_error", params={"text": "Resolution: is required"})
    yield Case("a whole batch refused, ticket by ticket", (refused,), {"changed": 20, "failed": 100})
    yield Case("a ticket deleted meanwhile", (), {"changed": TICKETS - 1, "skipped": 1}, midway=_delete_one)
    yield Case(
        "a ticket deleted meanwhile that results leave out",
        (),
        {"changed": TICKETS - 1, "unverified": 1},
        midway=_delete_one_unsaid,
    )


def _together() -> Iterator[Case]:
    """Faults that hide each other."""
    lost = Rule("reset_after", params={"times": None, "every": 2})
    yield Case("half of all answers to batches lost", (lost,), everyday=False)
    yield Case("every answer to a batch lost", (Rule("reset_after", params={"times": None}),))
    yield Case(
        "answers lost, and no list of jobs", (lost, Rule("server_error_before", JOB_LIST, {"times": 3}))
    )
    yield Case(
        "answers lost of batches without results", (lost, Rule("results_null", params={"times": None}))
    )
    yield Case("answers lost of batches that break", (lost, Rule("job_failed", params={"done": 30})))
    yield Case(
        "answers lost, and a ticket that breaks its batch",
        (lost, Rule("poison", params=POISON)),
        {"changed": TICKETS - 1, "failed": 1},
    )
    yield Case(
        "every answer lost, and a ticket that breaks its batch",
        (Rule("reset_after", params={"times": None}), Rule("poison", params=POISON)),
        {"changed": TICKETS - 1, "failed": 1},
    )
    yield Case("answers lost, and conflicts", (lost, Rule("conflict", params={"count": 3})), everyday=False)


def _fill_the_queue(demo: Demo, refs: list[int]) -> None:
    """Thirty jobs of somebody else, on other tickets, that end after ten minutes."""
    demo.fault("job_stuck", times=30, seconds=600)
    others = [ref for ref in demo.open_tickets if ref not in refs]
    for ref in others[:30]:
        demo.update_as_others(ref)


def _delete_one(demo: Demo, refs: list[int]) -> None:
    demo.account.delete(refs[5])


def _delete_one_unsaid(demo: Demo, refs: list[int]) -> None:
    demo.account.configure(missing_ids="omit")
    demo.account.delete(refs[5])


CASES: tuple[Case, ...] = tuple(
    chain(_at_every_place(), _absurd(), _too_many_jobs(), _lasting(), _of_jobs(), _together())
)


def mixed(seed: int) -> Case:
    """Some faults at random, each striking now and then, at random places; the same seed, the same faults."""
    chance = random.Random(seed)
    rules = []
    for _ in range(chance.randint(2, 6)):
        often = {"times": chance.randint(1, 4), "after": chance.randint(0, 4), "every": chance.randint(1, 3)}
        if chance.random() < 0.5:
            _, kind, params = chance.choice([one for one in PASSING if one[1] not in SLOW])
            rules.append(Rule(kind, chance.choice([on for on, _, _ in PLACES.values()]), params | often))
        else:
            rule = chance.choice(
                [rule for case in _of_jobs() for rule in case.rules if rule.kind != "job_stuck"]
            )
            rules.append(Rule(rule.kind, rule.on, rule.params | often))
    source = chance.choice(["ids", LONG_LIST, "view", "tag"])
    scale = chance.choice([0.0, 1.0, 5.0])
    kinds = ", ".join(sorted({rule.kind for rule in rules}))
    return Case(f"mixed {seed}: {kinds}", tuple(rules), None, source=source, scale=scale, everyday=False)
