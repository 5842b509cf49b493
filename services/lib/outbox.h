/*
 * outbox.h - the owner's side of events: numbering, announcing, handing out.
 *
 * A statement that changes something inserts its outbox row itself (see
 * migrations/outbox.sql for the columns). The sequencer here gives committed rows
 * a dense number: lock in one statement, number in the next, because a snapshot
 * must be younger than the lock. Any replica may run it; the row lock elects one.
 * Then a hint goes out on the bus, and consumers fetch by rpc (service Events,
 * answered here) whatever they have not seen. Rows older than a week that every
 * registered consumer has passed are deleted in batches.
 */
#ifndef LIB_OUTBOX_H
#define LIB_OUTBOX_H

#include <protobuf-c/protobuf-c.h>

struct bus_publisher;
struct event_base;
struct outbox;
struct sql;
struct sql_query;

/* The statements outbox.c uses; a service that owns events adds them to its sql_settings. */
extern const struct sql_query *const outbox_queries[]; /* ends with NULL */

struct outbox *outbox_new(struct event_base *, struct sql *, struct bus_publisher *);
void outbox_free(struct outbox *);

/* Something was announced in this process: number it now rather than at the next tick (50 ms). */
void outbox_wake(struct outbox *);

/* A statement of the service's own for the housekeeping, which deletes 1000 rows at most: run each
   minute, and soon again while there are more. Four at most. */
void outbox_also_forget(struct outbox *, const struct sql_query *);

/* The protobuf-c service that answers Events (fetch, head, register); for rpc_server_new(). */
ProtobufCService *outbox_service(struct outbox *);

#endif
