"""Files that a form was sent with, kept for a while, so that nobody has to choose one again.

They lie in `VAR_DIR/uploads`, readable by the server alone, for an hour at most; a job that was made of one
removes it. The name of a file is a secret that the form holds.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from jobs.common import private_files
from tagmanager.intake.tables.given import KEPT, printable_name

#: Seconds for which a file is kept.
KEPT_FOR = 3600
#: The most files, and the most bytes of all of them as a multiple of `UPLOAD_LIMIT`.
MOST_FILES, MOST_TIMES = 50, 5
_TOKEN = re.compile(r"[0-9a-f]{32}")


class KeptFile(UploadedFile):  # type: ignore[type-arg]  # no generic class when it runs
    """A file that was sent before."""

    def __init__(self, path: Path, name: str) -> None:
        self.token = path.name
        super().__init__(path.open("rb"), name, size=path.stat().st_size)


def keep(upload: UploadedFile[Any]) -> str:
    """Keep the file, and return the word by which `find` finds it."""
    if isinstance(upload, KeptFile):
        return upload.token
    folder = _folder()
    _tidy(folder, room_for=upload.size or 0)
    token = secrets.token_hex(16)
    content: Any = upload.file
    content.seek(0)
    path = folder / token
    with path.open("xb") as copy:
        path.chmod(0o600)
        shutil.copyfileobj(content, copy)
    (folder / f"{token}.name").write_text(printable_name(upload.name or "a file"), encoding="utf-8")
    return token


def add_kept(data: Mapping[str, Any], files: MultiValueDict[str, UploadedFile[Any]]) -> None:
    """Add the files that a form names as kept to those that were sent with it, which come first.

    The request closes all of them in the end.
    """
    for key in [key for key in data if key.endswith(KEPT)]:
        name = key.removesuffix(KEPT)
        if name not in files and (found := find(str(data[key]))):
            files.appendlist(name, found)


def find(token: str) -> KeptFile | None:
    """The file kept under this word; None where it is gone, or never was."""
    if not _TOKEN.fullmatch(token):
        return None
    path = _folder() / token
    try:
        if path.stat().st_mtime < time.time() - KEPT_FOR:
            return None
        return KeptFile(path, (path.parent / f"{token}.name").read_text(encoding="utf-8"))
    except OSError:
        return None


def content_digest(upload: UploadedFile[Any]) -> str:
    """The same for files with the same content, whatever they are called."""
    content: Any = upload.file
    content.seek(0)
    digest = hashlib.file_digest(content, "blake2s").hexdigest()
    content.seek(0)
    return digest


def drop(token: str) -> None:
    """Remove a file that is needed no more."""
    if _TOKEN.fullmatch(token):
        for path in (_folder() / token, _folder() / f"{token}.name"):
            with suppress(OSError):
                path.unlink()


def tidy() -> None:
    """Remove files that were kept long enough."""
    _tidy(_folder(), room_for=0)


def _folder() -> Path:
    folder = Path(settings.VAR_DIR) / "uploads"
    private_files.make_folder(folder)
    return folder


def _tidy(folder: Path, *, room_for: int) -> None:
    room = MOST_TIMES * settings.UPLOAD_LIMIT - room_for
    for number, (at, size, token) in enumerate(sorted(_kept(folder), reverse=True), 1):
        room -= size
        if at < time.time() - KEPT_FOR or number > MOST_FILES or room < 0:
            drop(token)


def _kept(folder: Path) -> Iterator[tuple[float, int, str]]:
    for path in folder.iterdir():
        if _TOKEN.fullmatch(path.name):
            with suppress(OSError):
                found = path.stat()
                yield found.st_mtime, found.st_size, path.name
