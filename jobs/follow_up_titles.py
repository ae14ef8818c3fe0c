"""Titles of follow-ups: what is done, and about which job, however many follow-ups are between the two."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from django.db import connection

from jobs.models import Job
from jobs.states import FollowUp

#: The title of the first follow-up of a job.
FIRST = {
    FollowUp.RETRY: "Retry: {title}",
    FollowUp.REST: "The rest of: {title}",
    FollowUp.RUN: "{title}",
    FollowUp.UNDO: "Undo: {title}",
    FollowUp.UNGUARD: "Take the guard tag off: {title}",
}
#: One of them, and the last of several in a row, as part of a longer title.
ONE = {
    FollowUp.RETRY: "the retry",
    FollowUp.REST: "the rest",
    FollowUp.UNDO: "the undo",
    FollowUp.UNGUARD: "the removal of the guard tag",
}
SEVERAL = {
    FollowUp.RETRY: "retry {number}",
    FollowUp.REST: "rest {number}",
    FollowUp.UNDO: "undo {number} in a row",
    FollowUp.UNGUARD: "removal {number} of the guard tag",
}
#: Kinds that a title names; a longer line is counted.
MOST_NAMED = 3
#: A line is followed no further than this; only a cycle, which nothing can make, would be longer.
LONGEST_LINE = 10_000

LINE = """
WITH RECURSIVE line(id, parent_id, follow_up, title, step) AS (
    SELECT id, parent_id, follow_up, title, 0 FROM jobs_job WHERE id = %s
    UNION ALL
    SELECT job.id, job.parent_id, job.follow_up, job.title, line.step + 1
    FROM jobs_job job JOIN line ON job.id = line.parent_id WHERE line.follow_up <> '' AND line.step < %s
)
SELECT id, follow_up, title FROM line ORDER BY step
"""


def follow_up_title(job: Job, kind: FollowUp) -> str:
    """The title of a new follow-up of `job`; one query, whatever came before it."""
    with connection.cursor() as cursor:
        cursor.execute(LINE, [job.pk, LONGEST_LINE])
        line = cursor.fetchall()
    eldest, _, title = line[-1]
    earlier = [FollowUp(follow_up) for _, follow_up, _ in line[:-1]]
    # The real run of a preview does what the preview was asked to do, and has its title.
    kinds = [each for each in (kind, *earlier) if each is not FollowUp.RUN]
    if len(kinds) > 1:
        return f"{_named(kinds)} of job {eldest}: {title}"
    return FIRST[kinds[0] if kinds else kind].format(title=title)


def _named(kinds: Sequence[FollowUp]) -> str:
    """Such as "Undo of retry 3"; the newest kind first."""
    rows = [(kind, len(list(group))) for kind, group in groupby(kinds)]
    words = [_of_one_kind(kind, number) for kind, number in rows[:MOST_NAMED]]
    if len(rows) > MOST_NAMED:
        words[1:] = [f"follow-up {len(kinds)}"]
    first = words[0] if rows[0][0] is FollowUp.REST else words[0].removeprefix("the ")
    return " of ".join([first[:1].upper() + first[1:], *words[1:]])


def _of_one_kind(kind: FollowUp, number: int) -> str:
    if kind is FollowUp.UNDO and number == 2:
        return "the undo of the undo"
    return ONE[kind] if number == 1 else SEVERAL[kind].format(number=number)
