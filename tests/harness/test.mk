# test.mk - `make test`: everything that can be proved on this machine, in one line at the end.

test: ## install what the tests need, build, run all tests (SANITIZE=1: under ASan and UBSan)
	$(Q)sh deploy/install.sh build run test
	$(Q)$(MAKE) --no-print-directory all unit harness
	$(Q)$(PYTHON) tests/run.py --build $(BUILD) $(foreach kind,$(sort $(WITHOUT) $(if $(SANITIZE),browser)),--without $(kind)) \
		$(foreach word,$(ONLY),--only $(word))

fault: ## only the tests that kill daemons under load and compare a client's ledger with what is there
	$(Q)$(MAKE) --no-print-directory test WITHOUT="unit integration browser"

.PHONY: test fault
