"""The audit of the app's parts never passes for nothing, and the list of parts has all of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tagmanager.version import version

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
HASH = " \\\n    --hash=sha256:00\n"
PINNED = f"django==5.2.19{HASH}idna==3.20 ; sys_platform != 'none'{HASH}"
ELSEWHERE = f"colorama==0.4.6 ; sys_platform == 'none'{HASH}"


def audit(folder: Path, requirements: str, answer: str, code: int = 0) -> tuple[int, str]:
    """Exit code and words of the audit, where pip-audit answers this."""
    file = folder / "base.txt"
    file.write_text(requirements, encoding="utf-8")
    (folder / "answer").write_text(answer, encoding="utf-8")
    pip_audit = folder / "pip-audit"
    pip_audit.write_text(f'#!/bin/sh\necho "cannot connect" >&2\ncat "{folder}/answer"\nexit {code}\n')
    pip_audit.chmod(0o755)
    ran = subprocess.run(
        [sys.executable, ".ci/audit", pip_audit, file], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ran.returncode, (ran.stdout + ran.stderr).strip().replace(str(file), "base.txt")


def answer(*names: str, skipped: str = "", hole: str = "") -> str:
    found = [
        {"name": name, "version": "1", "vulns": [{"id": "PYSEC-1"}] if name == hole else []} for name in names
    ]
    unknown = [{"name": skipped, "skip_reason": "Dependency not found"}] if skipped else []
    return json.dumps({"dependencies": [*found, *unknown], "fixes": []})


BOTH = answer("django", "idna")


@pytest.mark.parametrize(
    ("requirements", "answered", "words"),
    [
        (PINNED, BOTH, "2 requirements were looked up; none has a known hole."),
        (PINNED + ELSEWHERE, BOTH, "2 requirements were looked up; none has a known hole."),
        ("", answer(), "base.txt names no requirement, so nothing was audited."),
        ("# none\n", answer(), "base.txt names no requirement, so nothing was audited."),
        (ELSEWHERE, answer(), "base.txt names no requirement, so nothing was audited."),
        (PINNED, "", "Nothing was audited: pip-audit did not answer (cannot connect)."),
        (PINNED, "{}", "Nothing was audited: pip-audit did not answer (cannot connect)."),
        (PINNED, answer(), "Not audited, because the index does not know them: django, idna."),
        (
            PINNED,
            answer("idna", skipped="django"),
            "Not audited, because the index does not know them: django.",
        ),
        (PINNED, answer("django", "idna", hole="idna"), "Known holes:\nidna 1: PYSEC-1"),
    ],
)
def test_an_audit_passes_only_if_every_requirement_was_looked_up(
    tmp_path: Path, requirements: str, answered: str, words: str
) -> None:
    assert audit(tmp_path, requirements, answered) == (0 if "none has" in words else 1, words)


def test_an_audit_whose_tool_fails_fails(tmp_path: Path) -> None:
    assert audit(tmp_path, PINNED, BOTH, 3) == (1, "pip-audit failed with exit code 3: cannot connect")


@pytest.mark.slow
def test_an_audit_without_a_network_fails(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    ran = subprocess.run(
        [sys.executable, ".ci/audit", Path(sys.executable).with_name("pip-audit"), "requirements/base.txt"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "HTTPS_PROXY": nowhere, "https_proxy": nowhere},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Nothing was audited: pip-audit did not answer (")
    assert "Traceback" not in ran.stderr


def test_the_list_of_parts_has_every_requirement_and_every_vendored_file(tmp_path: Path) -> None:
    target = tmp_path / "new" / "sbom.json"
    subprocess.run([sys.executable, ".ci/sbom", target], cwd=ROOT, check=True, capture_output=True)
    listed = json.loads(target.read_text(encoding="utf-8"))
    assert (listed["bomFormat"], listed["specVersion"]) == ("CycloneDX", "1.6")
    assert listed["metadata"]["component"]["version"] == version()
    text = (ROOT / "requirements/base.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==([\w.]+)", text, re.MULTILINE)
    vendored = {path.name for path in (ROOT / "static/vendor").iterdir()}
    parts = {part["name"]: part for part in listed["components"]}
    assert set(parts) == {name for name, _ in pinned} | vendored
    assert parts["django"]["purl"] == f"pkg:pypi/django@{dict(pinned)['django']}"
    assert parts["django"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert parts["htmx.min.js"]["purl"].startswith("pkg:npm/htmx.org@2.")
    assert parts["bootstrap.min.css"]["hashes"][0]["alg"] == "SHA-256"
