"""Exports as files: whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

from jobs.models import Job
from jobs.reports import exports
from jobs.reports.export_workbook import workbook_pieces
from jobs.reports.export_zip import Part, zip_pieces
from jobs.reports.exports import Asked, rows, stored_outcome, write_csv
from jobs.states import FINAL, Outcome

CSV, XLSX, ZIP = "csv", "xlsx", "zip"
#: Of each format its media type.
MEDIA_TYPES = {
    **{kind: media_type for kind, (_, media_type) in exports.FORMATS.items()},
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ZIP: "application/zip",
}
#: Formats that are no text.
BINARY = frozenset({XLSX, ZIP})
#: Formats that hold CSV, and may begin with a byte order mark.
WITH_CSV = frozenset({CSV, ZIP})


def export_pieces(
    job: Job,
    kind: str,
    outcome: str | None,
    *,
    reason: str | None = None,
    bom: bool = False,
    asked: Asked | None = None,
) -> Iterator[str | bytes]:
    """An export in pieces; `kind` is one of `MEDIA_TYPES`, those of `BINARY` in bytes.

    Raises `UnknownOutcome` at once. `bom` puts a byte order mark before CSV.
    """
    if kind == ZIP:
        return zip_pieces(_parts(job, _outcomes_in_zip(job, outcome), reason, bom=bom, asked=asked))
    lines = rows(job, outcome, reason, asked=asked)
    if kind == XLSX:
        return workbook_pieces(lines)
    if kind == CSV:
        return write_csv(lines, bom=bom)
    writer, _ = exports.FORMATS[kind]
    return writer(lines)


def _outcomes_in_zip(job: Job, outcome: str | None) -> list[Outcome]:
    """The outcomes that get a file: what people look for first always, the others if there are tickets."""
    if outcome:
        return [stored_outcome(outcome)]
    first = [Outcome.PLANNED if job.dry_run else Outcome.CHANGED, Outcome.FAILED, Outcome.PENDING]
    others = [other for other in FINAL if other not in first and getattr(job, other.value)]
    if not job.is_ended:
        # A ticket may end while the files are written: read first, it is then in two of them, never in none.
        first = [Outcome.PENDING, *first[:-1]]
        others = [other for other in FINAL if other not in first]
    return [*first, *others]


def _parts(
    job: Job, outcomes: Iterable[Outcome], reason: str | None, *, bom: bool, asked: Asked | None
) -> Iterator[Part]:
    for outcome in outcomes:
        name = exports.pending_word(job) if outcome is Outcome.PENDING else outcome.value
        lines = rows(job, outcome.value, reason, asked=asked)
        yield Part(f"{name.replace('_', '-')}.csv", job.found, write_csv(lines, bom=bom))


def write(path: str | Path, pieces: Iterable[str | bytes], *, replace: bool) -> None:
    """Write the pieces to a temporary file, and rename that at the end.

    Raises `FileExistsError` if the file exists and `replace` is false, and `OSError`.
    """
    target = Path(path)
    if target.exists() and not replace:
        raise FileExistsError(target)
    draft = NamedTemporaryFile(  # noqa: SIM115 - closed before it is renamed
        "wb", dir=target.parent, prefix=f".{target.name}.", delete=False
    )
    try:
        with draft:
            draft.writelines(piece.encode() if isinstance(piece, str) else piece for piece in pieces)
            draft.flush()
            os.fsync(draft.fileno())
        if replace:
            Path(draft.name).replace(target)
        else:
            os.link(draft.name, target)  # unlike a rename it fails if the file has appeared meanwhile
    finally:
        Path(draft.name).unlink(missing_ok=True)
