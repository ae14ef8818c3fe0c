"""Web, worker and commands through a real pgbouncer, which lends a connection for a transaction at a time."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pytest_django import Settings

from jobs.runtime.database_retry import Trouble
from tests.demo import Demo, demo_zendesk
from tests.outages import pgbouncer
from tests.outages.pgbouncer import Pooler
from tests.outages.postgres import Server, own_postgres
from tests.outages.premises import Premises, premises
from tests.processes import await_that, end_of

pytestmark = [pytest.mark.slow, pytest.mark.once, pgbouncer.needed]

#: What docs/settings.md says to run.
TIMEOUTS = {"lock_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}
#: The connections of the pool.
CLIENTS = "pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"


@pytest.fixture
def demo(settings: Settings) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=2500) as running:
        yield running


@pytest.fixture
def postgres() -> Iterator[Server]:
    with own_postgres() as server:
        yield server


def written(demo: Demo) -> int:
    return sum(demo.account.ledger.updates.values())


def drop_connections(postgres: Server) -> int:
    """End the server's side of all connections of the pool; returns how many there were."""
    ended = postgres.ask(f"SELECT count(pg_terminate_backend(pid)) FROM {CLIENTS}")
    return int(ended[0][0])


def trouble(place: Premises, pooler: Pooler, postgres: Server, number: int) -> None:
    """One of the things that happen to a pooler and its connections."""
    if number == 0:
        assert drop_connections(postgres) > 0
    elif number == 1:
        pooler.end(signal.SIGKILL)
        assert place.run("jobs", "list").code == 1
        pooler.start()
    else:
        pooler.end(signal.SIGTERM)  # at once, whatever is going on
        pooler.start()
        assert drop_connections(postgres) >= 0


@pytest.mark.parametrize("pool", [2, 5])
def test_jobs_go_through_it_whatever_happens_to_it_and_nothing_is_sent_twice(
    demo: Demo, postgres: Server, tmp_path: Path, pool: int
) -> None:
    with (
        pgbouncer.pgbouncer(postgres, pool=pool) as pooler,
        premises(demo, tmp_path / "var", pooler.url, DATABASE_POOLED="True") as place,
    ):
        web = place.start_web()
        refs = demo.open_tickets[:2000]
        ids = [",".join(map(str, part)) for part in (refs[:1000], refs[1000:])]
        tag = ("tag_tickets", "--add", "brand-new", "--yes", "--ids")
        demo.account.hold(after=2)
        assert place.run(*tag, ids[0], "--detach").code == 0
        place.start_worker()
        command = place.manage(*tag, ids[1])
        sent = "SELECT count(DISTINCT job_id) FROM jobs_batch WHERE sent_at IS NOT NULL"
        await_that(lambda: postgres.ask(sent) == [(2,)], "the worker and the command")
        for number in range(3):
            before = written(demo)
            demo.account.hold(after=2)
            await_that(lambda before=before: written(demo) > before, "some tickets")  # type: ignore[misc]
            trouble(place, pooler, postgres, number)
            await_that(lambda: place.ask(web, "/jobs/1/").status_code == 200, "the page")
            assert postgres.ask(f"SELECT count(*) FROM {CLIENTS}")[0][0] <= pool
        demo.account.release()
        assert end_of(command).code == 0
        await_that(
            lambda: postgres.ask("SELECT count(*) FROM jobs_job WHERE finished_at IS NULL") == [(0,)],
            "the end",
        )
        rows = postgres.ask("SELECT status, changed FROM jobs_job")
        assert rows == [("succeeded", 1000)] * 2
        assert {demo.account.ledger.updates[ref] for ref in refs} == {1}
        exported = place.ask(web, "/jobs/1/export.csv")
        assert len(exported.text.splitlines()) == 1001
        assert place.run("check_jobs").code == 0
        assert "Traceback" not in place.log("web.log")


def test_the_role_is_to_have_the_time_outs_which_a_pooler_does_not_pass_on(
    demo: Demo, postgres: Server, tmp_path: Path
) -> None:
    with (
        pgbouncer.pgbouncer(postgres, pool=2) as pooler,
        premises(demo, tmp_path / "var", pooler.url, DATABASE_POOLED="True") as place,
    ):
        asked = place.run("check", "--database", "default")
        assert (asked.code, "tagmanager.W030" in asked.err) == (0, True)
        for name, value in TIMEOUTS.items():
            statement = f"ALTER ROLE postgres SET {name} = '{value}';"
            assert statement in asked.err
            page = (Path(__file__).parents[2] / "docs/settings.md").read_text(encoding="utf-8")
            assert statement.replace("postgres", "tagmanager") in page
            with psycopg.connect(f"host={postgres.sockets} user=postgres", autocommit=True) as connection:
                connection.execute(statement)
        pooler.end(signal.SIGKILL)
        pooler.start()
        assert "W030" not in place.run("check", "--database", "default").err


def test_without_the_setting_a_sentence_names_it(demo: Demo, postgres: Server, tmp_path: Path) -> None:
    sentence = Trouble.POOLED.value
    with pgbouncer.pgbouncer(postgres, pool=2) as pooler:
        place = Premises(demo, tmp_path, pooler.url)
        try:
            migrated = place.run("migrate")
            assert (migrated.code, sentence in migrated.err) == (1, True)
            assert place.run("jobs", "list").err == f"{sentence}\n"
            worker = place.run("run_worker")
            assert (worker.code, sentence in worker.err) == (1, True)
            place.start_web()  # it listens at first, and ends when its processes have asked the database
            assert place.started[-1].wait(60) != 0
            assert sentence in place.log("web.log")
        finally:
            place.close()
