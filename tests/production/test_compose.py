"""compose.yaml itself, followed as docs/how-to/run-in-containers.md says, from .env to a job undone over https.

The images of PostgreSQL, Caddy and Python are stand-ins (`pods`), and podman takes the place of Docker.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.processes import await_that
from tests.production import pods, visitor
from tests.production.page import ROOT, blocks_of
from tests.production.pods import HealthChecks, Podman
from tests.production.program import copy_program
from zendesk import sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(bool(pods.why_not()), reason=pods.why_not() or "-"),
]

PAGE = "how-to/run-in-containers.md"
PASSWORD = "correct horse battery"
#: The gateway of the network that compose makes, where the demo Zendesk listens.
NETWORK = "10.89.77.0/24"
ZENDESK = "http://10.89.77.1:8100"
#: What a reader fills in. Caddy makes a certificate for this name by itself.
VALUES = {
    "SECRET_KEY": "a-key-for-this-test-alone-" + "0123456789abcdef" * 3,
    "ALLOWED_HOSTS": "localhost",
    "ZENDESK_SUBDOMAIN": "",
    "ZENDESK_BASE_URL": ZENDESK,
    "ZENDESK_OAUTH_CLIENT_ID": sandbox.CLIENT_ID,
    "ZENDESK_OAUTH_CLIENT_SECRET": sandbox.CLIENT_SECRET,
}


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with TemporaryDirectory(prefix="tagmanager-pods-", ignore_cleanup_errors=True) as folder:
        made = Podman(Path(folder))
        try:
            made.make_images()
            yield made
        finally:
            made.close()


@pytest.fixture
def project(podman: Podman, tmp_path: Path) -> Iterator[Path]:
    """The folder of step 1, with .env filled in, and a demo Zendesk beside the containers."""
    folder = tmp_path / "tag-manager"
    copy_program(folder)
    settings = (folder / ".env.example").read_text(encoding="utf-8")
    for name, value in VALUES.items():
        settings, found = re.subn(rf"^(?:# )?{name}=.*$", f"{name}={value}", settings, count=1, flags=re.MULTILINE)
        assert found, name
    (folder / ".env").write_text(settings, encoding="utf-8")
    (folder / ".env").chmod(0o600)
    command = [sys.executable, "-m", "zendesk.sandbox", "--port", "8100", "--host", "0.0.0.0"]
    demo = podman.start([*command, "--tickets", "2000", "--scale", "0", "--quiet"], cwd=ROOT)
    podman("network", "create", "--subnet", NETWORK, "tag-manager_default")
    checks = HealthChecks(podman)
    checks.start()
    yield folder
    checks.end()
    demo.kill()
    demo.wait()


def compose(podman: Podman, project: Path, command: str, **environment: str) -> str:
    """A command of the page for `docker compose`."""
    words = command.split()
    assert words[:2] == ["docker", "compose"], command
    if words[2] == "build":
        return podman.compose(project, *words[2:], network="host")
    if words[2] == "run":
        words[3:3] = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
    return podman.compose(project, *words[2:])


def commands() -> list[str]:
    """What the page has its reader type, apart from the section about life without compose."""
    lines = [line for block in blocks_of(PAGE) if block.language == "sh" for line in block.text.splitlines()]
    return [line for line in lines if line.startswith("docker compose")]


def health(podman: Podman) -> dict[str, str]:
    found = podman.containers()
    return {name: (each["State"].get("Health") or {}).get("Status", "") for name, each in found.items()}


def work(podman: Podman, project: Path) -> None:
    """A person signs in through Caddy, and has a job run and undone."""
    trusted = project.parent / "root.crt"
    trusted.write_text(podman("exec", podman.containers()["caddy"]["Name"], "cat", visitor_root()))
    script = visitor.PERSON.replace(f'"{visitor.SITE}"', '"https://localhost"')
    script = re.sub(r'browser\.verify = ".*"', f'browser.verify = "{trusted}"', script)
    ran = podman.run([sys.executable, "-c", script, PASSWORD, str(sandbox.VIEW_UNSOLVED)], cwd=ROOT)
    preview, run, undo = jobs = json.loads(ran.splitlines()[-1])["jobs"]
    assert [job["status"] for job in jobs] == ["succeeded"] * 3, jobs
    assert preview["planned"] == run["changed"] == undo["changed"] > 500


def visitor_root() -> str:
    """Where Caddy keeps the certificate of the authority that it is itself."""
    return "/data/caddy/pki/authorities/local/root.crt"


def test_the_page_leads_from_env_to_a_job_run_and_undone_over_https_and_an_upgrade(
    podman: Podman, project: Path
) -> None:
    up, first_person, check, *_, dump, build, up_again = commands()
    assert (up, up_again) == ("docker compose up --detach",) * 2
    # `up` builds what is not there; here the build needs another network than what runs afterwards.
    compose(podman, project, build)
    compose(podman, project, up)
    await_that(lambda: health(podman)["web"] == health(podman)["worker"] == "healthy", "web and worker")
    assert first_person == "docker compose run --rm web createsuperuser"
    compose(
        podman,
        project,
        f"{first_person} --no-input",
        DJANGO_SUPERUSER_USERNAME="root",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        DJANGO_SUPERUSER_EMAIL="root@example.com",
    )
    assert "demo" in compose(podman, project, check).lower()
    work(podman, project)

    # Each is shut in as the file says.
    found = podman.containers()
    assert set(found) == {"web", "worker", "database", "caddy"}
    for service in ("web", "worker", "caddy"):
        assert found[service]["HostConfig"]["ReadonlyRootfs"] is True
    for service in ("web", "worker"):
        assert found[service]["EffectiveCaps"] in ([], None)
        assert podman("exec", found[service]["Name"], "id", "--user").strip() == "10001"
    assert found["database"]["HostConfig"]["NetworkMode"] == "none"
    open_ports = {name: sorted(each["HostConfig"]["PortBindings"] or {}) for name, each in found.items()}
    assert open_ports == {"web": [], "worker": [], "database": [], "caddy": ["443/tcp", "80/tcp"]}

    # The upgrade of the page: a dump, a new image, and the same data in containers made anew.
    dumped, target = dump.split(" > ")
    podman.compose_to(project, dumped.split()[2:], project / target)
    assert (project / target).read_bytes()[:5] == b"PGDMP"
    compose(podman, project, build)
    compose(podman, project, up_again)
    await_that(lambda: health(podman)["web"] == health(podman)["worker"] == "healthy", "web and worker")
    work(podman, project)

    stopped = podman.compose(project, "stop")
    codes = {name: each["State"]["ExitCode"] for name, each in podman.containers().items()}
    assert codes == {"web": 0, "worker": 0, "database": 0, "caddy": 0}, stopped
