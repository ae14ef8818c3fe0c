"""The image: built, started as two services, and at work as a user who may write in one folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.processes import await_that
from tests.production import container, visitor
from tests.production.container import Builder, Image, Network
from tests.production.page import ROOT
from zendesk import sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(bool(container.why_not()), reason=container.why_not() or "-"),
]

PASSWORD = "correct horse battery"
SITE = "http://127.0.0.1:8000"
SETTINGS = {
    "SECRET_KEY": "a-key-for-this-test-alone-" + "0123456789abcdef" * 3,
    "ALLOWED_HOSTS": "127.0.0.1",
    "USE_HTTPS": "False",
    "ZENDESK_BASE_URL": "http://127.0.0.1:8100",
    "ZENDESK_OAUTH_CLIENT_ID": sandbox.CLIENT_ID,
    "ZENDESK_OAUTH_CLIENT_SECRET": sandbox.CLIENT_SECRET,
}


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with TemporaryDirectory(prefix="tagmanager-image-", ignore_cleanup_errors=True) as folder:
        build = Builder(Path(folder))
        build.make_base()
        build.make_image()
        yield Image.mounted(build)


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.close()


@pytest.fixture
def volume(image: Image) -> Iterator[Path]:
    """As Docker makes one: with the owner and the mode that the folder has in the image."""
    with TemporaryDirectory(prefix="tagmanager-volume-") as folder:
        user, group = map(int, image.config["User"].split(":"))
        os.chown(folder, user, group)
        yield Path(folder)


def health(image: Image, network: Network, process: int) -> int:
    """The exit code of the image's health check in the container of this process."""
    (kind, *words) = image.config["Healthcheck"]["Test"]
    assert kind == "CMD"
    inside = psutil.Process(process).children(recursive=True)[0].pid
    entered = ["nsenter", "--target", str(inside), "--mount", "--pid", "--root", "--wdns=/"]
    return network.run([*entered, *image.inner(words, SETTINGS)]).returncode


def test_the_image_is_small_in_what_it_may_and_holds(image: Image) -> None:
    config = image.config
    assert (config["User"], config["Cmd"], config["StopSignal"]) == ("10001:10001", ["web"], "SIGTERM")
    assert list(config["Volumes"]) == ["/var/lib/tag-manager"]
    place = image.root / "srv/tag-manager"
    assert sorted(path.name for path in place.iterdir()) == [
        *(".venv", "LICENSE", "container", "jobs", "manage.py", "pyproject.toml"),
        *("requirements", "static", "tagmanager", "templates", "zendesk"),
    ]
    assert [path.name for path in (place / ".venv/bin").iterdir() if path.name.startswith("pip")] == []
    assert [name for name in ("gcc", "make", "git") if (image.root / "usr/bin" / name).exists()] == []
    owned = [path for path in place.rglob("*") if path.lstat().st_uid == 10001]
    assert owned == []


def test_two_containers_of_one_image_run_a_job_from_the_form_to_its_undo(
    image: Image, network: Network, volume: Path, tmp_path: Path
) -> None:
    demo = [sys.executable, "-m", "zendesk.sandbox", "--port", "8100", "--tickets", "2000"]
    network.start(["env", f"--chdir={ROOT}", *demo, "--scale", "0", "--quiet"])
    with (tmp_path / "log").open("wb") as log:
        web = network.start(image.command(volume, "web", **SETTINGS), log)
        worker = network.start(image.command(volume, "worker", **SETTINGS), log)

        def is_well(process: int) -> bool:
            assert web.poll() is None, (tmp_path / "log").read_text()
            return health(image, network, process) == 0

        await_that(lambda: is_well(web.pid), "a healthy web container")
        await_that(lambda: is_well(worker.pid), "a healthy worker container")
        made = network.run(
            image.command(
                volume,
                "createsuperuser",
                "--no-input",
                **SETTINGS,
                DJANGO_SUPERUSER_USERNAME="root",
                DJANGO_SUPERUSER_PASSWORD=PASSWORD,
                DJANGO_SUPERUSER_EMAIL="root@example.com",
            )
        )
        assert made.returncode == 0, made.stdout

        script = visitor.PERSON.replace(f'"{visitor.SITE}"', f'"{SITE}"')
        ran = network.run([sys.executable, "-c", script, PASSWORD, str(sandbox.VIEW_UNSOLVED)])
        assert ran.returncode == 0, ran.stdout + (tmp_path / "log").read_text()
        jobs = json.loads(ran.stdout.splitlines()[-1])["jobs"]
        assert [job["status"] for job in jobs] == ["succeeded"] * 3, jobs
        preview, run, undo = jobs
        assert preview["planned"] == run["changed"] == undo["changed"] > 500

        # As a runtime stops them: one signal to the first process, which ends by itself.
        for process in (worker, web):
            psutil.Process(process.pid).children(recursive=True)[0].terminate()
            assert process.wait(60) == 0, (tmp_path / "log").read_text()
        assert [path.name for path in volume.rglob("*") if path.lstat().st_uid != 10001] == []
