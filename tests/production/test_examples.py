"""The files in the documentation, checked by the programs that will read them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.production.page import ROOT, blocks_of, files_of

pytestmark = [pytest.mark.slow, pytest.mark.once]

PAGE = "how-to/run-in-production.md"
SITE = "tags.example.com"
FILES = files_of(PAGE)
UNITS = {Path(path).name: text for path, text in FILES.items() if re.search(r"\.(service|timer)$", path)}
SHARED = "/etc/systemd/system/tag-manager-.service.d/shared.conf"
#: nginx's own file around a site, without what needs root.
NGINX = """
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site;
}}
"""


def program(name: str) -> str:
    """Its path; skips the test where it is not installed, and says so."""
    path = shutil.which(name, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if not path:
        pytest.skip(f"{name} is not installed, so the file on {PAGE} that it reads was not checked")
    return path


def check(*command: str, folder: Path) -> str:
    """Run it; it has to end well. Gives what it wrote."""
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_pages_have_these_files_and_no_other() -> None:
    assert set(FILES) == {
        "/usr/local/bin/tag-manager",
        SHARED,
        *(
            f"/etc/systemd/system/tag-manager-{name}"
            for name in (
                *("web.service", "worker.service"),
                *("backup.service", "backup.timer", "prune.service", "prune.timer"),
            )
        ),
        "/etc/nginx/sites-available/tag-manager",
        "/etc/nginx/snippets/tag-manager.conf",
        "/etc/caddy/Caddyfile",
        "/etc/pgbouncer/pgbouncer.ini",
    }
    assert set(files_of("how-to/monitor.md")) == {"/etc/prometheus/tag-manager.yml"}


def test_what_a_trial_leaves_out_is_this() -> None:
    """Every other block is written or typed; a new mark needs a reason here."""
    marks = [(block.mark, block.why) for block in blocks_of(PAGE) if block.mark]
    assert [mark for mark in marks if mark[0] != "fetches"] == [
        ("typed", "asks for a password"),
        ("outside", "a certificate authority has to reach the host"),
    ]
    text = (ROOT / "docs" / PAGE).read_text(encoding="utf-8")
    assert len(marks) == text.count("<!-- trial:")


def test_nginx_takes_its_site(tmp_path: Path) -> None:
    nginx = program("nginx")
    names = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    subject = ["-subj", f"/CN={SITE}"]
    check(
        program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject, *names, folder=tmp_path
    )
    site = FILES["/etc/nginx/sites-available/tag-manager"]
    (tmp_path / "site").write_text(site.replace(f"/etc/letsencrypt/live/{SITE}", str(tmp_path)))
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path))
    said = check(nginx, "-t", "-q", "-c", str(tmp_path / "nginx.conf"), folder=tmp_path)
    assert [line for line in said.splitlines() if "[warn]" in line and '"user"' not in line] == []


def test_caddy_takes_its_file(tmp_path: Path) -> None:
    caddy = program("caddy")
    (tmp_path / "Caddyfile").write_text(FILES["/etc/caddy/Caddyfile"])
    said = check(caddy, "validate", "--adapter", "caddyfile", "--config", "Caddyfile", folder=tmp_path)
    assert "Valid configuration" in said
    assert "not formatted" not in said


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit_with_what_all_share(name: str, tmp_path: Path) -> None:
    """Programs of the page that are not here are replaced by one that is."""
    verify = program("systemd-analyze")
    shared = tmp_path / "tag-manager-.service.d/shared.conf"
    shared.parent.mkdir()
    shared.write_text(FILES[SHARED])
    for unit, text in UNITS.items():
        (tmp_path / unit).write_text(re.sub(r"/srv/tag-manager/\.venv/bin/\w+", "/bin/true", text))
    assert check(verify, "verify", "--man=no", str(tmp_path / name), folder=tmp_path) == ""


def test_a_unit_that_is_wrong_would_be_noticed(tmp_path: Path) -> None:
    verify = program("systemd-analyze")
    (tmp_path / "tag-manager-web.service").write_text("[Service]\nExecStart=/bin/true\nProtectSystm=strict\n")
    said = subprocess.run(
        [verify, "verify", "--man=no", tmp_path / "tag-manager-web.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ProtectSystm" in said.stderr


def test_prometheus_takes_the_alerts_and_the_scrape_job(tmp_path: Path) -> None:
    promtool = program("promtool")
    rules, scrape = tmp_path / "tag-manager.yml", tmp_path / "prometheus.yml"
    rules.write_text(files_of("how-to/monitor.md")["/etc/prometheus/tag-manager.yml"])
    assert "8 rules found" in check(promtool, "check", "rules", str(rules), folder=tmp_path)
    (job,) = [
        block.text for block in blocks_of("how-to/monitor.md") if block.text.startswith("scrape_configs:")
    ]
    (tmp_path / "token").write_text("a-token")
    scrape.write_text(
        f"rule_files: [{rules}]\n" + job.replace("/etc/prometheus/tag-manager-token", str(tmp_path / "token"))
    )
    check(promtool, "check", "config", str(scrape), folder=tmp_path)
