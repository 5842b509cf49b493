/*
 * rpc.h - calling other services, and the slots that hold their answers.
 *
 * A slot is typed by the reply's message, so a call whose stub answers with
 * another message does not compile:
 *
 *     RPC_SLOT(Causerie__Topic) topic;
 *     RPC_CALL(task, &v->topic, causerie__topics__get_topic, site->topics, &ask);
 *     ...
 *     if (v->topic.code != CAUSERIE__CODE__OK) ...   v->topic.reply is set exactly when OK
 *
 * One raw nanomsg socket per replica, own request ids, a deadline (the task's),
 * a window per replica, the least loaded replica first. A call that was
 * certainly not executed (DRAINING, OVERLOADED, no connection) or whose method
 * only reads (its name begins with Get, List, Find, Search, Count, Fetch, Suggest
 * or Check) is tried once more on another replica, within a budget. A call ends a
 * little before its task's deadline, so that there is time left to say so.
 */
#ifndef LIB_RPC_H
#define LIB_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "common.pb-c.h"

struct event_base;
struct rpc_client;
struct task;

/*
 * code: CAUSERIE__CODE__OK with a reply; what the service answered (NOT_FOUND, INVALID…);
 * or UNAVAILABLE (nobody executed it), TIMED_OUT (it may have been executed).
 * 0 (UNSPECIFIED) while nothing has come. detail is for logs and developers.
 */
#define RPC_ANSWER                                                                                 \
	Causerie__Code code;                                                                       \
	const char *detail;                                                                        \
	Causerie__FieldError *const *errors;                                                       \
	size_t n_errors

struct rpc_answer {
	RPC_ANSWER;
	const ProtobufCMessage *message;
};

#define RPC_SLOT(Reply)                                                                            \
	union {                                                                                    \
		struct rpc_answer answer;                                                          \
		struct {                                                                           \
			RPC_ANSWER;                                                                \
			const Reply *reply;                                                        \
		};                                                                                 \
	}

#define RPC_CALL(task, slot, stub, client, ask)                                                    \
	stub(rpc_begin((task), &(slot)->answer, (client)), (ask),                                  \
	     (void (*)(__typeof__((slot)->reply), void *))rpc_arrived, (void *)0)

/* The same for an answer the task can do without: after ms at the latest the slot is TIMED_OUT. */
#define RPC_CALL_WITHIN(ms, task, slot, stub, client, ask)                                         \
	stub(rpc_begin_within((ms), (task), &(slot)->answer, (client)), (ask),                     \
	     (void (*)(__typeof__((slot)->reply), void *))rpc_arrived, (void *)0)

/* For the macros only. */
ProtobufCService *rpc_begin(struct task *, struct rpc_answer *, struct rpc_client *);
ProtobufCService *rpc_begin_within(int ms, struct task *, struct rpc_answer *, struct rpc_client *);
void rpc_arrived(const ProtobufCMessage *, void *);

struct rpc_settings {
	const char *caller;       /* this daemon's name, shown in the other's log */
	const char *peers;        /* "ipc:///run/causerie/topics.*.rpc" or
				     "tcp://name:7101,tcp://10.0.0.2:7101" */
	const unsigned char *key; /* 32 bytes, shared by all daemons */
	unsigned window;          /* calls in flight per replica; 0: 64 */
};

/*
 * peers: comma-separated endpoints. An ipc path may hold one *, matched against
 * the files present; a tcp host may be a name. Both are looked up again every
 * few seconds, off the loop; the last non-empty set is kept.
 */
struct rpc_client *rpc_client_new(struct event_base *, const ProtobufCServiceDescriptor *,
				  const struct rpc_settings *);
void rpc_client_free(struct rpc_client *);

/* Another service of the same daemon (for example Events) over the same sockets. */
struct rpc_client *rpc_client_also(struct rpc_client *, const ProtobufCServiceDescriptor *);

/* At least one replica answered lately. */
bool rpc_client_up(const struct rpc_client *);

#endif
