"""Private files are private whatever the umask, and an existing file keeps its mode."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.common import private_files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_what_is_made_is_private_whatever_the_umask(tmp_path: Path) -> None:
    folder, file, log = tmp_path / "var", tmp_path / "var/file", tmp_path / "var/log"
    private_files.make_folder(folder)
    private_files.make_file(file)
    with open(log, "a", opener=private_files.open_private) as opened:
        opened.write("a line")
    private_files.make_database_file(folder / "db")
    assert [mode(path) for path in (folder, file, log, folder / "db")] == [0o700, 0o600, 0o600, 0o600]


def test_what_exists_keeps_its_mode_and_its_content(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    file = tmp_path / "file"
    file.write_text("kept")
    file.chmod(0o640)
    private_files.make_folder(tmp_path)
    private_files.make_file(file)
    private_files.make_database_file(file)
    with open(file, "a", opener=private_files.open_private) as opened:
        opened.write(" and more")
    assert (mode(tmp_path), mode(file), file.read_text()) == (0o750, 0o640, "kept and more")


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(FileExistsError):
        private_files.make_folder(tmp_path / "var")


def test_a_database_in_the_folder_of_another_account_is_left_to_that_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    private_files.make_database_file(tmp_path / "db")
    private_files.make_database_file(tmp_path / "none" / "db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("bits", "is_open"),
    [(0o600, False), (0o660, False), (0o640, False), (0o601, False), (0o604, True), (0o602, True)],
)
def test_others_are_neither_the_owner_nor_the_group(tmp_path: Path, bits: int, is_open: bool) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(bits)
    assert private_files.is_open_to_others(file) is is_open
    assert private_files.is_open_to_others(tmp_path / "none") is False
