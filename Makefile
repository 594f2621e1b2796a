# Two commands matter: `make demo` shows the product, `make test` proves it. Both do all the set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check unit bench drill format lock real clean

help:  ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(STAMP)  ## Create .venv with everything pinned and put the command `squad` in it

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: set PYTHON=python3.x"; exit 1; }
	@command -v node >/dev/null || { echo "Node 20 or newer is needed (for the CDK)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $(STAMP)

demo: setup  ## One incident from alert to report, on the embedded stack, with a real database
	$(BIN)/squad demo

drill: setup real  ## Break real components (Debian's packages) in six ways, and watch the squad repair them
	$(BIN)/squad drill

real: setup  ## Install what the real-component tests need (Debian, as root); elsewhere say what is missing
	@$(BIN)/python -m infra.local.components

test: setup real check unit  ## Everything: style, types, architecture, and all tests

check: setup  ## Style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/squad runbooks check

unit: setup
	$(BIN)/pytest

bench: setup  ## Timings: triage in process, and the embedded stack end to end
	$(BIN)/python -m infra.bench

format: setup  ## Let the formatter decide
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## Pin all dependencies again, after a change of pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --no-annotate --output-file requirements.lock

clean:  ## Remove everything that was built
	rm -rf $(VENV) .squad cdk.out layers/dependencies/build .mypy_cache .ruff_cache .pytest_cache
