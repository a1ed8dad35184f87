# Everything a user or a contributor does. `make help` lists it.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DATA ?=
# A text goes to its command as it was typed: make itself reads none of its dollars.
override TEXT := $(value TEXT)
export TEXT

.DEFAULT_GOAL := help
.PHONY: help run reframe test lint eval bench soak train train-reader train-probe lock clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(STAMP) ## Open the chat page on this machine
	@$(BIN)/reframer models pull
	@$(BIN)/python app.py

reframe: $(STAMP) ## Answer one thought: make reframe TEXT="I ruin everything."
	@$(BIN)/reframer models pull
	@printf '%s' "$$TEXT" | $(BIN)/reframer reframe -

test: $(STAMP) ## Run all tests, those with the real models included
	@$(BIN)/reframer models pull
	@$(BIN)/reframer models pull smollm2-135m
	@$(BIN)/python -m pytest

lint: $(STAMP) ## Check style, types, the cards, and known advisories
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(BIN)/reframer models pull
	$(BIN)/python -m knowledge.lint
	@$(BIN)/python -m models.setup.audit

eval: $(STAMP) ## Measure the program and print the tables (DATA=DIR adds the diary data)
	@$(BIN)/reframer models pull
	@$(BIN)/python -m models.evaluation $(if $(DATA),--data $(DATA))

bench: $(STAMP) ## Measure the speed on this machine, beside others (installs them)
	@$(BIN)/reframer models pull
	$(BIN)/pip install --quiet -e '.[bench]'
	@$(BIN)/python -m models.evaluation.speed

soak: $(STAMP) ## Let the engine work for half an hour, and see that nothing fails or grows
	@$(BIN)/reframer models pull
	@$(BIN)/python -m models.evaluation.soak

train: $(STAMP) ## Train the voice (installs torch; a minute on a large GPU, most of a day on two cores)
	@$(BIN)/reframer models pull
	$(BIN)/pip install --quiet -e '.[train]'
	$(BIN)/python -m models.training.lessons
	$(BIN)/python -m models.training.voice "$$($(BIN)/reframer models path)"
	$(BIN)/python -m models.training.adapter "$$($(BIN)/reframer models path)" --out models/adapters/qwen2.5-coder-1.5b.gguf

train-reader: $(STAMP) ## Train the reader: DATA=DIR with the diary (installs torch; hours on two cores)
	@$(BIN)/reframer models pull
	$(BIN)/pip install --quiet -e '.[train]'
	$(BIN)/python -m models.training.readings --diary "$(DATA)/lemotif.csv"
	$(BIN)/python -m models.training.reader "$$($(BIN)/reframer models path all-minilm-l6-v2 | head -n 1)"

train-probe: $(STAMP) ## Fit the probes: DATA=DIR with the diary (installs torch; an hour on two cores)
	@$(BIN)/reframer models pull
	$(BIN)/pip install --quiet -e '.[train]'
	$(BIN)/python -m models.training.probe --diary "$(DATA)/lemotif.csv"

lock: ## Renew the lock file from pyproject.toml
	$(PYTHON) -m venv build/uv && build/uv/bin/pip install --quiet uv
	build/uv/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock

clean: ## Remove what was built here; models and settings stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

# The set-up: what is missing on the machine is named, then everything comes from the lock file.
$(STAMP): requirements.lock pyproject.toml
	@sh models/setup/check.sh "$(PYTHON)"
	@echo "Setting up in $(VENV). The first time this builds the model library: about five minutes."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
