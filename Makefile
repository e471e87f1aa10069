# What a person does with Pluis. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 50051
SEED ?= 1
SECONDS ?= 300
KILLS ?= 50
EVALUATIONS ?= 1000000
PAIRS ?= 100000
# durable_rules calls a function that Python 3.13 removed; this name has the same signature. Its build reads CPPFLAGS only.
export CPPFLAGS += -DPyEval_CallObject=PyObject_CallObject
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-clients test-browser fuzz faults agreement population soak check serve bench mutation lint types accept schema proto image lock sbom audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv from the locked requirements (the other targets do this by themselves)

$(READY): requirements.lock requirements-build.lock pyproject.toml .ci/needs
	@sh .ci/needs $(PYTHON)
	@echo "setting up $(VENV) (once; a minute or two) ..."
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.lock
	@$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: $(READY) ## start the service, send two patients' answers over gRPC, print the decisions
	@$(BIN)/python -m tests.demo.demo

test: $(READY) ## run all tests, the slow ones too (minutes)
	@$(BIN)/python -m pytest

test-clients: $(READY) ## let programs in Node and Go ask a real server (needs Node 20 or newer with npm)
	@$(BIN)/python -m tests.clients.run

test-browser: $(READY) ## open the pages made for people in headless Chromium (needs Node 20 or newer with npm)
	@$(BIN)/python -m tests.browser.run

fuzz: $(READY) ## mutate requests, patients' files and rulesets for a while (SEED=1 SECONDS=300)
	@$(BIN)/python -m tests.fuzz.run --seed $(SEED) --seconds $(SECONDS)

faults: $(READY) ## kill server, workers and PostgreSQL, take the log away, reload bad rulesets, all under load (KILLS=50)
	@$(BIN)/python -m tests.faults.kill --kills $(KILLS) --what server --log sqlite
	@$(BIN)/python -m tests.faults.kill --kills $(KILLS) --what server --log postgresql
	@$(BIN)/python -m tests.faults.kill --kills $(KILLS) --what worker --log sqlite
	@$(BIN)/python -m tests.faults.kill --kills $(KILLS) --what worker --log postgresql
	@$(BIN)/python -m tests.faults.kill --kills $(KILLS) --what supervisor --log sqlite
	@$(BIN)/python -m tests.faults.kill --kills $(KILLS) --what postgresql --log postgresql
	@$(BIN)/python -m tests.faults.full
	@$(BIN)/python -m tests.load.reloads
	@$(BIN)/python -m tests.record.full

agreement: $(READY) ## hold the evaluators, and the solver, against each other on random rulesets (PAIRS=100000 SEED=1)
	@PLUIS_PAIRS=$(PAIRS) PLUIS_SEED=$(SEED) $(BIN)/python -m pytest -q -s tests/decide/test_agreement.py -k many_more
	@PLUIS_PAIRS=20000 PLUIS_RULESETS=400 $(BIN)/python -m pytest -q -s tests/prove/test_agreement.py -k many_more

population: $(READY) ## a million patients in bounded memory, 10,000 damaged rows, a cluster that loses a node (minutes)
	@$(BIN)/python -m tests.population.million
	@PLUIS_ROWS=10000 $(BIN)/python -m pytest -q tests/population/test_damage.py -k whole_run
	@$(BIN)/python -m pytest -q tests/population/on_a_cluster.py

soak: $(READY) ## a million evaluations over gRPC while workers are killed: memory, failures, times (EVALUATIONS=1000000)
	@$(BIN)/python -m tests.load.soak --evaluations $(EVALUATIONS)

check: lint types ## lint, types and the fast tests (a minute or two, no network)
	@$(BIN)/python -m pytest -q -m "not slow"

serve: $(READY) ## serve the rulesets over gRPC on the loopback address (PORT=50051)
	@$(BIN)/pluis serve --port $(PORT) --reflection

bench: $(READY) ## measure evaluations in process, over gRPC and beside other engines, as ratios (WRITE=1 keeps them)
	@$(BIN)/python -m tests.bench.bench $(if $(WRITE),--write)
	@$(BIN)/python -m tests.bench.overload

mutation: $(READY) ## try every small slip in low_back_pain: would its cases notice? (minutes)
	@$(BIN)/pluis mutate rulesets/low_back_pain --json rulesets/low_back_pain/mutation.json

lint: $(READY) ## ruff, buf, and the rulesets themselves
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/buf lint
	@$(BIN)/pluis lint
	@$(BIN)/pluis fmt --check

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

accept: $(READY) ## rewrite the golden files from what the program prints now; then read the diff
	@ACCEPT=1 $(BIN)/python -m pytest -q -m "not slow" || true
	@git --no-pager diff --stat -- tests rulesets

schema: $(READY) ## write rulesets/schema, with which editors complete what authors type
	@$(BIN)/pluis schema --write rulesets/schema

proto: $(READY) ## generate engine/pb from protos/triage/v1/triage.proto
	@$(BIN)/python -m grpc_tools.protoc -Iengine/pb/v1=protos/triage/v1 \
	    -I"$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
	    --python_out=. --pyi_out=. --grpc_python_out=. protos/triage/v1/triage.proto

image: $(READY) ## accept the contract as it is: later changes may not break it
	@$(BIN)/buf build --exclude-source-info -o protos/triage.v1.binpb

lock: $(READY) ## resolve the requirements anew and lock them by hash
	@$(BIN)/python -m pip install --quiet pip-tools
	@for out in requirements-build requirements; do \
	    in=$$([ $$out = requirements ] && echo "--extra dev --extra parquet --extra population --extra cluster --extra prove --extra traces -c requirements-build.lock pyproject.toml"); \
	    CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	        --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	        -o $$out.lock $$in requirements-build.in || exit 1; done

sbom: $(READY) ## write sbom.json (CycloneDX): everything that requirements.lock pins, with its hashes
	@$(PYTHON) -m venv $(VENV)/tools && $(VENV)/tools/bin/pip install --quiet cyclonedx-bom
	@$(VENV)/tools/bin/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml -o sbom.json requirements.lock

audit: $(READY) ## look for known vulnerabilities in what requirements.lock pins (asks a service on the network, so not in CI)
	@$(PYTHON) -m venv $(VENV)/tools && $(VENV)/tools/bin/pip install --quiet pip-audit
	@$(VENV)/tools/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock

clean: ## remove what the other targets made
	@rm -rf $(VENV) tests/clients/node/node_modules tests/clients/fhir/node_modules tests/browser/node_modules \
	    tests/browser/screenshots build *.egg-info \
	    .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find engine tests -name __pycache__ -type d -prune -exec rm -rf {} +
