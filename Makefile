# Set up, run and check Glossa. `make` alone lists the targets.
SHELL := /bin/sh
# The first Python here that Glossa runs on. One named by hand, `make run PYTHON=python3.12`, has a folder of its own.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
VENV ?= .venv$(if $(filter command environment,$(origin PYTHON)),$(shell $(PYTHON) -c \
	'import sys; print("-%d.%d" % sys.version_info[:2])' 2>/dev/null))
PY := $(VENV)/bin/python
# With `no` the suite leaves out by name what needs torch, and does not install it.
TORCH ?= yes
NEED_MIB := 6000
# How many test processes; one for each core pays on two cores already.
JOBS ?= 2
TESTS := $(PY) -m pytest -m "not gpu and not slow"
SILENT := HUB_DATA_DIR=$(VENV)/check-data

.DEFAULT_GOAL := help
# The oldest huggingface_hub that is promised to work, in an environment of its own; the newest is in $(VENV). Another
# one is named by hand: `make test-hf-old OLD_HF=1.33.0`.
OLD_HF := 0.36.2
OLD_HF_VENV = .venv-hf-$(OLD_HF)
HF_TESTS := tests/hf tests/journeys/test_pull_with_huggingface_hub.py
.PHONY: help setup run worker check test invariants suite postgres test-hf test-hf-old bench docs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/site.stamp ## make .venv and install everything needed to run

run: $(VENV)/site.stamp ## set up where needed, then start site, broker and workers
	@exec $(PY) manage.py quickstart

worker: $(VENV)/site.stamp ## one more gpu worker for a running hub
	@exec $(PY) manage.py worker --queue gpu

check: $(VENV)/test.stamp ## lint, format, types, import contracts, templates, migrations
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(SILENT) $(PY) -m mypy
	@$(SILENT) $(VENV)/bin/lint-imports --no-logo
	@$(PY) -m djlint --lint --quiet templates
	@$(SILENT) $(PY) manage.py makemigrations --check --dry-run

test: $(VENV)/test.stamp ## everything CI runs: check, and every suite on its real parts
	@$(MAKE) --no-print-directory -j 2 suite postgres

invariants: $(VENV)/test.stamp ## the fourteen things that training keeps, on the CPU
	$(PY) -m pytest -q -n $(JOBS) --dist loadscope $$($(PY) -m tests.trainer.invariants)

suite: $(VENV)/test.stamp
	$(TESTS) -n $(JOBS) --dist loadscope --no-loadscope-reorder

# Its one process waits for servers much of the time, so it runs beside the suite, after what fails fast.
postgres: check
	GLOSSA_TEST_DATABASE=postgres $(TESTS) tests/services tests/catalog tests/jobs \
		tests/hf/test_whole_table.py

test-hf: $(VENV)/test.stamp ## all of the Hugging Face protocol once more, on Postgres and a bucket
	GLOSSA_TEST_DATABASE=postgres GLOSSA_TEST_BLOBS=s3 $(TESTS) $(HF_TESTS)

test-hf-old: $(VENV)/test.stamp $(OLD_HF_VENV)/stamp ## the same clients' tests with the oldest huggingface_hub
	GLOSSA_TEST_HF_PYTHON=$(CURDIR)/$(OLD_HF_VENV)/bin/python $(PY) -m pytest -m "client and not gpu and not slow" $(HF_TESTS)

$(OLD_HF_VENV)/stamp:
	@$(PY) -m venv $(OLD_HF_VENV)
	@$(OLD_HF_VENV)/bin/python -m pip install --quiet --disable-pip-version-check huggingface_hub==$(OLD_HF)
	@touch $@

# What benchmarks are made of, and those that take an hour.
PARTS := bare checkpoints real_checkpoint reference rounds shapes sides time_to_quality

bench: $(VENV)/test.stamp ## measure: a standard run, the judge's numbers, training beside the published way
	@for name in $(filter-out $(PARTS),$(basename $(notdir $(wildcard benchmarks/[a-z]*.py)))); do \
	echo "== $$name"; $(PY) -m benchmarks.$$name || exit 1; done

docs: $(VENV)/test.stamp ## check that the documentation tells the truth
	@$(PY) -m pytest -q tests/house/test_docs.py

comma := ,

$(VENV)/site.stamp: pyproject.toml constraints.txt
	@$(call install,site$(comma)train)
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt
	@$(call install,$(if $(filter no,$(TORCH)),site$(comma)tools,test))
	@touch $@ $(VENV)/site.stamp

define install
set -e; fail() { echo "$$1" >&2; exit 1; }; \
[ -n "$(PYTHON)" ] || fail "Glossa needs Python 3.11, 3.12 or 3.13 and found none: install one, then 'make run PYTHON=/path/to/python3.12'."; \
command -v $(PYTHON) >/dev/null || fail "There is no $(PYTHON) here: install it, or name another with PYTHON=/path/to/python3.12."; \
$(PYTHON) -c '$(SUPPORTED)' || fail "Glossa needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) --version 2>&1): name another with PYTHON=/path/to/python3.12."; \
$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || fail "Python's venv module is missing: install it ('sudo apt install python3-venv' on Debian and Ubuntu)."; \
free=$$(df -Pk . | awk 'NR == 2 { print int($$4 / 1024) }'); \
[ "$$free" -ge $(NEED_MIB) ] || fail "The disk is too full: installing needs $(NEED_MIB) MiB here and $$free MiB are free. Make room, or put the clone elsewhere."; \
[ -x $(PY) ] || { echo "Making $(VENV) with $$($(PYTHON) --version)."; $(PYTHON) -m venv $(VENV) || fail "Making $(VENV) failed; the lines above say why."; }; \
echo "Installing into $(VENV); the first time takes some minutes."; \
$(PY) -m pip install --quiet --disable-pip-version-check -e '.[$(1)]' -c constraints.txt \
	|| fail "Installing failed; the lines above say why. Nothing is lost: run the same command again."
endef
