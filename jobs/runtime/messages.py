"""What a message in the queue may say: work on this job, and nothing else.

Django-Q2 unpickles a row of its table and calls the function that it names. Whoever can write that row and
knows the SECRET_KEY would then run any function as the worker. So a message is read here first, in a way that
builds plain values and a time alone. The worker gets a message made anew from the number of the job.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from django.core.signing import b64_decode
from django_q.conf import Conf
from django_q.core_signing import TimestampSigner
from django_q.signing import BadSignature, SignedPackage

from jobs.clocks import clock

#: The only function that a message may name.
TASK = "jobs.tasks.work_on"
#: Characters; ours have about 350.
LONGEST = 4000
#: Characters of a foreign name that a sentence quotes.
SHOWN = 60
HIGHEST_NUMBER = 2**63 - 1
#: What Django-Q2 adds to a message of ours by itself. A hook, a group or a chain is none of it.
KEYS = frozenset({"id", "name", "func", "args", "kwargs", "started", "ack_failure"})
#: All that a message is made of: plain values, and the time when it was queued.
OPCODES = frozenset((
    "PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINGET", "NONE", "NEWTRUE", "NEWFALSE",
    "BININT", "BININT1", "BININT2", "LONG1", "SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES",
    "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND", "APPENDS",
    "EMPTY_DICT", "SETITEM", "SETITEMS", "STACK_GLOBAL", "REDUCE",
))  # fmt: skip
CLASSES = {("datetime", each.__name__): each for each in (datetime, timedelta, timezone)}


class NotAWakeUp(ValueError):
    """Why a message is not one of ours, for the log."""


class PlainUnpickler(pickle.Unpickler):
    """Refuses every class and function but those of a time."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in CLASSES:
            raise pickle.UnpicklingError(f"it names {shown(f'{module}.{name}')}")
        return CLASSES[module, name]


def load_plain(data: bytes) -> object:
    """The plain value in a pickle; `ValueError` for a pickle of anything else."""
    try:
        _check_opcodes(data)
        return PlainUnpickler(io.BytesIO(data)).load()
    except Exception as problem:
        raise ValueError(f"its pickle is not plain: {problem}") from problem


def _check_opcodes(data: bytes) -> None:
    """Some of the others reserve gigabytes, or set attributes."""
    if foreign := {code.name for code, _, _ in pickletools.genops(data)} - OPCODES:
        raise pickle.UnpicklingError(f"it has {shown(', '.join(sorted(foreign)))}")


def job_of(payload: str) -> int:
    """The number of the job that a message is about; `NotAWakeUp` for any other message."""
    task = _read(payload)
    if not isinstance(task, dict):
        raise NotAWakeUp("it is no task")
    if task.get("func") != TASK:
        raise NotAWakeUp(f"it names the function {shown(task.get('func'))}")
    if foreign := sorted(map(str, task.keys() - KEYS)):
        raise NotAWakeUp(f"it has {shown(', '.join(foreign))}")
    if task.get("kwargs", {}) != {}:
        raise NotAWakeUp("it has arguments with names")
    args = task.get("args")
    if not (isinstance(args, tuple | list) and len(args) == 1 and type(args[0]) is int):
        raise NotAWakeUp("its argument is not the number of a job")
    if not 0 < args[0] <= HIGHEST_NUMBER:
        raise NotAWakeUp("no job has its number")
    return args[0]


def packed(job_id: int) -> str:
    """A message of our own making, with an id that nobody could know before."""
    return str(
        SignedPackage.dumps(
            {
                "id": uuid4().hex,
                "name": f"job-{job_id}",
                "func": TASK,
                "args": (job_id,),
                "kwargs": {},
                "started": clock.now(),
                "ack_failure": True,
            }
        )
    )


def shown(name: object) -> str:
    """A foreign name, short and without characters that a log would obey."""
    text = ascii(name)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _read(payload: str) -> object:
    if len(payload) > LONGEST:
        raise NotAWakeUp(f"it has {len(payload)} characters")
    try:
        text = TimestampSigner(key=Conf.SECRET_KEY, salt=Conf.PREFIX).unsign(payload)
    except (BadSignature, ValueError) as problem:
        raise NotAWakeUp("it was signed with another SECRET_KEY") from problem
    if text.startswith("."):
        # A few bytes could become gigabytes, and ours are never compressed.
        raise NotAWakeUp("it is compressed")
    try:
        return load_plain(b64_decode(text.encode()))
    except ValueError as problem:  # binascii.Error is one
        raise NotAWakeUp(str(problem)) from problem
