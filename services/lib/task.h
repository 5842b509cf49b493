/*
 * task.h - one piece of asynchronous work, written as a list of steps.
 *
 *      step --starts operations--> waiting --last one answers--> next step
 *        |                            |
 *        |                            +--deadline passes--> the late step
 *        +--no step follows--> draining --last one answers--> freed
 *
 * Invariants:
 *   - a step runs from the event loop, never inside an operation's callback;
 *   - an operation in flight keeps its task, and so its arena, alive;
 *   - once a task is done no step runs again, and late answers are dropped.
 */
#ifndef LIB_TASK_H
#define LIB_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"

struct event;
struct event_base;
struct task;

/* What a step returns: the step that follows it, or none. */
struct step {
	struct step (*run)(struct task *);
	const char *name;
};

typedef struct step task_step(struct task *);

#define task_then(following) ((struct step){(following), #following})
#define task_done()          ((struct step){0})

/* Who is asking: an account and what it may do. All zero is a visitor. */
struct viewer {
	uint64_t account_id;
	uint32_t roles; /* bits, see ROLE_* in common.proto */
	bool verified;
};

/* What travels with a request through every service it touches. */
struct request_context {
	const char *trace; /* request id, shown in every log line; never NULL */
	struct viewer viewer;
	const char *idempotency_key; /* of a write; NULL when there is none */
};

struct task {
	struct arena arena;
	struct step next; /* runs when nothing is pending */
	struct step late; /* runs instead when the deadline passes first */
	struct request_context context;
	struct event_base *loop;
	int64_t started_ms, deadline_ms; /* on clock_ms() */
	unsigned pending;                /* operations in flight */
	bool done;
	const char *name; /* of the first step, for the log */
	struct event *wakeup, *deadline;
	struct task *caller; /* answered when this one ends, see task_call() */
	void *call;          /* what its reply answers, see rpc_server.h */
	char *steps; /* "find_session 2ms, fetch_topic 3ms", for a slow request's log line */
};

/*
 * Allocates a handler's state, whose first member is its struct task, and runs
 * its first step from the event loop. The state lives until the task is done
 * and nothing is in flight; nobody frees it. When deadline_ms (from now) pass
 * before it is done, late runs in place of the next step. The arena, empty or
 * holding what the request arrived with, is taken over and left empty.
 * The context's strings must live as long as the arena, or for ever.
 */
void *task_new(struct event_base *, struct arena *, size_t size, struct step first,
	       struct step late, int deadline_ms, const struct request_context *);

/*
 * Like task_new() with the caller's loop, context and remaining time, as an
 * operation of the caller: its next step waits until this task is done, and its
 * arena lives as long. When the deadline passes the task just ends; the caller
 * sees slots that nobody filled.
 */
void *task_call(struct task *caller, size_t size, struct step first);

/* The peer went away: stop without a reply. */
void task_abandon(struct task *);

/* Milliseconds until the deadline, at least 0. */
int task_remaining(const struct task *);

/* For drivers (RPC, SQL, Redis, timers, workers): around each operation. */
void task_wait(struct task *);
void task_answered(struct task *);

/* Waits without blocking: the next step runs ms later (a retry's pause). */
void task_sleep(struct task *, int ms);

/* Tasks alive in this process, done or not; 0 means drained. */
unsigned tasks_alive(void);

#endif
