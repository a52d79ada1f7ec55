# SPDX-License-Identifier: MIT
# Targets besides building; included by the Makefile.

# A target with "## text" behind it is listed by "make help"; lines that start with "##:" are headings there.

##: Use
.PHONY: run
run: ## install what building needs, build, start "mox localserve"
	$(Q)tools/setup build
	$(Q)$(MAKE) --no-print-directory all
	$(Q)exec ./mox localserve

##: Test
.PHONY: test unit
test: ## install what testing needs, build, run all unit tests
	$(Q)tools/setup test
	$(Q)$(MAKE) --no-print-directory unit

# pkg/x/work_test.c bounds the work that hostile input causes. It belongs to the tests of x, and is the whole of the program test/x-work, for
# which x and the packages below it are compiled once more, so that test_work counts (pkg/testutil/testutil.h).
WORKPKGS := $(foreach p,$(PKGS),$(if $(wildcard pkg/$(p)/work_test.c),$(p)))
WORKCC   := -DMOX_WORK=1 -fsanitize-coverage=trace-pc -include pkg/testutil/work_internal.h
$(O)/work/%.o: %.c | $(GENH)
	@echo "CC $< (work)"
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -flto=auto -ffat-lto-objects,$(ALLFLAGS)) $(WORKCC) -MMD -MP -c -o $@ $<
define WORK_template
$(O)/test/$1-work: $(patsubst %.c,$(O)/work/%.o,pkg/$1/work_test.c $(foreach p,$1 $(DEPS_$1),$(call SRC,$(p)))) $(foreach p,testutil log base,$(call LIBA,$(p)))
	@echo "LD $$@"
	@mkdir -p $$(@D)
	$(Q)$(CC) $$(filter-out -flto=auto,$$(ALLFLAGS)) -fno-lto $(LDHARD) -o $$@ $$(filter %.o,$$^) \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(LIBS) -lcmocka
endef
$(foreach p,$(WORKPKGS),$(eval $(call WORK_template,$(p))))

UNITS := $(foreach p,$(TESTPKGS) idlgen $(patsubst %,%-work,$(filter $(TESTPKGS),$(WORKPKGS))),$(O)/test/$(p))
unit: $(UNITS)
	$(Q)tools/runtests $(UNITS)

# Coverage of what the tests of the packages run; PKG=x for one package, which lists what is missing, too.
.PHONY: cov cov-report
PKG ?= *
COVPKGS := $(if $(filter *,$(PKG)),$(TESTPKGS),$(PKG))
cov: ## run the tests with coverage, print a table per package (PKG=x for one)
	$(Q)$(MAKE) --no-print-directory V=cov cov-report
cov-report: $(foreach p,$(COVPKGS),$(O)/test/$(p))
	$(Q)find $(O) -name '*.gcda' -delete
	$(Q)tools/runtests $(foreach p,$(COVPKGS),$(O)/test/$(p))
	$(Q)tools/coverage $(O) $(COVPKGS)

# A fuzzer is pkg/x/NAME_fuzz.c (linked as the tests of x) or fuzz/NAME_fuzz.c (linked with all packages). It runs under libFuzzer (V=fuzz)
# or under tools/fuzzmain.c (the others). Seeds and old crashes: testdata/fuzz/NAME/; a dictionary: NAME_fuzz.dict beside the source.
FUZZ_SECONDS ?= 60
FUZZ_MUTATE ?= 2000
# $1 source, $2 name, $3 packages, $4 objects of x_test.idl: as an archive, since a fuzzer may use only some
define FUZZ_template
$(O)/fuzz/$2: $(O)/$(1:.c=.o) $(if $(filter fuzz,$(V)),,$(O)/tools/fuzzmain.o) $4 $(foreach p,$3,$(call LIBA,$(p)))
	@echo "LD $$@"
	@mkdir -p $$(@D)
	$(if $4,$(Q)rm -f $$@.a && ar rcs $$@.a $4)
	$(Q)$(CC) $$(filter-out -flto=auto,$$(ALLFLAGS)) $(if $(filter fuzz,$(V)),-fsanitize=fuzzer) $(LDHARD) -o $$@ $$(filter-out $4,$$(filter %.o,$$^)) \
		-Wl,--start-group $(if $4,$$@.a) $$(filter %.a,$$^) -Wl,--end-group $(LIBS) -lcmocka
endef
FUZZPKGS = $(if $(filter pkg/%,$1),$(call FUZZPKGS_,$(word 2,$(subst /, ,$1))),$(if $(filter tools/%,$1),base,$(PKGS)))
FUZZPKGS_ = $(sort $1 $(DEPS_$1) $(if $(filter dns,$1 $(DEPS_$1)),dns_mock) testutil log base)
FUZZIDL = $(filter %_test_idl.o,$(call TOBJ,$(word 2,$(subst /, ,$1))))
$(foreach f,$(FUZZSRC),$(eval $(call FUZZ_template,$f,$(patsubst %_fuzz.c,%,$(notdir $f)),$(call FUZZPKGS,$f),$(call FUZZIDL,$f))))

$(O)/fuzz/idl: $(LIBIDL)

.PHONY: fuzz-regress fuzz-replay $(addprefix fuzz-,$(FUZZERS)) $(addprefix fuzz-run-,$(FUZZERS))
fuzz-regress: ## replay the seeds of all fuzzers, with some mutations, under AddressSanitizer
	$(Q)$(MAKE) --no-print-directory V=asan fuzz-replay
fuzz-replay: $(addprefix $(O)/fuzz/,$(FUZZERS))
	$(Q)for f in $(FUZZERS); do $(O)/fuzz/$$f -mutate=$(FUZZ_MUTATE) $$(ls -d testdata/fuzz/$$f 2>/dev/null) || exit 1; done
