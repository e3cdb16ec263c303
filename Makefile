# Two commands do everything: `make demo` and `make test`. Each builds .venv when it has to.
# Debian and Ubuntu: apt install make python3-venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test models browser check lint repeat docs dist bench kills fuzz faults audit locked clean

demo: .venv/.ready
	$(BIN)/preimage demo

test: .venv/.ready
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Models of torchvision, timm and Hugging Face, untrained and offline: the tests of the extra
# `models`. Without dependencies of their own, so that no CUDA build of torch is pulled in.
models: .venv/.models
	PREIMAGE_MODELS=1 $(BIN)/python -m pytest -n 2 --dist worksteal tests/probing/test_architectures.py tests/probing/test_models.py

# The page of `preimage serve` in Chromium (Debian and Ubuntu: apt install chromium npm), with axe-core
# for accessibility. Pictures of the page are left in build/browser.
browser: .venv/.browser build/axe/package/axe.min.js
	mkdir -p build/browser
	PREIMAGE_BROWSER=build/browser $(BIN)/python -m pytest -n 0 tests/app/web/test_browser.py tests/app/web/test_browser_access.py tests/test_site_in_browser.py

AXE := axe-core-4.14.1.tgz
AXE_SHA256 := e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
build/axe/package/axe.min.js:
	mkdir -p build/axe
	cd build/axe && npm pack --silent axe-core@4.14.1 && echo "$(AXE_SHA256)  $(AXE)" | sha256sum --check --quiet
	cd build/axe && tar xzf $(AXE) package/axe.min.js

check: lint test

lint: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python tools/check_structure.py

# Twenty runs of the tests with different seeds, some under load, some on one core: about an hour.
repeat: .venv/.ready
	$(BIN)/python tools/repeat_tests.py

# The site in docs/_build/html, which opens from a disk without a network: its tutorials are run (again only
# when they have changed), its links are followed.
docs: .venv/.docs .venv/.models
	$(BIN)/python -m doctest docs/_ext/mathml.py docs/_ext/ranges_in_words.py
	rm -rf docs/_build/html
	$(BIN)/sphinx-build --fail-on-warning --quiet --fresh-env -d docs/_build/doctrees docs docs/_build/html
	$(BIN)/python tools/check_site.py docs/_build/html

# The sdist and the wheel, in build/dist, checked and installed into a fresh environment.
dist: .venv/.dist
	$(BIN)/python tools/check_dist.py

bench: .venv/.ready
	$(BIN)/python benchmarks/network_speed.py
	$(BIN)/python benchmarks/ssim_speed.py

# Sweeps and, with PHOTOS=FOLDER, trainings that are killed twenty times and must end with the same
# bits: about half an hour.
kills: .venv/.ready
	$(BIN)/python benchmarks/sweep_kill.py
	test -z "$(PHOTOS)" || $(BIN)/python benchmarks/train_kill.py --data "$(PHOTOS)" --kills 20

# Five thousand wrong files, each through the verb that reads it: about half an hour; one seed a day
# at night. MINUTES=5 stops earlier.
SEED ?= 0
fuzz: .venv/.ready
	cd tools && ../$(BIN)/python -m fuzz --seed $(SEED) $(if $(MINUTES),--minutes $(MINUTES))

# Verbs that are killed, or meet a full, read-only or broken disk: about half an hour; best as root.
faults: .venv/.ready
	cd tools && ../$(BIN)/python -m faults

# Known vulnerabilities of what is installed; asks the network.
audit: .venv/.ready
	$(BIN)/pip install --quiet --no-compile pip-audit
	mkdir -p build
	$(BIN)/pip freeze --exclude-editable | sed 's/+[a-z0-9.]*$$//' > build/installed.txt
	$(BIN)/pip-audit --strict --no-deps --disable-pip -r build/installed.txt

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("preimage needs Python 3.11 or later") if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e '.[test]'
	touch $@

.venv/.dist: .venv/.ready
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e '.[dist]'
	touch $@

.venv/.browser: .venv/.ready
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e '.[browser]'
	touch $@

.venv/.docs: .venv/.ready
	$(BIN)/pip install --quiet --no-compile -c constraints.txt -e '.[docs]'
	touch $@

.venv/.models: .venv/.ready
	$(BIN)/pip install --quiet --no-compile -c constraints.txt --no-deps torchvision timm
	$(BIN)/pip install --quiet --no-compile -c constraints.txt transformers
	touch $@

# The same environment as CI has it: every package by its hash (tools/write_lock.py), but for torch,
# whose builds are several.
locked:
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --no-deps -c constraints.txt torch
	$(BIN)/pip install --quiet --no-compile --no-deps --require-hashes -r locked.txt
	$(BIN)/pip install --quiet --no-compile --no-deps --no-build-isolation -e .
	touch .venv/.ready .venv/.browser .venv/.dist .venv/.docs .venv/.models

clean:
	rm -rf .venv build docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
