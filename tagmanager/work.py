"""The old place of `changes.ticket_work`, which settings of an earlier release name in `JOBS_WORK`."""

from tagmanager.renamed import moved

__getattr__ = moved(
    __name__,
    {name: f"tagmanager.changes.ticket_work.{name}" for name in ("TicketWork", "work_for")},
)
