"""Checks the files around the code: commands, requirements, documents, vendored files."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests import environment
from tests.tagmanager.test_settings import variables_read

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = [
    *("demo", "test", "test-slow", "venv", "check", "run", "worker"),
    *("lock", "audit", "sbom", "format", "bench", "clean", "help"),
]
REQUIREMENTS = sorted((ROOT / "requirements").iterdir())
#: The packages of the program; migrations are numbered files without a subject.
PACKAGES = sorted(
    path.parent
    for root in ("jobs", "tagmanager", "zendesk")
    for path in (ROOT / root).rglob("__init__.py")
    if path.parent.name != "migrations"
)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def lay_out_checkout(folder: Path) -> None:
    """The files of a checkout that make needs for set-up."""
    (folder / "requirements").mkdir()
    (folder / "requirements/base.txt").touch()
    (folder / "Makefile").write_text(MAKEFILE, encoding="utf-8")


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run make as from a shell, even if make itself runs these tests."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=outside, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("target", TARGETS)
def test_make_has_this_target_and_help_lists_it(target: str) -> None:
    assert re.search(rf"^{target}:.* ## .+", MAKEFILE, re.MULTILINE)
    listed = make("help").stdout
    assert re.search(rf"^{target}\s+\S", listed, re.MULTILINE)


def test_make_says_what_to_do_without_a_suitable_python(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    lay_out_checkout(tmp_path)
    named = make("venv", f"PYTHON={old}", folder=tmp_path)
    none = make("venv", "PYTHON=", folder=tmp_path)
    assert (named.returncode, none.returncode) == (2, 2)
    assert "is older than Python 3.11, or does not start" in named.stderr
    assert "Tag Manager needs Python 3.11 or newer, and none was found on PATH." in none.stderr


def test_make_demo_passes_on_the_exit_code(tmp_path: Path) -> None:
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\n[ "$1" = manage.py ] && echo "$@" && exit 3\nexit 0\n', encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / ".venv/.python").touch()
    lay_out_checkout(tmp_path)
    done = make("demo", "ARGS=--exit --tickets 7", folder=tmp_path)
    assert done.stdout.splitlines()[-1] == "manage.py demo --exit --tickets 7"
    assert "Error 3" in done.stderr


def run_ci(folder: Path, *, fails_at: str) -> subprocess.CompletedProcess[str]:
    """The script for CI in a checkout whose make only says what it was asked for."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", folder / ".ci/run")
    make = folder / "bin/make"
    make.parent.mkdir()
    make.write_text(f'#!/bin/sh\necho "made $*"\n[ "$1" != {fails_at} ] || exit 7\n', encoding="utf-8")
    make.chmod(0o755)
    path = f"{make.parent}:{os.environ['PATH']}"
    return subprocess.run(
        [folder / ".ci/run"], env={"PATH": path}, capture_output=True, text=True, check=False
    )


def test_the_script_for_ci_runs_its_steps_in_order_and_ends_with_how_long_each_took(tmp_path: Path) -> None:
    ran = run_ci(tmp_path, fails_at="nothing")
    said = ran.stdout.splitlines()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert said[:4] == ["made check", "made test", "made test-slow", "made demo ARGS=--exit"]
    assert [re.sub(r"^ *\d+ s  ", "", line) for line in said[4:]] == [
        "make check",
        "make test",
        "make test-slow",
        "make demo ARGS=--exit",
    ]


def test_the_script_for_ci_ends_at_a_step_that_fails_with_its_exit_code_and_the_times(tmp_path: Path) -> None:
    ran = run_ci(tmp_path, fails_at="test")
    said = ran.stdout.splitlines()
    assert ran.returncode == 7
    assert said[:2] == ["made check", "made test"]
    assert [re.sub(r"^ *\d+ s  ", "", line) for line in said[2:]] == ["make check", "make test (failed)"]


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_requirements_name_no_registry(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"://|--\S*index\S*|--find-links|--trusted-host|@ ", text) == []


def pins(path: Path) -> list[str]:
    """The requirements in a file that `make lock` wrote, each with its hashes."""
    return path.read_text(encoding="utf-8").replace(" \\\n", "").splitlines()


@pytest.mark.parametrize(
    "path", [path for path in REQUIREMENTS if path.suffix == ".txt"], ids=lambda path: path.name
)
def test_every_requirement_is_pinned_with_hashes(path: Path) -> None:
    pin = re.compile(r"[a-z0-9-]+(\[[a-z,]+\])?==[\w.]+( ; .+?)?(    --hash=sha256:[0-9a-f]{64})+")
    assert [line for line in pins(path) if not pin.fullmatch(line)] == []
    assert len(pins(path)) > 20


