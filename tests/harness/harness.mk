# harness.mk - small programs around lib that integration tests start (tests/harness/*.c).

HARNESS := $(patsubst tests/harness/%.c,$(BUILD)/harness/%,$(wildcard tests/harness/*.c))

$(call objects,$(wildcard tests/harness/*.c)): | $(GEN_HEADERS)
$(HARNESS): $(BUILD)/harness/%: $(BUILD)/obj/tests/harness/%.o $(LIB)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

harness: $(HARNESS) ## build the programs that the integration tests start

.PHONY: harness
