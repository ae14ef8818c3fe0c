"""How many examples the property tests try: a few in every test run, many with `make properties`."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

ALL = list(HealthCheck)

# The same examples each time, so that a failure is due to the change under test.
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

#: For tests whose examples are expensive. PROPERTIES=long searches for new failures.
profile = settings.get_profile(os.environ.get("PROPERTIES", "small"))
