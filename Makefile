# SPDX-License-Identifier: BSD-2-Clause
#
#   make            build/bpfstamp, build/bpfstamp-cni, build/libbpfstamp.a, the BPF objects
#   make deps       install what is missing (apt, as root)
#   make demo       two programs that drop pings, stamped and tried on real ones
#   make demo-vpc   pods of two nodes and two VPCs, by the CNI plugin
#   make check      all tests
#   make bench-cni  how long ADD and DEL take, beside other plugins: bench/CNI.md
#   make bench      bench/RESULTS.md: what a pod costs, here and with other loaders
#   make static     build/static/bpfstamp and bpfstamp-cni, without a dynamic section
#   make initramfs  a machine that has little more than bpfstamp, in qemu
#   make install    DESTDIR and PREFIX as usual
#
# BUILD is where everything goes; SANITIZE=1 builds with ASan and UBSan there.

BUILD ?= build
PREFIX ?= /usr/local
CC ?= cc
OBJCOPY ?= objcopy
CLANG ?= $(firstword $(foreach c,clang-19 clang,$(shell command -v $(c))))
MULTIARCH := $(shell $(CC) -dumpmachine 2>/dev/null | sed 's/-pc-/-/; s/-unknown-/-/')

CFLAGS ?= -O2 -g
WARNINGS = -Wall -Wextra -Wconversion -Wshadow $(if $(CI)$(WERROR),-Werror)
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(CFLAGS) -fvisibility=hidden -iquote . -MMD -MP
ifdef SANITIZE
ALL_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
endif
FREESTANDING = -ffreestanding -nostdinc -isystem $(shell $(CC) -print-file-name=include)

LIB_MODULES = elf bpfinsn netlink loader hook vpc
LIB_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(foreach m,$(LIB_MODULES),$(wildcard $(m)/*.c)))
CMD_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(wildcard cmd/*.c))
CNI_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(wildcard cni/*.c))
BPF_OBJECTS = $(patsubst %.bpf.c,$(BUILD)/%.bpf.o,$(wildcard bpf/*.bpf.c))

.PHONY: all bpf deps deps-build demo demo-vpc bench-cni check static initramfs install clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/bpfstamp $(BUILD)/bpfstamp-cni $(BUILD)/libbpfstamp.a bpf

$(BUILD)/bpfstamp: $(CMD_OBJECTS) $(BUILD)/libbpfstamp.a
	$(CC) $(LDFLAGS) -o $@ $^ -lmnl -lz -ljansson

# The plugin makes interfaces, too, which is no business of the library: it sees all of netlink/.
$(BUILD)/bpfstamp-cni: $(CNI_OBJECTS) $(LIB_OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ -lmnl -lz -ljansson

# One object, of which only what bpfstamp.h declares can be seen from outside.
$(BUILD)/libbpfstamp.a: $(LIB_OBJECTS)
	$(CC) -r -nostdlib -o $(BUILD)/libbpfstamp.o $^
	$(OBJCOPY) --localize-hidden $(BUILD)/libbpfstamp.o
	rm -f $@
	$(AR) rcs $@ $(BUILD)/libbpfstamp.o

# elf/ and bpfinsn/ need no C library.
$(BUILD)/elf/%.o $(BUILD)/bpfinsn/%.o: ALL_CFLAGS += $(FREESTANDING)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

ifeq ($(CLANG),)
bpf:
	@echo "no clang: the BPF objects are not built"
else
bpf: $(BPF_OBJECTS)
endif

BPF_TARGET = bpf
UAPI = /usr/include/$(MULTIARCH)
BPF_CFLAGS = -target $(BPF_TARGET) -O2 -g -ffile-prefix-map=$(CURDIR)=. -Wall -Wextra -Werror \
	-iquote include -isystem $(UAPI)

$(BUILD)/%.bpf.o: %.bpf.c $(wildcard bpf/*.h) include/bpfstamp.bpf.h
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -mcpu=v3 -c -o $@ $<

deps:
	@tests/deps.sh all

deps-build:
	@tests/deps.sh build

demo: deps-build
	@$(MAKE) -s --no-print-directory all
	@BPFSTAMP='$(BUILD)/bpfstamp' BPF='$(BUILD)/bpf' TARGET='$(TARGET)' tests/demo.sh

STATIC = $(addprefix $(BUILD)/static/,bpfstamp bpfstamp-cni install)

demo-vpc: deps
	@$(MAKE) -s --no-print-directory all
	@BUILD='$(BUILD)' tests/demo_vpc.sh

static: $(STATIC)

$(STATIC) &: cmd/static.sh cmd/debian.sh $(wildcard $(foreach m,$(LIB_MODULES) cmd cni include,$(m)/*.[ch]) bpf/*.h) \
		deploy/install.c \
		$(if $(CLANG),$(BPF_OBJECTS))
	@CC='$(CC)' OBJCOPY='$(OBJCOPY)' cmd/static.sh $(@D) $(filter %.bpf.o,$^)

$(BUILD)/bench/spawn: $(BUILD)/bench/spawn.o
	$(CC) $(LDFLAGS) -o $@ $^

bench-cni: deps
	@$(MAKE) -s --no-print-directory all static $(BUILD)/bench/spawn
	@BUILD='$(BUILD)' bench/cni.sh

INITRAMFS = deploy/initramfs/run.sh $(BUILD)/initramfs $(BUILD)/kernels/6.12 \
	$(BUILD)/static/bpfstamp $(BUILD)/bpf/ping_drop_stamp.bpf.o

initramfs: static bpf
	@$(INITRAMFS)

install: all
	install -D -m 755 $(BUILD)/bpfstamp $(DESTDIR)$(PREFIX)/bin/bpfstamp
	install -D -m 755 $(BUILD)/bpfstamp-cni $(DESTDIR)$(PREFIX)/lib/cni/bpfstamp-cni
	install -D -m 644 $(BUILD)/libbpfstamp.a $(DESTDIR)$(PREFIX)/lib/libbpfstamp.a
	install -D -m 644 include/bpfstamp.h $(DESTDIR)$(PREFIX)/include/bpfstamp.h
	install -D -m 644 include/bpfstamp_vpc.h $(DESTDIR)$(PREFIX)/include/bpfstamp_vpc.h
	install -D -m 644 include/bpfstamp.bpf.h $(DESTDIR)$(PREFIX)/include/bpfstamp.bpf.h
	install -D -m 644 bpf/vpc.h $(DESTDIR)$(PREFIX)/include/bpfstamp/vpc.h
	for page in bpfstamp.8 bpfstamp-cni.8; do \
		install -D -m 644 man/$$page $(DESTDIR)$(PREFIX)/share/man/man8/$$page || exit 1; \
	done
	for o in $(if $(CLANG),$(BPF_OBJECTS)); do \
		install -D -m 644 $$o $(DESTDIR)$(PREFIX)/lib/bpfstamp/$${o##*/} || exit 1; \
	done

clean:
	rm -rf $(BUILD)

include tests/tests.mk
include bench/bench.mk

-include $(LIB_OBJECTS:.o=.d) $(CMD_OBJECTS:.o=.d) $(CNI_OBJECTS:.o=.d)
