"""The jobs of the gallery: each state, and each special case that a page must handle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from jobs.states import FollowUp, Outcome, Status, WaitReason

#: The source of most jobs.
VIEW: Mapping[str, Any] = {"kind": "view", "id": 360000000001, "title": "All unsolved"}
ANA, BEN, WORKER = "ana.example", "ben.example", "worker demo-host:4711"

CLOSED = ("closed", "Status: closed prevents ticket update.")
REQUIRED = ("RecordInvalid", "Resolution: is required when solving a ticket.")
CONFLICT = ("conflict", "Somebody kept changing the ticket while it was to be tagged; tried four times.")
GONE = ("gone", "It was sent, but the result was lost and the ticket can no longer be seen.")
REFUSED = (
    "Stopped: Zendesk refused 120 of the last 200 tickets, most because: “Resolution: is required when "
    "solving a ticket.” Mend that, then resume: nothing is lost. What failed can be retried when the job has "
    "ended."
)
NOT_FOUND = ("not_found", "There is no ticket of this number, or it may not be seen.")


@dataclass(frozen=True, slots=True)
class Part:
    """Tickets of a job with the same outcome; `reason` is a code and its sentence."""

    outcome: Outcome
    number: int
    reason: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline."""

    to: Status
    actor: str = WORKER
    why: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One job of the gallery. `steps` is its whole timeline; the last step says its state."""

    name: str
    title: str
    parts: tuple[Part, ...]
    steps: tuple[Step, ...]
    source: Mapping[str, Any] = field(default_factory=lambda: VIEW)
    add: tuple[str, ...] = ("vip",)
    remove: tuple[str, ...] = ()
    frozen: bool = True  # whether the list is complete
    in_flight: int = 0  # of those without an outcome
    waiting_for: WaitReason | None = None
    waits: timedelta = timedelta(minutes=4)
    quiet: timedelta = timedelta(seconds=2)  # since the last batch settled
    error: str = ""
    dry_run: bool = False
    child_of: str = ""
    follow_up: FollowUp = FollowUp.NONE
    times: int = 1  # the factor between the numbers shown and the tickets stored

    @property
    def status(self) -> Status:
        return self.steps[-1].to


def _parts(
    changed: int = 0, unchanged: int = 0, skipped: int = 0, failed: int = 0, pending: int = 0
) -> tuple[Part, ...]:
    """The usual parts; the order is that of the tickets' numbers."""
    parts = (
        Part(Outcome.CHANGED, changed),
        Part(Outcome.UNCHANGED, unchanged),
        Part(Outcome.SKIPPED, skipped, CLOSED),
        Part(Outcome.FAILED, failed, REQUIRED),
        Part(Outcome.PENDING, pending),
    )
    return tuple(part for part in parts if part.number)


ASKED = Step(Status.QUEUED, ANA)
SELECTED = Step(Status.SELECTING, why="Started.")
FROZEN = Step(Status.RUNNING, why="The list is complete.")
STARTED = (ASKED, SELECTED, FROZEN)
HALF = _parts(changed=120, unchanged=15, skipped=5, pending=100)


def _search(query: str) -> dict[str, Any]:
    return {"kind": "search", "query": query}


def _tagged(tag: str) -> dict[str, Any]:
    return {"kind": "tag", "tag": tag}


def _listed(name: str = "") -> dict[str, Any]:
    return {"kind": "ids", "name": name}


def _waiting(reason: WaitReason, why: str) -> Scene:
    return Scene(
        f"waiting-{reason.value.replace('_', '-')}",
        "Add vip to tickets of view All unsolved",
        HALF,
        (*STARTED, Step(Status.WAITING, why=why)),
        waiting_for=reason,
    )


