"""Podman and podman-compose with a store, a network and processes of their own, for compose.yaml to be tried.

No registry is needed: images with the names that the project asks for are built on a Debian of debootstrap's.
What differs from Docker: podman leaves health checks to timers of systemd, so `HealthChecks` runs them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil

from tests.processes import await_that
from tests.production import machine
from tests.production.page import ROOT

STAND_INS = ROOT / "tests/production/standins"
#: By the name that Containerfile or compose.yaml asks for.
IMAGES = {
    "docker.io/library/python:3.13-slim-trixie": "python",
    "docker.io/library/postgres:17": "postgres",
    "docker.io/library/caddy:2": "caddy",
}
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
#: No limit above those of the host, which may not be raised everywhere. A pull would be an error.
CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
pull_policy = "missing"
"""
#: The first process of the namespaces. crun wants cgroups of one version. A shell reaps what is orphaned.
HOLD = """
set -eu
if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
ip link set lo up
sleep infinity & wait
"""


def why_not() -> str:
    """What this host lacks; "" if nothing."""
    missing = [name for name in ("podman", "podman-compose", "crun") if not shutil.which(name)]
    return machine.why_not() or (f"{', '.join(missing)} is not installed" if missing else "")


class Podman:
    """What runs in it ends with `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "containers.conf").write_text(CONFIGURATION)
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/store"\nrunroot = "{folder}/run"\n'
        )
        self.environment = dict(os.environ) | {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        }
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._outer = subprocess.Popen([*command, "sh", "-c", HOLD], stdin=subprocess.DEVNULL)
        self._holder = await_that(self._first_process, "the namespaces")
        self.entered = ["nsenter", "--target", str(self._holder), "--mount", "--net", "--pid"]

    def _first_process(self) -> int:
        assert self._outer.poll() is None
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._outer.pid).children():
                if any(each.name() == "sleep" for each in child.children()):
                    return child.pid
        return 0

    def run(self, command: list[str], *, cwd: Path, text: str = "") -> str:
        """Run a command in the namespaces; gives what it wrote to standard output."""
        return self._run([*self.entered, f"--wd={cwd}", *command], cwd, text)

    def __call__(self, *arguments: str) -> str:
        return self.run(["podman", *arguments], cwd=self._folder)

    def start(self, command: list[str], *, cwd: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self.entered, f"--wd={cwd}", *command], cwd=cwd, stdin=subprocess.DEVNULL)

    def compose(self, project: Path, *arguments: str, network: str = "") -> str:
        """podman-compose; a build with the host's network is none of the namespaces'."""
        command = ["podman-compose", "--in-pod", "0"]
        if network:
            return self._run([*command, "--podman-build-args", " ".join(BUILD), *arguments], project)
        return self.run([*command, *arguments], cwd=project)

    def compose_to(self, project: Path, arguments: list[str], file: Path) -> None:
        """podman-compose, with its standard output in a file."""
        with file.open("wb") as out:
            subprocess.run(
                [*self.entered, f"--wd={project}", "podman-compose", *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                check=True,
            )

    def _run(self, command: list[str], cwd: Path, text: str = "") -> str:
        done = subprocess.run(
            command, cwd=cwd, env=self.environment, input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def make_images(self) -> None:
        """Build them with the host's network, which reaches what they fetch."""
        base = machine.debian("trixie")
        tar = subprocess.Popen(["tar", "-C", base, "-c", "."], stdout=subprocess.PIPE)
        subprocess.run(
            ["podman", "import", "-", "localhost/debian-itself"],
            env=self.environment,
            stdin=tar.stdout,
            check=True,
            capture_output=True,
        )
        assert tar.wait() == 0
        trusted = self._folder / "trusted"
        trusted.mkdir()
        shutil.copy(CERTIFICATES, trusted)
        (trusted / "Containerfile").write_text(
            f"FROM localhost/debian-itself\nCOPY {CERTIFICATES.name} {CERTIFICATES}\nENV PIP_CERT={CERTIFICATES}\n"
        )
        self.build(trusted, "Containerfile", "localhost/debian")
        for name, stand_in in IMAGES.items():
            self.build(STAND_INS, f"{stand_in}.Containerfile", name)

    def build(self, folder: Path, file: str, name: str) -> None:
        self._run(["podman", "build", *BUILD, "--file", file, "--tag", name, "."], folder)

    def containers(self) -> dict[str, dict[str, Any]]:
        """What podman knows of each container, by the service of compose.yaml."""
        numbers = self("ps", "--all", "--quiet").split()
        found = json.loads(self("inspect", *numbers)) if numbers else []
        return {each["Config"]["Labels"].get("com.docker.compose.service", each["Name"]): each for each in found}

    def close(self) -> None:
        with suppress(AssertionError):
            self("rm", "--all", "--force", "--time", "0")
        self._outer.send_signal(signal.SIGKILL)
        self._outer.wait()


BUILD = ["--network", "host", "--isolation", "chroot", "--format", "docker"]


class HealthChecks(Thread):
    """Runs the health check of every container again and again, as Docker's service does."""

    def __init__(self, podman: Podman) -> None:
        super().__init__(daemon=True)
        self._podman = podman
        self._ended = Event()

    def run(self) -> None:
        while not self._ended.wait(1):
            with suppress(AssertionError):  # no container yet, or one that is just made anew
                for number in self._podman("ps", "--quiet").split():
                    with suppress(AssertionError):
                        self._podman("healthcheck", "run", number)

    def end(self) -> None:
        self._ended.set()
        self.join()
