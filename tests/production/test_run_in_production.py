"""The page "Run it in production", followed from an empty Debian to a job that is run and undone over https.

Nothing is left out but what the page marks: a certificate is made here, and a password is given.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import await_that
from tests.production import machine, visitor
from tests.production.machine import Machine
from tests.production.page import FETCHES, OUTSIDE, ROOT, TYPED, Block, blocks_of
from tests.production.program import copy_program
from zendesk import sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(bool(machine.why_not()), reason=machine.why_not() or "-"),
]

logger = logging.getLogger(__name__)

PAGE = "how-to/run-in-production.md"
PASSWORD = "correct horse battery"
SITE = "tags.example.com"
CERTIFICATE = Path("/etc/letsencrypt/live") / SITE
#: What a reader puts into .env at the end of step 5.
ZENDESK = {
    "ZENDESK_SUBDOMAIN=acme": "ZENDESK_BASE_URL=http://127.0.0.1:8100",
    "ZENDESK_OAUTH_CLIENT_ID=.*": f"ZENDESK_OAUTH_CLIENT_ID={sandbox.CLIENT_ID}",
    "ZENDESK_OAUTH_CLIENT_SECRET=.*": f"ZENDESK_OAUTH_CLIENT_SECRET={sandbox.CLIENT_SECRET}",
}
DEMO_ZENDESK = """
[Service]
DynamicUser=yes
WorkingDirectory=/srv/tag-manager
ExecStart=/srv/tag-manager/.venv/bin/python -m zendesk.sandbox --port 8100 --tickets 2000 --scale 0 --quiet
"""
#: Reloads while visitors come.
RELOADS = 5


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with machine.booted(request.param) as booted:
        lay_out_surroundings(booted, tmp_path_factory.mktemp("program"))
        yield booted


def lay_out_surroundings(host: Machine, folder: Path) -> None:
    """What is there before the page begins: the program at its address, and a name for the host."""
    source = folder / "source"
    copy_program(source)
    commit_all(source)
    subprocess.run(["git", "clone", "-q", "--bare", source, folder / "source.git"], check=True)
    shutil.copytree(folder / "source.git", host.root / "srv/source.git")
    host.write(
        "/etc/gitconfig",
        '[url "file:///srv/source.git"]\n\tinsteadOf = https://git.example.com/tag-manager.git\n'
        "[safe]\n\tdirectory = *\n",
    )
    # The installer names the loopback, and the domain's owner the host.
    host.write("/etc/hosts", f"127.0.0.1 localhost {SITE}\n::1 localhost\n")


def commit_all(folder: Path) -> None:
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "-C", str(folder)]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Program"], check=True)


def follow(host: Machine, block: Block) -> None:
    """Write the file or type the commands, and do what the page asks for in between."""
    if block.path:
        host.write(block.path, block.text)
    elif block.language != "sh":
        return
    elif block.mark == OUTSIDE:
        make_certificate(host)
    elif block.mark == TYPED:
        assert block.text == "tag-manager createsuperuser\n"
        names = f"DJANGO_SUPERUSER_USERNAME=root DJANGO_SUPERUSER_PASSWORD='{PASSWORD}'"
        host.run(f"{names} DJANGO_SUPERUSER_EMAIL=root@example.com tag-manager createsuperuser --no-input")
    elif "apt-get install" in block.text:
        # Fetched with the host's network, and installed in the machine's own: what is installed starts, and
        # would find the host's ports taken.
        host.run(block.text.replace("apt-get install ", "apt-get install --download-only "), fetches=True)
        host.run(block.text)
    else:
        host.run(block.text, fetches=block.mark == FETCHES)
    if "cat > .env" in block.text:
        edit_settings(host)


def make_certificate(host: Machine) -> None:
    """What a certificate authority would give."""
    host.run(f"mkdir -p {CERTIFICATE}")
    files = [host.root / str(CERTIFICATE)[1:] / name for name in ("privkey.pem", "fullchain.pem")]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={SITE}",
    ]
    command += ["-addext", f"subjectAltName=DNS:{SITE}", "-keyout", str(files[0]), "-out", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)


def edit_settings(host: Machine) -> None:
    """Put the values of the demo Zendesk into .env, and start that."""
    edits = " ".join(f"-e 's|^{pattern}|{value}|'" for pattern, value in ZENDESK.items())
    host.run(f"sed -i {edits} /srv/tag-manager/.env")
    host.write("/etc/systemd/system/demo-zendesk.service", DEMO_ZENDESK)
    host.run("systemctl daemon-reload; systemctl start demo-zendesk")
    host.run("until ss -ltn | grep -q :8100; do sleep 0.2; done")


def python(host: Machine, script: str, *arguments: str) -> str:
    """Run a script with the program's own Python; gives its last line."""
    quoted = " ".join(f"'{argument}'" for argument in arguments)
    host.write("/tmp/script.py", script)
    return host.run(f"/srv/tag-manager/.venv/bin/python /tmp/script.py {quoted}").splitlines()[-1]


