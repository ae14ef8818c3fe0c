"""Log lines of a job: the job and the batch, as text and as JSON, and no ticket's data."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs.common import log_context
from jobs.engine import lost_search
from tagmanager.ops.logging import ContextFilter, JsonLineFormatter, TextFormatter
from tests.demo import Demo, run, submit

LOGS = "import logging; logging.getLogger('a').warning('b')"
Lines = Callable[[], list[str]]


@pytest.fixture(params=["json", "text"])
def written(request: pytest.FixtureRequest) -> Iterator[tuple[str, Lines]]:
    """What our loggers say from here on, line by line, and in which shape."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(ContextFilter())
    handler.setFormatter(JsonLineFormatter() if request.param == "json" else TextFormatter())
    logger = logging.getLogger("jobs")
    logger.addHandler(handler)
    yield request.param, lambda: stream.getvalue().splitlines()
    logger.removeHandler(handler)


def test_each_line_says_which_job_and_batch_it_is_about(
    demo: Demo,
    written: tuple[str, Lines],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
    shape, lines = written
    demo.fault("reset_after")
    with django_capture_on_commit_callbacks(execute=True):
        job = run(submit(refs=demo.open_tickets[:10], add=["brand-new"]))
    batch = job.batches.get()
    (moved,) = (line for line in lines() if "succeeded" in line)
    (lost,) = (line for line in lines() if "Its fate is unknown" in line)
    if shape == "json":
        line = json.loads(moved)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.pop("time"))
        assert line.pop("message").startswith("running → succeeded, by ")
        assert line == {"level": "INFO", "logger": "jobs.transitions", "job": job.pk}
        line = json.loads(lost)
        assert (line["level"], line["job"], line["batch"]) == ("WARNING", job.pk, batch.pk)
    else:
        assert re.fullmatch(rf"\S+Z INFO jobs.transitions \[job {job.pk}\] running → succeeded, by .+", moved)
        assert f"WARNING jobs.engine.pipeline [job {job.pk}] [batch {batch.pk}] Its fate is unknown: " in lost
    assert "brand-new" not in "".join(lines())


def test_ids_end_with_what_they_are_about(written: tuple[str, Lines]) -> None:
    shape, lines = written
    logger = logging.getLogger("jobs.somewhere")
    with log_context.about(job=5):
        with log_context.about(batch=12):
            logger.warning("Its fate is unknown")
        logger.warning("Put down")
    logger.warning("Nothing")
    told = [
        {name: value for name, value in json.loads(line).items() if name not in ("time", "level", "logger")}
        if shape == "json"
        else line.partition("jobs.somewhere ")[2]
        for line in lines()
    ]
    assert told == (
        [
            {"message": "Its fate is unknown", "job": 5, "batch": 12},
            {"message": "Put down", "job": 5},
            {"message": "Nothing"},
        ]
        if shape == "json"
        else ["[job 5] [batch 12] Its fate is unknown", "[job 5] Put down", "Nothing"]
    )


def test_a_traceback_is_part_of_its_line_in_json(written: tuple[str, Lines]) -> None:
    shape, lines = written
    logging.getLogger("jobs.somewhere").error("Stopped", exc_info=ValueError("broken"))
    if shape == "json":
        (line,) = map(json.loads, lines())
        assert (line["message"], line["error"].splitlines()[-1]) == ("Stopped", "ValueError: broken")
    else:
        assert lines()[-1] == "ValueError: broken"


@pytest.mark.parametrize("shape", ["json", "text", "neither"])
def test_the_setting_chooses_the_format_and_an_unknown_one_is_refused(
    process_environment: dict[str, str], shape: str
) -> None:
    command = ["check"] if shape == "neither" else ["shell", "-c", LOGS]
    ran = subprocess.run(
        [sys.executable, "manage.py", *command],
        env=process_environment | {"LOG_FORMAT": shape, "LOG_LEVEL": "warning"},
        capture_output=True,
        text=True,
        check=False,
    )
    if shape == "neither":
        assert "LOG_FORMAT is 'neither', and must be one of text, json." in ran.stderr
        assert "Traceback" not in ran.stderr
    elif shape == "json":
        assert json.loads(ran.stderr.splitlines()[-1])["message"] == "b"
    else:
        assert ran.stderr.splitlines()[-1].endswith("WARNING a b")
