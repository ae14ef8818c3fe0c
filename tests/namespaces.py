"""Processes in PID namespaces of their own, as containers have them, all with one host name."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache

import pytest


def inside(*, host: str = "") -> list[str]:
    """What to put before a command, so that it runs in a PID namespace (and a UTS namespace) of its own.

    All of its processes are killed with the command that this starts.
    """
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    wrapper = ["unshare", *rights, "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"]
    return [*wrapper, "sh", "-c", 'hostname "$0" && exec "$@"', host] if host else wrapper


@lru_cache(maxsize=1)
def why_not() -> str:
    """Why namespaces cannot be made here; "" where they can."""
    if not shutil.which("unshare"):
        return "needs unshare (util-linux)"
    tried = subprocess.run([*inside(host="one-name"), "true"], capture_output=True, text=True, check=False)
    return f"no namespaces may be made here: {tried.stderr.strip()}" if tried.returncode else ""


needed = pytest.mark.skipif(bool(why_not()), reason=why_not())
