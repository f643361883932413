# `make demo` and `make test` do everything, set-up included; they need Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= out/demo
AGAINST ?= 01ac698

.PHONY: bench bench-new-lines clean demo docs fast fuzz help lint suite test

help:
	@echo "make demo   compare the bundled study's routes, offline; ends with the path of the page"
	@echo "make test   everything that CI runs: linters, types, import floors, tests, browser tests, notebooks"
	@echo "make fast   the quick tests only"
	@echo "make docs   the documentation as a site, into site/"
	@echo "make lint   linters, types and import floors only"
	@echo "make bench  measure speed and memory beside named peers and an earlier commit (AGAINST=COMMIT; under fifteen minutes)"
	@echo "make bench-new-lines  the same of the search for new lines (ten minutes more)"
	@echo "make fuzz   property tests on random examples, FUZZ_COUNT=5000 changed files, coverage-guided fuzzing for FUZZ_SECONDS=60 a reader"
	@echo "make clean  remove the environment and what was built"

# Two stamps, so that the demo doesn't wait for what only the tests need.
$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=/path/to/it" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing corridor into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[sweep]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@echo "installing what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,docs,sweep]'
	@touch $@

demo: $(VENV)/.run
	@$(BIN)/corridor run syunik --out $(OUT)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fast: $(VENV)/.dev
	$(BIN)/python -m pytest -q -m "not slow and not extract and not browser"

# Not quiet: strict counts only the warnings that are shown.
docs: $(VENV)/.dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "site/index.html (to search in it: $(BIN)/python -m http.server --directory site)"

# Linters beside the tests, which keep no more than two cores busy.
test: $(VENV)/.dev
	@$(MAKE) --no-print-directory --jobs=2 lint suite

# In the order of tests/conftest.py, the longest files first: left to itself, xdist begins with those of the most tests.
# Bytecode is kept, whatever the shell says: dozens of processes that the tests start load the package.
suite: $(VENV)/.dev
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q --numprocesses auto --dist loadfile --no-loadscope-reorder

bench: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python scripts/benchmark.py all --against $(AGAINST) --json bench.json --markdown docs/benchmarks.md

bench-new-lines: $(VENV)/.dev
	$(BIN)/python scripts/benchmark_alignment.py docs/benchmarks-new-lines.md

FUZZ_SECONDS ?= 60
FUZZ_COUNT ?= 5000
fuzz: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	$(BIN)/python -m pytest -q -m hypothesis --hypothesis-profile random
	$(BIN)/python scripts/fuzz.py mutate $(FUZZ_COUNT)
	@for reader in toml csv places pbf hgt; do \
	  $(BIN)/python scripts/fuzz.py $$reader $(FUZZ_SECONDS) || exit 1; \
	done

clean:
	rm -rf $(VENV) out build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis
