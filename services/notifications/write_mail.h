/*
 * write_mail.h - subjects, bodies and list headers, from what the other services said.
 */
#ifndef NOTIFICATIONS_WRITE_MAIL_H
#define NOTIFICATIONS_WRITE_MAIL_H

#include "accounts.pb-c.h"
#include "comments.pb-c.h"
#include "notifications.h"
#include "topics.pb-c.h"

/* Fills the letter; everything lies in the arena or outlives it. comment and actor may be NULL. */
void write_activity_mail(struct arena *, const struct claimed *, const Causerie__Recipient *,
			 const Causerie__TopicSummary *, const Causerie__Comment *,
			 const Causerie__Person *actor, struct letter *);
void write_account_mail(struct arena *, const struct claimed *, const Causerie__ComposeMailReply *,
			struct letter *);

#endif
