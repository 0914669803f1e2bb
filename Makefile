# Every target sets up what it needs in .venv, and does so again only when pyproject.toml changes.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt

# One thread per process: several processes with threads of their own would slow one another down.
PYTEST := OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint format bench clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/.installed  ## Train and compare the models of recipes/quickstart.yaml
	$(BIN)/xlmkit run recipes/quickstart.yaml

test: lint  ## Run the linters and all tests but the slow ones
	$(PYTEST) -m "not slow" -n $(WORKERS)

test-slow: $(VENV)/.installed-dev  ## Run the slow tests
	$(PYTEST) -m slow

lint: $(VENV)/.installed-dev  ## Check style, types and the layers' imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.installed-dev  ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev  ## Run every benchmark in benchmarks/
	@set -e; for script in benchmarks/[a-z]*.py; do \
		echo "== $$script"; OMP_WAIT_POLICY=PASSIVE $(BIN)/python "$$script"; \
	done

clean:  ## Remove the environment and caches, but no results
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"xlmkit needs Python 3.11 or newer; name one, for instance: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	$(PIP) --editable '.[zh]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	$(PIP) --editable '.[dev,zh]'
	@touch $@ $(VENV)/.installed
