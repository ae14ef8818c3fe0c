"""`manage.py check`: Django's, which looks at the database too."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import check


class Command(check.Command):
    """Without arguments it runs the checks of the database as well; a database that is away stops none."""

    def handle(self, *app_labels: Any, **options: Any) -> None:
        if not (app_labels or options["tags"] or options["databases"] or options["list_tags"]):
            options["databases"] = ["default"]
        super().handle(*app_labels, **options)
