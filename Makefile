# Two commands do everything on a fresh machine that has Python with its `venv` and make: `make demo` and `make test`.
# `make test` stays short; what takes minutes or hours is in the parts of `make test-long`, each of which goes on where
# it was interrupted (python -m tests.long).
# Each makes the virtual environment and installs the hash-locked requirements when they are missing.

PYTHON ?= python3
BIN    := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help look demo test lint test-rules test-agent test-long kernels laws bench docs lock clean mutants fuzz

# These tests wait more than they work: more workers than processors. What takes longest begins first.
WORKERS    ?= 3
SLOW_FIRST := tests/demo tests/confinement tests/tui tests/enforcement tests/control tests/cli
OTHERS     := $(filter-out $(SLOW_FIRST) tests/rules,$(sort $(patsubst %/__init__.py,%,$(wildcard tests/*/__init__.py)) $(wildcard tests/test_*.py)))
LONG := tests kills losses power log fuzz mutants days kernels clock luks disks install samba share

help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

# Looked at each time, and touched only when it is made: a half-made environment is none (venv.sh).
.venv/.made: look
	@sh venv.sh made $(PYTHON)

.venv/.run: requirements.lock pyproject.toml .venv/.made
	@sh venv.sh run

.venv/.dev: requirements-dev.lock .venv/.run
	@sh venv.sh dev

# The catalogues are compiled when the program is installed, and again when one of their sources has changed.
agent/language/en.mo: .venv/.run hatch_build.py $(wildcard agent/language/*/*.po)
	@$(BIN)/python hatch_build.py

demo: agent/language/en.mo ## the main job on real files: the kernel refuses, the log records
	$(BIN)/shoumi demo

lint: .venv/.dev  ## linters, types, import directions, the rules of the tree
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.lint

test: .venv/.dev ## linters, types, import directions, laws, vectors, real-kernel tests
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint test-rules
	@$(MAKE) --no-print-directory test-agent

test-rules: .venv/.dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests/rules -n 2
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='rules/*' --fail-under=100 --skip-covered

test-agent: .venv/.dev
	$(BIN)/pytest $(SLOW_FIRST) $(OTHERS) -m 'not long' -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-long:       ## all parts of the long tests, one after the other: hours; test-long-kills and so on is one of them
	@$(MAKE) --no-print-directory --keep-going $(LONG:%=test-long-%); code=$$?; \
		$(BIN)/python -m tests.long report; exit $$code

test-long-%: .venv/.dev
	$(BIN)/python -m tests.long $* --resume

kernels: .venv/.dev ## boot Debian's stock kernels in QEMU and renew docs/kernels.md (as root; about an hour)
	$(BIN)/python -m tests.long kernels
	$(BIN)/python -m tests.docs.reference

laws: .venv/.dev  ## look for new examples that break a law (`make test` tries the same ones each time)
	$(BIN)/pytest -m hypothesis --hypothesis-profile=search -n 2

mutants: .venv/.dev ## wrong changes of what decides: none that lets more through goes unnoticed (an hour; goes on where it was)
	$(BIN)/python -m tests.mutants

fuzz: .venv/.dev ## broken input for every parser, or for one: make fuzz PARSER=tokens SECONDS=60
	$(BIN)/python -m tests.fuzz $(PARSER) $(SECONDS:%=--seconds %)

bench: .venv/.dev ## the numbers table: ratios against a bare run and, when installed, fapolicyd
	$(BIN)/python -m tests.bench

docs: .venv/.dev ## renew what docs/ has of the program: pages, then pictures of the terminal (as root, as the demo)
	$(BIN)/python -m tests.docs.reference
	$(BIN)/python -m tests.docs.screens

lock: .venv/.dev ## renew both lock files (hashes only, no index is named)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra build --extra doors pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra build --extra doors --extra dev pyproject.toml -o requirements-dev.lock

clean:           ## remove the virtual environment and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
