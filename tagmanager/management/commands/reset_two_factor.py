"""Remove a person's second factor, for whoever lost phone and recovery codes; the only administrator, say."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from jobs.apps import SETTINGS
from tagmanager.people import second_factor


class Command(BaseCommand):
    help = "Remove a person's second factor and end their sessions; they can set up another."
    requires_system_checks = (SETTINGS,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="The person's user name.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        users, name = get_user_model(), options["username"]
        person = users.objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"There is no user {name!r} here.")
        if not second_factor.turn_off(person, by="the command line"):
            raise CommandError(f"{name} has no second factor.")
        self.stdout.write(f"The second factor of {name} is removed, and their sessions have ended.")
