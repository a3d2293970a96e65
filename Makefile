# Lookback. `make` lists the targets; ARGS="..." is passed on: make train ARGS="task=weather"
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 5000
ARGS ?=
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup train smoke sweep data-check compare predict promote demote reproduce serve sync generate score explain retrain export doctor relocate prune ui test test-all lint bench docs clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{gsub("\\$$\\(PORT\\)", "$(PORT)"); printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## create .venv with exactly requirements.lock, then the package

train: $(READY)  ## every task, its models, its seeds; then the comparison
	$(PY) pipelines/train.py -m hydra/launcher=joblib $(ARGS)

smoke: $(READY)  ## one epoch of two steps of everything: does it all run?
	$(PY) pipelines/train.py -m hydra/launcher=joblib training=smoke task=text,airline,weather,words,sentiment,rating,tagging $(ARGS)

sweep: $(READY)  ## a ready-made sweep: make sweep ARGS="+sweep=thorough"
	$(PY) pipelines/train.py -m hydra/launcher=joblib $(ARGS)

data-check: $(READY)  ## read a file as a task would, and list all that is wrong: make data-check ARGS="task=csv task.path=..."
	$(PY) pipelines/check.py $(ARGS)

compare: $(READY)  ## compare the models of the last sweep again
	$(PY) pipelines/compare.py $(ARGS)

predict: $(READY)  ## answer new rows or texts: make predict ARGS="run=airline@champion data=new.csv out=forecast.csv"
	$(PY) pipelines/predict.py $(ARGS)

promote: $(READY)  ## register the best model of a task for use: make promote ARGS="task=airline"
	$(PY) pipelines/promote.py $(ARGS)

demote: $(READY)  ## go back to the one before: make demote ARGS="task=airline"
	$(PY) pipelines/demote.py $(ARGS)

serve: $(READY)  ## answer over HTTP with the champion of a task: make serve ARGS="task=airline"
	$(PY) pipelines/serve.py $(ARGS)

reproduce: $(READY)  ## run a trial again: is it the same to the bit? make reproduce ARGS="run=RUN_ID"
	$(PY) pipelines/reproduce.py $(ARGS)

sync: $(READY)  ## send what a lost server missed: make sync ARGS="tracking.uri=http://HOST:5000"
	$(PY) pipelines/sync.py $(ARGS)

generate: $(READY)  ## let a trained language model write: make generate ARGS="task=text prompt='The for'"
	$(PY) pipelines/generate.py $(ARGS)

score: $(READY)  ## how likely it finds the lines of a file: make score ARGS="task=words texts=data/stories.txt"
	$(PY) pipelines/score.py $(ARGS)

explain: $(READY)  ## a look inside a text network: make explain ARGS="task=text text='The for'"
	$(PY) pipelines/explain.py $(ARGS)

retrain: $(READY)  ## the same recipe on a longer file, kept if not worse: make retrain ARGS="task=airline data=longer.csv"
	$(PY) pipelines/retrain.py $(ARGS)

export: $(READY)  ## a model as one folder, with ONNX: make export ARGS="run=airline@champion"
	$(PY) pipelines/export.py $(ARGS)

doctor: $(READY)  ## is all well here? Python, libraries, devices, store, disk, data, and two seconds of training
	$(PY) pipelines/doctor.py $(ARGS)

relocate: $(READY)  ## the folder was moved: let mlflow.db follow. Lists; make relocate ARGS=--yes does it
	$(PY) pipelines/relocate.py $(ARGS)

prune: $(READY)  ## old, failed and killed runs. Lists; make prune ARGS="older_than=30 --yes" removes them
	$(PY) pipelines/prune.py $(ARGS)

ui: $(READY)  ## the MLflow UI on http://127.0.0.1:$(PORT)
	$(PY) pipelines/ui.py $(PORT)

test: $(READY)  ## the tests, without a network, in a few minutes
	$(PY) -m pytest -n auto --dist loadfile -m "not slow" $(ARGS)

test-all: $(READY)  ## the same and what is long or needs a server or a browser
	$(PY) -m pytest -n auto --dist loadfile $(ARGS)

lint: $(READY)  ## ruff and mypy
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

bench: $(READY)  ## ratios against stock Keras, measured here
	$(PY) benchmarks/run.py $(ARGS)

docs: $(READY)  ## build the site of docs/ into site/
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict $(ARGS)

clean:  ## remove what can be made again (runs in mlflow.db stay, and those that wait for a server)
	-find .lookback -mindepth 1 -maxdepth 1 ! -name journal -exec rm -rf {} + 2>/dev/null
	rm -rf $(VENV) reports site .mypy_cache .ruff_cache .hypothesis src/*.egg-info

# Source distributions build with the locked build tools, so those come first.
$(READY): requirements.lock
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	awk '/^[a-z]/ {keep = /^(packaging|setuptools|wheel)==/} keep' requirements.lock > $(VENV)/build.lock
	$(PY) -m pip install -q --require-hashes --no-deps -r $(VENV)/build.lock
	$(PY) -m pip install -q --require-hashes --no-deps --no-build-isolation -r requirements.lock
	$(PY) -m pip install -q --no-deps --no-build-isolation -e .
	touch $(READY)
