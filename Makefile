# Causerie: `make run` starts everything, `make test` tests everything; each sets up what it needs first.
# A step that is done is not done again, so a second `make run` starts at once.

PYTHON_VERSION := 3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
TESTS ?= tests
# A few processes, each with a database of its own; a file stays whole, for what its tests share
PARALLEL ?= --numprocesses=auto --maxprocesses=4 --dist=loadfile

.DEFAULT_GOAL := help
.PHONY: help run test lint lint-mistakes lint-form lint-types lint-imports audit sbom bench soak faults check config rules lock peers clean

help:
	@echo "make run     set up, start the database and the server on http://127.0.0.1:8080"
	@echo "make test    set up all that the tests need and run them (TESTS=tests/channels for a part)"
	@echo "make lint    ruff, mypy, import-linter (make -k lint goes on after the first complaint)"
	@echo "make audit   ask whether a pinned package has a known weakness (needs the network)"
	@echo "make check   read the configuration and the bot's files and show all that is wrong with them"
	@echo "make sbom    write what the server is made of, with hashes and licences, into causerie.cdx.json (CycloneDX)"
	@echo "make bench   measure everything in short form, each beside its control, and write bench/RESULTS.md"
	@echo "make soak    let visitors come and go for an hour (SOAK_MINUTES=5 for less) and see whether anything leaks"
	@echo "make faults  kill, freeze, starve and cut off everything for some minutes, and count what was lost or said twice"
	@echo "make config  write config.toml anew from the code"
	@echo "make rules   write the rules' JSON Schema and reference anew from the code"
	@echo "make lock    resolve the dependencies anew (needs uv)"
	@echo "make clean   remove what make made; your data in .causerie stays"

run: $(VENV)/.can-run
	@$(BIN)/python -m causerie serve --demo

check: $(VENV)/.can-run
	@$(BIN)/python -m causerie check

test: $(VENV)/.can-test peers
	@echo "[test] running the tests in $(TESTS)"
	@$(BIN)/python -m pytest $(PARALLEL) $(TESTS)

lint: lint-mistakes lint-form lint-types lint-imports

lint-mistakes: $(VENV)/.can-test
	@echo "[lint] ruff: mistakes"
	@$(BIN)/python -m ruff check .

lint-form: $(VENV)/.can-test
	@echo "[lint] ruff: form"
	@$(BIN)/python -m ruff format --check --quiet .

lint-types: $(VENV)/.can-test
	@echo "[lint] mypy: types"
	@$(BIN)/python -m mypy

lint-imports: $(VENV)/.can-test
	@echo "[lint] import-linter: who imports whom"
	@$(BIN)/python -c "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"

sbom: $(VENV)/.can-run
	@$(BIN)/python .ci/sbom requirements.lock > causerie.cdx.json.draft && mv causerie.cdx.json.draft causerie.cdx.json

audit: $(VENV)/.can-test
	@$(BIN)/python .ci/audit requirements.lock

bench: $(VENV)/.can-run
	@$(BIN)/python -m bench all

SOAK_MINUTES ?= 60
soak: $(VENV)/.can-run
	@$(BIN)/python -m bench soak --minutes $(SOAK_MINUTES)

FAULTS_SECONDS ?= 120
faults: $(VENV)/.can-test peers
	@FAULTS_SECONDS=$(FAULTS_SECONDS) $(BIN)/python -m pytest tests/faults --timeout=0 --durations=0

config: $(VENV)/.can-run
	@$(BIN)/python -m causerie.config_file > config.toml.draft && mv config.toml.draft config.toml

rules: $(VENV)/.can-run
	@$(BIN)/python -m rules.json_schema > rules/book.schema.json.draft && mv rules/book.schema.json.draft rules/book.schema.json
	@$(BIN)/python -m rules.reference en > docs/rules-reference.md.draft && mv docs/rules-reference.md.draft docs/rules-reference.md
	@$(BIN)/python -m rules.reference fr > docs/fr/rules-reference.md.draft && mv docs/fr/rules-reference.md.draft docs/fr/rules-reference.md

lock:
	@command -v uv > /dev/null || { echo "uv is not here. Hint: pip install uv"; exit 1; }
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
		--python-version $(PYTHON_VERSION) pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url \
		--python-version $(PYTHON_VERSION) --extra dev pyproject.toml -o requirements-dev.lock

peers:
	@.ci/peers

clean:
	rm -rf $(VENV) tests/peers/node_modules build *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.can-run: $(VENV)/.made requirements.lock | $(BIN)/causerie
	@echo "[set-up] packages, each checked by its hash (a minute or two, once)"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.can-test: $(VENV)/.made requirements-dev.lock | $(BIN)/causerie
	@echo "[set-up] packages of the tests, each checked by its hash (a minute or two, once)"
	@$(PIP) -r requirements-dev.lock
	@touch $@ $(VENV)/.can-run

$(VENV)/.made:
	@.ci/venv $(VENV)
	@touch $@

# The command, for whatever folder one stands in: a bot's own, or a service's
$(BIN)/causerie: $(VENV)/.made
	@printf '#!/bin/sh\nPYTHONPATH="%s$${PYTHONPATH:+:$$PYTHONPATH}" exec "%s/python" -m causerie "$$@"\n' "$(CURDIR)" "$(CURDIR)/$(BIN)" > $@
	@chmod +x $@
