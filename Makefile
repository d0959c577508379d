# Everything that a person or CI does here, on a machine that has Python >= 3.11, make and git.
#
# Each verb sets up what it needs and prints nothing about what is already there. `.venv` is exactly the lock;
# tools/engine.py finds the Pulumi engine.

VENV := .venv
PY := $(VENV)/bin/python
LOCK := requirements-dev.lock

# The first interpreter that is new enough; `make PYTHON=...` chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# Processes that run tests in parallel: most of a test's time is spent waiting for an engine or a clock.
PROCESSES ?= 3

# Before a command: the engine, and this project's own Python for the engine's Python plugin, come first on PATH.
ON_ENGINE = engine=$$($(PY) -m tools.engine) && PATH="$$engine:$(CURDIR)/$(VENV)/bin:$$PATH"

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test bench chaos compat audit engine examples lint format schema sdks picture plugin-archive release-check lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/package ## See it work: an emulated fleet, a data source and a gate, no account needed
	@$(ON_ENGINE) $(PY) tools/demo.py

examples: $(VENV)/package ## Take the examples of every language through preview, up, changes and destroy
	@$(ON_ENGINE) EXAMPLES=all $(PY) -m pytest tests/engine/test_examples.py

test: lint ## Lint, format check, types, and all tests, on a real engine
	@$(ON_ENGINE) $(PY) -m pytest --numprocesses $(PROCESSES) --dist worksteal

bench: $(VENV)/package ## Measure, half an hour; writes docs/benchmarks.md and the figures of other pages (ASK=name: one table)
	@$(ON_ENGINE) $(PY) -m tools.bench --keep $(ASK)

chaos: $(VENV)/package ## Break the service in every known way, over 1,000 runs in five minutes, and check every result
	@$(PY) -m pytest tests/chaos --hypothesis-profile=chaos

compat: $(VENV)/package ## Test the lowest versions that we claim, and every Python that is installed (SESSIONS=lowest: one)
	@$(ON_ENGINE) $(VENV)/bin/nox -s $(or $(SESSIONS),lowest compat)

audit: $(VENV)/package ## Check the lock, licences, and, where they can be looked up, known vulnerabilities
	@$(VENV)/bin/nox -s audit

engine: $(VENV)/package ## Find or build the Pulumi engine and its language hosts; prints the folder for PATH
	@$(PY) -m tools.engine

lint: $(VENV)/package ## Only lint, format check, layers and types
	@$(PY) -m ruff check --quiet
	@$(PY) -m ruff format --check --quiet
	@report=$$($(VENV)/bin/lint-imports --no-logo --no-cache 2>&1) || { echo "$$report"; exit 1; }
	@$(PY) -m mypy --no-error-summary
	@report=$$($(VENV)/bin/zizmor --offline --quiet --color never .github 2>&1) || { echo "$$report"; exit 1; }
	@actionlint=$$($(PY) -m tools.engine actionlint) && "$$actionlint/actionlint"

format: $(VENV)/package ## Format the code, and fix what the linter can fix
	@$(PY) -m ruff check --fix-only --quiet
	@$(PY) -m ruff format --quiet

schema: $(VENV)/package ## Write schema.json, the tables of the docs, and what else follows from the models and the owner
	@$(PY) -m tools.generated

sdks: $(VENV)/package ## Make the TypeScript and Go SDKs from schema.json, in build/sdks
	@$(PY) tools/sdks/generate.py build/sdks

release-check: $(VENV)/package ## Build everything that a release has, and try it in clean environments (TAG=v1.2.3)
	@$(ON_ENGINE) $(PY) -m tools.release_check $(TAG)

picture: $(VENV)/package ## Run the demo and draw the README's picture, docs/demo.svg, from it
	@$(ON_ENGINE) $(PY) tools/demo.py docs/demo.svg

plugin-archive: $(VENV)/package ## Pack the provider plugin as one executable that needs no Python, for this kind of machine
	@$(PY) -m tools.plugin_archive

lock: $(VENV)/locked ## Pin what pyproject.toml asks for (LOCK_ARGS=--upgrade moves every pin)
	@$(VENV)/bin/uv pip compile pyproject.toml --group dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --quiet --output-file $(LOCK) $(LOCK_ARGS)

clean: ## Remove everything that make has made here (the engine, shared by all clones, stays)
	@rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/locked: $(LOCK)
	@python="$(PYTHON)"; "$${python:-false}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "This project needs Python 3.11 or newer: install it, or name it with 'make PYTHON=/path/to/python'." >&2; exit 1; }
	@echo "setting up $(VENV), about a minute, once for each change of $(LOCK)" >&2
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --use-pep517 --require-hashes -r $(LOCK)
	@touch $@

$(VENV)/package: $(VENV)/locked pyproject.toml
	@$(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
