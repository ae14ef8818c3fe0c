"""Oversight: everything about jobs can be seen here.

Never: a row edited. A status changed by hand, a batch deleted, or a task of the queue sent again would break
what the engine relies on. What a person may do to a job goes through `jobs.actions`, here as on the pages.
Django imports this package when it starts, and each module registers its pages.
"""

from jobs.admin import jobs, prunings, queue, rows

__all__ = ["jobs", "prunings", "queue", "rows"]
