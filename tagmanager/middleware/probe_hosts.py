"""Probes reach the web service by an address that no setting can name, such as a container's own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

#: Neither of the two builds an address from the Host header, and what they tell does not depend on it.
PROBED = ("/healthz", "/metrics")


class CommonExceptForProbes(CommonMiddleware):
    """Django's middleware, which refuses a Host outside `ALLOWED_HOSTS`, for all but the probes."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info in PROBED:
            return None
        return super().process_request(request)
