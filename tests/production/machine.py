"""An empty Debian with a systemd, a network and processes of its own, for a page to be followed in.

Debootstrap fetches it once, into build/debian/. A machine is an overlay above that, booted in namespaces, and
leaves nothing behind. It needs root, cgroups that may be written, and for what it fetches the internet.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.processes import await_that
from tests.production.page import ROOT

BASES = ROOT / "build/debian"
#: What Debian's installer gives, and a smallest Debian lacks.
USUAL = "systemd-sysv,dbus,ca-certificates,iproute2"
CGROUPS = [path for path in map(Path, ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")) if path.is_dir()]
#: $1 is the folder of the machine, $2 its Debian. The rest of the host is out of its reach.
BOOT = """
set -eu
mount --make-rprivate /
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
# The kernel's own settings, clock and modules are the host's.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
for folder in run tmp dev sys/fs/cgroup; do mount -t tmpfs tmpfs "$folder"; done
if [ -d /sys/fs/cgroup/systemd ]; then
  mkdir sys/fs/cgroup/systemd sys/fs/cgroup/unified
  mount -t cgroup cgroup -o none,name=systemd sys/fs/cgroup/systemd
  mount -t cgroup2 cgroup2 sys/fs/cgroup/unified
else
  mount -t cgroup2 cgroup2 sys/fs/cgroup
fi
for name in null zero full random urandom tty; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/shm dev/pts
mount -t tmpfs tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
# The host's own names and certificates: there may be a proxy between it and the internet.
for name in resolv.conf ssl/certs/ca-certificates.crt pip.conf; do
  if [ -e "/etc/$name" ]; then cp -L "/etc/$name" "etc/$name"; fi
done
# No service of Debian's own but those that the page asks for.
echo "[Unit]" > etc/systemd/system/trial.target
echo "Wants=multi-user.target" >> etc/systemd/system/trial.target
exec setpriv --bounding-set=-sys_module,-sys_time chroot . env -i container=trial \\
  PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=trial.target
"""
INSIDE = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "TERM": "dumb",
}


def why_not() -> str:
    """What this host lacks for a machine; "" if nothing."""
    missing = [name for name in ("debootstrap", "unshare", "nsenter", "setpriv") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} is not installed"
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root can start a machine of its own, and only on Linux"
    if "overlay" not in Path("/proc/filesystems").read_text(encoding="ascii"):
        return "the kernel has no overlay file system"
    return "" if CGROUPS and os.access(CGROUPS[0], os.W_OK) else "there are no cgroups that may be written"


def debian(suite: str) -> Path:
    """The folder of an empty Debian, fetched where it is not there yet; skips the test where it cannot be."""
    base = BASES / suite
    if base.is_dir():
        return base
    BASES.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=BASES))
    command = [
        "debootstrap",
        "--variant=minbase",
        f"--include={USUAL}",
        suite,
        str(draft),
    ]  # from its own mirror
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(draft)
        pytest.skip(f"debootstrap could not fetch Debian {suite}: {done.stdout.strip().splitlines()[-1:]}")
    draft.chmod(0o755)
    with suppress(OSError):  # another run was first
        draft.rename(base)
    return base


@dataclass(frozen=True, slots=True)
class Machine:
    """A booted Debian."""

    pid: int  # of its systemd
    root: Path  # its files, as its own processes see them

    def run(self, script: str, *, fetches: bool = False, shell: str = "bash -eu") -> str:
        """Run a script as root; gives what it wrote. With `fetches` it has the host's network.

        Raises AssertionError with all that was written, if it fails.
        """
        kinds = ["--mount", "--uts", "--ipc", "--pid", "--cgroup", *([] if fetches else ["--net"])]
        host = {name: os.environ[name] for name in os.environ if name.lower().endswith("_proxy")}
        done = subprocess.run(
            ["nsenter", "--target", str(self.pid), *kinds, "--root", "--wdns=/root", *shell.split()],
            env=INSIDE | (host | {"PIP_CERT": "/etc/ssl/certs/ca-certificates.crt"} if fetches else {}),
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Write a file as a reader would, with the folder it needs."""
        assert "\nEND_OF_FILE\n" not in text
        self.run(f"mkdir -p $(dirname {path})\ncat > {path} <<'END_OF_FILE'\n{text}END_OF_FILE\n")


@contextmanager
def booted(suite: str) -> Iterator[Machine]:
    """A machine with nothing on it, which is gone afterwards."""
    base = debian(suite)
    folder = Path(tempfile.mkdtemp(prefix="tagmanager-machine-"))
    groups = [group / folder.name for group in CGROUPS]
    for group in groups:
        group.mkdir()
    # The shell moves itself into a cgroup before it makes the namespaces, so that systemd rules there alone.
    joins = "".join(f"echo $$ > {group}/cgroup.procs; " for group in groups)
    log = (folder / "boot.log").open("wb")
    outer = subprocess.Popen(
        ["sh", "-c", f'{joins} exec unshare -mpfuiCn --kill-child sh -c "$0" boot "$@"', BOOT, folder, base],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    try:
        pid = await_that(lambda: _systemd_below(outer), "systemd in the machine", 60)
        machine = Machine(pid, Path(f"/proc/{pid}/root"))
        await_that(lambda: "running" in _state(machine) or "degraded" in _state(machine), "its boot", 60)
        machine.run("ip link set lo up")
        yield machine
    finally:
        outer.send_signal(signal.SIGKILL)
        outer.wait()
        log.close()
        _remove(groups)
        shutil.rmtree(folder, ignore_errors=True)


def _systemd_below(outer: subprocess.Popen[bytes]) -> int:
    assert outer.poll() is None, "the machine did not boot"
    for child in psutil.Process(outer.pid).children():
        if child.name() == "systemd":
            return child.pid
    return 0


def _state(machine: Machine) -> str:
    try:
        return machine.run("systemctl is-system-running || true")
    except AssertionError:  # it is not far enough to be entered
        return ""


def _remove(groups: list[Path]) -> None:
    """Remove what systemd left of its cgroups, once its processes are gone."""
    for group in groups:
        for each in [*sorted(group.rglob("*/"), reverse=True), group]:
            if each.is_dir():
                await_that(partial(_is_removed, each), f"the end of {each}", 60)


def _is_removed(group: Path) -> bool:
    with suppress(OSError):
        group.rmdir()
    return not group.exists()
