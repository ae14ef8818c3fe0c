"""Remove ended sessions and lock-outs and old sign-ins now; a worker does it once a day by itself."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from jobs.apps import SETTINGS
from jobs.common.formatting import some
from tagmanager.people import sign_in_rows


class Command(BaseCommand):
    help = "Remove ended sessions and lock-outs, and sign-ins older than SIGN_IN_LOG_DAYS."
    requires_system_checks = (SETTINGS,)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        removed = sign_in_rows.remove_all_old_ones()
        self.stdout.write(f"Removed: {', '.join(some(count, kind) for kind, count in removed.items())}.")
