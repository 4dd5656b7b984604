# Garrison's commands. `make` alone lists them.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help venv lock

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

venv: .venv/.installed ## make .venv from requirements.lock, with an editable install

.venv/.installed: requirements.lock pyproject.toml tools/venv
	@PYTHON="$(PYTHON)" tools/venv

lock: venv ## resolve requirements.lock anew, within the bounds of pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade -q -o requirements.lock
