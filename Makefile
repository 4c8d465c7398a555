# Every target does its own set-up: on a fresh Debian machine Python 3.11 (with venv), git and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test torture lint format bench lock clean

help:  ## what can be made here
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 10

$(STAMP): requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) has no venv; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "make: Todoke needs Python 3.11 to 3.13; say which with make PYTHON=/path/to/python3.12"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

setup: $(STAMP)  ## the virtual environment with the pinned dependencies

demo: $(STAMP)  ## the main job, end to end: a list of 10,000 contacts through a real SMPP socket
	$(BIN)/todoke demo

# Several at a time; then those that kill and freeze real processes, with the machine to themselves.
test: $(STAMP)  ## every test
ifdef TESTS
	$(BIN)/python -m pytest $(TESTS)
else
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 -m "not fault"; others=$$?; $(BIN)/python -m pytest -m fault && exit $$others
endif

torture: $(STAMP)  ## rounds of everything that can befall an engine; ROUNDS=1000 SEED=1 FIRST=0 JOBS=2
	$(BIN)/python -m tests.faults.torture --rounds $(or $(ROUNDS),1000) --seed $(or $(SEED),1) --first $(or $(FIRST),0) --jobs $(or $(JOBS),2)

lint: $(STAMP)  ## format, style, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(STAMP)  ## put the code in its form
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(STAMP)  ## the benchmarks, as JSON lines
	$(BIN)/python -m bench

lock: $(STAMP)  ## refresh the pinned dependencies from requirements/*.in
	for f in runtime dev; do $(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --custom-compile-command "make lock" requirements/$$f.in -o requirements/$$f.txt || exit 1; done

clean:  ## the virtual environment and caches away
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache tests/peers/node_modules
