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

unit: $(foreach p,$(TESTPKGS),$(O)/test/$(p))
	$(Q)tools/runtests $(foreach p,$(TESTPKGS),$(O)/test/$(p))

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
	$(Q)for t in tools/lint/test tools/rfcref_test; do $$t || exit 1; done

# Advisory: read what they say. PKG=x limits them to one package.
.PHONY: tidy
PKG ?= *
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
