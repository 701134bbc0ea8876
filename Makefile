# Every target works from a bare python3 (3.11 or 3.12): no root, no docker, no key.
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
RECORDED ?=
OPTRADE := $(BIN)/optrade

.PHONY: help demo test types pytest test-long honesty bench lock clean
help:
	@echo "make demo                  the whole loop on a simulated market"
	@echo "make demo RECORDED=folder  the same on recorded market data"
	@echo "make test                  ruff, mypy, pytest"
	@echo "make test-long             the long property tests"
	@echo "make honesty               training on simulated markets of known signal"
	@echo "make bench                 speed and memory, beside named floors and peers"
	@echo "make lock                  compile the lock files anew"

demo: .venv/installed
	$(OPTRADE) demo $(if $(RECORDED),--recorded-dir "$(RECORDED)")

# Some machines tell Python to keep no bytecode: every process of the tests would compile all anew.
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/installed-dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory --jobs=2 types pytest

# mypy has one process: beside the tests it leaves no core idle.
types:
	$(BIN)/mypy

pytest:
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-long: .venv/installed-dev
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -m "long or hypothesis"

honesty: .venv/installed-dev
	$(BIN)/python -W ignore -m benchmarks.honesty

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks.technical
	$(BIN)/python -m benchmarks.point_in_time
	$(BIN)/python -m benchmarks.ingest $(if $(RECORDED),--recorded-dir "$(RECORDED)")
	$(BIN)/python -m benchmarks.materialize
	$(BIN)/python -m benchmarks.forecast
	$(BIN)/python -m benchmarks.options
	$(BIN)/python -m benchmarks.backtest
	$(BIN)/python -m benchmarks.commands
	$(OPTRADE) demo >/dev/null && $(BIN)/python -m benchmarks.http

.venv/uv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
	  { echo "optrade needs Python 3.11 or 3.12, got $$($(PYTHON) --version 2>&1); try make PYTHON=python3.12"; exit 2; }
	@echo "Making .venv: about 230 packages, 1.9 GB on disk, one to five minutes with a fast line."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/installed: .venv/uv requirements.lock pyproject.toml
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@echo "Adding what the tests need to .venv: about 30 packages, 0.3 GB."
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements-dev.lock
	@touch $@

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
lock: .venv/uv
	$(BIN)/$(COMPILE) --extra build pyproject.toml -o requirements.lock
	$(BIN)/$(COMPILE) --extra build --extra ray -c requirements.lock pyproject.toml -o requirements-ray.lock
	$(BIN)/$(COMPILE) --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .demo .venv
