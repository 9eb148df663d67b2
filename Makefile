# make demo: the main comparison; make lessons: the lessons as one page; make docs: the site; make dashboard: TensorBoard;
# make test-fast: the unit tests; make test: all tests.
# Everything needed is installed into .venv.
SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

.PHONY: demo lessons docs test test-fast lint format schemas dashboard clean

$(BIN)/python:
ifdef UV
	$(UV) venv --quiet --python $(PYTHON) $(VENV)
else
	$(PYTHON) -m venv $(VENV)
endif

# Bytecode is compiled at install time (pip does so anyway): otherwise the first start of every command pays for it.
ifdef UV
INSTALL := $(UV) pip install --compile-bytecode --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
endif

# The size on Linux, summed over the files of the 64 packages that the dependencies come to.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV): 5 to 6 GB, most of them torch's libraries for GPUs; once."
	$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/.installed $(VENV)/.installed-lessons $(VENV)/.installed-docs

$(VENV)/.installed-lessons: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[lessons]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: pyproject.toml | $(BIN)/python
	$(INSTALL) -e '.[docs]'
	@touch $@ $(VENV)/.installed $(VENV)/.installed-lessons

demo: $(VENV)/.installed
	$(BIN)/convexp-train study=three_layers

# The lessons of scripts/lessons/ as one page, outputs/lessons/index.html, and as notebooks.
lessons: $(VENV)/.installed-lessons
	$(BIN)/convexp-lessons

# The site, outputs/site/index.html. It shows the page of the lessons and the reports of finished studies; that page
# and the report of the demo are made first if they are not there.
docs: $(VENV)/.installed-docs outputs/lessons/index.html outputs/studies/three_layers/report.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

outputs/lessons/index.html: $(wildcard scripts/lessons/*.py) | $(VENV)/.installed-docs
	$(BIN)/convexp-lessons

outputs/studies/three_layers/report.html: | $(VENV)/.installed-docs
	$(BIN)/convexp-train study=three_layers

# A process for each core, and one more; in a temporary folder of its own, which stays if a test fails. Says what took longest.
TESTS = folder=$$(mktemp -d) && $(BIN)/python -m pytest -n auto --dist loadgroup --durations=40 --basetemp=$$folder/tests

# The unit tests: nothing is trained, no process and no browser is started.
test-fast: $(VENV)/.installed-dev
	$(TESTS) -m unit && rm -r $$folder

test: $(VENV)/.installed-dev
	$(TESTS) && rm -r $$folder

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What editors know of the settings in conf/, after a setting has changed.
schemas: $(VENV)/.installed
	$(BIN)/convexp-schemas

# TensorBoard with means over seeds. The table of hyperparameters shows the columns of one study:
# make dashboard RUNS=outputs/studies/NAME
RUNS ?= outputs
dashboard: $(VENV)/.installed
	$(BIN)/convexp-dashboard $(RUNS)

clean:
	rm -rf $(VENV) dist build *.egg-info
