# The only words: setup, check, test, demo, bench, fuzz, docs, clean.
python = .venv/bin/python

setup:
	@scripts/setup

check: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	$(python) -m pytest tests/test_layers.py
	$(python) scripts/generate --check

test: setup
	$(python) -m pytest

GUIDE ?= catalogage

demo: setup
	@$(python) -m labs.$(GUIDE).demo

bench: setup
	$(python) -m bench

fuzz: setup
	$(python) -m pytest -m fuzz

docs: setup
	$(python) scripts/generate
	scripts/pictures

clean:
	@if [ -x $(python) ] && [ -d .lab ]; then $(python) -m labs.catalogage.lab remove; fi
	rm -rf .lab .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find src tests labs bench scripts -name __pycache__ -prune -exec rm -rf {} +

.PHONY: setup check test demo bench fuzz docs clean
