# Every target sets up what it needs in .venv, and does so again only when pyproject.toml or compiled code changes.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
KERAS_VENV := .venv-keras
COMPILED := hatch_build.py $(wildcard src/xlmkit/*/native/*)
BACKENDS ?= tensorflow jax torch
PIP_INSTALL := -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
PIP := $(BIN)/python $(PIP_INSTALL)

# One thread per process: several processes with threads of their own would slow one another down.
ONE_THREAD := OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
PYTEST := $(ONE_THREAD) $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow test-keras lint format bench clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

demo: $(VENV)/.installed  ## Train and compare the models of recipes/quickstart.yaml
	$(BIN)/xlmkit run recipes/quickstart.yaml

test: lint  ## Run the linters and all tests but the slow ones
	$(PYTEST) -m "not slow" -n $(WORKERS)

test-slow: $(VENV)/.installed-dev  ## Run the slow tests
	$(PYTEST) -m slow

test-keras: $(KERAS_VENV)/.installed  ## Run the tests of the Keras classes on each backend
	@set -e; for backend in $(BACKENDS); do \
		echo "== $$backend"; \
		KERAS_BACKEND=$$backend TF_CPP_MIN_LOG_LEVEL=2 $(ONE_THREAD) \
			$(KERAS_VENV)/bin/python -m pytest tests/keras -n $(WORKERS); \
	done

lint: $(VENV)/.installed-dev  ## Check style, types and the layers' imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.installed-dev  ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev  ## Run every benchmark in benchmarks/
	@failed=; for script in benchmarks/[a-z]*.py; do \
		echo "== $$script"; \
		OMP_WAIT_POLICY=PASSIVE $(BIN)/python "$$script" || failed="$$failed $$script"; \
	done; \
	if [ "$$failed" ]; then echo "Failed:$$failed"; exit 1; fi

clean:  ## Remove the environment and caches, but no results
	rm -rf $(VENV) $(KERAS_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	rm -f src/xlmkit/text/_native.* src/xlmkit/model/_kernels.*
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"xlmkit needs Python 3.11 or newer; name one, for instance: make PYTHON=python3.11")'
	$(PYTHON) -m venv $*

$(VENV)/.installed: pyproject.toml constraints.txt $(COMPILED) | $(VENV)/bin/python
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	$(PIP) --editable '.[zh]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt $(COMPILED) | $(VENV)/bin/python
	@echo "Installing into $(VENV); the first time this takes a few minutes."
	$(PIP) --editable '.[dev,zh]'
	@touch $@ $(VENV)/.installed

# tensorflow-cpu is the same module as tensorflow, without what only a GPU needs.
$(KERAS_VENV)/.installed: pyproject.toml constraints.txt | $(KERAS_VENV)/bin/python
	@echo "Installing into $(KERAS_VENV); the first time this takes a few minutes."
	$(KERAS_VENV)/bin/python $(PIP_INSTALL) --editable '.[jax,test]' 'tensorflow-cpu>=2.19'
	@touch $@
