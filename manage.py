#!/usr/bin/env python
"""Runs the commands of Tag Manager; `python manage.py help` lists them."""

import os
import platform
import sys


def main() -> None:
    """Hand the command line to Django; settings that make no sense end in their sentences."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagmanager.settings")
    if sys.argv[1:2] == ["demo"]:
        # Settings are read before any command runs, and the demo must never see a real Zendesk's.
        os.environ.setdefault("TAGMANAGER_DEMO", "1")
    try:
        import django  # noqa: PLC0415  # told in words below
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
        from django.core.management import execute_from_command_line  # noqa: PLC0415
        from django.db.utils import DatabaseError  # noqa: PLC0415
    except ImportError as exc:
        raise SystemExit(
            "Django is not installed for this Python. Run `make venv`, then use .venv/bin/python manage.py."
        ) from exc
    from tagmanager.version import version  # noqa: PLC0415

    if sys.argv[1:] in (["--version"], ["version"]):
        sys.stdout.write(
            f"Tag Manager {version()} (Django {django.get_version()}, Python {platform.python_version()})\n"
        )
        return
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as problem:
        raise SystemExit(str(problem)) from None
    except DatabaseError as problem:  # our own commands say it themselves; this is for Django's
        if "--traceback" in sys.argv:
            raise
        from jobs.runtime.database_retry import Trouble, trouble_in  # noqa: PLC0415  # seldom needed

        if trouble_in(problem) is Trouble.POOLED:
            raise SystemExit(Trouble.POOLED.value) from None
        said = str(problem).strip().partition("\n")[0]
        raise SystemExit(
            f"The database cannot be used: {said or type(problem).__name__}. Check DATABASE_URL, and run "
            "manage.py migrate. With --traceback this command shows where it happened."
        ) from None


if __name__ == "__main__":
    main()
