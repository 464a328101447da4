# Commands for people and for CI. What a command needs is installed on its first run, into .venv and
# node_modules; a stamp file beside it makes the next run quick.

PYTHON ?= python3
PORT ?= 8000
SANDBOX_PORT ?= 8001
PROCESSES ?= 3
MINUTES ?= 30
SITE ?= one

IN_VENV := .venv/bin/python
PYTEST := $(IN_VENV) -m pytest -q
CAN_RUN := .venv/.can-run
CAN_TEST := .venv/.can-test
CAN_NODE := node_modules/.can-test
PIP_INSTALL := $(IN_VENV) -m pip install -qq --disable-pip-version-check --no-input

# Tests start our servers dozens of times: each would compile all of them again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run cluster test lint types widget-is-built unit-js unit services servers chromium browser bench faults load widget format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(CAN_RUN) ## the chat on this machine, without AWS; PORT=… and SANDBOX_PORT=… move it
	@exec $(IN_VENV) manage.py demo --port $(PORT) --sandbox-port $(SANDBOX_PORT)

cluster: $(CAN_RUN) servers ## the same as a site of many processes; PROCESSES=… PORT=… SANDBOX_PORT=…
	@exec $(IN_VENV) manage.py cluster --port $(PORT) --sandbox-port $(SANDBOX_PORT) --processes $(PROCESSES)

# Three at a time, of which two wait for servers and a browser more than they compute; the longest
# come first. What one prints comes when it is done, but for lines with a +, which come at once.
SIDE_BY_SIDE := $(MAKE) --no-print-directory --jobs=3 --output-sync=target --keep-going

test: ## everything, in under ten minutes
	@echo "Checking everything, several parts at once; each is shown when it is done …"
	@$(SIDE_BY_SIDE) browser services lint unit types widget-is-built unit-js
	@echo "All of it passed."

lint: $(CAN_TEST) ## ruff: rules and format
	@echo "==> lint"
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m ruff format --check --quiet . \
		|| { echo "The files named by 'ruff format --check .' differ: run 'make format'."; exit 1; }

types: $(CAN_TEST) $(CAN_NODE) ## mypy on the server, tsc on the widget
	@echo "==> types"
	@$(IN_VENV) -m mypy
	@npm run --silent types

widget-is-built: $(CAN_NODE)
	@echo "==> widget_static/dist is what widget_static/src builds to"
	@npm run --silent check \
		|| { echo "The built widget is not what its source builds to: run 'make widget', commit dist/."; exit 1; }

unit-js: $(CAN_NODE)
	@echo "==> the widget's own modules"
	@npm run --silent test

unit: $(CAN_TEST)
	@echo "==> unit tests"
	@$(PYTEST) tests/unit

services: $(CAN_TEST) $(CAN_NODE) servers
	@echo "==> contract, flow and fault tests: sandbox and proxy as they run"
	@$(PYTEST) -n 3 --dist loadfile tests/contract tests/flow tests/faults

servers:
	@.ci/need redis-server redis-server
	@.ci/need nginx nginx-light
	@PATH="$$PATH:$(wildcard /usr/lib/postgresql/*/bin)" .ci/need initdb postgresql

chromium:
	@.ci/need chromium chromium fonts-liberation

browser: $(CAN_TEST) $(CAN_NODE) chromium ## the widget in a real browser; pictures of failures in test-results/
	@echo "==> browser tests"
	@$(PYTEST) -n 2 --dist loadfile tests/browser

bench: $(CAN_TEST) $(CAN_NODE) servers ## figures side by side with peers; tests/bench/README.md says how to read them
	@$(PYTEST) tests/bench
	@$(IN_VENV) -m tests.bench

faults: $(CAN_TEST) servers ## schedules of faults by seed, judged by the service's transcript; MINUTES=… SITE=one|hash|random
	@$(IN_VENV) -m tests.faults --minutes $(MINUTES) --site $(SITE)

load: $(CAN_TEST) servers ## a thousand tabs whose network blinks; two thousand whose process dies; fifteen minutes
	@$(IN_VENV) -m tests.load jitter
	@$(IN_VENV) -m tests.load avalanche

widget: $(CAN_NODE) ## build widget_static/dist from widget_static/src
	@npm run --silent build

format: $(CAN_TEST) ## mend what ruff can mend
	@$(IN_VENV) -m ruff check --fix --quiet . ; $(IN_VENV) -m ruff format .

clean: ## remove what these commands made: .venv, node_modules, var (the demo's database), caches
	rm -rf .venv node_modules var test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(IN_VENV):
	@.ci/need --python $(PYTHON)
	+@echo "Making a virtual environment in .venv …"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "Python could not make a virtual environment (on Debian: apt-get install python3-venv)."; exit 1; }

$(CAN_RUN): requirements.txt | $(IN_VENV)
	+@echo "Installing what the chat runs on (requirements.txt) …"
	@$(PIP_INSTALL) -r requirements.txt \
		|| { echo "pip could not install requirements.txt; its last lines above say why."; exit 1; }
	@touch $@

$(CAN_TEST): requirements-dev.txt requirements.txt | $(IN_VENV)
	+@echo "Installing what checks it (requirements-dev.txt) …"
	@$(PIP_INSTALL) -r requirements-dev.txt \
		|| { echo "pip could not install requirements-dev.txt; its last lines above say why."; exit 1; }
	@touch $@ $(CAN_RUN)

$(CAN_NODE): package.json package-lock.json
	@.ci/need --node 20
	+@echo "Installing what builds and checks the widget (package-lock.json) …"
	@PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-fund --no-audit --loglevel=error \
		|| { echo "npm could not install package-lock.json; its last lines above say why."; exit 1; }
	@touch $@
