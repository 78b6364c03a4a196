# make app    open the app        make test   lint and all tests
# make setup  install everything  make check  the quick loop while writing
# make fuzz   the whole of tests/fuzz, of which the tests run a hundredth

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix frontend --silent
OLD := memviz needs Python 3.11 or newer; name one, as in: make app PYTHON=python3.12

.PHONY: app setup test check fuzz lint
.DELETE_ON_ERROR:

app: $(VENV)/app.stamp
	@$(BIN)/python app.py

space: $(VENV)/app.stamp  # make space SPACE=user/name
	@$(BIN)/python -m memviz publish-space $(SPACE)

setup: $(VENV)/dev.stamp frontend/node_modules/.package-lock.json

test: lint
	@$(NPM) test
	@rm -f .coverage*
	@$(PYTEST) --cov --cov-report=
	-@$(BIN)/coverage json -q -o - | $(BIN)/python scripts/check_coverage.py 85

check: lint
	@$(NPM) test
	@$(PYTEST) -q --ignore tests/browser -m "not slow and not browser"

fuzz: setup
	@MEMVIZ_FUZZ=1 $(BIN)/python -m pytest -q -s tests/fuzz

lint: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(NPM) run lint
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@$(BIN)/lint-imports --no-logo >$(VENV)/imports.log || { cat $(VENV)/imports.log; exit 1; }

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("$(OLD)" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/app.stamp: requirements.txt | $(BIN)/python
	@echo "Installing $< into $(VENV) (only when it has changed)"
	@$(PIP) -r $<
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/app.stamp
	@echo "Installing $< into $(VENV) (only when it has changed)"
	@$(PIP) -r $<
	@touch $@

frontend/node_modules/.package-lock.json: frontend/package-lock.json $(VENV)/dev.stamp
	@echo "Installing what checks the page's scripts (only when it has changed)"
	@$(NPM) ci --no-audit --no-fund
	@touch $@
