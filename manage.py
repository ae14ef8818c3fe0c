#!/usr/bin/env python
"""Runs the commands of Tag Manager; `python manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagmanager.settings")
    if sys.argv[1:2] == ["demo"]:
        # Settings are read before any command runs, and the demo must never see a real Zendesk's.
        os.environ.setdefault("TAGMANAGER_DEMO", "1")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415  # told in words below
    except ImportError as exc:
        raise SystemExit(
            "Django is not installed for this Python. Run `make venv`, then use .venv/bin/python manage.py."
        ) from exc
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
