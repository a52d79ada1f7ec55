# SPDX-License-Identifier: MIT
# make            build build/release/mox and the link ./mox
# make run        install what building needs, build, start "mox localserve"
# make test       install what testing needs, build, run all unit tests
# make help       the other targets
#
# V chooses the variant: release (default), debug, asan, tsan, cov, fuzz. Each has a tree of its own below $(BUILD)/.
# VERBOSE=1 shows the commands. WERROR=1 makes warnings errors (CI does).

BUILD   ?= build
V       ?= release
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC      := gcc
endif
O       := $(BUILD)/$(V)
GEN     := $(BUILD)/gen
Q       := $(if $(VERBOSE),,@)

CSTD    := -std=gnu17
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes -Wvla \
	-Wwrite-strings -Wpointer-arith -Wundef -Wformat=2 -Wcast-qual -Wimplicit-fallthrough -Wunused-result
GCCWARN := -Wduplicated-cond -Wlogical-op -Wnull-dereference
HARD    := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection=full -ftrivial-auto-var-init=zero -fno-delete-null-pointer-checks -fno-strict-overflow
COMMON  := -g -fno-omit-frame-pointer -fno-strict-aliasing -fPIE -pthread
LDHARD  := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed

FLAGS_release := -O2 -flto=auto -ffat-lto-objects $(HARD)
FLAGS_debug   := -Og $(HARD) -DMOX_DEBUG=1
FLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -DMOX_DEBUG=1
FLAGS_tsan    := -O1 -fsanitize=thread -DMOX_DEBUG=1
FLAGS_cov     := -O0 --coverage -DMOX_DEBUG=1 -DMOX_COV=1
FLAGS_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -DMOX_DEBUG=1 -DMOX_FUZZ=1
ifeq ($(FLAGS_$(V)),)
$(error V=$(V) is no variant; use release, debug, asan, tsan, cov or fuzz)
endif
# gcc loses track of initialisation under a sanitizer and warns of what is not so; the other variants keep the warning.
NOWARN_asan   := -Wno-maybe-uninitialized -Wno-null-dereference
NOWARN_tsan   := -Wno-maybe-uninitialized -Wno-null-dereference
ifeq ($(V),fuzz)
override CC   := clang
GCCWARN :=
endif

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
INC     := -Ipkg -I$(GEN)
ALLFLAGS = $(CSTD) $(WARN) $(GCCWARN) $(NOWARN_$(V)) $(if $(WERROR),-Werror) $(COMMON) $(FLAGS_$(V)) $(INC) \
	-D_GNU_SOURCE -DMOX_BUILD=1 -include pkg/base/banned.h $(CFLAGS)
LIBS    := -lldns -levent_core -levent_pthreads -lssl -lcrypto -lsqlite3 -lcjson -lidn2 -lunistring -lpsl -lcurl \
	-larchive -lz -lexpat -lgumbo -lpcre2-8 -lcrypt -lnghttp2 -lqrencode -lm