# fuzz-NAME: run the fuzzer NAME with libFuzzer (clang) for FUZZ_SECONDS
$(addprefix fuzz-,$(FUZZERS)): fuzz-%:
	$(Q)$(MAKE) --no-print-directory V=fuzz fuzz-run-$*
# What it finds goes to build/corpus/NAME, crashes to build/crash-NAME-*.
$(addprefix fuzz-run-,$(FUZZERS)): fuzz-run-%: $(O)/fuzz/%
	@mkdir -p $(BUILD)/corpus/$*
	$(Q)$(O)/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/crash-$*- $(addprefix -dict=,$(wildcard $(patsubst %.c,%.dict,$(filter %/$*_fuzz.c,$(FUZZSRC))))) \
		$(BUILD)/corpus/$* $(wildcard testdata/fuzz/$*)

.PHONY: integration bench
integration: all ## real clients, bad input and crashes against build/$(V)/mox
	$(Q)integration/run -V $(V)

# BENCH="--only login" and the like are passed on.
bench: all ## compare with Postfix and Dovecot (needs root, and BENCHDIR)
	$(Q)tools/setup test peers
	$(Q)tools/bench $(BENCH)

# A package's x_bench.c is a program that links like its tests. V=release is what counts.
BENCHES := $(patsubst %_bench.c,%,$(notdir $(BENCHSRC)))
define BENCH_template
$(O)/bench/$1: $(O)/pkg/$1/$1_bench.o $(call LIBA,$1) $(foreach d,$(DEPS_$1),$(call LIBA,$(d))) \
	$(if $(filter dns,$(DEPS_$1)),$(call LIBA,dns_mock))
	@echo "LD $$@"
	@mkdir -p $$(@D)
	$(Q)$(CC) $$(ALLFLAGS) $(LDHARD) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $(LIBS)
.PHONY: bench-$1
bench-$1: $(O)/bench/$1
	$(Q)$(O)/bench/$1
endef
$(foreach b,$(BENCHES),$(eval $(call BENCH_template,$(b))))

# The same messages with libopendkim (package libopendkim-dev).
$(O)/bench/opendkim: integration/opendkim_bench.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(WARN) -O2 -o $@ $< -lopendkim
.PHONY: bench-opendkim
bench-opendkim: $(O)/bench/dkim $(O)/bench/opendkim ## DKIM beside libopendkim
	$(Q)d=$$(mktemp -d) && { $(O)/bench/dkim -w $$d && $(O)/bench/opendkim $$d; s=$$?; rm -rf $$d; exit $$s; }

##: Check
# Everything that is not a matter of running the program. -k: one failing part does not hide the others.
.PHONY: check check-headers check-lint check-rfc check-tools
check: ## lint, layers, headers, exported names, rfc references
	$(Q)$(MAKE) -k -Otarget --no-print-directory check-headers check-lint check-rfc check-tools

HEADERS := $(wildcard pkg/*/*.h)
check-headers: $(patsubst %.h,$(O)/check/%.ok,$(HEADERS)) ## each header compiles alone, and twice
	@echo "ok    headers        $(words $(HEADERS)) compile alone"
# Without banned.h, which brings system headers along.
$(O)/check/%.ok: %.h | $(GENH)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(WARN) -Werror -D_GNU_SOURCE $(INC) -fsyntax-only -MMD -MF $(@:.ok=.d) -MT $@ -include $< -include $< -x c /dev/null || { \
		echo "      -> include in $< what it uses, and guard it"; exit 1; }
	@touch $@

check-lint: $(ALLA) ## the rules of tools/lint
	$(Q)ARCHIVES="$(ALLA)" tools/lint/run

check-rfc: ## references to RFC lines exist
	$(Q)tools/rfcref check

check-tools: ## tests of the tools themselves
	$(Q)for t in tools/lint/test tools/rfcref_test tools/runtests_test tools/fuzzmain_test; do $$t || exit 1; done

# Advisory: read what they say. PKG=x limits them to one package.
.PHONY: tidy
tidy: $(GENH) ## clang-tidy and cppcheck (advisory; PKG=x for one package)
	$(Q)ls pkg/$(PKG)/*.c | xargs -P 2 -n 4 sh -c 'clang-tidy --quiet "$$@" -- $(CSTD) -D_GNU_SOURCE $(INC) -include pkg/base/banned.h 2>/dev/null' tidy
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --suppress=missingInclude \
		--suppress=unknownMacro -D_GNU_SOURCE $(INC) pkg/$(PKG)/*.c

##: Write
# Only lines that differ from BASE, and only in .c files: see .clang-format.
.PHONY: fmt fmt-check
BASE ?= HEAD
fmt: ## format the .c lines changed since BASE (default HEAD)
	$(Q)git clang-format --style file --extensions c $(BASE)
fmt-check: ## show what fmt would change
	$(Q)git clang-format --style file --extensions c --diff $(BASE)

.PHONY: rfc
rfc: ## download the texts of the RFCs in rfc/index.txt to rfc/
	$(Q)tools/rfcref download

##: Install
.PHONY: install
install: all ## install below $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/mox
	install -m 755 $(O)/mox $(DESTDIR)$(PREFIX)/bin/mox
	install -m 644 LICENSE README.md $(DESTDIR)$(PREFIX)/share/doc/mox
	$(if $(wildcard cmd/mox/mox.1),install -Dm 644 cmd/mox/mox.1 $(DESTDIR)$(PREFIX)/share/man/man1/mox.1)

##: Other
.PHONY: help clean
help: ## this list
	@awk -f tools/help.awk $(MAKEFILE_LIST)
clean: ## remove everything that was built
	rm -rf $(BUILD) mox
