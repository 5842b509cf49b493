/*
 * notifications.h - what the files of this daemon share.
 *
 *   events --fan-out (one statement)--> deliveries --claim, lease--> deliver.c --SMTP--> sent
 */
#ifndef NOTIFICATIONS_H
#define NOTIFICATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/rpc_server.h"
#include "lib/service.h"
#include "lib/sql.h"
#include "lib/task.h"
#include "notifications.pb-c.h"
#include "queries.h"

struct rpc_client;
struct smtp;

struct notifications_settings {
	const char *site_name, *from, *smtp_url, *smtp_user, *smtp_password, *smtp_tls, *on_unknown;
	int64_t delay_ms, lease_ms, unknown_ms, smtp_timeout_ms, connections;
};

extern struct notifications_settings settings;
extern struct rpc_client *accounts, *topics, *comments;
extern struct smtp *smtp, *account_smtp; /* connections of each stream, see queue.c */
extern char worker[80];                  /* this process, in leases */

#define TRIES  48 /* of a mail that is refused for now: some four days */
#define COPIES 5  /* of a mail that may have been taken each time, at most */

/* --- queue.c: takes what is due, keeps the leases --- */

void queue_start(struct event_base *);
void queue_stop(void);
void queue_wake(void);            /* something became due */
void queue_drain(void);           /* takes nothing more; service_drained() when the last is done */
void queue_finished(uint64_t id); /* deliver.c: one is done */

/* --- housekeep.c: deletes what ended long ago --- */

void housekeep_start(struct event_base *);
void housekeep_stop(void);

/* --- deliver.c: one mail, from the claim to the record of what became of it --- */

struct claimed {
	uint64_t id, account_id, topic_id, comment_id, parent_id, actor_id, mail_id, seq;
	Causerie__Reason reason;
	char type[41], to_state[41], trace[65];
	int attempt, unknowns;
	bool read;   /* on the site, meanwhile */
	bool wanted; /* still: by preferences and by what they follow */
};
void deliver(const struct claimed *);

/* Nobody will try again: a line for whoever should look, and a metric. */
void mail_given_up(const char *trace, uint64_t id, const char *why, int attempt);

/* --- compose.c: the message itself (RFC 5322) --- */

struct letter {
	const char *to_address, *to_name, *language;
	const char *from_name; /* who wrote, or NULL: the site */
	const char *subject;
	const char *text, *html; /* bodies, UTF-8 */
	/* Without angle brackets. The thread's id, and the message answered when not its first;
	 * NULL: none. */
	const char *message_id, *thread, *in_reply_to;
	const char *list_id, *list_name; /* NULL: transactional, no List- headers */
	const char *archived_at, *archive;
	const char *unsubscribe; /* URL */
	const char *reason;      /* "reply" */
};

/* CRLF line ends, ASCII, lines of at most 998 bytes; in the arena. NULL when a header value is not
 * fit to be one. */
char *compose(struct arena *, const struct letter *, size_t *length);

/* "c.7.q3v…@domain": the same on every try, different for everybody. kind c, t, s or a. */
char *message_id(struct arena *, char kind, uint64_t number, uint64_t account_id);

/* Where bounces go: b+<token>@domain; the token names the delivery (RFC 5321 4.4, VERP). */
char *return_path(struct arena *, uint64_t delivery_id);

/* --- write_mail.c: subjects and bodies, from what the other services said --- */

struct mail_material;

/* --- stop_link.c: the link that stops mails; works for ever, reads nothing, signs nobody in --- */

struct stop {
	uint64_t account_id, topic_id;
	Causerie__Reason kind;
};
char *stop_token(struct arena *, const struct stop *);
bool stop_read(const char *token, struct stop *); /* false: not one of ours */

const char *reason_name(Causerie__Reason); /* "reply" */

#define HANDLER(name, Ask, Reply)                                                                  \
	void notifications_##name(Causerie__Notifications_Service *, const Causerie__##Ask *,      \
				  Causerie__##Reply##_Closure, void *call)
HANDLER(get_follow, GetFollowRequest, Follow);
HANDLER(put_follow, PutFollowRequest, Follow);
HANDLER(list_notifications, ListNotificationsRequest, ListNotificationsReply);
HANDLER(mark_read, MarkReadRequest, Empty);
HANDLER(get_preferences, GetPreferencesRequest, Preferences);
HANDLER(put_preferences, Preferences, Preferences);
HANDLER(get_unsubscribe, DescribeUnsubscribeRequest, UnsubscribeChoices);
HANDLER(unsubscribe, UnsubscribeRequest, UnsubscribeChoices);
HANDLER(list_deliveries, ListDeliveriesRequest, ListDeliveriesReply);
#undef HANDLER

#endif
