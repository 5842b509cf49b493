# related.mk - the recommender against Xapian (libxapian-dev), and by itself at a million topics.

RELATED_BENCH := $(BUILD)/bench/related_bench

$(BUILD)/obj/tests/bench/related_xapian.o: tests/bench/related_xapian.cc tests/bench/related_xapian.h
	@mkdir -p $(@D)
	@echo "  CXX     $<"
	$(Q)$(CXX) -O2 -g -Wall -Wextra $(shell xapian-config --cxxflags 2>/dev/null) -c -o $@ $<

$(BUILD)/obj/tests/bench/related_bench.o: | $(GEN_HEADERS)
$(RELATED_BENCH): $(call objects,tests/bench/related_bench.c tests/bench/related_site.c) \
		$(BUILD)/obj/tests/bench/related_xapian.o $(BUILD)/related.a $(LIB)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(shell xapian-config --libs 2>/dev/null) -lstdc++

bench-related: $(RELATED_BENCH) ## the recommender's figures beside Xapian's, in one run
	@which xapian-config > /dev/null || { echo "bench-related: needs libxapian-dev"; exit 1; }
	$(RELATED_BENCH) 167000 short xapian
	$(RELATED_BENCH) 1000000 replies xapian

.PHONY: bench-related