def test_make_installs_only_files_whose_hash_is_known() -> None:
    installs = re.findall(r"pip install.*", MAKEFILE)
    assert ["--require-hashes -r requirements/" in line for line in installs] == [True] * 3


def test_development_has_the_same_versions_as_production() -> None:
    base, dev = (
        dict(line.split("==", 1) for line in pins(ROOT / f"requirements/{name}.txt"))
        for name in ("base", "dev")
    )
    # A marker may be wider among the development requirements; the version may not differ.
    assert {name: pin.split()[0] for name, pin in base.items()} == {
        name: dev[name].split()[0] for name in base
    }


def anchors(document: Path) -> set[str]:
    """The anchors in a Markdown file that a link may name."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_have_a_target(document: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_test_that_the_page_about_security_names_exists() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:V\d+ [^|]+)?\| [^|]*\| (\w[\w ]*) \| (.+) \|$", page, re.MULTILINE)
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 50
    assert named - known == set()
    assert re.findall(r"^\| V(\d+) ", page, re.MULTILINE) == [str(number) for number in range(1, 18)]
    assert {state for state, _ in rows} == {"met", "partly", "not", "does not apply"}


def test_make_targets_named_in_documents_exist() -> None:
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named - set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE)) == set()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.relative_to(ROOT)))
def test_a_package_says_what_it_is_for_and_what_it_never_does(package: Path) -> None:
    said = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert re.search(r"\b[Nn]ever\b", said), f"{package} has no docstring, or none that draws a border"


def test_vendored_files_state_their_licence_and_need_no_other_file() -> None:
    for path in sorted((ROOT / "static/vendor").iterdir()):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"/\*!", text[:40]), path.name
        assert re.search("licen[cs]e", text[:400], re.IGNORECASE), path.name
        assert "sourceMappingURL" not in text, path.name


def test_a_test_run_ignores_every_variable_that_the_settings_read() -> None:
    set_by_tests = {"SECRET_KEY", "TAGMANAGER_DEMO", "VAR_DIR"}
    unread = {"TAGMANAGER_ENV_FILE"}  # in the demo mode that tests run in
    left = {name for name in variables_read() if not name.startswith("ZENDESK_")} - set(environment.FOREIGN)
    assert left - set_by_tests - unread == set()


def test_the_project_states_its_name_licence_and_oldest_python() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["name"], project["license"], project["requires-python"]) == (
        "tag-manager",
        "MIT",
        ">=3.11",
    )
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License\n")


def passes_on_nothing(test: ast.expr) -> bool:
    """Whether it is `all(…)` or `not any(…)`, which hold where there is nothing to look at."""
    if isinstance(test, ast.BoolOp):
        return any(map(passes_on_nothing, test.values))
    is_negated = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    inner = test.operand if isinstance(test, ast.UnaryOp) else test
    if not isinstance(inner, ast.Call) or not isinstance(inner.func, ast.Name):
        return False
    return inner.func.id == ("any" if is_negated else "all")


def test_no_assertion_passes_on_an_empty_list() -> None:
    """Say what is expected, and of how many: `assert ["vip" in tags(ref) for ref in refs] == [True] * 3`."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if re.search(r"\b(all|any)\(", text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assert) and passes_on_nothing(node.test)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("assertion", "expected"),
    [
        ("all(tag in tags for tag in wanted)", True),
        ("job.is_ended and all(map(exists, family))", True),
        ("not any([tag in tags for tag in wanted])", True),
        ("any(tag in tags for tag in wanted)", False),
        ("not all(tag in tags for tag in wanted)", False),
        ("[tag in tags for tag in wanted] == [True] * 3", False),
        ("not tags", False),
    ],
)
def test_such_assertions_are_recognised(assertion: str, expected: bool) -> None:
    assert passes_on_nothing(ast.parse(assertion, mode="eval").body) == expected


@pytest.mark.parametrize("folder", ["jobs", "tagmanager"])
def test_no_reading_leaves_a_cursor_open(folder: str) -> None:
    """Python reports one that is left open on standard error (`ListedRefs.in_order`)."""
    sources = [path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]
    assert sources
    assert [str(path) for path in sources if ".iterator(" in path.read_text(encoding="utf-8")] == []
