/*
 * sql_url.h - opening a connection without waiting, another host first each time.
 *
 * Private to sql.c and migrate.c.
 */
#ifndef LIB_SQL_URL_H
#define LIB_SQL_URL_H

#include <libpq-fe.h>

/*
 * PQconnectStartParams() for a URL or keyword string whose list of hosts is rotated by
 * attempt: libpq tries them in order, and one that swallows packets would cost the
 * whole time-out on every attempt. name is shown by pg_stat_activity.
 */
PGconn *sql_url_connect(const char *url, const char *name, unsigned attempt);

#endif
