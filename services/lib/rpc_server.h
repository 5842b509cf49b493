/*
 * rpc_server.h - answering other services.
 *
 * A handler has the signature that protoc-c generated; its last argument is the
 * call. It makes its task with rpc_task() and ends it with one of the replies:
 *
 *     void topics_get_topic(Causerie__Topics_Service *, const Causerie__GetTopicRequest *ask,
 *                           Causerie__Topic_Closure closure, void *call)
 *     {
 *             struct get_topic *g = rpc_task(call, sizeof *g, task_then(fetch));
 *             g->ask = ask;
 *     }
 *     …
 *     return rpc_reply(task, &reply.base);
 *
 * Before a handler sees a request it was authenticated (HMAC), pre-scanned (depth,
 * field count), unpacked, validated against the limits written in the .proto
 * file, and found neither expired nor one too many. When the deadline passes
 * before the reply the caller gets TIMED_OUT.
 */
#ifndef LIB_RPC_SERVER_H
#define LIB_RPC_SERVER_H

#include <protobuf-c/protobuf-c.h>

#include "common.pb-c.h"
#include "lib/task.h"

struct event_base;
struct rpc_server;

struct rpc_server_settings {
	const char *name; /* of the daemon, for logs */
	const char *
		listen; /* ipc:///path or tcp://address:port; "%d" in an ipc path becomes the pid */
	const unsigned char *key;
	unsigned limit; /* calls in progress; beyond it OVERLOADED; 0: 256 */
};

/* services ends with NULL. NULL with errno when the address cannot be bound. */
struct rpc_server *rpc_server_new(struct event_base *, ProtobufCService *const *services,
				  const struct rpc_server_settings *);

/* New calls are answered DRAINING; idle() when the last one in progress has been answered. */
void rpc_server_drain(struct rpc_server *, void (*idle)(void *), void *argument);
void rpc_server_free(struct rpc_server *);

/* The call's task: its arena holds the request; viewer, trace and key are in task->context. */
void *rpc_task(void *call, size_t size, struct step first);

/* Each ends the task: `return rpc_reply(task, &reply.base);` The message is packed at once. */
struct step rpc_reply(struct task *, const ProtobufCMessage *);
struct step rpc_fail(struct task *, Causerie__Code, const char *detail);
struct step rpc_invalid(struct task *, const char *field, const char *reason); /* code INVALID */

/* What a statement's failure means for the caller: UNAVAILABLE, TIMED_OUT, CONFLICT… and the log
 * line. */
struct sql_slot;
struct step rpc_sql_failed(struct task *, const struct sql_slot *);

/* Typed registration of generated services, see RPC_SERVICE in a service's main.c: plain
 * `static Causerie__Topics_Service topics_service = CAUSERIE__TOPICS__INIT(topics_);` */

#endif
