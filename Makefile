# SPDX-License-Identifier: Apache-2.0
# What people and CI call. The build itself is CMake's (CMakePresets.json); this file installs what is missing and calls it.
#   sudo make run      a container that shows what it is isolated from
#   sudo make test     every test and check
#   sudo make test-vm  the integration tests on other kinds of host, in virtual machines; HOST=v2-systemd SUITE=runc chooses
#   sudo make test-conformance   the OCI runtime-tools' validation programs, on this machine and on pure cgroup v2
#   make fuzz SECONDS=60   every fuzzer for a minute
#   make build         the programs, in build/release/bin

PREFIX ?= /usr/local
BUILD := build/release
# Errors and warnings go to standard error; the rest of what configuring says is for nobody.
CONFIGURE := cmake --preset release >/dev/null

.PHONY: build run test test-vm test-conformance test-faults lint perf bench fuzz clean install

build:
	@tools/setup build
	@$(CONFIGURE)
	@cmake --build --preset release --target programs

run:
	@tools/setup build run
	@$(CONFIGURE)
	@cmake --build --preset release --target programs
	@tools/demo

test:
	@tools/setup build run test vm conformance fuzz
	@$(CONFIGURE)
	@cmake --build --preset release
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz --target fuzzers
	@tools/test

test-vm:
	@tools/setup build run test vm
	@$(CONFIGURE)
	@cmake --build --preset release
	@tools/test --only vm $(addprefix --host=,$(HOST)) $(addprefix --suite=,$(SUITE)) $(ARGS)

test-conformance:
	@tools/setup build run test vm conformance
	@$(CONFIGURE)
	@cmake --build --preset release --target programs
	@tools/test --only conformance $(ARGS)
	@tools/test --only vm --suite=conformance $(ARGS)

# Every system call of every command goes wrong, one at a time (tests/faults): the whole walk takes an hour or more.
test-faults:
	@tools/setup build run
	@$(CONFIGURE)
	@cmake --build --preset release --target programs kiste-faults
	@$(BUILD)/tests/kiste-faults --source . --runtime $(BUILD)/bin/kiste-oci $(ARGS)

fuzz:
	@tools/setup build fuzz
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz --target fuzzers
	@tools/fuzz $(or $(SECONDS),60)

lint:
	@tools/setup build lint
	@tools/lint

perf:
	@tools/setup build run test
	@$(CONFIGURE)
	@cmake --build --preset release --target programs runtime-bench
	@$(BUILD)/tests/perf/runtime-bench $(ARGS)

# The instrument on all that is installed here: half an hour or more. tools/setup bench installs what it can measure.
bench:
	@tools/setup build run
	@$(CONFIGURE)
	@cmake --build --preset release --target programs
	@$(BUILD)/bin/kiste-bench $(or $(ARGS),run)

clean:
	rm -rf build

install: build
	cmake --install $(BUILD) --prefix "$(PREFIX)" --strip
