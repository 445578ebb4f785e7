# make demo   the whole line on a simulated drive; needs nothing but Python
# make quick  lint, types and the fast tests
# make test   what a change must pass
# make exhaustive   the same with all cases of every test, before a release
# make docs   the documentation as a site, in site/
# make release   sdist and wheel in dist/, the wheel tried in a bare environment
# Each installs densegt in a virtual environment in .venv first. VENV=... places it elsewhere, PYTHON=... picks the
# interpreter, OUT=... the demo's folder.

VENV ?= .venv
# A name on the path need not be a working interpreter (version managers leave shims), so each is tried.
PYTHON ?= $(shell for python in python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
# Test processes; what they compile the first time is cached beside the sources, for all of them.
WORKERS ?= 2
# A file's tests share what is made for them; tests/conftest.py says which files come first.
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
OUT ?= densegt-demo
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: help demo quick test exhaustive docs release lint types unit clean

help:
	@sed -n '1,/^$$/s/^# //p' Makefile

demo: $(VENV)/core.stamp
	$(BIN)/densegt demo --out $(OUT)

test: lint types unit

quick: $(VENV)/dev.stamp lint types
	$(BIN)/pytest tests $(SPREAD) -m "not slow"

exhaustive: lint types
	$(BIN)/pytest $(SPREAD) --exhaustive

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

unit: $(VENV)/dev.stamp
	$(BIN)/pytest $(SPREAD)

docs: $(VENV)/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir site

release: | $(BIN)/python
	PYTHON=$(BIN)/python .ci/release

clean:
	rm -rf $(VENV) site dist .mypy_cache .pytest_cache .ruff_cache build *.egg-info

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "densegt needs Python 3.11 or 3.12; none found. Try make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/core.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing densegt in $(VENV) (one to three minutes) ..."
	$(INSTALL) -e ".[cloud]"
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing densegt with all parts and the test tools in $(VENV) (a few minutes) ..."
	$(INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/core.stamp
