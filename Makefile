# Causerie: `make run` starts the whole site here, `make test` proves it, `make help` lists the rest.
#
# A service is any folder of services/ with a main.c; adding one needs no edit here. What is
# generated (protobuf, queries, migrations, templates, static files, catalogues, limits) goes
# to $(BUILD)/gen. SANITIZE=1 builds into a folder of its own with ASan and UBSan. Folders of
# tests/ and deploy/ bring their own targets in a file <folder>.mk.

BUILD  ?= build$(if $(SANITIZE),/sanitize)
CC     := $(if $(filter default,$(origin CC)),gcc,$(CC))
PYTHON := /usr/bin/python3
Q      := $(if $(V),,@)

PACKAGES := libevent_core libevent_extra libevent_pthreads hiredis nanomsg libprotobuf-c \
            libpq libsodium libcurl libcmark-gfm gmime-3.0 jansson zlib libsystemd
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
            -Wcast-qual -Wvla -Wformat=2 -Wno-format-zero-length -Wundef \
            -Wno-missing-field-initializers -Werror
# clang looks into the macros of system headers, and protobuf-c's cast a const away: gcc sees ours.
WARNINGS += $(if $(findstring clang,$(CC)),-Wno-cast-qual)
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
CPPFLAGS += -D_GNU_SOURCE -Iservices -isystem $(BUILD)/gen $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null))
CFLAGS   += -std=c17 -g $(WARNINGS) $(HARDENING)
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed
# What GnuTLS, a stranger that comes with libpq's LDAP, looks for in us (services/lib/process.c).
LDFLAGS  += -Wl,--export-dynamic-symbol=_gnutls_global_init_skip
LDLIBS   += $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lcmark-gfm-extensions -lunistring -lstemmer \
            -lm -pthread
ifdef SANITIZE
# The sanitizers' own null checks make gcc see formats that could be NULL; clang has no such warning.
CFLAGS   += $(if $(findstring clang,$(CC)),,-Wno-format-truncation -Wno-format-overflow)
CFLAGS   += $(if $(FUZZ),-fsanitize=fuzzer-no-link) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS  += -fsanitize=address,undefined
else
CFLAGS   += -O2
CPPFLAGS += -D_FORTIFY_SOURCE=2
# Answers of the recommender are loops over millions of small numbers: 5 % faster with this.
related_CFLAGS := -O3
endif

