# The developer's and the operator's commands. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
# The number of processes that share the tests; each starts its own broker and databases. One more than processors:
# a lane often waits for a timer of the product.
LANES ?= 3

.DEFAULT_GOAL := help

.PHONY: help
help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.PHONY: setup
setup: $(RUN_READY)  ## make the virtual environment from the lock

.PHONY: run
run: $(RUN_READY)  ## start broker, databases, the four services and the gateway; SCALE="triage=2" for more instances
	@exec $(BIN)/nkk run $(foreach pair,$(SCALE),--scale $(pair))

.PHONY: demo
demo: $(RUN_READY)  ## carry three dozen complaints through the procedure over HTTP; OPEN=yes opens the site afterwards
	@exec $(BIN)/nkk demo $(if $(OPEN),--open)

.PHONY: test
test: $(if $(T),$(DEV_READY),check)  ## check, then every test on a real broker, both databases, a mail server and a browser; T=path for some
	$(BIN)/pytest $(or $(T),--ignore tests/current) --numprocesses $(LANES) --dist loadgroup

.PHONY: unit
unit: $(DEV_READY)  ## the tests without a broker, a database server or a browser
	$(BIN)/pytest tests/unit tests/contract --numprocesses $(LANES)

.PHONY: proof
proof: $(DEV_READY)  ## random and long tests, with a new seed each time: MINUTES=15; SEED=1 to repeat a run
	@export PROOF_MINUTES=$(or $(MINUTES),15) PROOF_SEED=$(or $(SEED),$$RANDOM); \
	echo "make proof MINUTES=$$PROOF_MINUTES SEED=$$PROOF_SEED"; \
	$(BIN)/pytest -m proof --hypothesis-seed=$$PROOF_SEED --numprocesses $(LANES) --dist loadgroup; \
	$(MAKE) --no-print-directory chaos MINUTES=$$((PROOF_MINUTES / 2)) SEED=$$PROOF_SEED

.PHONY: check
check: $(DEV_READY)  ## format, lint, types, import rules, migrations, generated documents, lock and known vulnerabilities
	$(BIN)/ruff format --check --quiet . || { echo "Run: make fmt"; exit 1; }
	$(BIN)/ruff check .
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml nkk services gateway webhooks ops
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/current
	requirements/lock.sh --check
	$(MAKE) --no-print-directory audit

.PHONY: fmt
fmt: $(DEV_READY)  ## format the code, and apply lint's automatic fixes
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

.PHONY: audit
audit: $(DEV_READY)  ## look for known vulnerabilities in the locks; says so if no service can be reached
	@$(BIN)/python requirements/audit.py

.PHONY: bench
bench: $(DEV_READY)  ## measure the speed beside the alternatives; ONLY="accept relay" for a part, PUBLISH=yes for docs
	@exec $(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(PUBLISH),--publish)

.PHONY: chaos
chaos: $(DEV_READY)  ## journeys under random faults, all records compared: MINUTES=30 SEED=7 ON=sqlite|postgres NODES=1|3
	@exec nice -n 10 $(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED)) $(if $(ON),--on $(ON)) \
	  $(if $(NODES),--nodes $(NODES))

.PHONY: version
version:  ## check out a version of CHANGELOG.md beside the tree, to compare with or to upgrade from: V=0.1.0
	@commit=$$(sed -nE '/^## $(V) /,/^## /s/.*[Cc]ommit ([0-9a-f]{7,40}).*/\1/p' CHANGELOG.md); \
	test "$$commit" || { echo "CHANGELOG.md names no commit of version V=$(V); its headings are the versions."; exit 2; }; \
	test -e var/versions/$(V) || git worktree add --quiet --detach var/versions/$(V) "$$commit"; \
	echo "var/versions/$(V) is $$commit"

.PHONY: docs
docs: $(DEV_READY)  ## generate the OpenAPI and AsyncAPI documents
	$(BIN)/python -m tests.current.documents

.PHONY: translations
translations: $(DEV_READY)  ## collect the pages' sentences for translation, and compile the translated ones
	$(BIN)/python -m tests.current.translations

.PHONY: lock
lock: $(DEV_READY)  ## pin the dependencies of pyproject.toml again
	requirements/lock.sh

.PHONY: clean
clean:  ## remove the virtual environment and caches; var/, with databases and keys, stays
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_READY): requirements/run.txt pyproject.toml requirements/venv.sh
	@requirements/venv.sh $(PYTHON) $(VENV) requirements/run.txt
	@touch $@

$(DEV_READY): requirements/dev.txt $(RUN_READY)
	@requirements/venv.sh $(PYTHON) $(VENV) requirements/dev.txt
	@touch $@
