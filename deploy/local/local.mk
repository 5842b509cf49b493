# local.mk - `make run`, `make forget` and `make install`.
#
# Sorry for this one: GNU make ends with 2 and a line of its own whenever a recipe fails, and
# `make run` promises one clear line and 1. Under -q make ends with 1, in silence, when a target would
# have something to do; recipes marked + run all the same. So the launcher's status goes to a file,
# and `run` has something to do when it is not 0.

install: ## install with apt what building, running and testing need
	@sh deploy/install.sh build run test

ifeq ($(MAKECMDGOALS),run)
MAKEFLAGS += -q
RUN_STATUS := $(shell mktemp)
run: run-site
	$(if $(filter 0,$(shell cat $(RUN_STATUS); rm -f $(RUN_STATUS))),,failed)

run-site:
	+@sh deploy/install.sh build run || exit 0; \
		exec $(PYTHON) deploy/local/run.py --build $(BUILD) --make $(MAKE) --status $(RUN_STATUS)
else
run: ## install what is missing, build, start the whole site (SCALE="comments=3 gateway=2", DEMO=0: empty)
	@echo 'make run is asked for alone' && false
endif

forget: ## forget the local site: its accounts, topics, mails and logs
	@test ! -e var/lock || flock -n var/lock true || { echo 'causerie: the site of var is running' >&2; exit 1; }
	@rm -rf "$$(readlink -f var/postgres)" var

.PHONY: install run run-site forget
