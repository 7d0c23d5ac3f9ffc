# make test RACE=1       with the race detector (needs a C compiler)
# make test LOG=build/test.log  all that the tests print goes there, and is searched for their secrets
# make test REAL=require a missing real server is a failure, not a skip
# make fuzz FUZZTIME=5m  each target for so long
# make crash TRIALS=300 SEED=1 ONLY=kills,lines   three times the trials of these two
# make real LONG=1       for minutes
# make benchstat BASE=v1.0.0 BENCH=Plan LONG=1   these Go benchmarks, with a million messages too
# make bench RUNS=9 ONLY=small,kept   of each contender nine runs of two workloads (go run ./internal/bench -list)

GO       ?= go
RACE     ?=
REAL     ?=
LONG     ?=
FUZZTIME ?= 20s
TRIALS   ?= 100
ONLY     ?=
RUNS     ?= 5
BASE     ?=
BENCH    ?= .
SEED     ?= $(shell date +%s)

# git refuses a checkout that belongs to somebody else, and go build with it.
ifneq ($(shell git status >/dev/null 2>&1; echo $$?),0)
export GOFLAGS += -buildvcs=false
endif

GOTEST = CGO_ENABLED=$(if $(RACE),1,0) POPSYNC_REAL=$(or $(REAL),$(POPSYNC_REAL)) $(GO) test -timeout 15m $(if $(RACE),-race)
TOOL   = CGO_ENABLED=0 $(GO) tool -modfile=tools.mod

# The parts of packages that popsync does without: cli's writer of man pages.
TAGS = urfave_cli_no_docs

# What tests against real servers need, and the Debian packages that have it.
PROGRAMS = dovecot procmail maildrop strace
PACKAGES = dovecot-pop3d procmail maildrop strace

# Servers that exclude each other: unpacked, not installed. $POPSYNC_SERVERS may be another folder.
SERVERS = $(or $(POPSYNC_SERVERS),build/servers)

.PHONY: help build test race servers fuzz crash real bench benchstat lint demo clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build/popsync, a static program
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -ldflags "-s -w" -o build/popsync ./cmd/popsync

test: ## all tests; those against real servers where these are installed
ifdef LOG
	@mkdir -p $(dir $(LOG))
	@$(GOTEST) -v ./... >$(LOG) 2>&1 || { grep -E -v '^ *(===|--- (PASS|SKIP))' $(LOG) | tail -n 400; exit 1; }
	@grep -E '^(ok|FAIL)|--- SKIP' $(LOG)
	@CGO_ENABLED=0 $(GO) run ./internal/leaks $(LOG)
else
	$(GOTEST) ./...
endif
	@missing=$$(for p in $(PROGRAMS); do PATH=$$PATH:/usr/sbin:/usr/local/sbin command -v $$p >/dev/null || echo $$p; done | xargs); \
	test -z "$$missing" || echo "skipped: tests that need $$missing; to run them: apt-get install $(PACKAGES)"
	@test -e $(SERVERS)/nginx/version || echo "skipped: tests of other servers than Dovecot; to run them, as root: make servers"

race: ## all tests with the race detector
	$(MAKE) test RACE=1

servers: ## unpack Debian's other POP3 servers for the tests, as root; nothing is installed
	internal/realtest/servers.sh $(SERVERS)

# A target that finds nothing may fail all the same when its time is over, with the bare line
# "context deadline exceeded" (go.dev/issue/75804, before Go 1.27): that is no finding.
fuzz: ## every fuzz target for FUZZTIME
	@mkdir -p build
	@for package in $$($(GO) list ./...); do \
		listed=$$($(GO) test -list '^Fuzz' $$package) || { echo "$$listed"; exit 1; }; \
		for target in $$(echo "$$listed" | grep '^Fuzz'); do \
			echo "$$package: $$target"; \
			{ $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || echo failed; } | tee build/fuzz.log; \
			! grep -qx failed build/fuzz.log || grep -qx '    context deadline exceeded' build/fuzz.log || exit 1; \
		done; \
	done

crash: build ## all that can be done to popsync (docs/reliability.md), TRIALS percent of it
	CGO_ENABLED=0 $(GO) run ./internal/crash -popsync build/popsync -trials $(TRIALS) -seed $(SEED) -only '$(ONLY)'

real: ## only the tests against real servers, all of which have to be there
	POPSYNC_REAL=require CGO_ENABLED=$(if $(RACE),1,0) $(GO) test -count=1 -v -timeout 60m $(if $(RACE),-race) ./internal/realtest $(if $(LONG),-long)

bench: build ## popsync against mpop, fetchmail, getmail and fdm, as installed (docs/performance.md)
	CGO_ENABLED=0 $(GO) run ./internal/bench -popsync build/popsync -runs $(RUNS) -only '$(ONLY)'

benchstat: ## Go benchmarks of the working tree against BASE, or the last tag or commit
	GO='$(GO)' BENCH='$(BENCH)' LONG='$(LONG)' internal/bench/stat.sh $(BASE)

lint: ## gofumpt, go vet, staticcheck
	@unformatted=$$($(TOOL) gofumpt -l .) && test -z "$$unformatted" || { echo "not as gofumpt writes it:" $$unformatted; exit 1; }
	CGO_ENABLED=0 $(GO) vet ./...
	$(TOOL) staticcheck ./...

demo: build ## a fetch to look at, from a server of its own
	CGO_ENABLED=0 $(GO) run ./internal/demo -popsync build/popsync

clean: ## remove what was built
	rm -rf build
