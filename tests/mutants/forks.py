"""Runs of the tests in forks of a process that has loaded every library they need, but none of our modules.

A run in a new process would take seconds before its first test; a fork begins after a few tenths of one.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
import warnings
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from cosmic_ray.work_item import TestOutcome

from tests.mutants.killers import ROOT, killers_of

#: A mutant may never end. Its tests get this many times what they usually take, and these seconds at least.
PATIENCE, AT_LEAST = 5.0, 20.0
#: Looked at so often whether a run has ended, seconds.
LOOK_EVERY = 0.01
OWN = ("jobs", "tagmanager", "zendesk", "tests", "conftest", "__main__")
OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider"),
    "--no-migrations",  # tables made at once: most of what a test of one row takes
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # of libraries that are loaded already
)


class Tests:
    """The tests that are to kill the mutants of a module, run in the current folder."""

    def __init__(self, module: str) -> None:
        """Exits where they fail without a mutant."""
        sys.dont_write_bytecode = True
        sys.path[:] = [place for place in sys.path if Path(place).resolve() != ROOT]
        Path(cache_from_source(module)).unlink(missing_ok=True)
        self._arguments = [*OPTIONS, *killers_of(module)]
        began = time.monotonic()
        with NamedTemporaryFile() as loaded:
            if self._run(patience=600, loaded=loaded.name) != 0:
                sys.exit(f"The tests of {module} fail without any mutant, or take ten minutes.")
            self._patience = max(AT_LEAST, PATIENCE * (time.monotonic() - began))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of libraries that expect to be loaded by pytest
                for name in json.loads(Path(loaded.name).read_text(encoding="utf-8")):
                    with suppress(Exception):  # what needs settings, or runs as a program
                        importlib.import_module(name)

    def outcome(self) -> tuple[TestOutcome, str]:
        """Whether they notice the module as it now is, and "timeout" where they had to be stopped."""
        code = self._run(patience=self._patience)
        if code is None:
            return TestOutcome.KILLED, "timeout"
        return TestOutcome.KILLED if code else TestOutcome.SURVIVED, ""

    def _run(self, *, patience: float, loaded: str = "") -> int | None:
        """The exit code of pytest, or None where it took too long; writes what was loaded into that file."""
        child = os.fork()
        if not child:
            self._be_child(loaded)
        until, ended = time.monotonic() + patience, 0
        try:
            while time.monotonic() < until:
                ended, status = os.waitpid(child, os.WNOHANG)
                if ended:
                    return os.waitstatus_to_exitcode(status)
                time.sleep(LOOK_EVERY)
        finally:
            if not ended:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
        return None

    def _be_child(self, loaded: str) -> None:
        code = 70
        try:
            os.setsid()
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
                del sys.modules[name]  # ours; the tests are those of the current folder
            code = int(pytest.main(self._arguments))
            if loaded:
                names = [
                    name
                    for name in sys.modules
                    if name.split(".")[0] not in OWN and not name.endswith((".models", ".admin"))
                ]
                Path(loaded).write_text(json.dumps(names), encoding="utf-8")
        finally:
            os._exit(code)
