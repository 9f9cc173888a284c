# Every target makes its own environment; python3 and make are all it needs.
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready
RIVALS := $(VENV)/.rivals
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
TYPED := -p lnrisk.commands -p lnrisk.features -p lnrisk.model -p lnrisk.training -p lnrisk.serving -m lnrisk.demo -m lnrisk.__main__

.PHONY: demo test quick check bench types clean

demo: $(RUNS)
	$(BIN)/lnrisk demo

test: $(READY)
	$(ONE_THREAD) $(BIN)/pytest -n 2

quick: $(READY)
	$(ONE_THREAD) $(BIN)/pytest -n 2 -m "not slow"

check: $(READY) types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=.types $(BIN)/mypy $(TYPED)
	$(BIN)/pytest -q tests/test_layers.py

bench: $(RIVALS)
	$(BIN)/python bench/run.py --out docs/performance.md

types: .types/lnrisk

.types/lnrisk:
	mkdir -p .types
	ln -s .. .types/lnrisk

INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable

$(RUNS): constraints.txt pyproject.toml
	python3 -m venv --clear $(VENV)
	$(INSTALL) .
	touch $(RUNS)

$(READY): $(RUNS)
	$(INSTALL) ".[dev]"
	touch $(READY)

$(RIVALS): $(READY)
	$(INSTALL) ".[dev,bench]"
	touch $(RIVALS)

clean:
	rm -rf $(VENV) .types .pytest_cache .mypy_cache .ruff_cache build *.egg-info
