# fuzz.mk - `make fuzz`: hostile bytes against the parsers that face browsers and other daemons.
#
# libFuzzer comes with clang, so the whole house is built by it, with the sanitizers, in a folder of its own. What was
# found interesting stays in build/fuzz/corpus/; an input that fails is left beside it.

FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
SECONDS ?= 60

$(call objects,$(wildcard tests/fuzz/*.c)): | $(GEN_HEADERS)
$(FUZZERS): $(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/gateway.a $(LIB)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

fuzz: ## feed hostile bytes to the parsers (SECONDS=60 for each; clang)
	$(Q)sh deploy/install.sh build fuzz
	$(Q)$(MAKE) --no-print-directory CC=clang BUILD=build/fuzz SANITIZE=1 FUZZ=1 all run-fuzzers

run-fuzzers: $(FUZZERS)
	$(Q)$(PYTHON) tests/fuzz/seed.py $(BUILD)/corpus
	$(Q)for fuzzer in $(FUZZERS); do \
		name=$$(basename $$fuzzer); \
		$$fuzzer -max_total_time=$(SECONDS) -max_len=2048 -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(BUILD)/$$name- $(BUILD)/corpus/$$name 2>$(BUILD)/$$name.log || { \
			tail -n 40 $(BUILD)/$$name.log; exit 1; }; \
		echo "$$name: $$(sed -n 's/^stat::number_of_executed_units: *//p' $(BUILD)/$$name.log) inputs in $(SECONDS) s, none fails"; \
	done

.PHONY: fuzz run-fuzzers
