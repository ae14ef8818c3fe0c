"""What a WSGI server runs: `gunicorn tagmanager.wsgi`."""

import os

from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from zendesk.transport import requestor  # noqa: F401  # `requests` is loaded here, and not while a visitor waits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tagmanager.settings")

application = get_wsgi_application()

# Commands run the system checks by themselves, a WSGI server does not: what is wrong must stop it here, in
# words, and not the first visitor.
if errors := [message for message in run_checks() if message.is_serious()]:
    raise ImproperlyConfigured("\n".join(str(error) for error in errors))
