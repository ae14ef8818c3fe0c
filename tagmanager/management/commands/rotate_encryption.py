"""Encrypt the secrets in the database anew with the newest key, so that earlier keys can be dropped."""

from __future__ import annotations

import sys
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Model

from jobs.apps import SETTINGS
from jobs.common.formatting import some
from tagmanager.ops.encryption import EncryptedTextField, KeyLost


class Command(BaseCommand):
    help = "Encrypt all stored secrets with the newest of ENCRYPTION_KEYS; exit 1 if one cannot be read."
    requires_system_checks = (SETTINGS,)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        found = [
            _rotated(model, field.attname, pk)
            for model in apps.get_models()
            for field in model._meta.concrete_fields
            if isinstance(field, EncryptedTextField)
            for pk in model._default_manager.values_list("pk", flat=True)
        ]
        self.stdout.write(f"{some(found.count(True), 'secret')} encrypted with the newest key.")
        if lost := found.count(False):
            self.stderr.write(f"{some(lost, 'secret')} cannot be read: the key is not set any more.")
            sys.exit(1)


def _rotated(model: type[Model], name: str, pk: Any) -> bool | None:
    """Whether the secret of the row could be read; None where there is none."""
    with transaction.atomic():
        row = model._default_manager.select_for_update().filter(pk=pk).first()
        secret = getattr(row, name, None)
        if row is None or secret is None:
            return None
        try:
            setattr(row, name, secret.with_newest_key())
        except KeyLost:
            return False
        row.save(update_fields=[name])
    return True
