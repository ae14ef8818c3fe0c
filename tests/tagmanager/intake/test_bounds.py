"""How large a table may be: two million rows in a small process, endless lines refused at once."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tagmanager.intake.people_files import given, read, refusal

pytestmark = pytest.mark.django_db
#: Reads a file in a process of its own, and prints what it found and the most memory it had, in MB.
READ = """
import sys
import django
django.setup()
from tagmanager.intake import tag_rows, ticket_ids
from tagmanager.intake.source_kinds.numbers import doubles_in
from tagmanager.intake.tables.given import Given
from tests.benchmarks.figures import peak_memory
with open(sys.argv[2], "rb") as file:
    given = Given(file, "big.csv")
    if sys.argv[1] == "rows":
        rows = tag_rows.read(given)
        print(len(rows.ids), rows.number_of_changes, sum(1 for _ in rows.given_changes()))
    else:
        ids = ticket_ids.read(given).ids
        print(len(ids), doubles_in(ids))
print(round(peak_memory()))  # what getrusage says includes the parent before the process was replaced
"""
MILLIONS = 2_000_000


def measured(use: str, path: Path, environment: dict[str, str]) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", READ, use, str(path)],
        env=environment | {"DJANGO_SETTINGS_MODULE": "tagmanager.settings", "DEBUG": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    found, memory = done.stdout.splitlines()
    return found, int(memory)


@pytest.mark.slow
@pytest.mark.once
def test_two_million_rows_that_all_differ_fit_into_a_small_process(
    tmp_path: Path, bare_environment: dict[str, str]
) -> None:
    file = tmp_path / "rows.csv"
    with file.open("w") as rows:
        rows.write("id,add,remove\n")
        rows.writelines(f"{ref},h_tag_{ref},old_{ref}\n" for ref in range(1, MILLIONS + 1))
    found, memory = measured("rows", file, bare_environment)
    assert found == f"{MILLIONS} {MILLIONS} {MILLIONS}"
    assert memory < 300


@pytest.mark.slow
@pytest.mark.once
def test_two_million_numbers_on_one_line_are_read_as_a_stream(
    tmp_path: Path, bare_environment: dict[str, str]
) -> None:
    file = tmp_path / "ids.txt"
    file.write_text(",".join(str(10_000 + number) for number in range(MILLIONS)))
    found, memory = measured("ids", file, bare_environment)
    assert found == f"{MILLIONS} 0"
    assert memory < 300


class Endless(io.RawIOBase):
    """A file of 300 MB on one line, which counts what is read of it."""

    def __init__(self, size: int = 300_000_000) -> None:
        self.size, self.place, self.most = size, 0, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        self.place = place if whence == 0 else self.size + place
        return self.place

    def tell(self) -> int:
        return self.place

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        count = min(len(view), self.size - self.place)
        view[:count] = b"x" * count
        self.place += count
        self.most = max(self.most, count)
        return count


@pytest.mark.parametrize(
    ("use", "said"), [("ids", "goes on for more than 64 kB"), ("rows", "Line 1 is longer than")]
)
def test_a_line_without_an_end_is_refused_early(use: str, said: str) -> None:
    file = io.BufferedReader(Endless())
    table = given(b"", "endless.csv")
    endless = type(table)(file, table.name, table.answers)
    assert said in refusal(use, endless)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,add\n7," + "x" * 70_000 + "\n", "A cell in line 2 is larger than 64 kB"),
        ('id,x\n7,"' + "y\n" * 40_000 + '"\n', "A cell in line 2 is larger than 64 kB"),
        ('id,x\n7,"' + "y\n" * 90_000, "A quote opened in line 2 is never closed"),
        ("id,x\n7," + "a b," * 260_000 + "\n", "Line 2 is longer than 1,000,000 characters"),
    ],
)
def test_cells_and_lines_beyond_a_table_s_are_refused_with_the_line(content: str, said: str) -> None:
    assert said in refusal("ids" if ",x" in content else "rows", given(content))


def test_a_long_line_of_numbers_is_no_long_line_of_a_table() -> None:
    numbers = list(range(10_000, 210_000))
    for mark in (",", " ", ";", ", "):
        assert read("ids", given(mark.join(map(str, numbers)), "ids.txt")) == numbers
