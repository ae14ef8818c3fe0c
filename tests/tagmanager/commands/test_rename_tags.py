"""`rename_tags`: which tickets it finds, what it writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobs.models import Job
from jobs.states import FollowUp
from tagmanager.intake.source_kinds import tag as tag_kind
from tests.demo import Demo, counts, follow
from tests.processes import Ran, command


def rename_tags(*arguments: str) -> Ran:
    return command("rename_tags", *arguments)


def with_any(demo: Demo, *tags: str) -> list[int]:
    """Tickets that are not closed and carry one of the tags."""
    return [ref for ref in demo.open_tickets if demo.tags(ref) & set(tags)]


def truth(demo: Demo) -> dict[int, set[str]]:
    return {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}


def test_every_ticket_with_the_old_tag_gets_the_new_one_in_one_write(demo: Demo) -> None:
    refs, before = with_any(demo, "vip"), truth(demo)
    ran = rename_tags("--pair", "VIP=gold", "--yes")
    job = Job.objects.get()
    assert (ran.code, job.status, job.changed) == (0, "succeeded", len(refs))
    assert job.title == "Rename vip to gold on tickets tagged vip"
    assert {ref: demo.tags(ref) for ref in refs} == {ref: before[ref] - {"vip"} | {"gold"} for ref in refs}
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)
    follow(job, FollowUp.UNDO)
    assert truth(demo) == before


def test_a_mapping_merges_renames_and_removes_at_once(demo: Demo, tmp_path: Path) -> None:
    names = sorted({tag for tags in truth(demo).values() for tag in tags})[:4]
    file = tmp_path / "mapping.csv"
    file.write_text(f"old,new\n{names[0]},merged\n{names[1]},merged\n{names[2]},renamed\n{names[3]},\n")
    refs, before = with_any(demo, *names), truth(demo)
    new = {names[0]: {"merged"}, names[1]: {"merged"}, names[2]: {"renamed"}, names[3]: set[str]()}
    ran = rename_tags("--mapping", str(file), "--yes")
    assert ran.code == 0
    assert Job.objects.get().changed == len(refs)
    wished = {
        ref: before[ref] - set(names) | set().union(*(new[t] for t in before[ref] & set(names)))
        for ref in refs
    }
    assert {ref: demo.tags(ref) for ref in refs} == wished
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_more_tags_than_one_search_takes_are_looked_for_in_several(
    demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_kind, "TAGS_IN_A_SEARCH", 2)
    names = sorted({tag for tags in truth(demo).values() for tag in tags})[:7]
    file = tmp_path / "mapping.csv"
    file.write_text("".join(f"{name},all-in-one\n" for name in names))
    refs = with_any(demo, *names)
    assert rename_tags("--mapping", str(file), "--yes").code == 0
    job = Job.objects.get()
    assert counts(job) == {"changed": len(refs), "skipped": job.skipped}
    assert job.items.filter(outcome="skipped").exclude(reason="closed").count() == 0
    assert with_any(demo, *names) == []


def test_a_source_narrows(demo: Demo) -> None:
    refs = with_any(demo, "vip")
    without = next(ref for ref in demo.open_tickets if ref not in refs)
    ran = rename_tags("--ids", f"{refs[0]},{without}", "--pair", "vip=gold", "--yes")
    assert (ran.code, counts(Job.objects.get())) == (0, {"changed": 1, "unchanged": 1})
    assert "gold" not in demo.tags(refs[1])


def test_a_dry_run_writes_nothing(demo: Demo) -> None:
    refs = with_any(demo, "vip")
    ran = rename_tags("--pair", "vip=gold", "--dry-run")
    assert (ran.code, Job.objects.get().planned) == (0, len(refs))
    assert not demo.account.ledger.updates


def test_many_are_not_renamed_unasked(demo: Demo) -> None:
    ran = rename_tags("--pair", "vip=gold")
    assert (ran.code, Job.objects.count()) == (2, 0)
    assert "--yes" in ran.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--pair", "vip"],
            "--pair vip: put an = between the old tag and the new one",
        ),
        (["--pair", "a=b", "--pair", "b=a"], "These go in a circle: a → b → a. Take one pair out of each."),
        (["--pair", "a=b", "--pair", "b=c"], "A new tag is itself renamed by another pair: a → b → c."),
        (
            ["--mapping", "/nowhere/at-all.csv"],
            "/nowhere/at-all.csv cannot be read: No such file",
        ),
        (["--pair", "vip!=gold"], "--pairs: Line 1: vip! would be stored as vip: Zendesk drops !."),
    ],
)
def test_what_cannot_be_done_is_said_before_a_job_is_made(
    demo: Demo, arguments: list[str], sentence: str
) -> None:
    ran = rename_tags(*arguments, "--yes")
    assert (ran.code, Job.objects.count()) == (2, 0)
    assert sentence in ran.err


def test_chains_are_followed_on_request(demo: Demo) -> None:
    ran = rename_tags("--pair", "vip=gold", "--pair", "gold=platinum", "--follow-chains", "--yes")
    assert ran.code == 0
    job: Any = Job.objects.get()
    assert job.params["pairs"] == {"vip": "platinum", "gold": "platinum"}
    assert with_any(demo, "vip", "gold") == []


def test_a_dry_run_counts_each_pair_and_names_what_goes_on_naming_the_old_tags(demo: Demo) -> None:
    fewer, more = sorted(("vip", "churn_risk"), key=lambda tag: len(with_any(demo, tag)))
    ran = rename_tags(
        "--pair", f"{fewer}=gold", "--pair", f"{more}=", "--pair", "on_no_ticket=x", "--dry-run"
    )
    assert ran.code == 0
    told = [line.strip() for line in ran.out.splitlines()]
    first = told.index(f"{more} is taken off: {len(with_any(demo, more)):,} tickets")
    assert told[first + 1 : first + 3] == [
        f"{fewer} becomes gold: {len(with_any(demo, fewer)):,} tickets",
        "on_no_ticket becomes x: 0 tickets",
    ]
    assert any("“Remind the owners of churn risks” names churn_risk" in line for line in told)
    assert dict(demo.account.ledger.updates) == {}


def test_standard_input_cannot_be_two_things(db: None) -> None:
    ran = rename_tags("--mapping", "-", "--ids-file", "-", "--yes")
    assert (ran.code, ran.err.strip()) == (
        2,
        "Both --mapping and a file of numbers read standard input. Give one as a file.",
    )
