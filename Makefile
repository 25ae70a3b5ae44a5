# Every path here is relative and every program is run as `python -m`: a checkout may lie in a folder whose name has
# spaces, and a virtual environment keeps working when its folder is moved.

PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m rmn_site.local
STAMP := .venv/.installed
# The resolved set was tested on 3.11; the next versions are taken where it is missing.
CANDIDATES := python3.11 python3.12 python3.13 python3

.PHONY: help setup demo serve stop status test check fix bench bench-harmonize bench-matching bench-learning bench-optimize bench-measurement prove reset-demo run-example harmonize
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## only the environment, in .venv
	@echo 'The environment is in .venv.'

demo: $(STAMP) ## everything with demo data, at an address; Ctrl-C stops it
	@$(LOCAL) demo

serve: $(STAMP) ## everything with the data that is there
	@$(LOCAL) serve

stop: ## stop a demo or serve of this checkout
	@test -e $(STAMP) || { echo 'Nothing is running: make setup has never been here.'; exit 0; } && $(LOCAL) stop

status: ## what runs, and where its data are
	@test -e $(STAMP) || { echo 'Nothing is running: make setup has never been here.'; exit 0; } && $(LOCAL) status

test: $(STAMP) ## all tests; ARGS="tests/jobs -k lease" for some
ifdef ARGS
	@$(PYTHON) -m pytest -n 2 $(ARGS)
else
	@# One database is migrated and copied for all. A walk through a running site has a process and two cores to itself:
	@# it waits for a server, a worker and a browser.
	@$(PYTHON) -m tests.beside_servers sh -c '$(PYTHON) -m pytest -n 2 --ignore tests/browser \
	  && for walk in tests/browser/test_*.py; do $(PYTHON) -m pytest "$$walk" || exit 1; done'
endif

check: $(STAMP) ## lint, types, floors, migrations, file lengths
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PYTHON) manage.py check
	$(LOCAL) with $(PYTHON) manage.py makemigrations --check --dry-run
	@# A file past 450 lines is two rooms that have not been separated yet.
	@git ls-files -z -- '*.py' '*.html' '*.css' '*.js' '*.sh' '*.yaml' '*.toml' Makefile ':!static/vendor' ':!*/migrations/*' \
	  | xargs -0 awk 'FNR == 451 { print FILENAME " has more than 450 lines"; found = 1 } END { exit found }'
	@# A warning only: a long proof is run again before a release, not after every change.
	@$(PYTHON) -m proofs --stale

fix: $(STAMP) ## let ruff repair and format what it can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: $(STAMP) ## timings against a stated reference; ARGS="--keep" writes docs/benchmarks/
	@$(PYTHON) -m benches $(ARGS)

bench-harmonize: $(STAMP) ## harmonising against a plain copy and DuckDB, 10 M and 40 M rows; ARGS="--keep", ARGS="--quick"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r benches/requirements.txt \
	  || echo 'DuckDB cannot be installed here: the run goes on without it.' >&2
	@$(PYTHON) -m benches harmonize $(ARGS)

bench-matching: $(STAMP) ## proposed contracts against labelled reports, each network left out; ARGS="--keep"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r benches/requirements.txt \
	  || echo 'valentine cannot be installed here: the run goes on without COMA.' >&2
	@$(PYTHON) -m benches matching $(ARGS)

bench-learning: $(STAMP) ## regret of the learner and others on markets with known truth; ARGS="--keep"
	@$(PYTHON) -m benches learning $(ARGS)

bench-optimize: $(STAMP) ## allocating 1 k to 1 M cells beside CVXPY, SciPy and PyMC-Marketing; ARGS="--keep", ARGS="--quick"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benches/requirements-optimize.txt \
	  || echo 'PyMC-Marketing cannot be installed here: the run goes on without it.' >&2
	@$(PYTHON) -m benches optimize $(ARGS)

bench-measurement: $(STAMP) ## reading and designing geo tests beside pysyncon and synthdid-py; ARGS="--keep", ARGS="--alone"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benches/requirements-measurement.txt \
	  || echo 'pysyncon and synthdid-py cannot be installed here: the run goes on without them.' >&2
	@$(PYTHON) -m benches measurement $(ARGS)

prove: $(STAMP) ## long proofs, kept in docs/proofs/; ARGS="kill --option rows=1000000" for some
	@$(PYTHON) -m proofs $(ARGS)

reset-demo: $(STAMP) ## delete this checkout's embedded databases and files
	@$(LOCAL) reset

run-example: $(STAMP) ## the main job through the REST API of a running demo
	@address=$$($(LOCAL) status | sed -n 's/^Platform .* at //p'); \
	test -n "$$address" || { echo 'No demo is running. Start it in another terminal: make demo' >&2; exit 1; }; \
	API_TOKEN=$$($(LOCAL) with $(PYTHON) manage.py create_token --tenant acme --email dana@acme.example \
	  --name example --days 1 --replace) && export API_TOKEN && \
	$(PYTHON) examples/example_workflow.py --url "$$address" $(ARGS)

harmonize: $(STAMP) ## FILE=export.csv [RETAILER=contract name]: one export to RMN's events, without a server
	@test -n "$(FILE)" || { echo 'Which file? make harmonize FILE=export.csv [RETAILER=walmart_search_item]' >&2; exit 2; }
	@$(PYTHON) manage.py harmonize "$(FILE)" --contract "$(or $(RETAILER),auto)" --json

$(STAMP): requirements.txt constraints.txt
	@usable='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	began=$$(date +%s); \
	if ! $(PYTHON) -c "$$usable" 2>/dev/null; then \
	  for candidate in $(CANDIDATES); do \
	    if $$candidate -c "$$usable" 2>/dev/null; then found=$$candidate; break; fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo 'RMN needs Python 3.11, 3.12 or 3.13 with its venv module, and none is on the PATH.' >&2; \
	    echo 'Install one (Debian and Ubuntu: apt-get install python3 python3-venv) and run make again.' >&2; \
	    exit 1; \
	  fi; \
	  echo "Environment in .venv with $$($$found --version)"; \
	  $$found -m venv --clear .venv || exit 1; \
	fi; \
	echo 'Installing packages (some minutes the first time) ...'; \
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -c constraints.txt "$$(grep '^torch==' requirements.txt)" && \
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt && \
	touch $(STAMP) && \
	echo "Environment ready after $$(( $$(date +%s) - began )) s"