# Packages that have sources, in the order of pkg/LAYERS.
LAYERS  := $(shell tools/layers)
PKGS    := $(foreach l,$(LAYERS),$(if $(wildcard pkg/$(firstword $(subst :, ,$l))/*.c),$(firstword $(subst :, ,$l))))
# DEPS_x: those that x may include.
comma   := ,
$(foreach l,$(LAYERS),$(eval DEPS_$(subst :, := ,$(subst $(comma), ,$l))))
$(foreach p,$(PKGS),$(eval DEPS_$p := $(filter $(PKGS),$(DEPS_$p))))
SRC      = $(filter-out %_test.c %_fuzz.c %_bench.c,$(wildcard pkg/$1/*.c))
# x_test.idl describes types of tests only.
IDL     := $(wildcard pkg/*/*.idl)
ALLGENC := $(patsubst pkg/%.idl,$(GEN)/%_idl.c,$(IDL))
GENC    := $(filter-out %_test_idl.c,$(ALLGENC))
GENH    := $(ALLGENC:.c=.h)
OBJ      = $(patsubst %.c,$(O)/%.o,$(call SRC,$1)) $(patsubst $(GEN)/%.c,$(O)/gen/%.o,$(filter $(GEN)/$1/%,$(GENC)))
TOBJ     = $(patsubst %.c,$(O)/%.o,$(wildcard pkg/$1/*_test.c)) $(patsubst $(GEN)/%.c,$(O)/gen/%.o,$(filter $(GEN)/$1/%_test_idl.c,$(ALLGENC)))
LIBA     = $(O)/lib/lib$1.a
ALLA    := $(foreach p,$(PKGS),$(call LIBA,$(p)))
MOXSRC  := $(wildcard cmd/mox/*.c)
MOXOBJ  := $(patsubst %.c,$(O)/%.o,$(filter-out %_test.c,$(MOXSRC)))
TESTPKGS:= $(foreach p,$(PKGS),$(if $(wildcard pkg/$(p)/*_test.c),$(p)))
FUZZSRC := $(wildcard pkg/*/*_fuzz.c) $(wildcard fuzz/*_fuzz.c) $(wildcard tools/*/*_fuzz.c)
FUZZERS := $(patsubst %_fuzz.c,%,$(notdir $(FUZZSRC)))
BENCHSRC:= $(wildcard pkg/*/*_bench.c)

.PHONY: all
all: $(O)/mox
	$(Q)ln -sf $(O)/mox mox

$(O)/mox: $(MOXOBJ) $(filter-out %/libtestutil.a %/libdns_mock.a,$(ALLA))
	@echo "LD $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLFLAGS) $(LDHARD) -o $@ $(MOXOBJ) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)

$(O)/cmd/mox/version.o: ALLFLAGS += -DMOX_VERSION='"$(VERSION)"'

$(O)/%.o: %.c | $(GENH)
	@echo "CC $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<
$(O)/gen/%.o: $(GEN)/%.c
	@echo "CC $<"
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

# One description of every type: pkg/x/y.idl gives $(GEN)/x/y_idl.{h,c}. idlgen itself needs only base.
IDLGEN  := $(BUILD)/tools/idlgen
IDLSRC  := $(filter-out %_test.c %_fuzz.c,$(wildcard tools/idlgen/*.c))
$(IDLGEN): $(IDLSRC) $(wildcard tools/idlgen/*.h) $(call SRC,base)
	@echo "HOSTCC $@"
	@mkdir -p $(@D)
	$(Q)gcc $(CSTD) $(WARN) -O1 -g -D_GNU_SOURCE -DMOX_BUILD=1 -include pkg/base/banned.h -Ipkg -pthread -o $@ $(filter %.c,$^) -lcrypto -lunistring -lz
$(GEN)/%_idl.c $(GEN)/%_idl.h &: pkg/%.idl $(IDLGEN)
	@echo "IDL $<"
	@mkdir -p $(@D)
	$(Q)$(IDLGEN) -o $(GEN)/$*_idl $<

# Again as a library, for its own test and fuzzer.
LIBIDL  := $(O)/lib/libidlgen.a
$(LIBIDL): $(patsubst %.c,$(O)/%.o,$(filter-out %/main.c,$(IDLSRC)))
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(O)/test/idlgen: $(O)/tools/idlgen/idlgen_test.o $(LIBIDL) $(foreach p,testutil typedesc log base,$(call LIBA,$(p)))
	@echo "LD $@"
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -flto=auto,$(ALLFLAGS)) -fno-lto $(LDHARD) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -lcmocka
.PHONY: test-idlgen
test-idlgen: $(O)/test/idlgen
	$(Q)$(O)/test/idlgen

define PKG_template
$(call LIBA,$1): $(call OBJ,$1)
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
# A test links its package whole (so that calls in every object resolve) and only what pkg/LAYERS lets it include, besides testutil, and
# dns_mock where dns may be used.
$(O)/test/$1: $(call TOBJ,$1) $(call LIBA,$1) $(foreach d,$(DEPS_$1),$(call LIBA,$(d))) $(call LIBA,testutil) $(if $(filter dns,$1 $(DEPS_$1)),$(call LIBA,dns_mock)) $(call LIBA,log) $(call LIBA,base)
	@echo "LD $$@"
	@mkdir -p $$(@D)
	$(Q)$(CC) $$(filter-out -flto=auto,$$(ALLFLAGS)) -fno-lto $(LDHARD) -o $$@ $$(filter %.o,$$^) -Wl,--whole-archive $(call LIBA,$1) -Wl,--no-whole-archive \
		-Wl,--start-group $$(filter-out $(call LIBA,$1),$$(filter %.a,$$^)) -Wl,--end-group $(LIBS) -lcmocka
.PHONY: test-$1
test-$1: $(O)/test/$1
	$(Q)$(O)/test/$1
endef
$(foreach p,$(PKGS),$(eval $(call PKG_template,$(p))))

include tools/targets.mk

-include $(shell find $(O) $(GEN) -name '*.d' 2>/dev/null)
