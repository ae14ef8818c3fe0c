"""A message in the queue is a wake-up of one job, or it is refused without running anything of it."""

from __future__ import annotations

import os
import pickle
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.signing import TimestampSigner, b64_encode, dumps
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import PickleSerializer, SignedPackage

from jobs.runtime.messages import LONGEST, TASK, NotAWakeUp, job_of, load_plain, packed
from jobs.runtime.wakeups import wake
from tests import factories

WAKE_UP: dict[str, Any] = {
    "id": "0" * 32,
    "name": "job-7",
    "func": TASK,
    "args": (7,),
    "ack_failure": True,
    "kwargs": {},
    "started": datetime(2026, 1, 31, tzinfo=UTC),
}


class Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def signed(data: bytes, *, prefix: str = "") -> str:
    """What somebody who knows the key can write into the table."""
    return TimestampSigner(key=Conf.SECRET_KEY, salt=Conf.PREFIX).sign(prefix + b64_encode(data).decode())


def refusal(payload: str) -> str:
    with pytest.raises(NotAWakeUp) as refused:
        job_of(payload)
    return str(refused.value)


@pytest.mark.parametrize("number", [1, 7, 300, 70_000, 2**40, 2**63 - 1])
def test_a_wake_up_is_read_as_django_q2_packs_it(number: int) -> None:
    assert job_of(SignedPackage.dumps(WAKE_UP | {"args": (number,)})) == number
    assert job_of(packed(number)) == number


def test_what_is_queued_for_a_job_is_a_wake_up(db: None) -> None:
    job = factories.job()
    wake(job)
    assert {job_of(message.payload) for message in OrmQ.objects.all()} == {job.pk}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"func": "os.system"}, "it names the function 'os.system'"),
        ({"func": "jobs.tasks.other"}, "it names the function 'jobs.tasks.other'"),
        ({"func": f"{TASK} "}, "it names the function 'jobs.tasks.work_on '"),
        ({"func": "x\n" * 100}, "it names the function '" + "x\\n" * 19 + "x\\…"),
        ({"func": None}, "it names the function None"),
        ({"hook": "os.system"}, "it has 'hook'"),
        ({"group": "g", "chain": []}, "it has 'chain, group'"),
        ({"cached": True}, "it has 'cached'"),
        ({"timeout": 10_000}, "it has 'timeout'"),
        ({"kwargs": {"job_id": 7}}, "it has arguments with names"),
        ({"kwargs": None}, "it has arguments with names"),
        ({"args": ()}, "its argument is not the number of a job"),
        ({"args": (7, 8)}, "its argument is not the number of a job"),
        ({"args": ("7",)}, "its argument is not the number of a job"),
        ({"args": (True,)}, "its argument is not the number of a job"),
        ({"args": None}, "its argument is not the number of a job"),
        ({"args": {7: 8}}, "its argument is not the number of a job"),
        ({"args": (0,)}, "no job has its number"),
        ({"args": (2**63,)}, "no job has its number"),
    ],
)
def test_any_other_task_is_refused(changed: dict[str, Any], why: str) -> None:
    assert refusal(SignedPackage.dumps(WAKE_UP | changed)) == why


def test_nothing_of_a_pickle_is_run(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    for task in (Runs(sprung), WAKE_UP | {"args": (Runs(sprung),)}, WAKE_UP | {"func": os.system}):
        assert "its pickle is not plain: it names '" in refusal(SignedPackage.dumps(task))
    assert not sprung.exists()
    pickle.loads(pickle.dumps(Runs(sprung)))
    assert sprung.exists()  # so it would have been run


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"nonsense",
        b"\x80\x05",
        b"\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"Nr\xff\xff\xff\x7f.",  # a memo with two thousand million places
        b"\x80\x04\x8c\x08datetime\x8c\x08timezone\x93\x8c\x01x\x85R.",
        pickle.dumps(WAKE_UP, protocol=0),
        pickle.dumps({1}),
        pickle.dumps(WAKE_UP)[:-20],
    ],
)
def test_a_pickle_that_was_made_to_break_is_refused(data: bytes) -> None:
    assert refusal(signed(data)).startswith("its pickle is not plain: ")


@pytest.mark.parametrize("plain", [7, "text", None, [WAKE_UP], (7,)])
def test_a_plain_value_that_is_no_task_is_refused(plain: object) -> None:
    assert refusal(SignedPackage.dumps(plain)) == "it is no task"
    assert load_plain(pickle.dumps(plain)) == plain


def test_a_compressed_or_very_long_message_is_refused_unread() -> None:
    bomb = zlib.compress(pickle.dumps("x" * 1_000_000))
    assert refusal(signed(bomb, prefix=".")) == "it is compressed"
    assert refusal("x" * (LONGEST + 1)) == f"it has {LONGEST + 1} characters"


def test_a_message_with_another_key_or_none_is_refused() -> None:
    other = dumps(WAKE_UP, key="another", salt=Conf.PREFIX, serializer=PickleSerializer)
    unsalted = dumps(WAKE_UP, key=Conf.SECRET_KEY, salt="other", serializer=PickleSerializer)
    for payload in (other, unsalted, "", "x", ":", "a:b:c", "é:é:é", "\0"):
        assert refusal(payload) == "it was signed with another SECRET_KEY"
