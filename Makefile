# libzus: see README.md. `make demo` shows it, `make test` tests all of it.
.DEFAULT_GOAL := help
.PHONY: help build demo test test-rust test-c test-python test-csharp test-powershell test-node test-install test-docs test-pages test-platforms \
        check header bench hardening hardening-short fuzz sanitizers soak packages notices wheel nuget install uninstall dist docs clean
SHELL := /bin/bash
CARGO ?= cargo
export PREFIX ?= /usr/local
# Where cargo puts what it builds.
BUILT := $(abspath $(or $(CARGO_TARGET_DIR),target))$(addprefix /,$(CARGO_BUILD_TARGET))
export ZUS_LIB_DIR ?= $(BUILT)/release
export ZUS_SANDBOX ?= $(BUILT)/debug/examples/sandbox

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

build: ## the library, in target/release
	CARGO="$(CARGO)" packaging/cargo.sh build --release --locked
	@ln -sf libzus.so $(BUILT)/release/libzus.so.0
	@ZUS_LIB_DIR= packaging/native-libs.sh >/dev/null && touch $(BUILT)/release/native-static-libs

$(ZUS_SANDBOX): FORCE
	$(CARGO) build --locked --example sandbox
FORCE:

demo: build $(ZUS_SANDBOX) ## a C program and a Python line deactivate users of a stand-in for Zoom
	@examples/demo.sh

# Most parts wait more than they work, so that more of them than there are cores run side by side; each is shown when it ends.
JOBS ?= 3
PARTS := rust c python csharp powershell node install docs pages
test: build $(ZUS_SANDBOX) ## everything: Rust, C, C++, Python, C#, PowerShell, Node.js, packaging, docs
	@rm -rf target/test-logs
	@tests/tools.sh
	@$(MAKE) --no-print-directory --keep-going --jobs=$(JOBS) --output-sync=target $(PARTS:%=test-%); tests/summary.sh $(PARTS)

test-rust: build $(ZUS_SANDBOX)
	RUST_TEST_THREADS=8 tests/run.sh rust $(CARGO) test --locked --no-fail-fast
test-c: build $(ZUS_SANDBOX)
	tests/run.sh c tests/c/run.sh
test-python: build $(ZUS_SANDBOX)
	tests/run.sh python bindings/python/test.sh
test-csharp: build $(ZUS_SANDBOX)
	tests/run.sh csharp tests/csharp/run.sh
test-powershell: build $(ZUS_SANDBOX)
	tests/run.sh powershell bindings/powershell/test.sh
test-node: build $(ZUS_SANDBOX)
	tests/run.sh node bindings/node/test.sh
test-install: build $(ZUS_SANDBOX)
	tests/run.sh install tests/install/run.sh
test-docs: build $(ZUS_SANDBOX)
	tests/run.sh docs tests/docs.sh
test-pages: build $(ZUS_SANDBOX)
	tests/run.sh pages tests/pages/run.sh

check: ## formatting, lints and crate documentation
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

header: ## write include/zus.h from src/ffi/
	ZUS_WRITE_HEADER=1 $(CARGO) test --locked --test header

bench: build $(ZUS_SANDBOX) ## side by side with libcurl and others, as ratios
	benches/run.sh

hardening: build $(ZUS_SANDBOX) ## the ABI, a build elsewhere, cargo-c, hostile callers, sanitizers, exits, a minute for each fuzz target, two of soak
	tests/abi/check.sh
	tests/install/reproducible.sh
	tests/install/cargo-c.sh
	ZUS_SECONDS=60 $(CARGO) test --locked --test hostile
	ZUS_RUNS=40 bindings/node/test.sh process
	ZUS_EXITS=40 bindings/python/test.sh tests/test_async.py -k "delay_the_exit or ctrl_c_with_pending_calls"
	tests/soak/sanitizers.sh
	tests/soak/exit.sh 40
	fuzz/run.sh 60
	tests/soak/run.sh 120
hardening-short: build $(ZUS_SANDBOX) ## the same in a minute or two, without sanitizers
	tests/abi/check.sh
	ZUS_SECONDS=10 $(CARGO) test --locked --test hostile
	tests/soak/exit.sh 5
	fuzz/run.sh 10
	tests/soak/run.sh 20
fuzz: ## each fuzz target for EACH=600 seconds
	fuzz/run.sh $(or $(EACH),600)
sanitizers: $(ZUS_SANDBOX) ## what has threads under ThreadSanitizer and AddressSanitizer, with a library built for them
	tests/soak/sanitizers.sh
soak: build $(ZUS_SANDBOX) ## a million calls with faults
	tests/soak/run.sh

test-platforms: $(ZUS_SANDBOX) ## build and run for Windows, ARM, musl and others
	tests/platforms/run.sh

packages: build ## what a person installs, for this system, in target/packages: archive, wheel, NuGet, npm, PowerShell
	packaging/packages.sh
notices: ## write THIRD-PARTY-NOTICES.txt, after a dependency changed
	packaging/third-party.sh
wheel: ## a manylinux wheel in bindings/python/dist
	bindings/python/manylinux.sh
nuget: build ## the NuGet packages in target/nuget/package/release
	dotnet pack bindings/csharp -c Release --artifacts-path "$(CURDIR)/target/nuget" -p:ContinuousIntegrationBuild=true

# Root often has no cargo: it is called only where the build is missing, or older than its source.
$(BUILT)/release/native-static-libs: Cargo.toml Cargo.lock build.rs $(shell find src -name '*.rs')
	$(MAKE) build
install: $(BUILT)/release/native-static-libs ## PREFIX=/usr/local DESTDIR=
	packaging/install.sh
uninstall: ## what install put there
	packaging/uninstall.sh
dist: build ## an archive with checksums in dist/
	packaging/dist.sh
docs: ## the API reference from include/zus.h, in target/docs
	packaging/docs.sh

clean:
	$(CARGO) clean
	rm -rf .tools dist
