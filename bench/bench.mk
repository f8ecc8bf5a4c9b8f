# SPDX-License-Identifier: BSD-2-Clause
#
# `make bench`, included by the Makefile: builds what is measured and those it is
# compared with, and runs bench/run.sh, which writes bench/RESULTS.md and
# bench/cost.svg.  BENCH_ROUNDS and BENCH_PODS make it shorter or longer.
#
# The harness is linked with libbpf, bpfstamp is not.

BENCH = $(BUILD)/bench
BENCH_ROUNDS ?= 51
BENCH_PODS ?= 1000
BENCH_PROGRAMS = pods.c pods_libbpf.c empty.c bare_process.c launch.c user.c spawn.c
BENCH_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(addprefix bench/,$(BENCH_PROGRAMS)),$(wildcard bench/*.c)))
BENCH_TOOLS = $(addprefix $(BENCH)/static/,empty bare launch)
MUSL_GCC ?= musl-gcc

.PHONY: bench bench-build

bench:
	@tests/deps.sh bench
	@$(MAKE) -s --no-print-directory bench-build
	@CLANG='$(CLANG)' UAPI='$(UAPI)' bench/run.sh $(BENCH) $(BUILD)/static/bpfstamp $(BENCH_ROUNDS) $(BENCH_PODS)

BENCH_BPF = $(addsuffix .o,pod large branches pod_shared large_shared branches_shared jump mib)

bench-build: $(addprefix $(BENCH)/,bench pods pods_libbpf user $(BENCH_BPF) cilium) $(BENCH_TOOLS) static

$(BENCH)/bench: $(BENCH_OBJECTS) $(BUILD)/libbpfstamp.a
	$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lelf -lmnl -lz

$(BENCH)/pods $(BENCH)/pods_libbpf: $(BENCH)/%: $(BUILD)/bench/%.o $(BUILD)/bench/filter.o $(BUILD)/libbpfstamp.a
	$(CC) $(LDFLAGS) -o $@ $^ $(if $(findstring libbpf,$*),-lbpf) -lmnl -lz

$(BENCH)/user: $(BUILD)/bench/user.o $(BUILD)/libbpfstamp.a
	$(CC) $(LDFLAGS) -o $@ $^ -lbpf -lmnl -lz

# With the C library that bpfstamp has.
BENCH_TOOL_SOURCES = $(addprefix bench/,empty.c bare_process.c launch.c filter.c) $(wildcard bench/*.h)

$(BENCH_TOOLS): $(BENCH_TOOL_SOURCES) $(BUILD)/static/bpfstamp
	@mkdir -p $(@D)
	$(MUSL_GCC) -std=gnu11 -Os -static -s -iquote . -idirafter $(BUILD)/static/include -o $@ \
		bench/$(patsubst bare,bare_process,$(@F)).c $(if $(filter bare,$(@F)),bench/filter.c)

$(BENCH)/%.o: bench/objects/%.bpf.c bench/objects/pod.h bench/objects/values.h bpf/helpers.h include/bpfstamp.bpf.h
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -iquote . -mcpu=v3 -c -o $@ $<
	llvm-strip-19 -g $@

# For those who have a preamble.
$(BENCH)/%_shared.o: bench/objects/%.bpf.c bench/objects/pod.h bench/objects/values.h bpf/helpers.h
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -DSHARED -iquote . -mcpu=v3 -c -o $@ $<
	llvm-strip-19 -g $@

$(BENCH)/mib.o: bench/objects/mib.sh bpf/helpers.h
	@mkdir -p $(@D)
	bench/objects/mib.sh >$(BENCH)/mib.c
	$(CLANG) $(BPF_CFLAGS) -iquote . -mcpu=v3 -c -o $@ $(BENCH)/mib.c
	llvm-strip-19 -g $@

$(BENCH)/cilium: bench/cilium/main.go
	@mkdir -p $(@D)
	GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$(abspath $(BUILD))/go-cache GOFLAGS= go build -o $@ $<

# Of all programs, or one that is not linked into the harness would go on with the library's structures of yesterday.
-include $(patsubst %.c,$(BUILD)/%.d,$(wildcard bench/*.c))
