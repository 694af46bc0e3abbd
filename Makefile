# The two commands that matter: `make serve` and `make test`. Both do all the set-up they need, in .venv.
PYTHON ?= python3
PIP = .venv/bin/python -m pip --disable-pip-version-check

.PHONY: serve test install lint check clean

serve: .venv/.serving ## Serve the bundles in ./bundles on 127.0.0.1:8000.
	.venv/bin/ugatit serve

test: .venv/.development ## Lint, type-check, check the walls between the rooms, run every test.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python -m pytest $(PYTEST_ARGS)

install: .venv/.development ## The development environment: everything, torch too.

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ugatit needs Python 3.11 or newer; set PYTHON=python3.12, say.")'
	$(PYTHON) -m venv .venv

.venv/.serving: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/.development: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ .venv/.serving

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
