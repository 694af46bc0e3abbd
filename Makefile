# The two main commands are `make serve` and `make test`. Each installs what it needs into .venv.
PYTHON ?= python3
PIP = .venv/bin/python -m pip --disable-pip-version-check

.PHONY: help serve test cluster-test fuzz soak audit gpu-check install clean
# Delete a target whose recipe failed: an incomplete environment must not look complete to the next make.
.DELETE_ON_ERROR:

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: .venv/.serving ## Serve the bundles in ./bundles on 127.0.0.1:8000 (UGATIT_HOST, UGATIT_PORT).
	@.venv/bin/ugatit serve

test: .venv/.development ## Lint, check types and imports, run every test.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	@.ci/pytest $(PYTEST_ARGS)

cluster-test: .venv/.development ## Break a cluster under load: replicas, Redis, updates (some minutes).
	.venv/bin/python -m pytest -v -s --cluster tests/cluster tests/many $(PYTEST_ARGS)

# Amounts in the environment override these. UGATIT_TESTS_SEED sets the first seed. See docs/reliability.md.
FUZZ = UGATIT_TESTS_MUTANTS=$${UGATIT_TESTS_MUTANTS:-1000000} \
  UGATIT_TESTS_EXAMPLES=$${UGATIT_TESTS_EXAMPLES:-10000} \
  UGATIT_TESTS_DECODE_RUNS=$${UGATIT_TESTS_DECODE_RUNS:-5000000} \
  UGATIT_TESTS_MANIFEST_RUNS=$${UGATIT_TESTS_MANIFEST_RUNS:-1000000} \
  UGATIT_TESTS_BUNDLE_MUTANTS=$${UGATIT_TESTS_BUNDLE_MUTANTS:-50000} \
  UGATIT_TESTS_WIRE_MUTANTS=$${UGATIT_TESTS_WIRE_MUTANTS:-20000}

fuzz: .venv/.development ## Before a release: the fuzz tests in full amounts (hours).
	$(FUZZ) .venv/bin/python -m pytest -v -s tests/corpus tests/fuzz tests/regressions tests/http/test_refusal_format.py \
	  tests/http/test_input_limits.py tests/http/test_picture_metadata.py tests/http/test_safe_headers.py $(PYTEST_ARGS)

# docs/reliability.md explains the amounts. Set one: make soak UGATIT_TESTS_CAPACITY_SECONDS=600
soak: export UGATIT_TESTS_CAPACITY_SECONDS ?= 28800
soak: export UGATIT_TESTS_OVERLOAD_SECONDS ?= 3600
soak: export UGATIT_TESTS_SILENT_SOCKETS ?= 2000
soak: export UGATIT_TESTS_DISCONNECTS ?= 100000
soak: export UGATIT_TESTS_SIGTERMS ?= 100
soak: .venv/.development ## Before a release: the load tests in full amounts (half a day).
	@env | grep ^UGATIT_TESTS_ | sort
	ulimit -n $$(ulimit -Hn) && .venv/bin/python -m pytest -v -rA --durations=0 tests/load tests/http/test_many_clients.py

# pip-audit gets an environment of its own, so that it does not change .venv. A failed look-up is a failure.
audit: .venv/bin/python ## Before a release: known vulnerabilities of the image's packages (needs the network).
	@.venv/bin/python -m venv .venv/audit
	@.venv/audit/bin/python -m pip --disable-pip-version-check install --quiet 'pip-audit>=2.9,<3'
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	  $(patsubst %,--requirement %,$(wildcard docker/requirements*.lock))

# It needs no network once the environment is there. Without a GPU, the benchmark says so and exits with 2.
gpu-check: .venv/.development ## On a GPU: speed, decibels and share of the device's limit, then its tests.
	@.venv/bin/python -m bench.gpu $(GPU_ARGS)
	.venv/bin/python -m pytest -q -rs -m gpu tests/gpu $(PYTEST_ARGS)

install: .venv/.development ## Install everything for development, including torch.

clean: ## Remove the environment and every cache.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "ugatit needs Python 3.11 or newer, but there is no $(PYTHON). Install it, or name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("ugatit needs Python 3.11 or newer, but %s is %d.%d. Name a newer one: make PYTHON=python3.12" % (sys.executable, *sys.version_info[:2]))'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot create virtual environments. Install its venv module (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@$(NEW_PIP) 2>/dev/null || $(PYTHON) -m venv --clear .venv

# A new pip, by the pip of Python: the one that venv brings is as old as Python and resolves in twice the time,
# and venv compiles all of it. Without such a pip, or without an index, the one of venv is used.
NEW_PIP = $(PYTHON) -m venv --clear --without-pip .venv && $(PYTHON) -m pip --python .venv/bin/python \
  --disable-pip-version-check install --quiet --no-compile --no-warn-script-location 'pip>=25'

# pip would compile every module of the packages; Python compiles the few that are imported, at the first start.
.venv/.serving: pyproject.toml constraints.txt .venv/bin/python
	@echo "Installing the packages for serving into .venv (about half a minute) ..."
	@$(PIP) install --quiet --no-compile --constraint constraints.txt --editable .
	@touch $@

.venv/.development: pyproject.toml client/pyproject.toml constraints.txt .venv/bin/python
	@echo "Installing all packages into .venv, including torch (some minutes) ..."
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]' --editable ./client
	@touch $@ .venv/.serving
