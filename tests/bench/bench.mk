# bench.mk - `make bench`: the house against what it is built on, in ratios (build/bench.md).

RPC_BENCH := $(BUILD)/bench/bench_rpc

$(call objects,tests/bench/bench_rpc.c): | $(GEN_HEADERS)
$(RPC_BENCH): $(call objects,tests/bench/bench_rpc.c) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench: ## measure speed and memory against nginx, pgbench, nanomsg and Xapian (ONLY="P1 P4", ROUNDS=5, RELATED=1000000)
	$(Q)sh deploy/install.sh build run test bench
	$(Q)$(MAKE) --no-print-directory all $(RPC_BENCH) $(RELATED_BENCH)
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/bench/bench.py $(foreach row,$(ONLY),--only $(row)) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(RELATED),--related $(RELATED))

.PHONY: bench
