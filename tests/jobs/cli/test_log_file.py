"""The log of the commands is bounded, private, shared by several, and honest when it cannot be written."""

import logging
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from jobs.cli import log_file
from jobs.cli.log_file import LogFile, log_to_file

logger = logging.getLogger("jobs.test")

WRITE = """
import logging, sys
from pathlib import Path
from django.conf import settings
settings.configure(VAR_DIR=sys.argv[1])
from jobs.cli import log_file
log_file.LARGEST = 20_000
with log_file.log_to_file():
    for number in range(400):
        logging.getLogger().warning("%s-%04d %s", sys.argv[2], number, "x" * 90)
"""


@pytest.fixture
def path(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "commands.log"


def told(path: Path) -> list[str]:
    """The messages in a log file, without time, level and logger."""
    return [line.split(" jobs.test ", 1)[-1] for line in path.read_text().splitlines()]


def test_lines_go_to_a_private_file(path: Path) -> None:
    with log_to_file() as log:
        logger.warning("one %s", "ü")
        logger.warning("two")
        # Not by the logger: the line cannot be printed anywhere else.
        log.handle(
            logging.LogRecord("jobs.test", logging.INFO, "x", 1, "half a character: \udcff", None, None)
        )
    assert told(path) == ["one ü", "two", "half a character: \\udcff"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (log.details, log.warning) == (f"Details are in {path}.", "")


def test_a_full_file_makes_room_for_a_new_one_and_one_before_it_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 125)
    with log_to_file():
        for number in range(7):
            logger.warning("line %s is", number)  # 50 bytes with the time
        logger.warning("x" * 100)
    old = path.with_name("commands.log.1")
    assert (told(old), told(path)) == (["line 6 is"], ["x" * 100])
    assert sorted(each.name for each in path.parent.iterdir()) == ["commands.log", "commands.log.1"]


@pytest.mark.slow
@pytest.mark.once
def test_commands_that_write_at_the_same_time_keep_their_order_and_break_no_line(tmp_path: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path), name], cwd=Path.cwd()) for name in "ab"
    ]
    assert [process.wait(60) for process in started] == [0, 0]
    files = [tmp_path / "commands.log.1", tmp_path / "commands.log"]
    lines = "".join(file.read_text() for file in files).splitlines()
    assert sum(file.stat().st_size for file in files) <= 2 * 20_000 + 2 * 100
    for name in "ab":
        theirs = [int(line.split()[0].split("-")[-1]) for line in lines if line.startswith(name)]
        assert theirs == sorted(theirs)
    assert [line for line in lines if len(line) != len("a-0000 ") + 90] == []
    assert len(lines) > 200


def test_a_file_that_cannot_be_moved_grows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "LARGEST", 10)
    path.with_name("commands.log.1").mkdir()
    (path.with_name("commands.log.1") / "in the way").touch()
    with log_to_file() as log:
        logger.warning("a line")
        logger.warning("another line")
    assert (told(path), log.problem) == (["a line", "another line"], "")


@pytest.mark.parametrize(
    ("obstacle", "why"),
    [("folder", "Is a directory"), ("full", "No space left on device"), ("gone", "No such")],
)
def test_a_log_that_cannot_be_written_is_told_once_and_nothing_is_promised(
    path: Path, settings: Settings, obstacle: str, why: str
) -> None:
    if obstacle == "folder":
        path.mkdir()
    elif obstacle == "full":
        path.symlink_to("/dev/full")
    else:
        settings.VAR_DIR = path = path.parent / "none"
        path = path / "commands.log"
    with log_to_file() as log:
        assert log.warning == ""
        logger.warning("a line")
    assert log.warning.startswith(f"The log of this command, {path}, cannot be written: {why}")
    assert log.details.startswith(f"There are no details, because {path} cannot be written: {why}")
    assert log.warning == ""


def test_a_line_that_cannot_be_formatted_stops_nothing(path: Path) -> None:
    log = LogFile(path)
    log.handle(logging.LogRecord("jobs.test", logging.INFO, "x", 1, "%s and %s", ("one",), None))
    assert (log.problem, path.exists()) == ("a line could not be formatted", False)
