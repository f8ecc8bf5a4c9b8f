# SPDX-License-Identifier: BSD-2-Clause
#
# The tests, included by the Makefile.  `make check` runs, cheapest first:
#
#   freestanding   elf/ and bpfinsn/ import nothing but mem* and str*
#   clang          everything builds with the other compiler, too
#   unit           tests/test_*.c
#   sanitized      the same, with ASan and UBSan
#   cli, kernel, load, attach    tests/*.sh: the command, real packets, whole objects, living with what is attached
#   batch          tests/batch.sh: a thousand interfaces in one run
#   syscalls       tests/syscalls.sh: what the static program asks the kernel for, call by call
#   vpc            tests/vpc.sh: the VXLAN and VLAN programs, on nodes with pods
#   cni            tests/cni.sh: the CNI plugin, behind and above others, in every version; kill -9 at any point
#   life           tests/life.sh: traffic, others and kill -9 while programs come and go
#   cnirun         tests/cnirun.sh: the CNI plugin run by libcni and podman, many at once, and kill -9
#   compat         libbpf and bpfstamp load the same objects to the same end
#   oracle         two constants, two compiles, one result (tests/oracle)
#   kernels        the tests that ask a kernel, on others in qemu (tests/kernels)
#   initramfs      make initramfs
#   deploy         tests/deploy.sh: the containers of deploy/, and the networks
#   fuzz           tests/fuzz_*.c, FUZZ_SECONDS each; with CI set always from the same seed
#
# A test that the machine cannot run prints SKIP; with CI set that is a failure.

FUZZ_SECONDS ?= $(if $(CI),30,5)
MCPUS = v1 v2 v3 v4

