"""Words of Zendesk's and of people's are shown as text, wherever they come in and whatever they hold.

One text is put into every such place. Then each page is asked for twice, with plain words and with hostile
ones: both must be built of the same elements with the same attributes, or else a word has become markup.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from jobs.models import Batch, Item, Job, Transition
from jobs.states import BatchState, Outcome, Status
from tagmanager.account import choices
from tagmanager.account.asking import Known, State
from tagmanager.account.connection import NotConnected
from tagmanager.account.status import AccountStatus
from tagmanager.account.tag_references import AccountSetup, Kind, TagReference
from tagmanager.intake import sources
from tagmanager.macros.search import Found
from tagmanager.previews import samples
from tests import factories

PLAIN = "plain words of somebody"
MARKUP = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(2)></title></textarea></select></option></svg>"
    "<!--{{ 7*7 }}{% now 'Y' %}&lt;b&gt;\u202e\u2066gnp.\x1b[31m\ud83d\ude00"
)
HOSTILE = {
    "markup": MARKUP.encode("utf-16", "surrogatepass").decode("utf-16"),
    "an attribute and a null": 'x" autofocus onfocus="alert(3)" style="a" \' onmouseover=\'alert(4)\x00',
    "an address": "javascript:alert(5)//\\evil.example",
    "ten thousand characters": "<b>" * 3_333,
}
#: Addresses that may begin the value of an attribute which a browser follows.
OURS = ("/", "?", "#", "data:image/svg+xml", "http://testserver/", "https://acme.zendesk.com/")
FOLLOWED = {"href", "src", "action", "hx-get", "hx-post", "formaction", "data-home", "data-jobs", "data-tool"}


class Skeleton(HTMLParser):
    """The elements of a page with the names of their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            assert name != "style", (tag, attrs)
            assert not name.startswith("on"), (tag, attrs)
            if name in FOLLOWED:
                assert (value or "").startswith(OURS), (tag, attrs)
                assert not (value or "").startswith("//"), (tag, attrs)

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment", (data,)))


@pytest.fixture
def root(client: Client, db: None, settings: Any) -> Client:
    """A superuser, and a Zendesk that answers with whatever the test says."""
    settings.ZENDESK_SUBDOMAIN, settings.ZENDESK_OAUTH_TOKEN = "acme", "a-token"
    client.force_login(User.objects.create_superuser("root"))
    return client


def put(words: str) -> None:
    """The words wherever something is stored, in rows that are the same otherwise."""
    for model in (Transition, Item, Batch):
        model.objects.all().delete()
    Job.objects.exclude(parent=None).delete()
    Job.objects.all().delete()
    User.objects.exclude(username="root").delete()
    person = factories.user(words[:150], "view_job")
    given: list[dict[str, Any]] = [
        {"kind": "view", "id": 7, "title": words},
        {"kind": "search", "query": words},
        {"kind": "tag", "tag": words},
        {"kind": "ids", "name": words},
        {"kind": "items", "job": 100, "outcomes": ["failed"], "reason": words},
    ]
    for number, status in enumerate(Status):
        job = factories.job(
            status,
            pk=100 + number,
            title=words[:300],
            params={"add": [words], "remove": [words], "set": [words], "macro": words, words: words},
            source=given[number % len(given)],
            created_by=person,
            error=words if status == Status.ERRORED else "",
            total=20, changed=1, failed=1, skipped=1, unverified=1,
        )  # fmt: skip
        rows(job, words)
        for actor, why in ((words[:200], words), (words[:200], "")):
            Transition.objects.create(
                job=job, from_status=Status.RUNNING, to_status=status, actor=actor, why=why, user=person
            )
    preview = factories.job(
        Status.SUCCEEDED, pk=200, dry_run=True, planned=2, skipped=1, title=words[:300], source=given[0],
        params={"add": [words], "remove": [], "set": []}, created_by=person,
    )  # fmt: skip
    rows(preview, words)
    factories.job(Status.SUCCEEDED, pk=201, parent=preview, title=words[:300])


