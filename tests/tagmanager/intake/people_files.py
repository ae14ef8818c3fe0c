"""Files as people have them, each with what is right for it: `tests/people_files/cases.json` says which."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError

from jobs.models import Job
from tagmanager.intake import tag_pairs, tag_rows, ticket_ids
from tagmanager.intake.tables.given import Answers, Given

FOLDER = Path(__file__).parents[2] / "people_files"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))


def given(content: bytes | str, name: str = "file.csv", **answers: Any) -> Given:
    data = content.encode() if isinstance(content, str) else content
    return Given(io.BytesIO(data), name, Answers(**answers))


def read(use: str, given: Given) -> list[Any]:
    """What is read, as the cases write it; raises `ValidationError`."""
    return read_and_told(use, given)[0]


def read_and_told(use: str, given: Given) -> tuple[list[Any], str]:
    if use == "ids":
        found = ticket_ids.read(given)
        if found.problem and not given.answers.leave_out:
            raise ValidationError(found.problem)
        return list(found.ids), found.told(0)
    if use == "rows":
        rows = tag_rows.read(given)
        changes = zip(rows.ids, rows.given_changes(), strict=True)
        return [[ref, change["add"], change["remove"]] for ref, change in changes], rows.told()
    mapping = tag_pairs.read(given, follow_chains=False)
    return [list(pair) for pair in mapping.pairs.items()], mapping.told()


def refusal(use: str, given: Given) -> str:
    """Why nothing is read; fails where something is."""
    try:
        found = read(use, given)
    except ValidationError as problem:
        return " ".join(problem.messages)
    raise AssertionError(f"{found} was read.")


def parts_of(refused: str) -> list[str]:
    """What a sentence has to name, of a case that is refused."""
    text = refused.replace("asks whether", "did you mean").replace(" is meant", "")
    return [part.strip() for part in text.split(";")]


def expected(case: dict[str, Any]) -> list[Any]:
    """What `stored` gives of a job made of the case."""
    gives: list[Any] = case["gives"]
    return sorted(gives) if case["as"] == "mapping" else gives


def stored(use: str, job: Job) -> list[Any]:
    """What the job was made of, as the cases write it."""
    if use == "mapping":
        return sorted(list(pair) for pair in job.params["pairs"].items())  # PostgreSQL keeps no order
    pairs = [pair for row in job.listed.order_by("number") for pair in row.pairs]
    if use == "ids":
        return [ref for ref, _ in pairs]
    return [[ref, change["add"], change["remove"]] for ref, change in pairs if change]
