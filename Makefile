# The two commands of the README are `make demo` and `make test`. Both make what they need and are quick when run again.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo demo-bets test check format clean

demo: $(READY)
	$(BIN)/monde demo

BETS := runs/demo-bets
# Families that need no data of others; two questions of each and every grade, corners with a tenth of the compute,
# tuned by one question of each.
demo-bets: export MONDE_SHARED_DATA =
demo-bets: $(READY)
	test -d $(BETS)/train || $(BIN)/monde bets build $(BETS)/train --n 1 --split train --seed 1
	test -d $(BETS)/set || $(BIN)/monde bets build $(BETS)/set --n 2
	$(BIN)/monde bets teach $(BETS)/corners --films 600 --walks 400 --flops 4e12 --validation $(BETS)/train
	$(BIN)/monde bets curves $(BETS)/corners --questions $(BETS)/set
	$(BIN)/monde bets run $(BETS)/set --out $(BETS)/run --training $(BETS)/train --corners $(BETS)/corners \
	  --contestants random majority copy-last constant-velocity text-simulator sensor-readout
	$(BIN)/monde bets report $(BETS)/run --questions $(BETS)/set --curves $(BETS)/corners/bets_curves.json

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "monde needs Python 3.11 or newer, found $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install -y python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "torch==2.13.0" numpy
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[all,dev]"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps gym-pusht
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache build
