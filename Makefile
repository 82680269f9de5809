# make            the release build: .build/release/ingot, ingot-monitor, ingot-network
# make install    copies them to PREFIX/bin (default /usr/local), completions and all
# make demo       builds the Debian image, starts two guests, shows that a second plan is empty
# make test       every test
# make bench      every published figure, each beside the peer's
# make faults     kills command, monitor and QEMU at every step that outlives the process, and the
#                 processes of networks under traffic
# make fuzz       coverage-guided fuzzing: TARGET=ext4|archive|disk|manifest SECONDS=600
PREFIX ?= /usr/local
DESTDIR ?=
# Swift's library is linked in, so that an installed ingot runs where no toolchain is.
SWIFT_FLAGS := -c release --static-swift-stdlib --explicit-target-dependency-import-check error
BIN := .build/release
DEMO_HOME := $(CURDIR)/.demo

.PHONY: all build install uninstall demo demo-clean test faults bench fuzz lint format clean

all: build

build:
	@Scripts/dependencies.sh build
	swift build $(SWIFT_FLAGS) --product ingot
	swift build $(SWIFT_FLAGS) --product ingot-monitor
	swift build $(SWIFT_FLAGS) --product ingot-network

install:
	@test -x $(BIN)/ingot || { echo "run 'make' first" >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -s -m 755 $(BIN)/ingot $(BIN)/ingot-monitor $(BIN)/ingot-network \
	  $(DESTDIR)$(PREFIX)/bin/
	$(BIN)/ingot --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ingot
	$(BIN)/ingot --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ingot
	$(BIN)/ingot --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ingot.fish

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/ingot $(DESTDIR)$(PREFIX)/bin/ingot-monitor \
	  $(DESTDIR)$(PREFIX)/bin/ingot-network \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/ingot \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_ingot \
	  $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/ingot.fish

demo: build
	@Scripts/dependencies.sh run
	@INGOT_HOME=$(DEMO_HOME) Scripts/demo.sh $(BIN)/ingot

demo-clean:
	@if [ -x $(BIN)/ingot ]; then INGOT_HOME=$(DEMO_HOME) $(BIN)/ingot destroy --all --yes; fi
	rm -rf $(DEMO_HOME)

# The end-to-end tests run the release build, as users do. Those that say within how many seconds
# packets flow again have the machine to themselves, as guests on a busy one are slow to answer.
SWIFT_TEST := INGOT_BIN=$(CURDIR)/$(BIN) swift test --explicit-target-dependency-import-check error
test: build
	@Scripts/dependencies.sh run test
	$(SWIFT_TEST) --skip NetworkKillTests
	$(SWIFT_TEST) --filter NetworkKillTests

faults:
	@Scripts/dependencies.sh build run test
	INGOT_FAULTS=all INGOT_ROUNDS=30 swift test \
	  --filter 'FaultInjectionTests/everyStep|NetworkKillTests'

bench: build
	@Scripts/dependencies.sh run bench
	@Benchmarks/all.sh $(BIN)

TARGET ?= ext4
SECONDS ?= 600
fuzz:
	@Scripts/dependencies.sh build
	@Fuzz/run.sh $(TARGET) $(SECONDS)

lint:
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Fuzz/Sources

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Fuzz/Sources

clean: demo-clean
	rm -rf .build .bench .cache
