# Causerie: `make run` starts the whole site here, `make test` proves it, `make help` lists the rest.
#
# A service is any folder of services/ with a main.c; adding one needs no edit here. What is
# generated (protobuf, queries, migrations, templates, static files, catalogues, limits) goes
# to $(BUILD)/gen. SANITIZE=1 builds into a folder of its own with ASan and UBSan.

BUILD ?= build$(if $(SANITIZE),/sanitize)
CC    := $(if $(filter default,$(origin CC)),gcc,$(CC))
PYTHON := /usr/bin/python3

PACKAGES := libevent_core libevent_extra libevent_pthreads hiredis libnanomsg nanomsg libprotobuf-c \
            libpq libsodium libcurl libcmark-gfm jansson zlib libsystemd
PACKAGES := $(shell for p in $(PACKAGES); do pkg-config --exists $$p 2>/dev/null && echo $$p; done)

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
            -Wcast-qual -Wvla -Wformat=2 -Wno-format-zero-length -Wundef -Werror
HARDENING := -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
CPPFLAGS += -D_GNU_SOURCE -Iservices -isystem $(BUILD)/gen $(shell pkg-config --cflags $(PACKAGES))
CFLAGS   += -std=c17 -g $(WARNINGS) $(HARDENING)
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed
LDLIBS   += $(shell pkg-config --libs $(PACKAGES)) -lcmark-gfm-extensions -lunistring -lstemmer -lm -pthread
ifdef SANITIZE
CFLAGS  += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
else
CFLAGS  += -O2
CPPFLAGS += -D_FORTIFY_SOURCE=2
endif

SERVICES := $(patsubst services/%/main.c,%,$(wildcard services/*/main.c))
BINARIES := $(SERVICES:%=$(BUILD)/causerie-%)
PROTOS   := $(wildcard proto/*.proto)
GEN      := $(BUILD)/gen
TOOLS    := services/lib/tools

all: $(BINARIES)

include services/lib/tools/generate.mk

sources   = $(shell find $(1) -name '*.c' 2>/dev/null | sort)
objects   = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJ  := $(call objects,$(filter-out services/lib/tools/%,$(call sources,services/lib))) $(GEN_LIB_OBJ)
LIB      := $(BUILD)/libcauserie.a

$(LIB): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(PRIVATE_CFLAGS) -MMD -MP -c -o $@ $<

# One service: its objects, its generated sources, its binary.
define service
$(1)_OBJ := $$(call objects,$$(call sources,services/$(1))) $$(GEN_$(1)_OBJ)
$$(filter $$(BUILD)/obj/services/$(1)/%,$$($(1)_OBJ)): PRIVATE_CFLAGS = -isystem $$(GEN)/$(1)
$$(BUILD)/causerie-$(1): $$($(1)_OBJ) $$(LIB)
	$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach s,$(SERVICES),$(eval $(call service,$(s))))

# Generated headers come before anything is compiled.
$(foreach s,$(SERVICES),$(eval $($(s)_OBJ): | $(GEN_HEADERS)))
$(LIB_OBJ): | $(GEN_HEADERS)

# Unit tests: tests/unit/<folder>/test_*.c, each a program, with that service's objects but its main.
UNIT_SOURCES := $(wildcard tests/unit/*/test_*.c)
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCES))
unit_folder = $(firstword $(subst /, ,$(patsubst $(BUILD)/unit/%,%,$(1))))
.SECONDEXPANSION:
$(UNIT): $(BUILD)/unit/%: tests/unit/%.c $$(filter-out %/main.o,$$($$(call unit_folder,$$@)_OBJ)) $(LIB) | $(GEN_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -isystem $(GEN)/$(call unit_folder,$@) -Itests/unit $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ \
		$(filter %.c %.o %.a,$^) $(LDLIBS) -lcmocka

unit: $(UNIT)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

clean:
	rm -rf build

.PHONY: all unit clean
.DELETE_ON_ERROR:
