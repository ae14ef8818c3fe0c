"""Exports as files: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from jobs.models import Job
from jobs.reports.exports import FORMATS, rows


def export_pieces(job: Job, kind: str, outcome: str | None) -> Iterator[str]:
    """An export in pieces of text; `kind` is one of `FORMATS`. Raises `UnknownOutcome` at once."""
    writer, _ = FORMATS[kind]
    return writer(rows(job, outcome))


def write(path: str | Path, text: Iterable[str], *, replace: bool) -> None:
    """Write the text to a temporary file, and rename that at the end.

    Raises `FileExistsError` if the file exists and `replace` is false, and `OSError`.
    """
    target = Path(path)
    if target.exists() and not replace:
        raise FileExistsError(target)
    draft = NamedTemporaryFile(  # noqa: SIM115 - closed before it is renamed
        "w", dir=target.parent, prefix=f".{target.name}.", encoding="utf-8", newline="", delete=False
    )
    try:
        with draft:
            draft.writelines(text)
            draft.flush()
            os.fsync(draft.fileno())
        if replace:
            Path(draft.name).replace(target)
        else:
            os.link(draft.name, target)  # unlike a rename it fails if the file has appeared meanwhile
    finally:
        Path(draft.name).unlink(missing_ok=True)
