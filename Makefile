# Everything here needs only Python 3.11 or newer, git and make.

VENV := .venv
BIN := $(VENV)/bin
# Names are tried by running them: a version manager's shim may be on PATH with nothing behind it.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$name"; break; }; done)
ARGS ?=
FILE ?=
DB ?= sqlite
ADDRESS ?= 127.0.0.1:8000
WEB_WORKERS ?= 2
# More than two cores: many tests wait for processes of their own.
PYTEST_WORKERS ?= 4

.DEFAULT_GOAL := help
.PHONY: help venv install browser hooks demo run worker dev t test test-slow properties fuzz check format lock audit sbom bench reliability mutants screenshots clean

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# --- Set up -----------------------------------------------------------------------------------------------

# The stamps make a second run quick, and a first one that was broken off begins again where it was.
$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "Tag Manager needs Python 3.11 or newer, and none was found on PATH." \
		"Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than" \
		"Python 3.11, or does not start. Name a newer one: make PYTHON=/path/to/python3" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.base: requirements/base.txt | $(VENV)/.python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.mutants: requirements/mutants.txt $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/mutants.txt
	@touch $@

venv: $(VENV)/.base ## Make .venv with what running the app needs

install: $(VENV)/.dev ## Install what developing needs into .venv

browser: $(VENV)/.dev
	@.ci/get-browser $(BIN)

# --- Use --------------------------------------------------------------------------------------------------

demo: venv ## See the app at work on a demo Zendesk (ARGS="--exit --tickets N --port P")
	@exec $(BIN)/python manage.py demo $(ARGS)

run: venv ## Serve the web pages with the settings from .env (ADDRESS, WEB_WORKERS)
	@$(BIN)/python manage.py migrate --no-input
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@exec $(BIN)/gunicorn --config python:tagmanager.gunicorn --bind $(ADDRESS) --workers $(WEB_WORKERS)

worker: venv ## Run a worker with the settings from .env
	@exec $(BIN)/python manage.py run_worker

# --- Develop ----------------------------------------------------------------------------------------------

dev: install ## Develop: the app on a demo Zendesk; a changed file restarts web and worker (ARGS="--port P")
	@exec $(BIN)/python manage.py demo --reload $(ARGS)

t: install ## Run one test file in seconds: make t FILE=tests/jobs/test_states.py (DB=postgres, ARGS="-k name")
	@test -n "$(FILE)" || { echo "Name a file: make t FILE=tests/jobs/test_states.py" >&2; exit 2; }
	@TEST_DATABASE=$(DB) $(BIN)/pytest -q $(FILE) $(ARGS); code=$$?; if [ $$code = 5 ] && [ $(DB) = postgres ]; \
		then echo "No chosen test of $(FILE) touches a database, so there is nothing to try on PostgreSQL."; exit 0; fi; exit $$code

hooks: install ## Check each commit before it is made (pre-commit)
	$(BIN)/pre-commit install

QUICK := not slow or journey
test: install browser ## Run all quick tests and some journeys, on SQLite and again on PostgreSQL where a database is touched
	$(BIN)/pytest -n $(PYTEST_WORKERS) -m "$(QUICK)" $(ARGS)
	TEST_DATABASE=postgres $(BIN)/pytest -n $(PYTEST_WORKERS) -m "not browser and not once and ($(QUICK))" $(ARGS)

test-slow: install browser ## Run the rest: fuzz, outages, workers, the browser on every page
	$(BIN)/pytest -n $(PYTEST_WORKERS) -m "not ($(QUICK))" $(ARGS)
	TEST_DATABASE=postgres $(BIN)/pytest -n $(PYTEST_WORKERS) -m "not browser and not once and not ($(QUICK))" $(ARGS)

properties: export PROPERTIES := long
properties: install ## Look for long for what breaks a promise (PROPERTIES_EXAMPLES), on SQLite
	$(BIN)/pytest tests/properties -p no:logging -q $(ARGS)

fuzz: install ## Kill and freeze workers at random (FUZZ_KILLS, FUZZ_FREEZES, FUZZ_SEED), on SQLite and PostgreSQL
	$(BIN)/pytest tests/fuzz/fuzz_long.py -q $(ARGS)
	TEST_DATABASE=postgres $(BIN)/pytest tests/fuzz/fuzz_long.py -q $(ARGS)

check: export TAGMANAGER_DEMO := 1
check: install ## Linters, types, import contracts, templates, migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@find templates */templates -name '*.html' 2>/dev/null | sort | xargs -r $(BIN)/djade --check
	$(BIN)/python manage.py check
	$(BIN)/python manage.py makemigrations --check --dry-run

format: install ## Put code and templates in their usual form
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	@find templates */templates -name '*.html' 2>/dev/null | sort | xargs -r $(BIN)/djade

# Only what the .in files ask for anew changes: versions that are pinned stay. A mirror is named to uv by
# UV_DEFAULT_INDEX, and to pip by PIP_INDEX_URL; neither gets into the files.
lock: install ## Compile requirements/*.txt anew, with hashes, from requirements/*.in (ARGS="--upgrade" for newer versions)
	for name in base dev mutants; do $(BIN)/uv pip compile --universal --python-version 3.11 --no-emit-index-url \
		--generate-hashes --no-header --no-annotate --quiet $(ARGS) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

audit: install ## Ask whether a known hole is in what the app needs; fails where it cannot be asked
	@$(BIN)/python .ci/audit $(BIN)/pip-audit requirements/base.txt

SBOM ?= build/sbom.cdx.json
sbom: install ## Write the list of parts, in the format CycloneDX (SBOM=build/sbom.cdx.json)
	@$(BIN)/python .ci/sbom $(SBOM)

bench: BENCH := tests/benchmarks -p no:cacheprovider -o python_files="bench_*.py" -q -s
bench: install ## Measure speed against the targets, on both databases (ARGS="-k pages" for one part)
	$(BIN)/pytest $(BENCH) $(ARGS)
	TEST_DATABASE=postgres $(BIN)/pytest $(BENCH) $(ARGS)
	$(BIN)/python -m tests.benchmarks.summary

reliability: install ## Try every fault of the demo Zendesk, write the table into docs/reliability.md (SEEDS=1000)
	$(BIN)/pytest tests/reliability/write_table.py -p no:cacheprovider -o python_files=write_table.py -q $(ARGS)

mutants: $(VENV)/.mutants ## Break the code on purpose, see whether a test notices (MUTANTS="jobs/guards zendesk", MINUTES)
	@$(BIN)/python -m tests.mutants $(MUTANTS) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

screenshots: install browser ## Take the pictures of the README anew (docs/screenshots)
	$(BIN)/pytest tests/browser/screenshots.py -p no:cacheprovider -o python_files=screenshots.py -q $(ARGS)

clean: ## Remove .venv and everything generated; var/ with its databases stays
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