def asked(host: Machine, address: str) -> tuple[int, str]:
    """Status and text of an answer; 0 where nobody answers."""
    status, text = json.loads(python(host, visitor.QUESTION, address))
    return status, text


def work(host: Machine) -> None:
    """A person signs in, has tickets of a view tagged by the worker, exports the job and undoes it."""
    found = json.loads(python(host, visitor.PERSON, PASSWORD, str(sandbox.VIEW_UNSOLVED)))
    preview, run, undo = jobs = found["jobs"]
    assert [job["status"] for job in jobs] == ["succeeded"] * 3, jobs
    # More than a request does by itself, so the worker did it.
    assert preview["planned"] == run["changed"] == undo["changed"] > 500
    assert found["rows"] == run["total"]


def upto(heading: str) -> tuple[list[Block], list[Block]]:
    """The blocks before and from a heading on."""
    text = (ROOT / "docs" / PAGE).read_text(encoding="utf-8")
    before = len(re.findall(r"^ *```\w+$", text[: text.index(f"\n## {heading}\n")], re.MULTILINE))
    blocks = blocks_of(PAGE)
    return blocks[:before], blocks[before:]


def test_the_page_leads_from_an_empty_debian_to_a_job_run_and_undone_over_https(host: Machine) -> None:
    steps, later = upto("Reload and upgrade")
    for block in steps:
        follow(host, block)
    work(host)

    # The files that matter are closed, and the services can write nowhere else.
    assert host.run("stat -c '%a %U' /srv/tag-manager/.env /var/lib/tag-manager").split() == [
        *("600", "tagmanager"),
        *("700", "tagmanager"),
    ]
    assert host.run("find /var/lib/tag-manager -type f -perm /077 ! -path '*/static/*'") == ""
    assert host.run("find /srv/tag-manager -user tagmanager ! -name .env") == ""
    # Every timer's service works.
    for unit in re.findall(r"systemctl enable --now (.+timer)", "".join(block.text for block in steps)):
        for timer in unit.split():
            host.run(f"systemctl start {timer.replace('.timer', '.service')}")
    assert "0 loaded units" in host.run("systemctl list-units --failed 'tag-manager*'")
    # Only the machine itself may scrape; a probe is answered by any address.
    assert asked(host, f"https://{SITE}/metrics")[0] == 404
    assert asked(host, "http://127.0.0.1:8000/healthz?worker=1")[0] == 200

    lose_nothing_in_a_reload(host)

    for block in later:
        follow(host, block)
    await_that(lambda: asked(host, "http://127.0.0.1:8000/healthz?worker=1")[0] == 200, "a worker")
    work(host)
    assert host.run("ss -Htn state established '( dport = :6432 )'"), "nothing goes through PgBouncer"


def lose_nothing_in_a_reload(host: Machine) -> None:
    """Every request that nginx takes while the web is reloaded gets its answer."""
    answers, longest = json.loads(python(host, visitor.CROWD, str(RELOADS)))
    logger.info("%d reloads: %s, the longest wait was %.1f s", RELOADS, answers, longest)
    assert set(answers) == {"/healthz 200", "/ 302", "/jobs/ 302"}, answers
    assert sum(answers.values()) > 50
