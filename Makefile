# Each target sets up .venv for itself; the first run downloads PyTorch, so give it some minutes.
#   make demo       a packaged still says a packaged sentence
#   make install    all that rendering, training, measuring and the book need
#   make test       ruff, pytest, the notebooks under nbval, the book with warnings as errors
#   make chapters   regenerate and execute the notebooks whose .py or package changed
#   make book       build the book into _build/html

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo install test lint pytest notebooks chapters book

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3)
EXTRAS := faces,render,prepare,train,evaluate,book,dev

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export JUPYTER_PLATFORM_DIRS := 1
# More threads than cores make PyTorch several times slower, and waiting threads need not spin.
export OMP_NUM_THREADS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n : 4)))
export OMP_WAIT_POLICY ?= PASSIVE
# Files of tests run side by side, in a process and with a thread each.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=$(OMP_NUM_THREADS) --dist=loadfile

demo: $(VENV)/stamp-demo
	$(BIN)/talker demo

install: $(VENV)/stamp-all

test: lint pytest notebooks book

lint: $(VENV)/stamp-all
	$(BIN)/ruff check .

pytest: $(VENV)/stamp-all
	$(PYTEST)

notebooks: $(VENV)/stamp-all
	$(PYTEST) --nbval-lax --nbval-current-env --nbval-cell-timeout=600 chapters

chapters: $(VENV)/stamp-all
	$(BIN)/python tools/build_chapters.py

# jupyter-book leaves with 0 after a failed cell and after warnings, unless it is told -W.
book: $(VENV)/stamp-all
	$(BIN)/jupyter-book build . -W --keep-going
	@echo "open _build/html/index.html"

$(BIN)/python:
	@[ -n "$(PYTHON)" ] && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "talker: Python 3.11 or newer is missing: install it (Debian: apt-get install python3.11 python3.11-venv) or say make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "talker: this Python cannot make virtual environments: install its venv package (Debian: apt-get install python3.11-venv)" >&2; exit 2; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/stamp-demo: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	$(BIN)/python tools/check_system.py
	@touch $@

# face-alignment asks for opencv-python, which fills the same cv2 folder as opencv-python-headless
# but needs the system's libGL. The last one installed wins, so the headless one goes in again.
$(VENV)/stamp-all: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[$(EXTRAS)]"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --force-reinstall --no-deps opencv-python-headless
	$(BIN)/python tools/check_system.py
	@touch $@ $(VENV)/stamp-demo
