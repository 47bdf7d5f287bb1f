# Two commands do everything on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Services start three times slower without bytecode.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
ROWS ?= 25
LEADS ?= include/samples/leads.csv
# `EXTRAS="--extra containers"` adds what docker-compose.airflow.yml runs with, so that its tests can load it.
EXTRAS ?=
READY := .venv/.ready

.PHONY: help setup demo test test-fast lint format chaos fuzz docs bench stop clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup: $(READY) ## Install everything into .venv from the lock file

$(READY): pyproject.toml uv.lock
	@test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	.venv/bin/uv sync --quiet --frozen --compile-bytecode $(EXTRAS) --python .venv/bin/python
	@touch $@

demo: $(READY) ## Start the stack, publish lead qualification, import leads, show what became of each
	.venv/bin/oneo demo --leads "$(LEADS)" --rows $(ROWS)

test: $(READY) ## All tests, on a real PostgreSQL and a real Airflow
	.venv/bin/pytest -m "not stack" --numprocesses 2 --dist loadfile
	.venv/bin/pytest -m stack

test-fast: $(READY) ## Tests that need no running Airflow
	.venv/bin/pytest -m "not stack" --numprocesses 2 --dist loadfile

lint: $(READY) ## ruff, mypy strict, import-linter
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

format: $(READY) ## Apply ruff's fixes and format
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

chaos: $(READY) ## Kill components while leads and events come in; long
	ONEO_CHAOS_LEADS=500 ONEO_CHAOS_EVENTS=2000 ONEO_CHAOS_KILLS=10 \
		.venv/bin/pytest tests/e2e/test_dispatcher.py tests/e2e/test_exactly_once.py --timeout 1800

fuzz: $(READY) ## Expressions and filters against 100,000 generated inputs each; long
	ONEO_FUZZ_EXAMPLES=25000 .venv/bin/pytest tests/expressions/test_expression_fuzz.py --timeout 3600
	ONEO_FUZZ_EXAMPLES=100000 .venv/bin/pytest tests/filters --timeout 7200

docs: $(READY) ## Generate the reference pages under docs/ from the code
	.venv/bin/python -m oneo_app.docs

bench: $(READY) ## Measure, as ratios in one run
	.venv/bin/python -m bench

stop: $(READY) ## Stop the local stack
	.venv/bin/oneo down

clean: ## Remove the environment and all local state
	@if [ -x .venv/bin/oneo ]; then .venv/bin/oneo down; fi
	rm -rf .venv .oneo
