# Two commands do everything: `make run` and `make test`. `make help` lists the rest.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
BIN := .venv/bin
export UV_COMPILE_BYTECODE := 1
export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help setup run test soak check fix openapi bench clean

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: .venv/.complete ## Install everything into .venv

.venv/.complete: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3 …"; exit 1)
	@test -x "$(UV)" || ($(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv)
	$(UV) sync --locked --all-extras --python $(PYTHON) --quiet
	@touch $@

run: setup ## Set up a shop with a demo catalogue and serve it on 127.0.0.1:8000
	@$(BIN)/flaskart init
	@$(BIN)/flaskart demo
	@$(BIN)/flaskart serve

test: setup ## Run all tests on SQLite and PostgreSQL
	$(BIN)/pytest -n 2

soak: setup ## Run the races and crashes at full length, some minutes
	$(BIN)/pytest --soak tests/races tests/crash

check: setup ## Check format, lint, types, import rules, migrations and the OpenAPI document
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/test_migrations.py tests/test_openapi.py::test_the_committed_document_is_the_generated_one

fix: setup ## Format, and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

openapi: setup ## Write openapi.json and the list of errors anew
	$(BIN)/flaskart openapi > openapi.json.new && mv openapi.json.new openapi.json
	$(BIN)/flaskart errors > docs/errors.md.new && mv docs/errors.md.new docs/errors.md

bench: setup ## Measure the shop; ARGS="--engine sqlite|postgresql --products N --quick"
	$(BIN)/python -m bench $(ARGS)

clean: ## Remove what setup and tests made; the shop in instance/ stays
	rm -rf .venv .uv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -exec rm -rf {} +
