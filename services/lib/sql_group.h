/*
 * sql_group.h - writes that arrive together are committed together.
 *
 * A commit costs the same for one row as for fifty. A statement made for a group takes an
 * array where a statement for one request takes a value, and returns one row for each
 * request, in the order of the arrays:
 *
 *     SELECT … FROM unnest(:topic_id::bigint[], :body::text[]) WITH ORDINALITY AS w (topic_id,
 * body, place) ORDER BY place
 *
 * One such statement is in flight at a time. A request in a quiet moment starts it at once;
 * what arrives meanwhile waits for the next. When the server refuses a statement of several
 * requests, each is tried again alone, so that nobody fails for what another one asked.
 */
#ifndef LIB_SQL_GROUP_H
#define LIB_SQL_GROUP_H

#include <stddef.h>

#include "lib/sql.h"

struct event_base;
struct sql_group;
struct task;

#define SQL_GROUP_ROWS    64   /* of one statement */
#define SQL_GROUP_WAITING 1024 /* requests; more are SQL_UNAVAILABLE at once */

/* All three must outlive it. */
struct sql_group *sql_group_new(struct event_base *, struct sql *, const struct sql_query *);

/* Nothing may be waiting any more. */
void sql_group_free(struct sql_group *);

/*
 * As sql_run(), with this request's values in the place of arrays; no arrays among them. The slot
 * gets one row. Its states say what they say of any statement: a request whose deadline passes
 * is SQL_UNAVAILABLE before its statement was sent, SQL_UNKNOWN after.
 */
void sql_group_run(struct task *, struct sql_slot *, struct sql_group *, const struct sql_param *);

#endif
