"""How long people wait at the start: for a command's help, the first page, the demo's first progress."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import closing

import pytest
from django.conf import settings

from tests.benchmarks import figures, sizes
from tests.benchmarks.web import free_port, start_gunicorn

IMPORTS_SHOWN, STOP_TIMEOUT = 8, 20.0


def seconds_of(*arguments: str, environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=settings.BASE_DIR, env=environment, check=True, capture_output=True
    )
    return time.perf_counter() - started


def heaviest_imports(environment: dict[str, str]) -> list[tuple[str, str]]:
    """The modules that take longest to import, with their own imports."""
    report = subprocess.run(
        [sys.executable, "-X", "importtime", "manage.py", "tag_tickets", "--help"],
        cwd=settings.BASE_DIR,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    found = [
        (int(whole), name)
        for whole, name in re.findall(r"^import time:\s+\d+ \|\s+(\d+) \| {1,7}(\S+)$", report, re.MULTILINE)
    ]
    return [(name, f"{whole / 1000:.0f} ms") for whole, name in sorted(found, reverse=True)[:IMPORTS_SHOWN]]


@pytest.mark.django_db(transaction=True)
def test_startup(process_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    times = min(sizes.repetitions(), 5)
    helps = [
        seconds_of("manage.py", "tag_tickets", "--help", environment=process_environment)
        for _ in range(times)
    ]
    started = time.perf_counter()
    with start_gunicorn(process_environment) as web, closing(web.connect()) as http:
        up = time.perf_counter() - started
        first = web.get("/", http)
        second = web.get("/", http)
    assert (first.status, second.status) == (200, 200)
    demo = seconds_until_progress(process_environment | {"VAR_DIR": str(tmp_path_factory.mktemp("demo"))})
    figures.save("startup", help_s=figures.median(helps), first_page_s=first.seconds, demo_s=demo)
    figures.print_table(
        "Start-up",
        "Python files are compiled already; one gunicorn worker serves the pages.",
        ("what", "seconds"),
        [
            (f"manage.py tag_tickets --help, median of {times}", f"{figures.median(helps):.2f}"),
            ("gunicorn until it accepts connections", f"{up:.2f}"),
            ("the first page then", f"{first.seconds:.2f}"),
            ("the same page again", f"{second.seconds:.3f}"),
            ("make demo to the first progress (installed)", f"{demo:.1f}"),
            *((f"import {name}", text) for name, text in heaviest_imports(process_environment)),
        ],
    )


def seconds_until_progress(environment: dict[str, str]) -> float:
    """From the command to the first line of progress."""
    started = time.perf_counter()
    environment = {name: value for name, value in environment.items() if name != "DATABASE_URL"}
    command = [sys.executable, "-u", "manage.py", "demo", "--exit", "--port", str(free_port())]
    demo = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert demo.stdout
    try:
        with demo.stdout:
            for line in demo.stdout:
                if re.search(r"[\d,]+ (of|/) [\d,]+|\d ?%|found", line):
                    return time.perf_counter() - started
        raise AssertionError("the demo printed no progress")
    finally:
        demo.terminate()
        demo.wait(STOP_TIMEOUT)
