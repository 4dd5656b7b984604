# Garrison's commands; `make` alone lists them.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= 2

BIN := .venv/bin
CODE := src tests tools benchmarks examples conftest.py
PURE := model limits cors headers crypto policy
# The tests see the unpacked wheel and not src; tests/conftest.py makes sure of it.
WHEEL := $(CURDIR)/build/wheel
TESTS := PYTHONHASHSEED=0 PYTHONPATH=$(WHEEL) GARRISON_UNDER_TEST=$(WHEEL)/garrison $(BIN)/python -m pytest -q

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv lock run test check prove bench faults docs audit cluster plan lint wheel chromium postgres redis nginx systemd clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

run: export GARRISON_ENV ?= development
run: venv ## start the tasks API on 127.0.0.1:8000 (PORT= changes it); its state is kept under var/
	@$(BIN)/garrison serve examples.tasks.main:app --policy examples/tasks/garrison.toml --port $(PORT)

cluster: venv postgres nginx ## a fleet on loopback: PostgreSQL, Valkey, three workers of the tasks API, nginx; kept under var/cluster
	@$(BIN)/python -m tools.cluster --port $(PORT)

test: lint wheel chromium postgres redis nginx systemd ## everything that must hold before a change lands
	@$(TESTS) -n $(WORKERS) --dist loadfile $(PURE:%=--cov=garrison.%) --cov-report=term-missing:skip-covered --cov-fail-under=100

check: lint wheel ## the fast part: static checks and the tests of the pure floor
	@$(TESTS) $(wildcard $(PURE:%=tests/%) tests/tools)

prove: venv wheel chromium postgres redis nginx systemd ## what takes longer: full statistics, more examples, mutants; tables land in docs/
	@$(TESTS) -m prove
	@HYPOTHESIS_PROFILE=prove $(TESTS) -n $(WORKERS) --dist loadfile
	@$(BIN)/python -m tools.mutants
	@$(BIN)/python -m tools.faults

faults: venv postgres nginx ## kill, hold still and fill the parts of a cluster under load; the table lands in docs/proof/
	@$(BIN)/python -m tools.faults $(ARGS)

plan: venv postgres nginx ## measure what a fleet is planned from: costs of requests, memory, rows (docs/deploy.md)
	@$(BIN)/python -m tools.plan

bench: venv postgres redis build/rivals/.installed ## compare with the rivals, a line per figure (ARGS="--json FILE" keeps them)
	@$(BIN)/python -m benchmarks $(ARGS)

# Rivals in a second version, each in a folder of its own: build/rivals/pyjwt-2.13.0.
build/rivals/.installed: requirements-rivals.lock | .venv/.installed
	@rm -rf build/rivals
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --require-hashes --target build/rivals/pyjwt-2.13.0 -r $<
	@touch $@

docs: venv ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

audit: venv ## look for known flaws in the locked dependencies
	@$(BIN)/python -m tools.audit

lint: venv
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy $(wildcard $(CODE))
	@mkdir -p build && $(BIN)/lint-imports --no-logo --cache-dir build/imports >build/imports.log || { cat build/imports.log; exit 1; }
	@$(BIN)/python -m tools.house
	@$(BIN)/python -m tools.tracked

wheel: venv
	@tools/wheel

chromium:
	@tools/chromium

postgres:
	@tools/postgres

redis:
	@tools/redis

nginx:
	@tools/installed nginx nginx-light 'the cluster'

systemd:
	@tools/installed systemd-analyze systemd 'the tests of deploy/systemd'

venv: .venv/.installed ## make .venv from requirements.lock, with an editable install

.venv/.installed: requirements.lock pyproject.toml tools/venv
	@PYTHON="$(PYTHON)" tools/venv

lock: venv ## resolve requirements.lock anew, within the bounds of pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra fastapi --extra postgres --extra redis --universal --generate-hashes \
		--constraint requirements.lock --no-emit-index-url --no-header --no-annotate --quiet --output-file deploy/requirements.lock

clean: ## remove what the other commands made, but for var/
	@rm -rf .venv build dist site .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis
