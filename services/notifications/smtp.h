/*
 * smtp.h - sending one message over SMTP (RFC 5321), through libcurl, on the event loop.
 *
 * A message goes in two operations, because between the final dot and the
 * server's answer nobody knows whether it was sent (RFC 1047):
 *
 *     smtp_offer()   everything but the final dot; SMTP_READY, or what went wrong
 *     … the caller writes down that it is about to be sent …
 *     smtp_commit()  the dot, and the answer: SMTP_ACCEPTED, SMTP_REFUSED or SMTP_UNKNOWN
 */
#ifndef NOTIFICATIONS_SMTP_H
#define NOTIFICATIONS_SMTP_H

#include <stddef.h>

struct event_base;
struct smtp;
struct smtp_transfer;
struct task;

enum smtp_state {
	SMTP_PENDING,
	SMTP_READY, /* everything but the dot has been sent */
	SMTP_ACCEPTED,
	SMTP_REFUSED,     /* this mail; code says for now (4xx) or for good (5xx) */
	SMTP_AWAY,        /* no conversation, or refused before a recipient was named: whatever
			   * the code says, it is about us, and holds for every mail */
	SMTP_UNREACHABLE, /* cut between recipient and dot: certainly not sent */
	SMTP_UNKNOWN,     /* cut after the dot */
};

struct smtp_slot {
	enum smtp_state state;
	int code;          /* the server's last reply, or 0 */
	const char *error; /* for the log; static text */
	struct smtp_transfer *transfer;
};

struct smtp_settings {
	const char *url;             /* smtp://host:port or smtps://… */
	const char *user, *password; /* NULL: no AUTH */
	const char *tls;             /* "none", "try", "require": STARTTLS */
	int connections;             /* to the server, at most */
	int timeout_ms;              /* for each answer of the server */
};

struct smtp *smtp_new(struct event_base *, const struct smtp_settings *);
void smtp_free(struct smtp *);

/* sender and recipient are bare addresses without control characters (asserted); bytes must live as
 * long as the task. */
void smtp_offer(struct task *, struct smtp_slot *, struct smtp *, const char *sender,
		const char *recipient, const char *bytes, size_t length);
void smtp_commit(struct task *, struct smtp_slot *);

#endif
