"""Try mutants of modules, one after the other, until all are tried or the time is up.

Each module has a session in build/mutants that keeps what was tried: the next run goes on there. A module
that was changed begins anew. Where its tests were changed, its survivors are tried again.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from tempfile import TemporaryDirectory

import cosmic_ray.plugins
from cosmic_ray.commands.init import init
from cosmic_ray.mutating import use_mutation
from cosmic_ray.work_db import WorkDB
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkItem, WorkResult
from sqlalchemy import text

from tests.mutants.forks import Tests
from tests.mutants.killers import ROOT, killers_of, modules
from tests.mutants.operators import Provider

SESSIONS = ROOT / "build/mutants"
COLUMNS = "{:<42}{:>8}{:>8}{:>8}{:>10}{:>10}"

Survivor = tuple[WorkItem, WorkResult]


def main() -> None:
    options = parsed()
    names = modules(options.modules)
    if not names:
        sys.exit(f"No module to mutate begins with {' or '.join(options.modules)}.")
    cosmic_ray.plugins.OPERATOR_PROVIDERS.clear()
    cosmic_ray.plugins.OPERATOR_PROVIDERS["core"] = Provider()
    until = time.monotonic() + 60 * options.minutes
    with TemporaryDirectory(prefix="mutants-") as folder:  # the code is broken in a copy
        copy_tree(Path(folder))
        os.chdir(folder)
        for name in names:
            database = session(name)
            if not options.report and time.monotonic() < until:
                run(name, database, until)
            database.close()
        tell(names)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="beginnings of paths, such as jobs/guards; default: all")
    parser.add_argument("--minutes", type=float, default=30.0, help="begin no mutant after this time (30)")
    parser.add_argument("--report", action="store_true", help="try nothing, show what is known")
    return parser.parse_args()


def copy_tree(tree: Path) -> None:
    """What git knows or could, with byte code, since each mutant loads our modules anew."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    compileall.compile_dir(tree, quiet=1)


def session(name: str) -> WorkDB:
    """The module's session; what is in it holds for the module and the tests as they are."""
    path = SESSIONS / f"{name.replace('/', '.').removesuffix('.py')}.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = path.with_suffix(".json")
    known = json.loads(keys.read_text()) if keys.exists() else {}
    now = {"module": digest([Path(name)]), "tests": digest(files_of(killers_of(name)))}
    database = WorkDB(path, WorkDB.Mode.create)
    if known.get("module") != now["module"]:
        init([Path(name)], database, {})
    elif known["tests"] != now["tests"]:
        with database._engine.begin() as connection:
            connection.execute(
                text("DELETE FROM work_results WHERE test_outcome = :survived"), {"survived": "SURVIVED"}
            )
    keys.write_text(json.dumps(now))
    return database


def files_of(tests: tuple[str, ...]) -> Iterator[Path]:
    for test in map(Path, tests):
        yield from sorted(test.rglob("*.py")) if test.is_dir() else [test]


def digest(paths: Iterator[Path] | list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def run(name: str, database: WorkDB, until: float) -> None:
    waiting = database.pending_work_items
    if not waiting:
        return
    tests = Tests(name)
    for number, item in enumerate(waiting):
        if time.monotonic() >= until:
            return
        print(f"\r{name}: {number} of {len(waiting)} ", end="", flush=True)
        (mutation,) = item.mutations
        operator = cosmic_ray.plugins.get_operator(mutation.operator_name)()
        with use_mutation(mutation.module_path, operator, mutation.occurrence) as (before, after):
            outcome, told = tests.outcome()
        diff = "\n".join(unified_diff(before.splitlines(), (after or "").splitlines(), n=0, lineterm=""))
        database.set_result(item.job_id, WorkResult(WorkerOutcome.NORMAL, told, outcome, diff))
    print(f"\r{name}: {len(waiting)} tried   ")


def tell(names: list[str]) -> None:
    rows = [(name, *figures(name)) for name in names]
    for name, _, survivors in rows:
        for item, result in survivors:
            (mutation,) = item.mutations
            print(f"\n{name}:{mutation.start_pos[0]} in {mutation.definition_name}")
            changed = [line for line in (result.diff or "").splitlines()[2:] if line.startswith(("+", "-"))]
            print("\n".join(changed))
    print("\n" + COLUMNS.format("module", "mutants", "tried", "killed", "timed out", "survived"))
    columns = ("mutants", "tried", "killed", "timed out", "survived")
    for name, counts, _ in rows:
        print(COLUMNS.format(name, *(counts[column] for column in columns)))
    total = sum((counts for _, counts, _ in rows), Counter[str]())
    print(COLUMNS.format("", *(total[column] for column in columns)))


def figures(name: str) -> tuple[Counter[str], list[Survivor]]:
    database = session(name)
    tried = [(item, result) for item, result in database.completed_work_items]
    survivors = [one for one in tried if one[1].test_outcome == TestOutcome.SURVIVED]
    timed_out = sum(result.output == "timeout" for _, result in tried)
    counts = Counter(
        {
            "mutants": database.num_work_items,
            "tried": len(tried),
            "killed": len(tried) - len(survivors) - timed_out,
            "timed out": timed_out,
            "survived": len(survivors),
        }
    )
    database.close()
    return counts, sorted(survivors, key=lambda one: one[0].mutations[0].start_pos)


if __name__ == "__main__":
    main()
