"""What a WSGI server runs: `gunicorn tagmanager.wsgi`."""

import os
import sys

from django.conf import settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.db import connections

from tagmanager.middleware.sub_path import below
from zendesk.transport import requestor  # noqa: F401  # `requests` is loaded here, and not while a visitor waits

#: gunicorn's code for an application that cannot be loaded: it ends, instead of starting another process.
CANNOT_LOAD = 4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagmanager.settings")

# Commands run the system checks by themselves, a WSGI server does not: what is wrong must stop it here, in
# words without a trace, and not the first visitor.
try:
    application = below(settings.SCRIPT_NAME, get_wsgi_application())
    # gunicorn reads this variable, which may come from `.env`, at each request, and refuses paths without the
    # prefix: those of a proxy that takes it off, and of probes.
    os.environ.pop("SCRIPT_NAME", None)
    found = run_checks(databases=["default"])
    connections.close_all()  # gunicorn with --preload would share them with its processes
    wrong = "\n".join(str(message) for message in found if message.is_serious())
except ImproperlyConfigured as problem:
    wrong = str(problem)
if wrong:
    sys.stderr.write(f"{wrong}\n")
    raise SystemExit(CANNOT_LOAD)
