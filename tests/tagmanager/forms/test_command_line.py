"""The request of a form as a command, and back: the command makes the same job."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client
from django.utils.datastructures import MultiValueDict

from jobs.models import Job
from jobs.source_spec import LISTED, SourceSpec
from tagmanager import tools
from tagmanager.forms.command_line import NoCommand, command_line
from tagmanager.forms.page_forms import PageForms
from tests.demo import Demo
from tests.processes import command
from zendesk import sandbox

pytestmark = pytest.mark.once

FORM = "/tools/bulk-tag/"
VIEW = str(sandbox.VIEW_UNSOLVED)
CHOICES: list[dict[str, Any]] = [
    {"view": VIEW, "add": "vip gold", "remove": "trial"},
    {"search": 'subject:"it\'s broken" -tags:vip', "set": "one two"},
    {"search": "-tags:vip", "add": "x"},
    {"tag": "refund", "add": "vip", "limit": "7", "order": "oldest"},
    {"all_tickets": "on", "add": "vip", "having": "a b", "lacking": "c", "status": ["open", "new"]},
    {"view": VIEW, "and-search": "status:open", "and-tag": "y", "not-view": VIEW, "add": "vip"},
    {"view": VIEW, "not-search": "status<solved", "add": "vip", "order": "last-changed", "canary": "3"},
    {"search": "x", "add": "v", "guard": "bulk", "guard_stays": "on", "include_closed": "on", "verify": "on"},
    {"search": "x", "add": "v", "no_ai_agent": "on"},
]


def sent(filled: dict[str, Any]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in {"nonce": "n", "dry_run": "on", **filled}.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def asked(job: Job) -> dict[str, Any]:
    """All that a person says of a job; lists that the job itself read are left out."""
    parts = enumerate(SourceSpec.read(job.source).parts)
    given = [number for number, part in parts if part["kind"] == LISTED]
    refs = job.listed.filter(part__in=given).order_by("part", "number").values_list("part", "refs")
    fields = ("tool", "title", "params", "options", "source", "limit", "canary", "dry_run", "guarded")
    return {name: getattr(job, name) for name in fields} | {"refs": list(refs)}


def made_by_both(web: Client, filled: dict[str, Any], files: Any = None) -> tuple[Job, Job]:
    """The job of the form, and the job of the command that the form is read as."""
    forms = PageForms.sent(tools.tool("bulk-tag"), sent(filled), MultiValueDict(files or {}))
    assert forms.is_valid(), [form.errors for form in forms]
    line = shlex.split(command_line(forms))
    answer = web.post(
        FORM, {"nonce": "n", "dry_run": "on", **filled, **{k: v[0] for k, v in (files or {}).items()}}
    )
    assert answer.status_code == 302
    by_form = Job.objects.latest("pk")
    ran = command(*line[2:], "--detach", "--yes")
    assert (line[:2], ran.code) == (["python", "manage.py"], 0), ran
    by_command = Job.objects.latest("pk")
    assert by_command.pk != by_form.pk
    return by_form, by_command


@pytest.mark.parametrize("filled", CHOICES, ids=" ".join)
def test_the_command_of_a_form_makes_the_same_job(web: Client, demo: Demo, filled: dict[str, Any]) -> None:
    by_form, by_command = made_by_both(web, filled)
    assert asked(by_command) == asked(by_form)


def test_numbers_become_options(web: Client, demo: Demo) -> None:
    first, second, third = demo.account.ticket_ids()[:3]
    by_form, by_command = made_by_both(
        web, {"ids": f"#{first}\n{second}", "not-ids": str(third), "add": "vip"}
    )
    assert asked(by_command) == asked(by_form)
    assert asked(by_form)["refs"] == [(0, f"{first} {second}"), (1, str(third))]


def test_a_file_is_named_with_its_column(
    web: Client, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"a,b\n1,%d\n" % demo.account.ticket_ids()[0]
    (tmp_path / "my tickets.csv").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    upload = SimpleUploadedFile("my tickets.csv", content)
    filled = {"add": "vip", "ids_file-column": "id=b"}
    forms = PageForms.sent(tools.tool("bulk-tag"), sent(filled), MultiValueDict({"ids_file": [upload]}))
    assert forms.is_valid()
    assert command_line(forms) == (
        "python manage.py tag_tickets --add vip --ids-file 'my tickets.csv' --dry-run --column id=b"
    )


def test_some_tickets_of_an_earlier_job_have_no_command(web: Client, demo: Demo) -> None:
    web.post(FORM, {"nonce": "1", "add": "vip", "ids": str(demo.account.ticket_ids()[0])})
    job = Job.objects.get()
    filled = {"job": str(job.pk), "outcomes": ["changed", "unchanged", "skipped"], "add": "y"}
    forms = PageForms.sent(tools.tool("bulk-tag"), sent(filled), MultiValueDict())
    assert forms.is_valid()
    with pytest.raises(NoCommand, match="No option can name some of these tickets"):
        command_line(forms)
