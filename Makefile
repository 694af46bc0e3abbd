# The two commands that matter: `make serve` and `make test`. Both do all the set-up they need, in .venv.
PYTHON ?= python3
PIP = .venv/bin/python -m pip --disable-pip-version-check

.PHONY: help serve test fuzz soak audit install clean
# A half-made environment must not look finished to the next make.
.DELETE_ON_ERROR:

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/.serving ## Serve the bundles in ./bundles on 127.0.0.1:8000 (UGATIT_HOST, UGATIT_PORT).
	@.venv/bin/ugatit serve

test: .venv/.development ## Lint, type-check, check the walls between the rooms, run every test.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	@.ci/pytest $(PYTEST_ARGS)

# Any of these in the environment wins, as does UGATIT_TESTS_SEED, where to begin; docs/reliability.md explains.
FUZZ = UGATIT_TESTS_MUTANTS=$${UGATIT_TESTS_MUTANTS:-1000000} \
  UGATIT_TESTS_EXAMPLES=$${UGATIT_TESTS_EXAMPLES:-10000} \
  UGATIT_TESTS_DECODE_RUNS=$${UGATIT_TESTS_DECODE_RUNS:-5000000} \
  UGATIT_TESTS_MANIFEST_RUNS=$${UGATIT_TESTS_MANIFEST_RUNS:-1000000} \
  UGATIT_TESTS_BUNDLE_MUTANTS=$${UGATIT_TESTS_BUNDLE_MUTANTS:-50000} \
  UGATIT_TESTS_WIRE_MUTANTS=$${UGATIT_TESTS_WIRE_MUTANTS:-20000}

fuzz: .venv/.development ## Attack the service with the amounts of a release; takes hours.
	$(FUZZ) .venv/bin/python -m pytest -v -s tests/corpus tests/fuzz tests/regressions tests/http/test_layers.py \
	  tests/http/test_walls.py tests/http/test_canaries.py tests/http/test_headers.py $(PYTEST_ARGS)

# docs/reliability.md tells what is counted. Another amount: make soak UGATIT_TESTS_CAPACITY_SECONDS=600
soak: export UGATIT_TESTS_CAPACITY_SECONDS ?= 28800
soak: export UGATIT_TESTS_OVERLOAD_SECONDS ?= 3600
soak: export UGATIT_TESTS_SILENT_SOCKETS ?= 2000
soak: export UGATIT_TESTS_DISCONNECTS ?= 100000
soak: export UGATIT_TESTS_SIGTERMS ?= 100
soak: .venv/.development ## Before a release: the tests under load in full amounts (half a day).
	@env | grep ^UGATIT_TESTS_ | sort
	ulimit -n $$(ulimit -Hn) && .venv/bin/python -m pytest -v -rA --durations=0 tests/load tests/http/test_crowds.py

# pip-audit stays outside the environment it would otherwise change. What could not be looked up is a failure.
audit: .venv/bin/python ## Before a release: known vulnerabilities of what the image installs; asks the network.
	@.venv/bin/python -m venv .venv/audit
	@.venv/audit/bin/python -m pip --disable-pip-version-check install --quiet 'pip-audit>=2.9,<3'
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	  --requirement docker/requirements.lock --requirement docker/requirements-cuda.lock

install: .venv/.development ## The development environment: everything, torch too.

clean: ## Remove the environment and every cache.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "ugatit needs Python 3.11 or newer, and there is no $(PYTHON): install it, or say where it is with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("ugatit needs Python 3.11 or newer, and %s is %d.%d: name a newer one with make PYTHON=python3.12, say." % (sys.executable, *sys.version_info[:2]))'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments: install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

.venv/.serving: pyproject.toml constraints.txt .venv/bin/python
	@echo "installing what serving needs into .venv (half a minute or so) ..."
	@$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/.development: pyproject.toml constraints.txt .venv/bin/python
	@echo "installing everything into .venv, torch too (some minutes) ..."
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ .venv/.serving
