# Everything a person types. `make run` and `make test` set up what is missing; nothing else needs to be installed
# first but Python 3.11, 3.12 or 3.13 and make.
.DEFAULT_GOAL := help
.PHONY: help run test up down setup test-all lint docs docs-check audit bench bench-check proof chaos reliability lock clean

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
BENCH_LOANS ?= 1000000,10000000
BENCH_PIECES ?= ways,day
STAMP := .venv/.setup.stamp
# Compiled modules are kept, beside all else that we make, whatever the shell says: without them each of Airflow's
# processes and tasks compiles what it imports (Great Expectations: 6 s of CPU instead of 3).
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/var/pycache

# A copied or moved checkout holds an environment that still points to the old place.
ifneq ($(shell cat $(STAMP) 2>/dev/null || echo $(CURDIR)),$(CURDIR))
.PHONY: $(STAMP)
endif

help: ## these lines
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "make %-11s %s\n", $$1, $$2}'

run: setup ## from nothing to published metrics: PostgreSQL, Airflow, three business dates of the demo; PAST_DAYS=60
	@$(BIN)/python -m arrears local run $(if $(PAST_DAYS),--past-days $(PAST_DAYS))

test: setup ## the fast tests
	@$(BIN)/pytest -q -n 2

up: setup ## the Airflow UI and the warehouse, until Ctrl-C or `make down`
	@$(BIN)/python -m arrears local up

down: setup ## stop a `make up` or `make run` of this checkout
	@$(BIN)/python -m arrears local down

setup: $(STAMP) ## the virtual environment, from the lock

test-all: test ## the fast tests, then those that start Airflow or kill processes
	@$(BIN)/pytest -q -m "airflow or chaos or celery or docs or browser or spark or oracle"

lint: setup ## style, types, SQL, YAML
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint --disable-progress-bar include/arrears/sql
	@$(BIN)/sqlfluff lint --disable-progress-bar --dialect postgres include/arrears/warehouse/views \
		plugins/arrears_ui/sql
	@$(BIN)/yamllint --strict .

docs: setup ## write the generated pages again
	@$(BIN)/python -m arrears docs

docs-check: setup ## fail when a generated page has drifted
	@$(BIN)/python -m arrears docs --check

audit: setup ## known vulnerabilities of the locked packages; asks the index, and says so where it cannot
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip --progress-spinner off -r requirements.txt

bench: setup ## speed and memory of each step, onto docs/reference/bench.md; BENCH_LOANS=1000000 BENCH_PIECES=ways,day (or steps: no Airflow)
	@$(BIN)/python tests/bench/bench.py $(BENCH_LOANS) $(BENCH_PIECES)

bench-check: setup ## the limits of speed and memory, as tests
	@$(BIN)/pytest -q -s -m bench

proof: setup ## the engine against an opinion that shares no code with it: PROOF="--loans 50000 --days 120"
	@$(BIN)/python tests/proof/compare.py $(PROOF)

chaos: setup ## kill, restart, fill, corrupt: what survives, onto docs/reliability-report.md; minutes
	@for suite in tests/reliability/chaos_*.py; do $(BIN)/python $$suite || exit 1; done
	@$(BIN)/python tests/reliability/report.py

reliability: chaos ## every figure of docs/reliability-report.md again
	@for suite in tests/reliability/suite_*.py; do [ ! -e $$suite ] || $(BIN)/python $$suite || exit 1; done
	@$(BIN)/python tests/reliability/report.py
	@$(BIN)/python tests/reliability/report.py --check

lock: setup ## requirements.txt and requirements-deploy.txt anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		-o requirements.txt --quiet
	@$(BIN)/uv pip compile pyproject.toml --extra deploy -c requirements.txt --python-platform linux \
		--python-version 3.11 --generate-hashes -o requirements-deploy.txt --quiet
	@echo "requirements.txt and requirements-deploy.txt are written"

clean: ## stop everything, forget the demo's data and all caches
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m arrears local down; fi
	@rm -rf var .mypy_cache .ruff_cache .pytest_cache .hypothesis

# uv installs the lock in seconds, pip in minutes; where uv cannot be had or cannot reach the index, pip does it.
# uv reads no pip configuration, so the index that pip is told of is handed on.
$(STAMP): requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 to 3.13 is needed; there is no $(PYTHON) here" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
		echo "Python 3.11 to 3.13 is needed; $(PYTHON) is `$(PYTHON) --version`. Name another: make PYTHON=python3.12" >&2; \
		exit 1; }
	@{ [ ! -e $@ ] || [ "`cat $@`" = "$(CURDIR)" ]; } && $(BIN)/python -c '' 2>/dev/null || { \
		echo "setup: making the virtual environment"; \
		$(PYTHON) -m venv --clear .venv || { \
			echo "$(PYTHON) cannot make virtual environments; Debian and Ubuntu: apt install python3-venv" >&2; \
			rm -rf .venv; exit 1; }; }
	@[ "`$(BIN)/uv --version 2>/dev/null | cut -d' ' -f2`" = "$(UV_VERSION)" ] \
		|| $(BIN)/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION) \
		|| echo "setup: no uv; pip takes a few minutes"
	@echo "setup: installing the packages of requirements.txt"
	@index="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-`$(BIN)/python -m pip config get global.index-url 2>/dev/null`}}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; export VIRTUAL_ENV="$(CURDIR)/.venv"; \
	{ [ -x $(BIN)/uv ] \
		&& $(BIN)/uv pip install --quiet --require-hashes -r requirements.txt \
		&& $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e . ; } || { \
	echo "setup: installing with pip"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt \
		&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; }
	@echo "$(CURDIR)" >$@
	@echo "setup: ready"
