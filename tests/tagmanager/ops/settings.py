"""The real settings, of a program whose work and one of whose pages are broken."""

from tagmanager.settings import *  # noqa: F403

JOBS_WORK = "tests.tagmanager.ops.broken.work_for"
ROOT_URLCONF = "tests.tagmanager.ops.broken"
