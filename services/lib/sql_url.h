/*
 * sql_url.h - opening a connection without waiting, to another host each time.
 *
 * libpq would try the hosts of a list one after the other in the same order, so one
 * that swallows packets costs the whole time-out on every attempt, and look their
 * names up while the loop waits. Here each attempt goes to one host, the next attempt
 * to the next one, and its name is looked up by the caller. Private to sql.c.
 */
#ifndef LIB_SQL_URL_H
#define LIB_SQL_URL_H

#include <libpq-fe.h>

struct arena;

/* The name to look up for this attempt; NULL: none is needed (a socket, a literal, hostaddr). */
const char *sql_url_host(struct arena *, const char *url, unsigned attempt);

/*
 * PQconnectStartParams() to the host of this attempt, at the address found for it (NULL
 * when none was needed). name is shown by pg_stat_activity.
 */
PGconn *sql_url_connect(const char *url, const char *name, unsigned attempt, const char *address);

#endif
