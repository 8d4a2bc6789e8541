# SPDX-License-Identifier: Apache-2.0
# What people and CI call. The build itself is CMake's (CMakePresets.json); this file installs what is missing and calls it.
#   sudo make run      a container that shows what it is isolated from
#   sudo make test     every test and check
#   sudo make test-vm  the integration tests on other kinds of host, in virtual machines; HOST=v2-systemd SUITE=runc chooses
#   make build         the programs, in build/release/bin

PREFIX ?= /usr/local
BUILD := build/release
# Errors and warnings go to standard error; the rest of what configuring says is for nobody.
CONFIGURE := cmake --preset release >/dev/null

.PHONY: build run test test-vm lint perf clean install

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
	@tools/setup build run test vm
	@$(CONFIGURE)
	@cmake --build --preset release
	@tools/test

test-vm:
	@tools/setup build run test vm
	@$(CONFIGURE)
	@cmake --build --preset release
	@tools/test --only vm $(addprefix --host=,$(HOST)) $(addprefix --suite=,$(SUITE)) $(ARGS)

lint:
	@tools/setup build lint
	@tools/lint

perf:
	@tools/setup build run test
	@$(CONFIGURE)
	@cmake --build --preset release --target programs runtime-bench
	@$(BUILD)/tests/perf/runtime-bench $(ARGS)

clean:
	rm -rf build

install: build
	cmake --install $(BUILD) --prefix "$(PREFIX)" --strip
