# The commands of the project; `make help` lists them. Each installs the Debian packages that it
# lacks (tools/packages.txt) and does nothing that is done already.
#   HOST, PORT, OPS_PORT   where `make run` listens: make run PORT=9000
#   JOBS                   how many compilers and tests run at once
#   SEEDS, FROM            which seeds `make simulate` runs: make simulate SEEDS=10000
#   FUZZ_SECONDS           how long `make fuzz` runs each target
#   BENCH_SECONDS          how long `make bench` (15) and `make bench-article` (5) run each load
#   BENCH_REPEATS          how often they measure everything; the figures are medians
#   BENCH_DAY              how many seconds `make bench-day` (1200) takes for its 24 hours

HOST = 127.0.0.1
PORT = 8080
OPS_PORT = 8081
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
BENCH_REPEATS ?= 3
SEEDS ?= 1000
ARRIVALS ?= 1000000
FROM ?= 1

# Debian's interpreter, whatever else is on the PATH: Debian's pytest belongs to it.
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)
PACKAGES := @tools/install-packages.sh
# Once; from then on Ninja sees by itself when CMake must run again.
configure = @[ -f build/$(1)/build.ninja ] || cmake --preset $(1)
# The measurements need more packages, so they are no part of `make build` or `make test`.
define benchmarks
@cmake --preset release -DTRIALWARD_BENCH=ON >/dev/null
@cmake --build --preset release -j $(JOBS) \
  --target trialward trialward_on_faulty_disk benchmarks
endef
BENCH_LENGTH = $(if $(BENCH_SECONDS),--seconds $(BENCH_SECONDS)) --repeats $(BENCH_REPEATS)
# Older ThreadSanitizers do not start on kernels that randomise addresses widely; without
# randomisation they do. Some containers forbid the switch, and then it is not used.
FIXED_ADDRESSES = $(shell setarch -R true 2>/dev/null && echo setarch -R)

# What each proves, and how long it takes, is told in bench/README.md. Loads of a minute, once.
PROOFS := bench-overload bench-deep bench-kills bench-slowloris bench-day bench-fhir \
  bench-formulary bench-reports bench-report-sizes bench-postgres-single bench-postgres-stream \
  bench-postgres-alerts bench-postgres-reports bench-postgres-reports-large

.DEFAULT_GOAL := help
.PHONY: help build run test arrivals simulate simulate-defects \
  sanitize asan tsan bench $(PROOFS) bench-proofs bench-sync \
  bench-article deliver fuzz format tidy clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 27

build:  ## Build build/release/trialward
	$(PACKAGES) build
	$(call configure,release)
	@cmake --build --preset release -j $(JOBS) --target trialward

run: build  ## Build, then serve the demo study on http://127.0.0.1:8080/ until Ctrl-C
	@mkdir -p build/demo
	@exec build/release/trialward serve --demo --store sqlite:build/demo/demo.db \
	  --study studies/demo --listen $(HOST):$(PORT) --ops $(HOST):$(OPS_PORT)

test:  ## Build everything and run every test
	$(PACKAGES) build test
	$(call configure,release)
	@cmake --build --preset release -j $(JOBS)
	@ctest --preset release -j $(JOBS)

arrivals:  ## Let ARRIVALS (1000000) orders of subjects' records come in; all end in one state
	$(PACKAGES) build
	$(call configure,release)
	@cmake --build --preset release -j $(JOBS) --target monitor_test
	@ARRIVALS=$(ARRIVALS) build/release/monitor_test --gtest_filter='Arrivals.*'

simulate:  ## Run SEEDS (1000) seeds of the simulation, from FROM (1) on
	$(PACKAGES) build
	$(call configure,release)
	@cmake --build --preset release -j $(JOBS) --target trialward_simulate
	@build/release/trialward_simulate --from $(FROM) --seeds $(SEEDS)

simulate-defects:  ## Plant defects in a copy of the tree; the simulation must find each
	$(PACKAGES) build test
	@$(PYTHON) tests/simulate/defects.py

sanitize: asan tsan  ## Run the tests under ASan+UBSan and under TSan

asan tsan:
	$(PACKAGES) build test
	$(call configure,$@)
	@cmake --build --preset $@ -j $(JOBS)
	@$(FIXED_ADDRESSES) ctest --preset $@ -j $(JOBS)

bench:  ## Measure the server and its parts (bench/); writes bench/results/
	$(PACKAGES) build bench
	$(benchmarks)
	@$(PYTHON) bench/run.py --build build/release $(BENCH_LENGTH)

$(PROOFS):
	$(PACKAGES) build bench
	$(benchmarks)
	@$(PYTHON) bench/run.py --build build/release --seconds $(or $(BENCH_SECONDS),60) --repeats 1 \
	  --parts $(@:bench-%=%) --name $(@:bench-%=%) $(if $(BENCH_DAY),--day $(BENCH_DAY))

bench-proofs: $(PROOFS)  ## Overload, depth, kills, slowloris, a day, FHIR, reports; over an hour

deliver: build  ## Kill the server fifty times while it delivers alerts to a bad receiver
	@$(PYTHON) bench/deliver.py

bench-sync:  ## Schedule sync: 20,000 patients with a partner of 5 ms; 100,000 with a hostile one
	$(PACKAGES) build bench
	$(benchmarks)
	@$(PYTHON) bench/schedule_sync.py

bench-article:  ## Measure the article's designs in Go beside ours; rewrites docs/evidence.md
	$(PACKAGES) build bench bench-article
	$(benchmarks)
	@$(PYTHON) bench/article.py --build build/release $(BENCH_LENGTH)

fuzz:  ## Fuzz each target of tests/fuzz/ for FUZZ_SECONDS (60), JOBS at once
	$(PACKAGES) build fuzz
	$(call configure,fuzz)
	@cmake --build --preset fuzz -j $(JOBS) --target fuzzers
	@tools/fuzz.sh build/fuzz $(FUZZ_SECONDS) $(JOBS)

format:  ## Format the C++ files
	$(PACKAGES) format
	@find $(wildcard src tests bench) -name '*.cc' -o -name '*.h' | xargs clang-format -i

tidy:  ## Check the house rules (a test, too), and compile each header alone
	$(PACKAGES) build
	@$(PYTHON) tools/tidy.py build/release

clean:  ## Remove what was built, and the demo's data
	rm -rf build