FOLDERS  := $(filter-out lib,$(patsubst services/%/,%,$(wildcard services/*/)))
SERVICES := $(patsubst services/%/main.c,%,$(wildcard services/*/main.c))
BINARIES := $(SERVICES:%=$(BUILD)/causerie-%)
PROTOS   := $(wildcard proto/*.proto)
GEN      := $(BUILD)/gen
TOOLS    := services/lib/tools

all: $(BINARIES) ## build the daemons (SANITIZE=1: with ASan and UBSan; CC=clang BUILD=build/clang; V=1: show commands)

include services/lib/tools/generate.mk

sources   = $(shell find $(1) -name '*.c' 2>/dev/null | sort)
objects   = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJ  := $(call objects,$(filter-out services/lib/tools/%,$(call sources,services/lib))) $(GEN_LIB_OBJ)
LIB      := $(BUILD)/libcauserie.a

# Comes before anything is compiled: what is installed, and the flags of this build folder.
READY := $(BUILD)/toolchain $(BUILD)/flags

$(BUILD)/toolchain: $(TOOLS)/check_toolchain.sh
	@mkdir -p $(@D)
	@sh $< $(PACKAGES)
	@touch $@

FLAGS = $(CC) $(CPPFLAGS) $(CFLAGS) $(related_CFLAGS) $(LDFLAGS) $(LDLIBS)
$(BUILD)/flags: force
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

$(LIB): $(LIB_OBJ)

$(BUILD)/%.a:
	@rm -f $@
	@echo "  AR      $@"
	$(Q)ar qcs $@ $^

$(BUILD)/obj/%.o: %.c $(READY)
	@mkdir -p $(@D)
	@echo "  CC      $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(PRIVATE_CFLAGS) -MD -MP -c -o $@ $<

# One folder: its objects, its generated sources; all but main for the unit tests, which take what
# they need from it and may bring fakes for the rest.
define folder
$(BUILD)/$(1).a: $$(filter-out %/main.o,$$($(1)_OBJ))
endef
define folder_objects
$(1)_OBJ := $$(call objects,$$(call sources,services/$(1))) $$(GEN_$(1)_OBJ)
$$(filter $$(BUILD)/obj/services/$(1)/%,$$($(1)_OBJ)): PRIVATE_CFLAGS = -isystem $$(GEN)/$(1) $$($(1)_CFLAGS)
$$($(1)_OBJ): | $$(GEN_HEADERS)
endef
$(foreach s,$(FOLDERS),$(eval $(call folder_objects,$(s)))$(eval $(call folder,$(s))))
$(LIB_OBJ): | $(GEN_HEADERS)

.SECONDEXPANSION:
$(BINARIES): $(BUILD)/causerie-%: $$($$*_OBJ) $(LIB)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Unit tests: tests/unit/<folder>/test_*.c, each a program, with what else its folder holds.
UNIT_SOURCES := $(wildcard tests/unit/*/test_*.c)
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCES))
unit_folder = $(firstword $(subst /, ,$(patsubst $(BUILD)/unit/%,%,$(1))))
unit_archive = $(if $(filter $(1),$(FOLDERS)),$(BUILD)/$(1).a)
unit_support = $(call objects,$(filter-out $(UNIT_SOURCES),$(wildcard tests/unit/$(1)/*.c)))
$(call objects,$(wildcard tests/unit/*/*.c)): PRIVATE_CFLAGS = -isystem $(GEN)/$(word 3,$(subst /, ,$<)) -Itests/unit
$(call objects,$(wildcard tests/unit/*/*.c)): | $(GEN_HEADERS)
$(UNIT): $(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $$(call unit_support,$$(call unit_folder,$$@)) \
		$$(call unit_archive,$$(call unit_folder,$$@)) $(LIB)
	@mkdir -p $(@D)
	@echo "  LD      $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

unit: $(UNIT) ## build the unit tests

unit-test: $(UNIT) ## run the unit tests (ONLY=lib/test_task: those whose name has it in it)
	$(Q)$(PYTHON) tests/unit/run.py $(BUILD)/unit $(foreach word,$(ONLY),--only $(word)) $(UNIT)

OURS := services tests proto
C_FILES = $(shell find $(OURS) -name '*.[ch]' | sort)

format: ## lay out all C as .clang-format says
	clang-format -i $(C_FILES)

lint: lint-format lint-logs lint-tidy lint-cppcheck ## clang-format, clang-tidy, cppcheck and log lines (minutes the first time: make -j lint)

lint-format:
	$(Q)clang-format --dry-run -Werror $(C_FILES)

lint-logs:
	$(Q)$(PYTHON) $(TOOLS)/check_logs.py $(call sources,services)

# clang-tidy takes a second or two a file, so a file is looked at again when its object was made again.
TIDY = $(patsubst %.c,$(BUILD)/tidy/%.ok,$(call sources,services))
$(BUILD)/tidy/%.ok: $(BUILD)/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	@echo "  TIDY    $*.c"
	$(Q)clang-tidy --quiet $*.c -- $(CPPFLAGS) -isystem $(GEN)/$(word 2,$(subst /, ,$*)) -std=c17 -w 2>/dev/null
	@touch $@

lint-tidy: $(TIDY)

lint-cppcheck: $(GEN_HEADERS)
	$(Q)cppcheck --quiet -j2 --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --suppressions-list=.cppcheck -D_GNU_SOURCE -Iservices -I$(GEN) \
		$(call sources,services)

-include $(sort $(wildcard tests/*/*.mk deploy/*/*.mk))
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

clean: ## remove what was built (var/, the local site's data, stays)
	rm -rf build

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(filter-out %.d,$(MAKEFILE_LIST)) | \
		while IFS="$$(printf '\t')" read -r name what; do printf '  %-14s %s\n' "$$name" "$$what"; done

.PHONY: all unit unit-test format lint lint-format lint-logs lint-tidy lint-cppcheck clean help force
.DELETE_ON_ERROR:
