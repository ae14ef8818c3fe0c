"""The settings of the workers that are killed and frozen: the real ones, with a saboteur in each process."""

import os

from tagmanager.settings import *  # noqa: F403
from tagmanager.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.fuzz.apps.Fuzz"]

if DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
    # How long a process that was frozen in the middle of a transaction may keep its locks: a second, not the
    # real time, which a test would have to sit out.
    OPTIONS = DATABASES["default"].setdefault("OPTIONS", {})
    OPTIONS["options"] = "-c lock_timeout=30s -c idle_in_transaction_session_timeout=1s"

#: The folder in which orders to the saboteur are left.
FUZZ_ORDERS = os.environ["FUZZ_ORDERS"]
#: Guards that are taken out of the program, by name.
FUZZ_WITHOUT = os.environ.get("FUZZ_WITHOUT", "").split()
#: Waits and other limits that are made smaller, `module.NAME=number`.
FUZZ_TIMES = os.environ.get("FUZZ_TIMES", "").split()
