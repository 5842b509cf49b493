/*
 * settings.h - the settings that every daemon has, and those that follow from its name.
 *
 * Paths are made absolute from the folder the daemon starts in, so that `make run`
 * and a daemon started by hand in the same folder find each other without any
 * setting. CAUSERIE_<NAME>_LISTEN, _DATABASE_URL and _ADMIN_LISTEN belong to the
 * daemon of that name, CAUSERIE_<NAME>_PEERS to those that call it.
 */
#ifndef LIB_SETTINGS_H
#define LIB_SETTINGS_H

#include <stdint.h>

#include "lib/config.h"
#include "lib/log.h"

struct service;

#define SETTINGS_KEY_BYTES 32

struct common_settings {
	const char *public_url;
	const char *run_dir;
	const char *key_file;
	const char *database_url; /* NULL without a database */
	const char *listen;       /* NULL without rpc; %d is still in it */
	const char *admin_listen;
	int64_t database_connections, database_in_flight;
	int64_t rpc_limit, rpc_window;
	int64_t drain_ms, start_timeout_ms;
	enum log_level log_level;
	unsigned char key[SETTINGS_KEY_BYTES];
};

/* Reads the service's own settings, too. Returns 0 or -EINVAL with the first problem. */
int settings_read(const struct service *, struct common_settings *, struct config_problem *);

/* The tables, for --help. */
void settings_print(const struct service *);

/* Where the replicas of a daemon are; NULL when no daemon has that name. After settings_read(). */
const char *settings_peers(const char *service);

#endif
