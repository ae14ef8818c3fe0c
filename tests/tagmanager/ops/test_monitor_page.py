"""The page about monitoring names every metric, and no other, in its table and in its alerts."""

from __future__ import annotations

import re
from pathlib import Path

from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from jobs.workers import heartbeats
from tests.tagmanager.ops.conftest import Scrape, exposition

PAGE = (Path(__file__).resolve().parents[3] / "docs/how-to/monitor.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(tagmanager_\w+)` \| (\w+) \|(.*?)\| (.+) \|$", re.MULTILINE)


def test_the_table_has_name_kind_labels_and_unit_of_each_metric(client: Client, scrape: Scrape) -> None:
    heartbeats.beat()
    scrape()
    told = {}
    for family in text_string_to_metric_families(exposition(client)):
        for sample in family.samples:
            told[sample.name] = (family.type, set(sample.labels))
    rows = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in ROW.findall(PAGE)}
    assert rows == told
    for name, _, _, meaning in ROW.findall(PAGE):
        assert name.endswith("_seconds") == ("seconds" in meaning)


def test_each_label_has_the_values_in_the_table(client: Client, scrape: Scrape) -> None:
    values: dict[str, set[str]] = {}
    for name in scrape():
        if found := re.fullmatch(r"(\w+)\{([^,]+)\}", name):
            values.setdefault(found[1], set()).add(found[2])
    del values["build_info"]
    meanings = {name.removeprefix("tagmanager_"): meaning for name, _, _, meaning in ROW.findall(PAGE)}
    assert len(values) > 3
    for name, words in values.items():
        assert words == words & set(re.findall(r"`(\w+)`", meanings[name])), name


def test_alerts_use_existing_metrics_and_labels(client: Client, scrape: Scrape) -> None:
    scrape()
    text = exposition(client)
    # Prometheus itself makes `up`, for the name that the page gives the scrape job.
    (job,) = re.findall(r"job_name: (\S+)", PAGE)
    alerts = re.findall(r"expr: (.+)", PAGE)
    about_us = [alert for alert in alerts if f'up{{job="{job}"}}' not in alert]
    assert (len(alerts), len(about_us)) == (8, 6)
    for alert in about_us:
        name, _, labels = re.search(r"(tagmanager_\w+)(\{(.*?)\})?", alert).groups()  # type: ignore[union-attr]
        assert f"\n{name}" in text
        for label, pattern in re.findall(r"(\w+)=~?\"(.*?)\"", labels or ""):
            for value in pattern.split("|"):
                assert re.search(rf'^{name}\{{.*{label}="{value}"', text, re.MULTILINE), alert