SCENES = (
    Scene("queued", "Add vip to the tickets given by number", (), (ASKED,), frozen=False, source=_listed()),
    Scene(
        "selecting", "Add vip to tickets of view All unsolved", _parts(pending=300), STARTED[:2], frozen=False
    ),
    Scene(
        "running",
        "Add vip to tickets of view All unsolved",
        _parts(changed=1_200, unchanged=150, skipped=50, failed=2, pending=998),
        STARTED,
        in_flight=300,
    ),
    Scene(
        "stalled",
        "Add vip to tickets found by “type:incident”",
        HALF,
        STARTED,
        source=_search("type:incident"),
        in_flight=60,
        quiet=timedelta(minutes=5),
    ),
    _waiting(WaitReason.RATE_LIMIT, "Zendesk asked us to slow down (429) for 240 s."),
    _waiting(WaitReason.JOB_SLOTS, "Zendesk's queue of bulk jobs is full (TooManyJobs)."),
    _waiting(WaitReason.SERVICE_AWAY, "Zendesk does not answer (connection refused)."),
    _waiting(WaitReason.WORKER_LOST, "The worker demo-host:4711 was lost; another takes over."),
    _waiting(WaitReason.DATABASE, "The database is busy with other work."),
    _waiting(WaitReason.HELD, "All jobs are held: Zendesk asked for a quiet hour."),
    Scene(
        "pausing",
        "Remove old_campaign from tickets tagged old_campaign",
        HALF,
        (*STARTED, Step(Status.PAUSING, BEN)),
        source=_tagged("old_campaign"),
        add=(),
        remove=("old_campaign",),
        in_flight=60,
    ),
    Scene(
        "paused",
        "Remove old_campaign from tickets tagged old_campaign",
        HALF,
        (*STARTED, Step(Status.PAUSING, BEN), Step(Status.PAUSED)),
        source=_tagged("old_campaign"),
        add=(),
        remove=("old_campaign",),
    ),
    Scene(
        "held",
        "Add vip to tickets of view All unsolved",
        _parts(changed=25, unchanged=15, pending=200),
        (
            *STARTED,
            Step(
                Status.PAUSED,
                why="The first 25 tickets are changed. Look at them: going on changes the other 200, "
                "stopping leaves them as they are.",
            ),
        ),
    ),
    Scene(
        "cancelling",
        "Add vip to tickets of view All unsolved",
        HALF,
        (*STARTED, Step(Status.CANCELLING, ANA)),
        in_flight=60,
    ),
    Scene(
        "cancelled",
        "Add vip to tickets of view All unsolved",
        HALF,
        (*STARTED, Step(Status.CANCELLING, ANA), Step(Status.CANCELLED)),
    ),
    Scene(
        "errored",
        "Add vip to tickets of view All unsolved",
        HALF,
        (*STARTED, Step(Status.ERRORED, why="Zendesk refused our credentials (401).")),
        error="Zendesk refused our credentials (401). Renew the OAuth client's secret in the settings, then "
        "resume: nothing is lost.",
    ),
    Scene(
        "errored-by-refusals",
        "Add vip to tickets of view All unsolved",
        (
            Part(Outcome.CHANGED, 180),
            Part(Outcome.FAILED, 108, REQUIRED),
            Part(Outcome.FAILED, 12, CONFLICT),
            Part(Outcome.PENDING, 400),
        ),
        (*STARTED, Step(Status.ERRORED, why=REFUSED)),
        error=REFUSED,
    ),
    Scene(
        "succeeded",
        "Add vip, priority_2026 to tickets of view All unsolved",
        _parts(changed=180, unchanged=40, skipped=20),
        (*STARTED, Step(Status.SUCCEEDED)),
        add=("vip", "priority_2026"),
        remove=("trial",),
    ),
    Scene(
        "partial",
        "Add vip to the tickets in march.csv",
        (
            Part(Outcome.CHANGED, 150),
            Part(Outcome.SKIPPED, 12, CLOSED),
            Part(Outcome.SKIPPED, 3, NOT_FOUND),
            Part(Outcome.FAILED, 31, REQUIRED),
            Part(Outcome.FAILED, 14, CONFLICT),
            Part(Outcome.FAILED, 2, ("TicketTooBig", "Tags: may not be longer than 5096 characters in all.")),
            Part(Outcome.UNVERIFIED, 3, GONE),
        ),
        (*STARTED, Step(Status.PARTIAL)),
        source=_listed("march.csv"),
    ),
    Scene(
        "dry-run",
        "Add vip to tickets found by “type:incident”",
        (Part(Outcome.PLANNED, 190), Part(Outcome.UNCHANGED, 30), Part(Outcome.SKIPPED, 20, CLOSED)),
        (*STARTED, Step(Status.SUCCEEDED)),
        source=_search("type:incident"),
        dry_run=True,
    ),
    Scene(
        "undo",
        "Undo: Add vip, priority_2026 to tickets of view All unsolved",
        (
            Part(Outcome.CHANGED, 170),
            Part(Outcome.SKIPPED, 10, ("changed_since", "Somebody else removed the tag meanwhile.")),
        ),
        (*STARTED, Step(Status.SUCCEEDED)),
        add=("trial",),
        remove=("vip", "priority_2026"),
        source={"kind": "items", "job": 0, "outcomes": ["changed"]},
        child_of="succeeded",
        follow_up=FollowUp.UNDO,
    ),
    Scene(
        "nothing-found",
        "Add vip to tickets tagged no_such_tag",
        (),
        (*STARTED, Step(Status.SUCCEEDED)),
        source=_tagged("no_such_tag"),
    ),
    Scene(
        "huge-running",
        "Add vip to tickets found by “created>2019-01-01”",
        _parts(changed=30, unchanged=4, skipped=3, failed=3, pending=60),
        STARTED,
        source=_search("created>2019-01-01"),
        times=10_000,
    ),
    Scene(
        "huge-partial",
        "Add vip to tickets found by “created>2016-01-01”",
        _parts(changed=80, unchanged=10, skipped=8, failed=2),
        (*STARTED, Step(Status.PARTIAL)),
        source=_search("created>2016-01-01"),
        times=10_000,
    ),
    Scene(
        "long",
        "Add "
        + ", ".join(f"a_rather_long_tag_of_the_spring_campaign_{n}" for n in range(6))
        + " to the tickets in Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen.csv",
        _parts(changed=100, skipped=20),
        (*STARTED, Step(Status.SUCCEEDED)),
        source=_listed("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen.csv"),
        add=(*(f"a_rather_long_tag_of_the_spring_campaign_{n}" for n in range(6)), "x" * 120),
    ),
    Scene(
        "hostile",
        "<script>document.title='owned'</script>\"><img src=x onerror=\"document.title='owned'\"> {{ 7 }} "
        "\u202etxt.exe",
        (
            Part(Outcome.CHANGED, 60),
            Part(
                Outcome.FAILED,
                5,
                ("<b>bold</b>&amp;'", "</td></table><script>document.title='owned'</script> %s {0} ${1}"),
            ),
            Part(Outcome.FAILED, 5, ("=cmd", '=HYPERLINK("http://example.com","look")')),
        ),
        (*STARTED, Step(Status.PARTIAL, why='<i>why</i> & "so"')),
        source=_search("<b>bold</b>"),
        add=("<script>alert(1)</script>", "=1+1", "'\"&amp;", "тег-標籤-🏷"),
    ),
)
