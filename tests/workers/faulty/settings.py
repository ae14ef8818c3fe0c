"""The settings of workers in which some functions raise or hang for ever."""

import os

from tagmanager.settings import *  # noqa: F403
from tagmanager.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.workers.faulty.apps.Faulty"]
#: `module:name`, each with `=raises` or `=hangs`.
FAULTS = os.environ.get("FAULTS", "").split()
#: Waits that are made shorter, `module.NAME=number`.
TIMES = os.environ.get("FAULT_TIMES", "").split()
