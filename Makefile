# The verbs of this project; .ci/run is test, full, test-frameworks, fuzz, proof. Nothing is done twice: stamps remember.

VENV ?= .venv
PYTHON ?= python3
FUZZ_SECONDS ?= 60
ARGS ?=

BIN := $(abspath $(VENV))/bin
CARGO := PYO3_PYTHON=$(BIN)/python cargo
MATURIN := VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
export PATH := $(PATH):$(HOME)/.cargo/bin
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONDONTWRITEBYTECODE # many tests start an interpreter

RUST := $(wildcard Cargo.toml Cargo.lock build.rs) $(shell find rust -type f \( -name '*.rs' -o -name Cargo.toml \) -not -path '*/fuzz/*')
PACKAGE := $(shell find python/siftpack -type f \( -name '*.py' -o -name '*.pyi' -o -name py.typed \))
DEPS := $(VENV)/.stamp-deps
CORE := $(VENV)/.stamp-core
DEMO := .demo/.stamp-installed
SANITIZED := target/sanitized
SANITIZED_TESTS := $(addprefix tests/,hostile wire conformance properties arrays listed policy unit memory) tests/test_*.py
TORCH := .torch/.stamp-installed
FRAMEWORKS := openai google crewai
IN_FRAMEWORKS := -m pytest -o filterwarnings=default --disable-warnings --confcutdir=tests/frameworks $(ARGS)

.PHONY: help demo test full sanitized test-torch test-frameworks lint rust-test soak bench bench-all plots fuzz wheel proof clean

help: ## This list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

demo: $(DEMO) ## Build siftpack into a virtual environment of its own and run its demonstration.
	.demo/venv/bin/siftpack demo

test: lint rust-test $(CORE) ## Lint, then every test of both languages. ARGS="-k word" goes to pytest.
	$(BIN)/python -m tests.run $(ARGS)

full: $(CORE) ## Tests that have a size, at full size (ten thousand examples a law), and those that take long.
	SIFTPACK_FULL=1 $(BIN)/python -m tests.run -m "hypothesis or sized or full" $(ARGS)

sanitized: $(CORE) ## Tests of the core, built with AddressSanitizer; wants the C compiler's runtime of it. ARGS go to pytest.
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address $(CARGO) build --release --quiet --target $$(rustc -vV | sed -n 's/^host: //p') \
		--target-dir $(SANITIZED) --features pyo3/extension-module
	rm -rf $(SANITIZED)/python
	mkdir $(SANITIZED)/python
	cp -r python/siftpack $(SANITIZED)/python
	rm $(SANITIZED)/python/siftpack/*.so
	cp $(SANITIZED)/*/release/lib_core.so $(SANITIZED)/python/siftpack/_core.so
	PYTHONPATH=$(abspath $(SANITIZED)/python) PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 SIFTPACK_EXAMPLES=25 \
		LD_PRELOAD=$$(cc -print-file-name=libasan.so) $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal \
		-o timeout=1500 -m "not alone and not resident" $(SANITIZED_TESTS) $(ARGS)

test-torch: $(TORCH) ## Tests of torch's tensors, in a virtual environment of their own: torch is large.
	.torch/venv/bin/python -m pytest tests/arrays/with_torch.py $(ARGS)

test-frameworks: $(FRAMEWORKS:%=.frameworks/%/.stamp) ## Agents of nine real frameworks, offline, in environments of their own.
	.frameworks/openai/bin/python $(IN_FRAMEWORKS) tests/frameworks/with_{langgraph,pydantic_ai,openai_agents,openai,examples}.py
	.frameworks/google/bin/python $(IN_FRAMEWORKS) tests/frameworks/with_{google_adk,llama_index,autogen,smolagents}.py
	.frameworks/crewai/bin/python $(IN_FRAMEWORKS) tests/frameworks/with_crewai.py

lint: $(CORE) ## Formatting, lints and types of both languages.
	$(BIN)/ruff check python tests benches examples
	$(BIN)/ruff format --check python tests benches examples
	$(BIN)/mypy --strict python/siftpack
	$(BIN)/mypy --strict benches
	$(BIN)/python -m mypy.stubtest siftpack._core
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings

rust-test: $(DEPS) ## Tests of the wire crate; the extension is tested through Python.
	$(CARGO) test -p siftpack-wire --quiet

soak: $(CORE) ## A million checked cache operations, many torn ones, a million entries migrated. ARGS: a scale, such as 0.1.
	$(BIN)/python -m tests.faults.soak $(ARGS)
	$(BIN)/python -m tests.cli.soak $(ARGS)

bench: $(CORE) ## siftpack beside its peers, every question, with a record. ARGS: --quick, --only NAME, --record FOLDER.
	$(BIN)/python benches/run.py $(ARGS)

bench-all: $(CORE) ## Every contestant's distribution, by pytest-benchmark. ARGS="-k unpack".
	$(BIN)/python -m pytest benches --benchmark-only $(ARGS)

plots: $(CORE) ## Pictures of the docs and the figures in their text, from the newest record.
	$(BIN)/python benches/draw.py $(ARGS)

fuzz: ## Feed the decoder and the encoder of the wire crate for FUZZ_SECONDS.
	FUZZ_SECONDS=$(FUZZ_SECONDS) rust/wire/fuzz/smoke.sh

wheel: $(DEPS) ## Build the wheel into dist/.
	rm -rf dist
	$(MATURIN) build --release --interpreter $(BIN)/python --out dist

proof: wheel ## Install the wheel into an empty environment outside the tree and use it there.
	.ci/prove-wheel dist/siftpack-*.whl

clean: ## Remove what was built; the virtual environment stays.
	rm -rf target dist .demo .torch .frameworks .benchmarks .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -f $(DEPS) $(CORE) python/siftpack/*.so
	find python tests benches -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEPS): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

$(CORE): $(DEPS) $(RUST)
	PIP_QUIET=1 $(MATURIN) develop --release --extras demo
	touch $@

$(DEMO): pyproject.toml $(RUST) $(PACKAGE)
	test -x .demo/venv/bin/python || $(PYTHON) -m venv .demo/venv
	.demo/venv/bin/python -m pip install --quiet --upgrade --force-reinstall --no-deps .
	.demo/venv/bin/python -m pip install --quiet '.[demo]'
	touch $@

$(TORCH): pyproject.toml $(RUST) $(PACKAGE)
	test -x .torch/venv/bin/python || $(PYTHON) -m venv .torch/venv
	.torch/venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.torch/venv/bin/python -m pip install --quiet --upgrade --force-reinstall --no-deps .
	.torch/venv/bin/python -m pip install --quiet --group test --group torch
	touch $@

.frameworks/.stamp-wheel: $(DEPS) $(RUST) $(PACKAGE)
	rm -rf .frameworks/wheel
	$(MATURIN) build --release --quiet --interpreter $(BIN)/python --out .frameworks/wheel
	touch $@

.frameworks/%/.stamp: pyproject.toml .frameworks/.stamp-wheel
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(@D)/bin/python -m pip install --quiet --group frameworks-$*
	$(@D)/bin/python -m pip install --quiet --upgrade --force-reinstall --no-deps .frameworks/wheel/siftpack-*.whl
	touch $@
