# The template's commands: `make help` lists them. They need Python 3.12 or newer, git and make; uv is fetched when missing.
SHELL := /bin/bash
.DEFAULT_GOAL := help

UV := $(shell command -v uv || echo .tools/bin/uv)
# .python-version names the tested version. Where it is missing, the machine's own serves if it is 3.12 or newer.
ifeq ($(shell $(UV) python find --system 2>/dev/null),)
export UV_PYTHON := $(shell python3 -c 'import sys; v = sys.version_info; print("%d.%d" % v[:2] if v >= (3, 12) else "3.13")')
endif
# cookiecutter copies this whole folder for each project that it makes, so what is large stands outside of it.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/cookiecutter-scalable-web/$(shell printf %s "$(CURDIR)" | cksum | cut -d' ' -f1)
export UV_PROJECT_ENVIRONMENT := $(CACHE)/venv
export MYPY_CACHE_DIR := $(CACHE)/mypy
export RUFF_CACHE_DIR := $(CACHE)/ruff

# The projects that are tested and measured find the same uv.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

# The template's folder holds projects, not a project of ours.
SOURCES := docs hooks tests

.PHONY: help
help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet "uv>=0.9,<1"

INSTALLED := $(UV_PROJECT_ENVIRONMENT)/installed
$(INSTALLED): pyproject.toml | $(filter .tools/%,$(UV))
	$(UV) sync
	@touch $@

.PHONY: install
install: $(INSTALLED) ## Install the dependencies

.PHONY: new
new: $(INSTALLED) ## Ask the questions and make a project, beside this folder or in OUT=...
	@$(UV) run --quiet cookiecutter "$(CURDIR)" --output-dir "$(or $(OUT),..)" $(ARGS)

.PHONY: test
test: $(INSTALLED) ## Run every test
	$(UV) run --quiet pytest $(ARGS)

.PHONY: lint
lint: $(INSTALLED) ## Check style, formatting and types
	$(UV) run --quiet ruff check $(SOURCES)
	$(UV) run --quiet ruff format --check $(SOURCES)
	$(UV) run --quiet mypy

.PHONY: format
format: $(INSTALLED) ## Format the code and fix what can be fixed
	$(UV) run --quiet ruff check --fix-only $(SOURCES)
	$(UV) run --quiet ruff format $(SOURCES)

.PHONY: docs
docs: $(INSTALLED) ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(UV) run --quiet --group docs mkdocs build --strict --quiet

.PHONY: bench
bench: $(INSTALLED) ## Measure projects beside bare servers and peers, and write docs/performance.md
	$(UV) run --quiet python -m tests.bench.runtime $(ARGS)

.PHONY: bench-quick
bench-quick: $(INSTALLED) ## The same for the three targets that matter most, in three minutes
	$(UV) run --quiet python -m tests.bench.runtime --quick --rounds 2 --seconds 1 $(ARGS)

.PHONY: bench-generate
bench-generate: $(INSTALLED) ## Measure how fast projects are made, started and tested
	$(UV) run --quiet python -m tests.bench.generation

.PHONY: reliability
reliability: $(INSTALLED) ## Kill and freeze every part of generated projects, and write what was seen into docs/reliability.md
	$(UV) run --quiet pytest tests/faults -q --reliability docs/reliability.md
