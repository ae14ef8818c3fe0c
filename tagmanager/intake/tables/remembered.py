"""What people chose as the columns of a table, by the names in its header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tagmanager.models import ColumnChoice


def find(digests: Sequence[str]) -> tuple[str, dict[str, int]]:
    """The first of these headers for which columns were chosen, and its columns by role; or ("", {})."""
    found = dict(ColumnChoice.objects.filter(digest__in=digests).values_list("digest", "roles"))
    return next(((digest, found[digest]) for digest in digests if digest in found), ("", {}))


def remember(digest: str, roles: Mapping[str, int]) -> None:
    """Keep a choice for the next table with this header."""
    ColumnChoice.objects.update_or_create(digest=digest, defaults={"roles": dict(roles)})
