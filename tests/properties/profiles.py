"""How many examples the property tests try: few in every run of the tests, many with `make properties`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

ALL = list(HealthCheck)

# The same examples each time, so that a change is blamed only for what it did.
settings.register_profile(
    "small",
    max_examples=15,
    stateful_step_count=12,
    derandomize=True,
    deadline=None,
    suppress_health_check=ALL,
)
settings.register_profile(
    "long",
    max_examples=int(os.environ.get("PROPERTIES_EXAMPLES", "3000")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=ALL,
    print_blob=True,
)

#: For tests whose examples are dear. PROPERTIES=long looks for what nobody has found yet.
profile = settings.get_profile(os.environ.get("PROPERTIES", "small"))
