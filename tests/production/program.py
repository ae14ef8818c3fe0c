"""A copy of the program as a reader gets it: the files of the repository, and nothing that lies beside them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.production.page import ROOT


def copy_program(target: Path) -> None:
    """Copy what git has or would take, as it is now, into a new folder."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.split(b"\0")
    for name in filter(None, (name.decode() for name in files)):
        if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
