"""Pages listed among the tools that only look something up, without a job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lookup:
    """One such page; `tagmanager.urls` has its view under its slug."""

    slug: str
    name: str
    summary: str
    icon: str


LOOKUPS = (
    Lookup(
        "tag-inventory",
        "Tag inventory",
        "All tags with their tickets: unused ones, those that mean the same, and what names them.",
        "inventory",
    ),
    Lookup(
        "macro-search",
        "Search macros",
        "Find macros by what they are called, do, tag and say, as a table to download.",
        "search",
    ),
)
