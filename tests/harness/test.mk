# test.mk - `make test`: everything that can be proved on this machine, in one line at the end.

PYTEST_FILES = $(wildcard tests/integration/test_*.py tests/fault/test_*.py tests/browser/test_*.py)

test: ## install what the tests need, build, run all tests (SANITIZE=1: under ASan and UBSan)
	$(Q)sh deploy/install.sh build run test
	$(Q)$(MAKE) --no-print-directory all unit harness
	$(Q)$(PYTHON) tests/run.py --build $(BUILD) $(if $(SANITIZE),--without browser) \
		$(foreach word,$(ONLY),--only $(word))

.PHONY: test
