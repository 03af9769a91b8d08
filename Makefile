# Everything runs in .venv in this checkout. `make demo` and `make test` need nothing but Python 3.11.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: demo test test-all data-test fuzz lint bench bench-short bench-matrix bench-zoo bench-unseen bench-evidence bench-proof bench-quantized docs clean

demo: $(VENV)/.installed
	$(BIN)/safeconvert demo --folder build/demo
	$(BIN)/safeconvert check build/demo/digits.keras.certificate.json

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 3 --dist worksteal --durations=10 -m "not data and not slow"

# All but the tests on real models: also the slowest property tests, every n-th of which `make test` runs.
test-all: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 3 --dist worksteal --durations=10 -m "not data"

data-test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m data

# Mutants of model files, settings, certificates and inputs, for as long as one likes: make fuzz FUZZ_SECONDS=3600 FUZZ_SEED=7
FUZZ_SECONDS ?= 600
FUZZ_SEED ?= 0
fuzz: $(VENV)/.installed-test
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The short benches, and then the two that take hours; those resume where they stopped.
bench: bench-short bench-matrix bench-zoo

bench-short: $(VENV)/.installed-test
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/containment.py
	$(BIN)/python bench/pairs.py

docs: $(VENV)/.installed-docs
	$(BIN)/python -m tests.docs.reference
	$(BIN)/python -m mkdocs build --strict

bench-matrix: $(VENV)/.installed-test
	$(BIN)/python bench/matrix.py

bench-evidence: $(VENV)/.installed-test
	$(BIN)/python bench/evidence.py

bench-quantized: $(VENV)/.installed-test
	$(BIN)/python bench/quantized.py
	$(BIN)/python bench/quantized_faults.py
	$(BIN)/python bench/integers.py

bench-proof: $(VENV)/.installed-test
	$(BIN)/python bench/proof.py

bench-zoo: $(VENV)/.installed-test
	$(BIN)/python bench/zoo.py

# Hours, and the packages of the extra `bench`; resumes where it stopped.
bench-unseen: $(VENV)/.installed-test
	$(BIN)/pip install -e '.[bench]'
	$(BIN)/python bench/unseen.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test,explorer,attest,data]"
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[docs]"
	touch $@

clean:
	rm -rf build dist $(VENV) .pytest_cache .mypy_cache .ruff_cache