def rows(job: Job, words: str) -> None:
    batch = factories.batch(job, BatchState.SETTLED, note=words, size=4, change={"add": [words]})
    shared = {"reason": words[:64], "detail": words, "change": {"add": [words], "remove": [words]}}
    for ref, outcome in enumerate((Outcome.CHANGED, Outcome.FAILED, Outcome.SKIPPED, Outcome.UNVERIFIED), 1):
        factories.item(job, ref, outcome, batch=batch, **shared)
    for ref in (5, 6):
        before = {"tags": [words], "status": "open", "updated_at": ""}
        factories.item(job, ref, Outcome.PLANNED, before=before, **shared)


def pages(words: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every page that shows what `put` stored, or what its address says."""
    for number, status in enumerate(Status):
        yield f"/jobs/{100 + number}/", {}
        yield f"/jobs/{100 + number}/live", {"version": words, "spoken": words}
        if number < 5:
            yield "/tools/bulk-tag/", {"again": str(100 + number)}
            yield f"/jobs/{100 + number}/account", {"outcome": "failed", "reason": words[:64]}
        assert status
    ended = 100 + list(Status).index(Status.PARTIAL)
    for name in ("pause", "resume", "cancel", "retry", "rest", "run", "undo", "unguard"):
        yield f"/jobs/{ended}/{name}", {"reason": words[:64]}
    for address in ("/jobs/200/", "/jobs/201/", "/tools/preview/200/samples", "/tools/preview/200/warnings"):
        yield address, {}
    yield "/", {}
    yield "/connection", {}
    yield "/tools/macro-search/", {}
    yield "/tools/macro-search/", {"q": words, "in": words, "format": words}
    for key in ("q", "by", "tag", "tool", "since", "show", "after", "before"):
        yield "/jobs/", {key: words[:150]}
    yield "/jobs/rows", {"q": words, "version": words}
    yield "/jobs/cancel", {"all": "yes"}
    yield "/jobs/cancel", {"job": words, "q": words, "show": words}
    yield "/login/", {"next": words, "ended": words}
    yield "/tools/bulk-tag/", {"again": words, "restore": words}
    for part in ("stored?add", "view-count?view", "search-count?search"):
        path, key = part.split("?")
        yield f"/tools/parts/{path}", {key: words}
    for table in ("job", "item", "batch", "transition"):
        yield f"/admin/jobs/{table}/", {}
        yield f"/admin/jobs/{table}/", {"q": words[:100]}
    yield f"/admin/jobs/job/{ended}/change/", {}
    yield f"/admin/jobs/job/{ended}/history/", {}
    yield "/admin/auth/user/", {}


def answer_with(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Zendesk whose every word is this one, and whose refusals too."""
    cache.clear()
    kinds: tuple[Kind, ...] = ("field", "trigger", "automation", "view", "macro")
    named = tuple(TagReference(kind, 1, words, frozenset({words}), "tagger") for kind in kinds)
    now = timezone.now()
    monkeypatch.setattr(choices, "views", lambda: choices.Choices("views", [(7, words), (8, words)]))
    setup = Known(State.CURRENT, AccountSetup(references=named), now)
    for module in ("account.tag_references", "previews.warnings", "inventory.tags"):
        monkeypatch.setattr(f"tagmanager.{module}.account_setup", lambda: setup)
    macro = Found(1, words, True, (words,), (words,), words, "https://acme.zendesk.com/macros/1")
    monkeypatch.setattr("tagmanager.macros.search.in_words", lambda _: (macro,))
    monkeypatch.setattr(
        "tagmanager.macros.search.account_macros", lambda: Known(State.CURRENT, SimpleNamespace(), now)
    )
    said = samples._Words(dict.fromkeys((5, 6), words), {})
    monkeypatch.setattr(samples, "_words_of", lambda *_: Known(State.CURRENT, said, now))
    seen = AccountStatus(
        account=words, user=words, role=words, warnings=(words,), limit=1, left=1, credential=words
    )
    monkeypatch.setattr("tagmanager.views.home.account_status", lambda: seen)
    tags = Known(State.CURRENT, [words], now)
    monkeypatch.setattr("tagmanager.account.suggestions.tags_like", lambda _: tags)
    refused: Known[Any] = Known(State.FAILED, problem=NotConnected(words))
    monkeypatch.setattr("tagmanager.account.suggestions.view_count", lambda _: refused)
    monkeypatch.setattr("tagmanager.account.suggestions.search_count", lambda _: refused)


Elements = list[tuple[str, tuple[str, ...]]]
TicketSnapshot = tuple[int, Elements, str]
#: What the pages themselves never have more of because of a word.
FOREIGN = ("script", "img", "comment", "style", "iframe")


def skeletons(
    root: Client, words: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, tuple[int, Elements, str]]:
    """By address: status, elements and text of each page with these words in it.

    Of a page that judges what its address says, only the elements that no page of ours has more of.
    """
    put(words)
    answer_with(words, monkeypatch)
    found = {}
    for address, query in pages(words):
        answer = root.get(address, query, headers={"HX-Request": "true"} if "preview" in address else {})
        page = answer.content.decode()
        judges = any(value and value in words for value in query.values())
        elements = [each for each in Skeleton(page).elements if not judges or each[0] in FOREIGN]
        found[f"{address}?{'&'.join(query)}"] = (0 if judges else answer.status_code, elements, page)
    return found


#: Pages on which the words must be seen, or the test looks at nothing.
SHOWN = (
    "/", "/jobs/", "/jobs/107/", "/jobs/200/", "/jobs/cancel", "/connection", "/admin/jobs/job/",
    "/tools/bulk-tag/", "/tools/preview/200/samples", "/tools/preview/200/warnings",
    "/tools/macro-search/",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.once
def test_hostile_text_becomes_markup_on_no_page(root: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = skeletons(root, PLAIN, monkeypatch)
    assert len(plain) > len(SHOWN)
    hostile: dict[str, TicketSnapshot] = {}
    for kind, words in HOSTILE.items():
        stored = words.replace("\x00", "\x01") if connection.vendor == "postgresql" else words
        hostile = skeletons(root, stored, monkeypatch)
        for name, (status, elements, _) in plain.items():
            now, others, _ = hostile[name]
            if "null" in kind and name.startswith("/admin/"):
                continue  # the admin refuses what no database takes, on a page of its own
            assert (kind, name, now, Counter(others) - Counter(elements)) == (kind, name, status, Counter())
            assert others == elements, (kind, name)
        pages_with_raw = [name for name, (*_, page) in hostile.items() if stored[:40] in page]
        assert kind == "an address" or pages_with_raw == []
    # The words are really there to be seen, on the pages that matter most.
    for name in SHOWN:
        shown = [page for address, (*_, page) in hostile.items() if address.startswith(f"{name}?")]
        assert any("&lt;b&gt;&lt;b&gt;" in page for page in shown), name


@pytest.mark.parametrize("kind", HOSTILE)
def test_typed_text_is_escaped(root: Client, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(words: str) -> list[Elements]:
        answer_with(words, monkeypatch)
        fields = dict.fromkeys(("add", "remove", "set", "tag", "ids", "view", "job", "limit", "nonce"), words)
        answers = [
            root.post("/tools/bulk-tag/", fields),
            root.post("/jobs/200/run", {"typed": words, "nonce": words, "reason": words}),
            Client().post("/login/", {"username": words, "password": words, "next": words, "kept": words}),
            Client().post("/tools/bulk-tag/", fields, follow=True),
            Client().get("/now", headers={"HX-Request": "true", "HX-Current-URL": f"http://x/{words[:99]}"}),
        ]
        assert ["<script>alert" in answer.content.decode() for answer in answers] == [False] * 5
        return [Skeleton(answer.content.decode()).elements for answer in answers]

    factories.job(Status.SUCCEEDED, pk=200, dry_run=True, planned=20_000)
    hostile = [
        [e for e in page if e[0] in ("script", "img", "b", "comment", "svg")] for page in sent(HOSTILE[kind])
    ]
    plain = [[e for e in page if e[0] in ("script", "img", "b", "comment", "svg")] for page in sent(PLAIN)]
    assert hostile == plain


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if "null" not in kind])
def test_exports_and_the_status_preserve_hostile_text(root: Client, kind: str) -> None:
    words = HOSTILE[kind]
    put(words)
    number = 100 + list(Status).index(Status.PARTIAL)

    def read(address: str) -> Any:
        answer = root.get(address)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert not answer["Content-Type"].startswith("text/html")
        return b"".join(answer.streaming_content).decode() if answer.streaming else answer.content.decode()  # type: ignore[attr-defined]

    assert json.loads(read(f"/jobs/{number}/status"))["title"] == words[:300]
    expected = [(1, words, words), (2, words, ""), (3, words, ""), (4, words, "")]
    objects = json.loads(read(f"/jobs/{number}/export.json"))
    assert [(o["ticket_id"], o["reason"], o["tags_added"]) for o in objects[:4]] == expected
    lines = [json.loads(line) for line in read(f"/jobs/{number}/export.ndjson").splitlines()]
    assert lines == objects
    table = list(csv.DictReader(io.StringIO(read(f"/jobs/{number}/export.csv"), newline="")))
    assert [(int(r["ticket_id"]), r["reason"], r["tags_added"]) for r in table[:4]] == expected


@pytest.mark.parametrize(
    "start",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        "=cmd|' /C calc'!A0",
    ],
)
def test_no_cell_of_a_table_is_a_formula(root: Client, start: str) -> None:
    put(start)
    number = 100 + list(Status).index(Status.PARTIAL)
    text = b"".join(root.get(f"/jobs/{number}/export.csv").streaming_content).decode()  # type: ignore[attr-defined]
    cells = [cell for row in list(csv.reader(io.StringIO(text, newline="")))[1:] for cell in row]
    marked = f"'{start[0]}'{start[1:]}" if start[0].isspace() else f"'{start}"
    assert marked in cells
    pieces = [piece for cell in cells for piece in re.split("[;\t\r\n]", cell)]
    assert [piece for piece in pieces if piece.startswith(("=", "+", "-", "@", start[0]))] == []


def test_the_title_of_a_view_is_stored_as_one_readable_line() -> None:
    title = sources.view(7, "\x00<b>All\u202e\r\n unsolved</b>" + "x" * 10_000).stored["title"]
    assert title.startswith("<b>All unsolved</b>xxx")
    assert len(title) <= 400


@pytest.mark.parametrize(
    "path", ["/jobs/%00/", "/tools/%00/", "/tools/<script>/", "/jobs/1%00/", "/%2e%2e/", "/\\evil"]
)
def test_a_hostile_address_is_not_found(root: Client, path: str) -> None:
    answer = root.get(path)
    assert answer.status_code == 404
    assert b"<script>/" not in answer.content


@pytest.mark.parametrize(
    ("address", "field"),
    [("/jobs/", "q"), ("/jobs/", "by"), ("/jobs/", "tag"), ("/jobs/", "tool"), ("/jobs/", "since"),
     ("/jobs/", "show"), ("/jobs/", "after"), ("/jobs/", "before"), ("/jobs/rows", "version"),
     ("/jobs/cancel", "job"),
     ("/jobs/1/", "outcome"), ("/jobs/1/", "reason"), ("/jobs/1/", "after"), ("/jobs/1/live", "version"),
     ("/jobs/1/retry", "reason"), ("/jobs/1/export.csv", "outcome"), ("/now", "version"),
     ("/login/", "next"),
     ("/tools/bulk-tag/", "again"), ("/tools/parts/tags", "q"), ("/tools/parts/stored", "add"),
     ("/tools/parts/view-count", "view"), ("/tools/parts/search-count", "search"),
     ("/admin/jobs/item/", "q")],
)  # fmt: skip
def test_a_null_character_in_an_address_breaks_nothing(
    root: Client, address: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.job(Status.PARTIAL, pk=1, failed=1)
    answer_with("x", monkeypatch)
    for value in ("\x00", "a\x00b", "1\x00", "\ud83d".encode("utf-8", "replace").decode()):
        answer = root.get(address, {field: value})
        assert answer.status_code < 500


@pytest.mark.parametrize(
    "field", ["add", "remove", "set", "tag", "ids", "search", "view", "job", "limit", "nonce", "kind"]
)
def test_a_null_character_in_a_form_is_reported_and_breaks_nothing(
    root: Client, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with("x", monkeypatch)
    filled = {"add": "vip", "search": "status:open", "dry_run": "on", "nonce": "n"}
    answer = root.post("/tools/bulk-tag/", filled | {field: "a\x00b"})
    assert answer.status_code in (200, 302)
    assert Job.objects.filter(title__contains="\x00").count() == 0 if connection.vendor == "sqlite" else True
