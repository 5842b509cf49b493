# generate.mk - what is made from .proto, .sql, .html, .po and static files before C is compiled.
#
# Rules per kind; the lists of a service follow from the files its folder has.

say = @echo "  GEN     $@"

PB_NAMES := $(PROTOS:proto/%.proto=%)
PB_C     := $(PB_NAMES:%=$(GEN)/%.pb-c.c)

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: proto/%.proto $(PROTOS)
	@mkdir -p $(GEN)
	$(say)
	$(Q)protoc-c --proto_path=proto --c_out=$(GEN) $<

$(GEN)/limits.c: $(PROTOS) $(TOOLS)/compile_limits.py
	@mkdir -p $(GEN)
	$(say)
	$(Q)$(PYTHON) $(TOOLS)/compile_limits.py $@ $(PROTOS)

# These two read all sources but seldom change: a stamp remembers when they were made, and the
# file itself is touched only when it is another one, so that nothing is compiled again for it.
ALL_SOURCES := $(filter-out services/lib/tools/%,$(shell find services -name '*.c'))
replace_if_changed = @if cmp -s $(1).new $(1); then rm $(1).new; else mv $(1).new $(1); fi; touch $@

# Every setting any daemon knows, because one environment may serve them all.
$(GEN)/known_settings.stamp: $(ALL_SOURCES) $(TOOLS)/compile_settings.py
	@mkdir -p $(GEN)
	$(Q)$(PYTHON) $(TOOLS)/compile_settings.py $(GEN)/known_settings.h.new $(ALL_SOURCES)
	$(call replace_if_changed,$(GEN)/known_settings.h)
$(GEN)/known_settings.h: $(GEN)/known_settings.stamp
	@test -e $@ || { rm $<; $(MAKE) $<; }

CATALOGUES := $(wildcard services/*/locale/*.po)
LOCALE_SOURCES := $(wildcard services/*/templates/*) $(ALL_SOURCES)
$(GEN)/catalogue.stamp: $(CATALOGUES) $(LOCALE_SOURCES) $(TOOLS)/compile_locale.py
	@mkdir -p $(GEN)
	$(Q)$(PYTHON) $(TOOLS)/compile_locale.py $(GEN)/catalogue.c.new $(CATALOGUES) -- $(LOCALE_SOURCES)
	$(call replace_if_changed,$(GEN)/catalogue.c)
$(GEN)/catalogue.c: $(GEN)/catalogue.stamp
	@test -e $@ || { rm $<; $(MAKE) $<; }

GEN_LIB_SRC := $(PB_C) $(GEN)/limits.c $(GEN)/catalogue.c \
               $(if $(wildcard services/lib/queries.sql),$(GEN)/lib/queries.c)
GEN_LIB_OBJ := $(GEN_LIB_SRC:.c=.o)
GEN_HEADERS := $(PB_C:.c=.h) $(GEN)/known_settings.h $(if $(wildcard services/lib/queries.sql),$(GEN)/lib/queries.h)
$(GEN_LIB_SRC:.c=.o): | $(GEN_HEADERS)

# Templates hold C that we wrote: a wrong pointer in one is an error like anywhere else.
$(GEN)/%_templates.o: $(GEN)/%_templates.c $(BUILD)/toolchain $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) -isystem $(@D) $(CFLAGS) -MD -MP -c -o $@ $<

# Other generated C is compiled without our warnings: it is not ours to mend.
$(GEN)/%.o: $(GEN)/%.c $(BUILD)/toolchain $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) -isystem $(@D) $(filter-out -W% -Werror,$(CFLAGS)) -w -MD -MP -c -o $@ $<

$(GEN)/%/queries.c $(GEN)/%/queries.h: services/%/queries.sql services/lib/queries.sql $(TOOLS)/compile_queries.py
	@mkdir -p $(GEN)/$*
	$(say)
	$(Q)$(PYTHON) $(TOOLS)/compile_queries.py $< $(GEN)/$*/queries.c $(GEN)/$*/queries.h

# A service's own migrations come after those of lib that it names (migrations/lib.list).
define generated
$(1)_TEMPLATES  := $$(wildcard services/$(1)/templates/*)
$(1)_STATIC     := $$(wildcard services/$(1)/static/*)
$(1)_MIGRATIONS := $$(wildcard services/$(1)/migrations/*)
GEN_$(1)_SRC := $$(if $$(wildcard services/$(1)/queries.sql),$$(GEN)/$(1)/queries.c) \
                $$(if $$($(1)_MIGRATIONS),$$(GEN)/$(1)/migrations.c) \
                $$(if $$($(1)_TEMPLATES),$$(GEN)/$(1)/$(1)_templates.c) \
                $$(if $$($(1)_STATIC),$$(GEN)/$(1)/$(1)_static.c)
GEN_$(1)_OBJ := $$(GEN_$(1)_SRC:.c=.o)
GEN_HEADERS  += $$(GEN_$(1)_SRC:.c=.h)
$$(GEN_$(1)_OBJ): | $$(GEN_HEADERS)

$$(GEN)/$(1)/migrations.c $$(GEN)/$(1)/migrations.h &: $$($(1)_MIGRATIONS) $$(wildcard services/lib/migrations/*) $$(TOOLS)/compile_migrations.py
	@mkdir -p $$(GEN)/$(1)
	$$(say)
	$$(Q)$$(PYTHON) $$(TOOLS)/compile_migrations.py services/$(1)/migrations services/lib/migrations $$(GEN)/$(1)/migrations.c $$(GEN)/$(1)/migrations.h

$$(GEN)/$(1)/$(1)_templates.c $$(GEN)/$(1)/$(1)_templates.h &: $$($(1)_TEMPLATES) $$(TOOLS)/compile_templates.py
	@mkdir -p $$(GEN)/$(1)
	$$(say)
	$$(Q)$$(PYTHON) $$(TOOLS)/compile_templates.py services/$(1)/templates $$(GEN)/$(1)/$(1)_templates.c $$(GEN)/$(1)/$(1)_templates.h

$$(GEN)/$(1)/$(1)_static.c $$(GEN)/$(1)/$(1)_static.h &: $$($(1)_STATIC) $$(TOOLS)/compile_static.py
	@mkdir -p $$(GEN)/$(1)
	$$(say)
	$$(Q)$$(PYTHON) $$(TOOLS)/compile_static.py services/$(1)/static $$(GEN)/$(1)/$(1)_static.c $$(GEN)/$(1)/$(1)_static.h
endef
$(foreach s,$(FOLDERS),$(eval $(call generated,$(s))))
