# One command a chore, the same on a desk and in CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What Python compiles is kept for the next process, whatever is set here: a run of the tests starts hundreds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-hard test-deploy lint lock audit sbom screenshots bench bench-self bench-report

run: ## Start the site on 127.0.0.1:8000 (HOST and PORT say otherwise).
	@PYTHON="$(PYTHON)" scripts/install default
	@exec $(BIN)/vitrine serve

test: ## The whole suite, browser journeys included.
	@PYTHON="$(PYTHON)" scripts/install test
	@scripts/install-test-tools
	@# The tests are compiled once, beside the linting, and not by each of the processes that run them.
	@$(BIN)/pytest --collect-only -qq >/dev/null 2>&1 & $(MAKE) --no-print-directory lint; code=$$?; wait; exit $$code
	@# Three processes share two cores, for a fifth of the time a test waits; threads of the linear algebra would get in their way.
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 3 --dist loadfile

test-hard: ## What takes minutes, with its figures, and whole what `test` tries in part; root. OPTIONS goes to pytest.
	@PYTHON="$(PYTHON)" scripts/install test
	@scripts/install-test-tools nginx
	@TEST_HARD=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -s -m "hard or sampled" $(OPTIONS)

test-deploy: ## Run what docs/deploy.md tells of, for real: other servers, and the image, with the container engine in CONTAINERS.
	@PYTHON="$(PYTHON)" scripts/install test
	@scripts/install-test-tools containers
	@scripts/install-servers
	@TEST_DEPLOY=1 $(BIN)/pytest -s tests/deploy

lint: ## Style, types, floors, templates.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/djlint templates --lint --quiet

lock: ## Pin the newest versions that fit pyproject.toml, with hashes.
	@scripts/lock

audit: ## Ask whether anything is known against the locked libraries; fails where it is, or where it could not be asked.
	@PYTHON="$(PYTHON)" scripts/audit vulnerabilities

SBOM ?= sbom.json
sbom: ## Write what the site is made of as CycloneDX JSON, to SBOM.
	@PYTHON="$(PYTHON)" scripts/audit sbom "$(SBOM)"

screenshots: ## Make the pictures in docs/ again.
	@PYTHON="$(PYTHON)" scripts/install test
	@scripts/install-test-tools
	@$(BIN)/python scripts/screenshots

bench: ## Vitrine beside other model servers, one to two hours; OPTIONS chooses less (docs/performance.md).
	@PYTHON="$(PYTHON)" scripts/install default
	@PYTHON="$(PYTHON)" benchmarks/install peers
	@$(BIN)/python -m benchmarks compare $(OPTIONS)

bench-self: ## What a request costs beyond decoding and the model, about a minute; fails where a light one costs too much.
	@PYTHON="$(PYTHON)" scripts/install default
	@benchmarks/install wrk
	@$(BIN)/python -m benchmarks self $(OPTIONS)

bench-report: ## Write docs/performance.md again from RESULTS, one file or several.
	@$(BIN)/python -m benchmarks report $(RESULTS)
