# SPDX-License-Identifier: MIT
# Targets besides building; included by the Makefile.

.PHONY: run test unit help clean
run:
	$(Q)tools/setup build
	$(Q)$(MAKE) --no-print-directory all
	$(Q)exec ./mox localserve

test:
	$(Q)tools/setup test
	$(Q)$(MAKE) --no-print-directory unit

unit: $(foreach p,$(TESTPKGS),$(O)/test/$(p))
	$(Q)tools/runtests $(foreach p,$(TESTPKGS),$(O)/test/$(p))

clean:
	rm -rf $(BUILD) mox
