/*
 * service.h - what every daemon does the same way: start, be watched, drain, end.
 *
 * service_main() reads the arguments (--help, --version, --check), the environment, starts
 * the log, turns signals into events, migrates (or waits for the database), opens the
 * pools, listens, reports ready (sd_notify and /readyz), and runs. On SIGTERM it stops
 * accepting, finishes what is in flight (at most 20 s) and exits 0.
 *
 * Each daemon has an admin port (loopback by default) with /healthz (the loop turns),
 * /readyz (it can serve) and /metrics (Prometheus text).
 */
#ifndef LIB_SERVICE_H
#define LIB_SERVICE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/config.h"

#define CAUSERIE_VERSION "0.1.0"

struct event_base;
struct outbox;
struct rpc_client;
struct sql;
struct sql_migration;
struct sql_query;

/* What service_main() made; given to start() and kept for the daemon's life. */
struct service_context {
	const char *name; /* "topics" */
	struct event_base *loop;
	struct sql *sql;          /* NULL without a database */
	struct outbox *outbox;    /* NULL unless it announces events */
	const unsigned char *key; /* 32 bytes for rpc, bus and derived secrets */
	const char *public_url;   /* CAUSERIE_PUBLIC_URL, no trailing slash */
};

struct service {
	const char *name;               /* "topics"; the binary is causerie-topics */
	const char *description;        /* one line for --help */
	const struct setting *settings; /* ends with a NULL name; may be NULL */

	/* Database, or none: CAUSERIE_<NAME>_DATABASE_URL. */
	const struct sql_query *const *queries; /* ends with NULL */
	const struct sql_migration *migrations; /* generated from migrations/ (lib's own first) */
	size_t n_migrations;

	/* RPC, or none: CAUSERIE_<NAME>_LISTEN. */
	ProtobufCService *const *rpc; /* ends with NULL; Events is added when announces is set */
	bool announces;               /* owns events: outbox and bus */

	/* Other arguments (--evaluate …): returns true when it handled them and set *status. */
	bool (*command)(int argc, char **argv, int *status);

	/* Opens what is the daemon's own. Returns what is wrong, for log_fatal, or NULL. */
	const char *(*start)(const struct service_context *);
	/* May serve? NULL means ready; else why not, for /readyz. May be NULL. */
	const char *(*ready)(void);
	/* Stop accepting; call service_drained() when nothing is left. May be NULL. */
	void (*drain)(void);
	/* The loop has ended: free everything (so that leak checkers see the truth). May be NULL.
	 */
	void (*stop)(void);
};

int service_main(int argc, char **argv, const struct service *);

/* The one context of this process, for handlers. */
const struct service_context *service_here(void);

/* Our own drain is complete; see struct service. */
void service_drained(void);

/*
 * A client to another daemon: name "accounts", descriptor &causerie__accounts__descriptor;
 * its replicas come from CAUSERIE_ACCOUNTS_PEERS. Fatal when the setting is malformed.
 */
struct rpc_client *service_client(const char *name, const ProtobufCServiceDescriptor *);
const char *service_peers(const char *name);

/* 32 bytes for one purpose ("unsubscribe", "csrf"), derived from the shared key (BLAKE2b keyed). */
void service_derive_key(unsigned char out[32], const char *purpose);

#endif
