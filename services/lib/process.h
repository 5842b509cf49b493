/*
 * process.h - what this process is to the machine: limits, and a loop that keeps turning.
 */
#ifndef LIB_PROCESS_H
#define LIB_PROCESS_H

struct event_base;
struct process_watch;

/* At the very start: file mode mask, SIGPIPE, descriptor limit, what libraries need once. */
void process_prepare(void);

/* Measures how late the loop runs its timers, and feeds systemd's watchdog. */
struct process_watch *process_watch_new(struct event_base *);
void process_watch_free(struct process_watch *);

#endif
