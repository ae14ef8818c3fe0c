"""A scraper that knows the token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

TOKEN = "a-token-of-this-test-0123456789"
#: A sample by its name and, where it has labels, their values in the order of their names: `jobs{errored,x}`.
Samples = dict[str, float]
Scrape = Callable[[], Samples]


@pytest.fixture
def scrape(db: None, client: Client, settings: Settings) -> Scrape:
    """What `/metrics` tells now, without the prefix of all names and without the scrape's duration."""
    settings.METRICS_TOKEN = TOKEN

    def samples() -> Samples:
        found = samples_of(exposition(client))
        assert found.pop("scrape_duration_seconds") > 0
        return found

    return samples


def exposition(client: Client) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return answer.content.decode()


def samples_of(text: str) -> Samples:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(value for _, value in sorted(sample.labels.items()))
            name = sample.name.removeprefix("tagmanager_")
            found[f"{name}{{{labels}}}" if labels else name] = sample.value
    return found
