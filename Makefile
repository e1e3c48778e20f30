# Every target sets up .venv by itself when the lock has changed. uv is used where it is installed,
# python -m venv and pip otherwise. PYTHON=python3.13 VENV=.venv313 make test runs on another Python.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-by-make
# What lint and the slow tests need besides, which is as large again.
CHECKS := $(VENV)/.checks-installed-by-make
INSTALL = $(if $(shell command -v uv),uv pip install --quiet --compile-bytecode --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)

# The output of a target is the same when the tests run it from within `make test`.
MAKEFLAGS += --no-print-directory

# Where Python may not keep what it compiled, every start of it compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE

EQUIVALENCE := tests/test_equivalence.py

# What needs torch, which the lock does not hold: `make test` says that it leaves this out.
TORCH := $(VENV)/.torch-installed-by-make
TORCH_TESTS := handgrad/torch.py tests/handgrad/torch tests/benchmarks/torch tests/examples/test_torch.py docs/pytorch.md

.PHONY: install run test test-slow test-torch test-all lint attack mutants bench document docs study bundle picture lock dated release clean help

install: $(STAMP) ## set up the environment in .venv, for all but lint, slow tests and the documentation's site

run: $(STAMP) ## the main job: the article's network trained twice and compared
	@$(BIN)/python -m compare run

test: $(STAMP) ## the equivalence tests, compiled as for everybody, then all other quick ones; or those of OPTIONS
	@$(if $(OPTIONS),,XLA_FLAGS="$$XLA_FLAGS" $(BIN)/python -m pytest $(EQUIVALENCE);) equivalence=$$?; \
	$(BIN)/python -m pytest -n auto --dist loadfile $(or $(OPTIONS),--ignore=$(EQUIVALENCE)) && exit $$equivalence

test-slow: $(CHECKS) ## the slow ones, and those of Hypothesis with more examples; OPTIONS=tests/compare narrows it
	@$(if $(HURRIED),,XLA_FLAGS="$$XLA_FLAGS") $(BIN)/python -m pytest -n auto --dist loadfile -m "slow or hypothesis" --hypothesis-profile=thorough $(OPTIONS)

test-torch: $(TORCH) ## what needs torch, quick and slow; a first time it installs the group torch
	@HANDGRAD_TORCH=required $(BIN)/python -m pytest -n auto --dist loadfile -m "slow or not slow" $(OPTIONS) $(TORCH_TESTS)

test-all: test test-slow ## the quick and the slow ones

lint: $(CHECKS) ## ruff, pyright, and the import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

bench: $(STAMP) ## the timings: by hand against autodiff, against the floor; five minutes on idle cores
	@$(BIN)/python -m benchmarks --out bench.json --overwrite

attack: $(STAMP) ## all attacks on the judge and the tests, for hours; goes on where it was broken off
	@$(BIN)/python -m tests.attack all

mutants: $(STAMP) ## a part of it: whether the kernel's tests notice its edits, by cosmic-ray; for an hour
	@$(INSTALL) "cosmic-ray>=8.7"
	@$(BIN)/python -m tests.attack mutants

document: $(STAMP) ## the tables and figures of documents, and docs/reliability.md, from what is stored
	@$(BIN)/python -m benchmarks document
	@$(BIN)/python -m tests.attack document

docs: $(CHECKS) ## the documentation as a site, in site/; OPEN=1 opens it
	@$(BIN)/python -m website $(if $(OPEN),--open)

study: $(STAMP) ## the page: stepping through backpropagation in the browser; OPEN=1 opens it
	@$(BIN)/python -m study $(if $(OPEN),--open)

bundle: ## the page's scripts, from study/web; needs Node. CHECK=1 says whether the committed ones are these
	@cd study && npm ci --ignore-scripts --silent --no-audit --no-fund && node bundle.js $(if $(CHECK),--check)

picture: $(CHECKS) ## docs/network.svg and the page's preview, as the page draws them; needs Chromium
	@$(BIN)/python -m study.picture

$(STAMP): requirements.lock pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "handgrad needs Python 3.11 or newer; '$(PYTHON)' is none. Name one: make PYTHON=/path/to/python3" >&2; exit 2; }
	@echo "Setting up $(VENV); this takes one to two minutes, once." >&2
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --clear --python "$(PYTHON)" $(VENV); \
	else \
		"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 2; } && \
		"$(PYTHON)" -m venv --clear $(VENV); \
	fi
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(CHECKS): $(STAMP) requirements-checks.lock
	@echo "Installing what only checks need into $(VENV)." >&2
	@$(INSTALL) --require-hashes -r requirements-checks.lock
	@touch $@

$(TORCH): $(STAMP)
	@echo "Installing torch into $(VENV)." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group torch
	@touch $@

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

lock: ## rewrite both locks from pyproject.toml; needs uv
	$(COMPILE) --group dev --output-file requirements.lock pyproject.toml
	$(COMPILE) --group checks --constraints requirements.lock --output-file requirements-checks.lock pyproject.toml

dated: $(STAMP) ## write today's date into CHANGELOG.md and CITATION.cff, for a release
	@$(BIN)/python -m tests.release date

release: $(CHECKS) ## check that all is ready, and build what is published; PUBLISH=1 asks, and publishes
	@$(BIN)/python -m tests.release $(if $(PUBLISH),publish,check)

clean: ## remove the environment
	rm -rf $(VENV)

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /: /'
