"""Two hosts with one name and wrong clocks on one PostgreSQL, as containers, at work on the same jobs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from tests import namespaces
from tests.demo import Demo, demo_zendesk
from tests.outages.postgres import Server, own_postgres
from tests.outages.premises import Premises, premises
from tests.processes import await_that, end_of

#: Python runs it at its start: the time of day of the process, and of those that it forks, is wrong. Not its
#: monotonic clock. (Linux has no time of day of a namespace's own, and libfaketime breaks Python's sleep.)
WRONG_CLOCK = """
import os, time, time_machine
hand = time_machine.travel(0).start()
hand.move_to(time_machine.escape_hatch.time.time() + int(os.environ["WRONG_BY"]))
time.time()  # the moved clock begins to go when it is first looked at
"""

pytestmark = [pytest.mark.slow, pytest.mark.once, namespaces.needed]


@pytest.fixture
def demo(settings: Settings) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=2500) as running:
        yield running


@pytest.fixture
def postgres() -> Iterator[Server]:
    with own_postgres() as server:
        yield server


@pytest.fixture
def place(demo: Demo, postgres: Server, tmp_path: Path) -> Iterator[Premises]:
    with premises(demo, tmp_path / "var", postgres.url) as running:
        yield running


class Host:
    """A container whose clock is wrong by so many seconds, with a worker in it."""

    def __init__(self, place: Premises, wrong: int) -> None:
        self._place = place
        (place.folder / "sitecustomize.py").write_text(WRONG_CLOCK)
        self._environment = place.environment | {"PYTHONPATH": str(place.folder), "WRONG_BY": str(wrong)}
        self._log = place.folder / f"worker{wrong:+d}.log"
        with self._log.open("w") as log:
            self.worker = self.start("run_worker", stdout=log, stderr=log)
        await_that(lambda: "The worker is up" in self.said, "the worker")

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        command = [*namespaces.inside(host="one-name"), sys.executable, "manage.py", *arguments]
        return self._place._start(command, env=self._environment, **options)

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def namespace(self) -> str:
        """The number of its PID namespace."""
        (child,) = Path(f"/proc/{self.worker.pid}/task/{self.worker.pid}/children").read_text().split()
        return Path(f"/proc/{child}/ns/pid").readlink().name.removeprefix("pid:[").removesuffix("]")


def beats(postgres: Server) -> dict[str, tuple[object, float]]:
    """The time and the clock of each worker, by its PID namespace."""
    rows = postgres.ask("SELECT owner, at, clock_ahead FROM jobs_beat")
    return {owner.rpartition("/")[2]: (at, ahead) for owner, at, ahead in rows}


def holder(postgres: Server, job: int) -> str:
    """The namespace of the worker that has the job; "" when nobody has."""
    ((owner,),) = postgres.ask("SELECT lease_owner FROM jobs_job WHERE id = %s", job)
    return str(owner).rpartition("/")[2]


def await_beats(postgres: Server, *hosts: Host, times: int) -> None:
    """With each beat a worker also looks for jobs whose worker is dead."""
    for _ in range(times):
        before = beats(postgres)
        for host in hosts:
            await_that(
                lambda host=host, before=before: beats(postgres)[host.namespace] != before[host.namespace],  # type: ignore[misc]
                "another beat",
            )


@pytest.mark.parametrize(("one", "other"), [(70, 130), (0, -130)])
def test_no_job_is_taken_from_a_living_worker_and_that_of_a_dead_one_is(
    demo: Demo, postgres: Server, place: Premises, one: int, other: int
) -> None:
    hosts = [Host(place, one), Host(place, other)]
    refs = demo.open_tickets[:2000]
    demo.account.hold(after=2)
    for part in (refs[:1000], refs[1000:]):
        ids = ",".join(map(str, part))
        assert place.run("tag_tickets", "--ids", ids, "--add", "brand-new", "--yes", "--detach").code == 0
    await_that(lambda: holder(postgres, 1) and holder(postgres, 2), "both jobs in hand")
    await_beats(postgres, *hosts, times=3)
    assert postgres.ask("SELECT sum(workers_lost) FROM jobs_job") == [(0,)]
    assert [round(beats(postgres)[host.namespace][1]) for host in hosts] == [one, other]
    for host, wrong in zip(hosts, (one, other), strict=True):
        assert ("The clock of this host is" in host.said) is (wrong != 0)
    checked = end_of(hosts[0].start("run_worker", "--check"))
    assert "No worker is alive on this host." in checked.err, "those are in other containers of this name"

    dead = next(host for host in hosts if host.namespace == holder(postgres, 1))
    (living,) = (host for host in hosts if host is not dead)
    namespace = dead.namespace
    dead.worker.kill()
    dead.worker.wait()
    await_beats(postgres, living, times=3)
    assert namespace in (holder(postgres, 1), holder(postgres, 2)), "only its missing beat tells"
    postgres.ask("UPDATE jobs_job SET beat_at = beat_at - interval '50 s' RETURNING id")
    await_that(
        lambda: {holder(postgres, 1), holder(postgres, 2)} == {living.namespace}, "the take-over", seconds=90
    )
    demo.account.release()
    await_that(
        lambda: postgres.ask("SELECT count(*) FROM jobs_job WHERE finished_at IS NULL") == [(0,)], "the end"
    )
    rows = postgres.ask("SELECT status, changed FROM jobs_job ORDER BY id")
    assert rows == [("succeeded", 1000), ("succeeded", 1000)]
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}
    assert place.run("check_jobs").code == 0
