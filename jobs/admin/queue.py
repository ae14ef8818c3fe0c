"""The tables of Django-Q2, read-only.

Its own pages are replaced because they let people edit what workers run, and send tasks again. Arguments and
results are not shown, because an error's text may quote what came from outside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import django_q.admin  # noqa: F401 - registers its editable pages, which are replaced below
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from jobs.admin import cells
from jobs.admin.read_only import ReadOnlyAdmin
from jobs.runtime.wakeups import TASK

for model in (Failure, OrmQ, Schedule, Success):
    admin.site.unregister(model)

#: The last line of a stack trace that begins with a class: `ValueError: …`, `package.module.Error`.
ERROR_CLASS = re.compile(r"^([A-Za-z_][\w.]*)(?=:|$)", re.MULTILINE)
TIMED_OUT = "TimeoutException"


def job_of(func: object, args: object) -> int | None:
    """The job that a message or a task is about; None when it is about something else."""
    known = func == TASK and isinstance(args, (list, tuple)) and len(args) == 1 and isinstance(args[0], int)
    return int(args[0]) if known and isinstance(args, (list, tuple)) else None


def error_class(result: object) -> str:
    """The name of the exception in the stored result of a task that failed; "" when there is none."""
    lines = str(result).partition("Traceback (most recent call last):")[2]
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
        return tasks.defer("kwargs", "result")

    @admin.display(description="Job")
    def about(self, task: Task) -> str:
        return cells.job_number(job_of(task.func, task.args))

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
        return tasks.defer(None).defer("kwargs")

    @admin.display(description="Error", empty_value="unknown")
    def error(self, task: Task) -> str:
        return error_class(task.result)

    @admin.display(description="What that means")
    def happened(self, task: Task) -> str:
        what = (
            "It took longer than a task may and was ended."
            if error_class(task.result) == TIMED_OUT
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
        task = self._task(message)
        return cells.job_number(job_of(task.get("func"), task.get("args")))

    @admin.display(description="Function")
    def function(self, message: OrmQ) -> str:
        func = self._task(message).get("func")
        return func if isinstance(func, str) else "Unreadable: it was signed with another SECRET_KEY"

    def _task(self, message: OrmQ) -> Mapping[str, Any]:
        task = message.task
        return task if isinstance(task, Mapping) else {}


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Scheduled tasks. A schedule runs any function by its name, so it is never editable here."""

    list_title = "What is done by the clock"
    list_display = ("id", "name", "func", "schedule_type", "next_run")
    fields = ("name", "func", "schedule_type", "minutes", "cron", "repeats", "next_run", "cluster")
