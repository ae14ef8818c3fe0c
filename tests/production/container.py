"""An image of the program, and processes in it as a container runtime would run them.

Buildah builds it on a Debian of debootstrap's, without a registry. A container here is made of namespaces: a
root file system that is read-only, a volume, a small /tmp, the image's own user without any capability.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.production import machine
from tests.production.page import ROOT

BASE, IMAGE = "localhost/debian-with-python", "localhost/tag-manager"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
#: $1 is the image's root, $2 the volume, $3 where it belongs; the rest is the command.
START = """
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$2" "$1$3"
mount -o remount,bind,ro "$1"
mount -t tmpfs -o size=16m tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/dev"
for name in null zero random urandom; do touch "$1/dev/$name"; mount --bind "/dev/$name" "$1/dev/$name"; done
mkdir -m 1777 "$1/dev/shm"
root=$1
shift 3
exec chroot "$root" "$@"
"""


def why_not() -> str:
    """What this host lacks for an image; "" if nothing."""
    return machine.why_not() or ("" if shutil.which("buildah") else "buildah is not installed")


class Builder:
    """Buildah with a store of its own, so that nothing of it stays."""

    def __init__(self, folder: Path) -> None:
        self._store = ["--root", str(folder / "store"), "--runroot", str(folder / "run")]

    def __call__(self, command: str, *arguments: str) -> str:
        done = subprocess.run(
            ["buildah", *self._store, "--storage-driver", "vfs", command, *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"buildah {command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout.strip()

    def make_base(self) -> None:
        """An image with nothing but Debian, its Python and whom the host trusts."""
        made = self("from", "scratch")
        self("add", "--quiet", made, str(machine.debian("bookworm")), "/")
        self("copy", "--quiet", made, str(CERTIFICATES), str(CERTIFICATES))
        script = "apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv"
        self("run", "--isolation", "chroot", "--network", "host", made, "sh", "-ec", script)
        self("config", "--env", f"PIP_CERT={CERTIFICATES}", made)
        self("commit", "--quiet", made, BASE)
        self("rm", made)

    def make_image(self) -> None:
        arguments = [
            "--isolation",
            "chroot",
            "--network",
            "host",
            "--format",
            "docker",
            "--file",
            "Containerfile",
        ]
        self("build", *arguments, "--build-arg", f"BASE={BASE}", "--tag", IMAGE, ".")


@dataclass(frozen=True, slots=True)
class Image:
    root: Path
    config: dict[str, Any]  # as Docker writes it: User, Env, Entrypoint, …

    @classmethod
    def mounted(cls, build: Builder) -> Image:
        found = json.loads(build("inspect", "--type", "image", IMAGE))["Docker"]["config"]
        return cls(Path(build("mount", build("from", IMAGE))), found)

    def command(self, volume: Path, *words: str, **settings: str) -> list[str]:
        """The command line that runs the words in a new container."""
        (place,) = self.config["Volumes"]
        return [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", START, "container"),
            *(str(self.root), str(volume), place),
            *self.inner([*self.config["Entrypoint"], *words], settings),
        ]

    def inner(self, words: list[str], settings: dict[str, str]) -> list[str]:
        """The command line within a container: the image's user, folder and environment."""
        user, group = self.config["User"].split(":")
        environment = [*self.config["Env"], *(f"{name}={value}" for name, value in settings.items())]
        return [
            *("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"),
            *("--bounding-set=-all", "--inh-caps=-all", "env", "-i", *environment),
            *("sh", "-c", f'cd {shlex.quote(self.config["WorkingDir"])} && exec "$@"', "sh", *words),
        ]


class Network:
    """A network of its own with nothing but a loopback, so that no port of the host is in the way."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self._entered = ["nsenter", "--target", str(self._holder.pid), "--net"]
        subprocess.run([*self._entered, "ip", "link", "set", "lo", "up"], check=True)
        self._started = [self._holder]

    def start(self, command: list[str], log: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*self._entered, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        self._started.append(process)
        return process

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its standard error is part of what it wrote."""
        return subprocess.run(
            [*self._entered, *command],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def close(self) -> None:
        for process in reversed(self._started):
            process.kill()
            process.wait()
