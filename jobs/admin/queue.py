"""The tables of Django-Q2, read-only.

Its own pages are replaced because they let people edit what workers run, and send tasks again. Arguments and
results are not shown, because an error's text may quote what came from outside; and they are not unpickled,
because a row that somebody else wrote could then run code here.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import ClassVar

import django_q.admin  # noqa: F401 - registers its editable pages, which are replaced below
from django.contrib import admin
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from jobs.admin import cells
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.runtime.messages import TASK, NotAWakeUp, job_of, load_plain

for model in (Failure, OrmQ, Schedule, Success):
    admin.site.unregister(model)

#: The last line of a stack trace that begins with a class: `ValueError: …`, `package.module.Error`.
ERROR_CLASS = re.compile(r"^([A-Za-z_][\w.]*)(?=:|$)", re.MULTILINE)
TIMED_OUT = "TimeoutException"
#: The name of a task that was queued by `jobs.runtime.wakeups`.
TASK_NAME = re.compile(r"job-([0-9]{1,18})", re.ASCII)
PICKLED = ("args", "kwargs", "result")


def job_of_task(task: Task) -> int | None:
    """The job that a task was about, by its name; None when it was about something else."""
    named = TASK_NAME.fullmatch(task.name)
    return int(named[1]) if named and task.func == TASK else None


def error_class(stored: str | None) -> str:
    """The name of the exception in a stored result of a task that failed; "" when there is none."""
    try:
        lines = str(load_plain(b64decode(stored or ""))).partition("Traceback (most recent call last):")[2]
    except ValueError:
        return ""
    found = ERROR_CLASS.findall(lines)
    return found[-1].rpartition(".")[2] if found else ""


class TaskAdmin(ReadOnlyAdmin):
    """Tasks that ended; a task is only a wake-up, so there is nothing to send again."""

    list_display: tuple[str, ...] = ("name", "about", "func", "started", "took", "attempt_count")
    ordering = ("-stopped",)
    fields: ClassVar[tuple[str, ...]] = (
        "name",
        "about",
        "func",
        "cluster",
        "started",
        "stopped",
        "took",
        "attempt_count",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        tasks: QuerySet[Task] = super().get_queryset(request)
        return tasks.defer(*PICKLED)

    @admin.display(description="Job")
    def about(self, task: Task) -> str:
        return cells.job_number(job_of_task(task))

    @admin.display(description="Took")
    def took(self, task: Task) -> str:
        return cells.elapsed(task.started, task.stopped)


@admin.register(Success)
class SuccessAdmin(TaskAdmin):
    list_title = "Tasks that were done"


@admin.register(Failure)
class FailureAdmin(TaskAdmin):
    list_title = "Tasks that failed"
    list_display = (*TaskAdmin.list_display, "error")
    fields = (*TaskAdmin.fields, "error", "happened")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        tasks: QuerySet[Task] = super().get_queryset(request)
        stored: QuerySet[Task] = tasks.annotate(stored=Cast(F("result"), TextField()))
        return stored

    @admin.display(description="Error", empty_value="unknown")
    def error(self, task: Task) -> str:
        return error_class(getattr(task, "stored", None))

    @admin.display(description="What that means")
    def happened(self, task: Task) -> str:
        what = (
            "It took longer than a task may and was ended."
            if error_class(getattr(task, "stored", None)) == TIMED_OUT
            else "It met an error that nobody had foreseen."
        )
        return (
            f"{what} Nothing of the job is lost: its rows tell what was sent, and it goes on with its next "
            "wake-up or says what a person has to do. The log of the worker at that time has the whole story."
        )


@admin.register(OrmQ)
class QueueAdmin(ReadOnlyAdmin):
    """Wake-ups in the queue."""

    list_title = "What waits in the queue"
    list_display = ("id", "about", "function", "key", "lock")
    fields = ("about", "function", "key", "lock")
    ordering = ("pk",)  # the order in which workers take them

    @admin.display(description="Job")
    def about(self, message: OrmQ) -> str:
        try:
            return cells.job_number(job_of(message.payload))
        except NotAWakeUp:
            return cells.job_number(None)

    @admin.display(description="Function")
    def function(self, message: OrmQ) -> str:
        try:
            job_of(message.payload)
        except NotAWakeUp as refused:
            return f"Refused: {refused}"
        return TASK


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Scheduled tasks. A schedule runs any function by its name, so it is never editable here."""

    list_title = "What is done by the clock"
    list_display = ("id", "name", "func", "schedule_type", "next_run")
    fields = ("name", "func", "schedule_type", "minutes", "cron", "repeats", "next_run", "cluster")
