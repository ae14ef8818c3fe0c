"""Each kind of source has every part, and goes round: form, stored source, words, form again; and option."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.datastructures import MultiValueDict

from jobs.models import Job
from jobs.presentation.job_summary import source_words
from jobs.source_spec import Stored
from jobs.states import Outcome, Status
from tagmanager.forms.job_form import SourceForm
from tagmanager.forms.prefill import filling_of
from tagmanager.intake.source_kinds.base import AND, NOT, SourceKind, Way
from tagmanager.intake.source_kinds.registry import kinds, phrase_of, register, registered
from tagmanager.intake.source_kinds.searching import FoundBySearch
from tagmanager.intake.source_kinds.source import Source
from tagmanager.intake.source_size import known
from tests import factories
from tests.demo import outcomes, params
from tests.processes import command
from zendesk import sandbox as zd

pytestmark = pytest.mark.once

FORM = "/tools/bulk-tag/"
FILE = "id\n3\n4\n3\n"
#: A job of this number exists in tests that ask for the account; no other job gets it.
EARLIER = 90_001
#: For each field that names tickets: what a person fills in beside it, the argument of its option, and the
#: source that a job stores.
EXAMPLES: dict[str, tuple[dict[str, Any], list[str], Stored]] = {
    "view": (
        {"view": zd.VIEW_UNSOLVED},
        ["--view", str(zd.VIEW_UNSOLVED)],
        {"kind": "view", "id": zd.VIEW_UNSOLVED, "title": "All unsolved tickets"},
    ),
    "search": (
        {"search": "status:open"},
        ["--search", "status:open"],
        {"kind": "search", "query": "status:open"},
    ),
    "tag": ({"tag": "Refund"}, ["--tag", "Refund"], {"kind": "tag", "tag": "refund"}),
    "ids": (
        {"ids": "#1, 2"},
        ["--ids", "#1, 2"],
        {"kind": "ids", "name": "", "number": 2, "doubles": 0},
    ),
    "ids_file": (
        {},
        ["--ids-file", "numbers.csv"],
        {"kind": "ids", "name": "numbers.csv", "number": 2, "doubles": 1},
    ),
    "job": (
        {"job": str(EARLIER), "outcomes": [str(outcome) for outcome in Outcome]},
        ["--job", str(EARLIER)],
        {"kind": "items", "job": EARLIER, "outcomes": [str(outcome) for outcome in Outcome]},
    ),
    "all_tickets": ({"all_tickets": "on"}, ["--all"], {"kind": "all"}),
}
#: Kinds that no field names: tools make them.
MADE_BY_TOOLS: list[Stored] = [{"kind": "tags", "tags": ["vip", "refund"]}]
STORED = [*(stored for _, _, stored in EXAMPLES.values()), *MADE_BY_TOOLS]


def newest() -> Job:
    """The job made last: a sequence of PostgreSQL goes on below the number of the earlier one."""
    return Job.objects.exclude(pk=EARLIER).latest("pk")


def kind_named(name: str) -> SourceKind:
    return next(kind for kind in kinds() if kind.kind == name)


def files_of(way: str) -> MultiValueDict[str, Any]:
    return MultiValueDict(
        {"ids_file": [SimpleUploadedFile("numbers.csv", FILE.encode())]} if way == "ids_file" else {}
    )


@pytest.fixture
def account(db: None, demo_zendesk: zd.Sandbox) -> zd.Sandbox:
    """With an earlier job, for the kind that takes its tickets."""
    factories.item(factories.job(Status.SUCCEEDED, pk=EARLIER, changed=1), 1, Outcome.CHANGED)
    return demo_zendesk


def test_every_field_and_every_kind_has_an_example_here() -> None:
    assert list(EXAMPLES) == [way.name for kind in kinds() for way in kind.ways]
    assert {stored["kind"] for stored in STORED} == {kind.kind for kind in kinds()}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.kind)
def test_each_kind_has_all_parts_of_a_way_to_choose_tickets(kind: SourceKind) -> None:
    assert bool(kind.ways) == bool(kind.panel) == bool(kind.tab)
    fields = kind.fields(extra=False)
    for way in kind.ways:
        assert {AND, NOT} >= way.labels.keys()
        assert way.help.format("The tickets") != way.help or not way.labels
        assert fields[way.name].required is False
        assert fields[way.name].label
    assert set(kind.fields(extra=True)) <= set(fields)


@pytest.mark.parametrize("way", EXAMPLES)
def test_a_filled_in_field_becomes_the_stored_source(account: zd.Sandbox, way: str) -> None:
    filled, _, stored = EXAMPLES[way]
    form = SourceForm(filled, files_of(way))
    assert form.is_valid(), form.errors
    assert form.chosen().stored == stored


@pytest.mark.parametrize("way", EXAMPLES)
def test_the_option_stores_the_same_as_the_field(
    account: zd.Sandbox, way: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numbers.csv").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    _, arguments, stored = EXAMPLES[way]
    ran = command("tag_tickets", *arguments, "--add", "brand-new", "--dry-run", "--limit", "1")
    assert (ran.code, newest().source) == (0, stored), ran.err


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored["kind"])
def test_each_kind_is_called_something_in_titles_and_on_the_page(stored: Stored) -> None:
    assert phrase_of(stored) not in ("", "tickets")
    words = source_words(stored)
    assert words
    assert f"kind: {stored['kind']}" not in words
    assert f"kind → {stored['kind']}" not in words


@pytest.mark.parametrize("way", EXAMPLES)
def test_the_form_filled_from_a_job_asks_for_the_same_again(
    web: Client, account: zd.Sandbox, way: str
) -> None:
    filled, _, stored = EXAMPLES[way]
    web.post(FORM, filled | files_of(way).dict() | {"add": "vip", "nonce": "n", "dry_run": "on"})
    job = newest()
    filling = filling_of(job).source
    form = SourceForm(MultiValueDict({name: _listed(value) for name, value in filling.items()}))
    assert filling["kind"] == kind_named(stored["kind"]).panel
    assert form.is_valid(), form.errors
    # The name of a file is lost: its numbers are typed the second time, each of them as before.
    assert form.chosen().stored == stored | ({"name": ""} if way == "ids_file" else {})


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored["kind"])
def test_each_kind_says_how_many_tickets_it_holds_or_that_nobody_knows(
    account: zd.Sandbox, stored: Stored
) -> None:
    number = known(Source(stored))
    assert (number is None) == (stored["kind"] in ("view", "all"))  # Zendesk has not counted the view yet


@pytest.mark.parametrize("prefix", [AND, NOT])
@pytest.mark.parametrize("way", EXAMPLES)
def test_further_tickets_are_named_by_the_fields_that_have_a_label_for_it(
    account: zd.Sandbox, way: str, prefix: str
) -> None:
    filled, _, stored = EXAMPLES[way]
    files = MultiValueDict({f"{prefix}-{name}": [file] for name, file in files_of(way).items()})
    extra = {f"{prefix}-{name}": value for name, value in filled.items()}
    form = SourceForm({"search": "tags:vip"} | extra, files)
    assert form.is_valid(), form.errors
    part = form.added if prefix == AND else form.left_out
    (offering,) = (one for kind in kinds() for one in kind.ways if one.name == way)
    assert [source.stored for source in part.named] == ([stored] if prefix in offering.labels else [])


# A kind that is not ours


class Brand(FoundBySearch):
    """The tickets of a brand: a kind that only this test knows."""

    kind = "brand"
    panel, tab, tab_place = "brand", "Brand", 7
    ways = (
        Way(
            "brand",
            help="{} of a brand.",
            argument={"metavar": "NAME"},
            labels={AND: "Another brand", NOT: "Those of a brand"},
        ),
    )

    def fields(self, *, extra: bool) -> dict[str, forms.Field]:  # noqa: ARG002
        return {"brand": forms.CharField(label="A brand", required=False)}

    def read(self, way: str, form: forms.BaseForm) -> Source | None:
        name = form.cleaned_data.get(way)
        return Source({"kind": self.kind, "name": name}) if name else None

    def filling(self, stored: Stored, *, job: Job, part: int, extra: bool) -> dict[str, Any]:  # noqa: ARG002
        return {"kind": self.panel, "brand": stored["name"]}

    def phrase(self, stored: Stored) -> str:
        return f"tickets of brand {stored['name']}"

    def words(self, stored: Stored) -> str:
        return f"The brand {stored['name']}"

    def queries(self, stored: Stored) -> list[str]:
        return [f"tags:{stored['name']}"]


@pytest.fixture
def brand() -> Iterator[None]:
    with registered(Brand()):
        yield


def test_a_new_kind_stands_in_the_form_with_its_tab_and_its_fields(
    web: Client, account: zd.Sandbox, brand: None
) -> None:
    page = web.get(FORM).content.decode()
    assert '<input type="radio" name="kind" value="brand" aria-controls="panel-brand"> Brand' in page
    assert '<div id="panel-brand" data-panel="brand">' in page
    for name, label in (
        ("brand", "A brand"),
        ("and-brand", "Another brand"),
        ("not-brand", "Those of a brand"),
    ):
        assert f'<label class="form-label" for="id_{name}">{label}</label>' in page


def test_a_new_kind_makes_jobs_from_the_page_and_the_command_alike(
    web: Client, account: zd.Sandbox, brand: None
) -> None:
    tagged = {ref for ref in account.ticket_ids() if "vip" in account.ticket(ref).tags}
    web.post(FORM, {"add": "new", "nonce": "1", "kind": "brand", "brand": "vip", "dry_run": "on"})
    posted = newest()
    assert (posted.source, posted.title) == (
        {"kind": "brand", "name": "vip"},
        "Add new to tickets of brand vip",
    )
    assert set(outcomes(posted)) == tagged
    assert "The brand vip" in web.get(posted.get_absolute_url()).content.decode()
    again = web.get(FORM, {"again": posted.pk}).content.decode()
    assert 'data-chosen="brand"' in again
    assert 'name="brand" value="vip"' in again
    ran = command("tag_tickets", "--brand", "vip", "--add", "new", "--dry-run")
    assert (ran.code, newest().source) == (0, posted.source)
    ran = command("tag_tickets", "--tag", "vip", "--not-brand", "vip", "--add", "new", "--dry-run")
    assert (ran.code, outcomes(newest())) == (0, {})
    assert "--brand" in command("tag_tickets", "--add", "new", "--yes").err


def test_a_kind_that_is_gone_is_shown_as_it_was_stored(web: Client, account: zd.Sandbox) -> None:
    job = factories.job(Status.SUCCEEDED, source={"kind": "brand", "name": "vip"}, params=params(add=["x"]))
    assert "kind → brand, name → vip" in web.get(job.get_absolute_url()).content.decode()
    assert web.get(FORM, {"again": job.pk}).status_code == 200
    assert phrase_of(job.source) == "tickets"


@pytest.mark.parametrize(
    "taken", [{"kind": "view"}, {"kind": "several"}, {"panel": "view"}, {"ways": "view"}]
)
def test_a_kind_may_not_take_what_another_has(taken: dict[str, str]) -> None:
    double = type("Double", (Brand,), {name: value for name, value in taken.items() if name != "ways"})()
    if "ways" in taken:
        double = type("Double", (Brand,), {"ways": (Way("view", help=""),)})()
    with pytest.raises(ValueError, match="has a name, a field or a tab"):
        register(double)
    assert len(kinds()) == len({kind.kind for kind in kinds()})
