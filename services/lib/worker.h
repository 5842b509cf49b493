/*
 * worker.h - work that would hold the loop (password hashing), on threads of its own.
 *
 * One more driver: the task waits, the function runs on a worker thread and may
 * touch only its argument, the loop fills the slot. The queue is bounded: a full
 * one answers at once, so that a flood of sign-ins is refused, not queued.
 */
#ifndef LIB_WORKER_H
#define LIB_WORKER_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct task;
struct workers;

struct worker_slot {
	bool done;     /* the function has run; not when the task's deadline passed in the queue */
	bool overload; /* it was not even queued */
};

struct workers *workers_new(struct event_base *, unsigned threads, unsigned queue_limit);
void workers_free(struct workers *); /* waits for what runs, drops what is queued */

/* The argument lies in the task's arena; the task lives until the function is over. */
void worker_run(struct task *, struct worker_slot *, struct workers *, void (*function)(void *),
		void *argument);

#endif