UNIT_SUITES = $(patsubst tests/test_%.c,%,$(wildcard tests/test_*.c))
FUZZERS = $(filter-out corpus,$(patsubst tests/fuzz_%.c,%,$(wildcard tests/fuzz_*.c)))
TEST_SUPPORT = $(filter-out tests/test_% tests/fuzz_% tests/unit.c,$(wildcard tests/*.c))
TEST_SOURCES = $(wildcard tests/test_*.c) tests/unit.c $(TEST_SUPPORT)
TEST_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(TEST_SOURCES))

# Each BPF source, for each -mcpu.
TEST_BPF_SOURCES = $(wildcard bpf/*.bpf.c tests/objects/*.bpf.c)
TEST_BPF = $(foreach m,$(MCPUS),$(patsubst %.bpf.c,$(BUILD)/tests/objects/%.$(m).o,$(notdir $(TEST_BPF_SOURCES))))
TEST_BPF_HEADERS = $(wildcard tests/objects/*.h)
ABSOLUTE = $(abspath $(BUILD))
TEST_ENV = BPFSTAMP=$(ABSOLUTE)/bpfstamp OBJECTS=$(ABSOLUTE)/tests/objects BPF=$(ABSOLUTE)/bpf CLANG="$(CLANG)" \
	BPF_OBJECTS="$(abspath $(TEST_BPF))" REALOBJ=$(ABSOLUTE)/tests/realobj \
	CK_DEFAULT_TIMEOUT=60 CK_TIMEOUT_MULTIPLIER=5

.PHONY: check-freestanding check-clang check-unit check-sanitized check-cli check-kernel check-load check-attach \
	check-batch check-syscalls check-vpc check-cni check-cnirun check-life check-compat check-fuzz check-oracle \
	check-kernels check-initramfs check-deploy oracle forms unit-tests life-helpers test-objects

check:
	@tests/deps.sh all
	@$(MAKE) --no-print-directory WERROR=1 check-freestanding check-clang
	@$(MAKE) --no-print-directory WERROR=1 check-unit
	@$(MAKE) --no-print-directory WERROR=1 check-sanitized
	@$(MAKE) --no-print-directory WERROR=1 check-cli
	@$(MAKE) --no-print-directory WERROR=1 check-kernel
	@$(MAKE) --no-print-directory WERROR=1 check-load
	@$(MAKE) --no-print-directory WERROR=1 check-attach
	@$(MAKE) --no-print-directory WERROR=1 check-batch
	@$(MAKE) --no-print-directory WERROR=1 check-syscalls
	@$(MAKE) --no-print-directory WERROR=1 check-vpc
	@$(MAKE) --no-print-directory WERROR=1 check-cni
	@$(MAKE) --no-print-directory WERROR=1 check-life
	@$(MAKE) --no-print-directory WERROR=1 check-cnirun
	@$(MAKE) --no-print-directory WERROR=1 check-compat
	@$(MAKE) --no-print-directory WERROR=1 check-oracle
	@$(MAKE) --no-print-directory WERROR=1 check-kernels
	@$(MAKE) --no-print-directory WERROR=1 check-initramfs
	@$(MAKE) --no-print-directory WERROR=1 check-deploy
	@$(MAKE) --no-print-directory WERROR=1 check-fuzz
	@echo "all checks passed"

check-freestanding: $(filter $(BUILD)/elf/% $(BUILD)/bpfinsn/%,$(LIB_OBJECTS))
	@$(CC) -r -nostdlib -o $(BUILD)/freestanding.o $^
	@foreign=$$(nm -u $(BUILD)/freestanding.o | awk '{print $$2}' | grep -Ev '^(mem|str)[a-z]+$$'); \
	if [ -n "$$foreign" ]; then echo "elf/ and bpfinsn/ import:" $$foreign; exit 1; fi
	@echo "freestanding: elf/ and bpfinsn/ import only:" $$(nm -u $(BUILD)/freestanding.o | awk '{print $$2}')

check-clang:
	@if [ -z "$(CLANG)" ]; then echo "SKIP clang: there is none"; test -z "$(CI)"; else \
	$(MAKE) -s --no-print-directory BUILD=$(BUILD)/clang CC=$(CLANG) WERROR=1 all unit-tests life-helpers && \
	echo "clang: builds without a warning"; fi

$(BUILD)/tests/suites.h: $(wildcard tests/test_*.c)
	@mkdir -p $(@D)
	printf 'SUITE(%s)\n' $(UNIT_SUITES) >$@

$(BUILD)/tests/unit.o: $(BUILD)/tests/suites.h
$(BUILD)/tests/unit.o: ALL_CFLAGS += -iquote $(BUILD)/tests

UNIT_LIBS = -lcheck -lsubunit -lpthread -lrt -lm -lmnl -lz -ljansson

# What tests/test_hotpath_kernel.c counts.
UNIT_WRAPS = $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc strdup strndup fopen mmap)
comma = ,

# What the plugin is made of, without its main.
CNI_PARTS = $(filter-out %/main.o,$(CNI_OBJECTS))

$(BUILD)/unit: $(TEST_OBJECTS) $(LIB_OBJECTS) $(CNI_PARTS)
	$(CC) $(LDFLAGS) $(UNIT_WRAPS) -o $@ $^ $(UNIT_LIBS)

unit-tests: $(BUILD)/unit

# The same without shared libraries, for machines that have none.
$(BUILD)/static/unit: $(TEST_OBJECTS) $(LIB_OBJECTS) $(CNI_PARTS) $(BUILD)/static/bpfstamp
	$(CC) $(LDFLAGS) $(UNIT_WRAPS) -static -s -L$(@D) -o $@ $(filter %.o,$^) $(UNIT_LIBS)

define test_bpf_rule
$(BUILD)/tests/objects/%.$(1).o: $(2)/%.bpf.c $(wildcard bpf/*.h) include/bpfstamp.bpf.h $(TEST_BPF_HEADERS)
	@mkdir -p $$(@D)
	$$(CLANG) $$(BPF_CFLAGS) -iquote bpf -mcpu=$(1) -c -o $$@ $$<
endef
$(foreach m,$(MCPUS),$(foreach d,bpf tests/objects,$(eval $(call test_bpf_rule,$(m),$(d)))))

TEST_BPF_BUILT = $(if $(CLANG),$(TEST_BPF))

check-unit: $(BUILD)/unit $(TEST_BPF_BUILT)
	@mkdir -p $(BUILD)/tests/realobj
	@$(TEST_ENV) tests/run.sh unit $(BUILD)/unit
	@touch $(BUILD)/tests/realobj/made

# What the unit tests compile, for machines that have no compiler.
$(BUILD)/tests/realobj/made: $(BUILD)/unit $(TEST_BPF_BUILT)
	@mkdir -p $(@D)
	@$(TEST_ENV) $(BUILD)/unit >$(@D)/log 2>&1 || { cat $(@D)/log; exit 1; }
	@touch $@

test-objects: $(TEST_BPF_BUILT)

# The suites that change what belongs to a process, so that each test needs one; and others that ask the kernel.
suites_with = $(patsubst tests/test_%.c,%,$(shell grep -lE '$(1)' $(wildcard tests/test_*.c)))
FORKING_SUITES = $(call suites_with,tests/(netns|bpffs|bpfcalls|[a-z]+bed)\.h|CLONE_NEW|setres|setrlimit)
KERNEL_SUITES = $(filter-out $(FORKING_SUITES),\
	$(call suites_with,loader/sys\.h|SYS_bpf|bpfstamp_load|kernel_open|kconfig_open))

check-kernels: $(if $(CLANG),$(BUILD)/tests/realobj/made)
	+@$(TEST_ENV) MAKE='$(MAKE) --no-print-directory' BUILD=$(ABSOLUTE) SUITES='$(UNIT_SUITES)' \
		FORKING_SUITES='$(FORKING_SUITES)' KERNEL_SUITES='$(KERNEL_SUITES)' \
		tests/kernels/run.sh $(BUILD)/kernels $(KERNELS)

check-initramfs: static bpf
	@MAY_SKIP=1 $(INITRAMFS)

check-deploy: all static test-objects
	@$(TEST_ENV) BUILD=$(ABSOLUTE) tests/deploy.sh

check-sanitized: $(TEST_BPF_BUILT)
	@$(MAKE) -s --no-print-directory BUILD=$(BUILD)/sanitized SANITIZE=1 unit-tests
	@$(TEST_ENV) tests/run.sh sanitized $(BUILD)/sanitized/unit

check-cli check-kernel check-load check-attach check-batch check-vpc: check-%: all $(TEST_BPF_BUILT)
	@$(TEST_ENV) tests/$*.sh

check-syscalls: static $(TEST_BPF_BUILT)
	@$(TEST_ENV) BPFSTAMP=$(ABSOLUTE)/static/bpfstamp tests/syscalls.sh

$(BUILD)/record.so: tests/record/record.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -D_GNU_SOURCE -fPIC -shared -o $@ $<

LIFE = $(BUILD)/tests/life/stream $(BUILD)/tests/life/between

$(LIFE): $(BUILD)/tests/life/%: tests/life/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $<

$(BUILD)/tests/life/gate.o: tests/life/gate.bpf.c $(wildcard bpf/*.h) include/bpfstamp.bpf.h
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -iquote bpf -mcpu=v3 -c -o $@ $<

life-helpers: $(LIFE)

check-life check-cni: check-%: all $(LIFE) $(if $(CLANG),$(BUILD)/tests/life/gate.o)
	@$(TEST_ENV) LIFE=$(ABSOLUTE)/tests/life tests/$*.sh

check-cnirun: all $(LIFE) $(TEST_BPF_BUILT)
	@$(TEST_ENV) LIFE=$(ABSOLUTE)/tests/life tests/cnirun.sh

check-compat: all $(TEST_BPF_BUILT) $(BUILD)/record.so
	@$(TEST_ENV) RECORDER=$(ABSOLUTE)/record.so tests/compat.sh

ORACLE_CASES ?= 1000
ORACLE_OBJECTS = $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/oracle/*.c))
ORACLE = $(TEST_ENV) tests/run.sh oracle $(BUILD)/oracle --keep $(BUILD)/oracle-found --cases

$(BUILD)/oracle: $(ORACLE_OBJECTS) $(BUILD)/libbpfstamp.a
	$(CC) $(LDFLAGS) -o $@ $^ -lmnl -lz

check-oracle: $(BUILD)/oracle
	@$(ORACLE) $(ORACLE_CASES)
	@$(ORACLE) $(ORACLE_CASES) --stamp
	@$(ORACLE) $(ORACLE_CASES) --inline

oracle:
	@$(MAKE) --no-print-directory ORACLE_CASES=20000 check-oracle

forms: $(BUILD)/oracle
	@$(BUILD)/oracle --forms

$(BUILD)/corpus/made: $(BUILD)/fuzz_corpus $(TEST_BPF_BUILT)
	@$(TEST_ENV) $(BUILD)/fuzz_corpus $(BUILD)/corpus && touch $@

$(BUILD)/fuzz_corpus: $(BUILD)/tests/fuzz_corpus.o $(patsubst %.c,$(BUILD)/%.o,$(TEST_SUPPORT)) $(LIB_OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(UNIT_LIBS)

FUZZ_FLAGS = -std=gnu11 -O1 -g -iquote . -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_SOURCES = $(foreach m,$(LIB_MODULES),$(wildcard $(m)/*.c)) $(filter-out cni/main.c,$(wildcard cni/*.c))

FUZZ_OBJECTS = $(patsubst %.c,$(BUILD)/fuzz/lib/%.o,$(FUZZ_SOURCES))

$(BUILD)/fuzz/lib/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(subst -fsanitize=fuzzer,-fsanitize=fuzzer-no-link,$(FUZZ_FLAGS)) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libfuzzed.a: $(FUZZ_OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/fuzz/%: tests/fuzz_%.c tests/walk.c $(BUILD)/fuzz/libfuzzed.a
	$(CLANG) $(FUZZ_FLAGS) -o $@ $< tests/walk.c $(BUILD)/fuzz/libfuzzed.a -lmnl -lz -ljansson

check-fuzz: $(addprefix check-fuzz-,$(FUZZERS))

check-fuzz-%: $(BUILD)/fuzz/% $(BUILD)/corpus/made
	@mkdir -p $(BUILD)/corpus/$* $(BUILD)/fuzz/found/$*
	@$< -max_total_time=$(FUZZ_SECONDS) $(if $(CI),-seed=1) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/fuzz/crash-$*- $(BUILD)/fuzz/found/$* $(BUILD)/corpus/$* \
		>$(BUILD)/fuzz/$*.log 2>&1 || { tail -40 $(BUILD)/fuzz/$*.log; exit 1; }
	@echo "fuzz $*: $$(sed -n 's/^stat::number_of_executed_units: *//p' $(BUILD)/fuzz/$*.log) inputs, no fault"

-include $(TEST_OBJECTS:.o=.d) $(BUILD)/tests/fuzz_corpus.d $(ORACLE_OBJECTS:.o=.d) $(FUZZ_OBJECTS:.o=.d)
