/*
 * deliver.c - one mail, from the claim to the record of what became of it.
 *
 *   gather ----------------> write --> offer --> mark --> commit --> record
 *   who, topic, comment,       |                                       ^
 *   or the account's secret    +--> not wanted any more ---------------+
 *
 * What it says is asked for now, so it is true now: a comment that was deleted or
 * hidden meanwhile, a topic that was closed to the public or muted, a person who is
 * suspended, wants no such mail any more or has read it on the site get no mail. Before the final
 * dot the row says that it may be sent (mark); a process that dies later leaves it unknown.
 */
#include "notifications.h"

#include <stdlib.h>
#include <string.h>

#include "accounts.pb-c.h"
#include "comments.pb-c.h"
#include "lib/locale.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/rpc.h"
#include "smtp.h"
#include "topics.pb-c.h"
#include "write_mail.h"

#define PATIENCE_MS                                                                                \
	(20 * 60 * 1000)       /* longer than SMTP's longest wait, the ten minutes after the dot */
#define ANSWER_MS        10000 /* for another service to say what it knows */
#define SERVICE_PAUSE_MS 3000  /* before one of our own services is asked again */

struct delivery {
	struct task task;
	struct claimed mail;
	RPC_SLOT(Causerie__GetRecipientsReply) recipients;
	RPC_SLOT(Causerie__ComposeMailReply) secret;
	RPC_SLOT(Causerie__TopicSummaries) topics;
	RPC_SLOT(Causerie__Comment) comment;
	RPC_SLOT(Causerie__GetPeopleReply) people;
	struct letter letter;
	const char *bytes, *why, *state;
	bool unasked; /* one of our own services did not answer: nothing was tried */
	size_t length;
	struct smtp_slot smtp;
	struct sql_slot marked, recorded;
};

static task_step gather, write_letter, offer, mark, commit, record, recorded;

static struct metric sent_total =
	METRIC_COUNTER("causerie_mails_sent_total", "", "Mails accepted by the server");
static struct metric skipped_total =
	METRIC_COUNTER("causerie_mails_skipped_total", "", "Mails nobody wanted any more");
static struct metric given_up_total =
	METRIC_COUNTER("causerie_mails_given_up_total", "",
		       "Mails not tried any more, though nobody refused them");
static struct metric server_away = METRIC_GAUGE(
	"causerie_mail_server_away", "", "1 while the server took nothing from us when last asked");
static struct metric failed_total = METRIC_COUNTER("causerie_mails_failed_total", "",
						   "Attempts that did not end in acceptance");

static void on_end(void *argument)
{
	const struct delivery *d = argument;

	queue_finished(d->mail.id);
}

void deliver(const struct claimed *mail)
{
	struct arena arena = {0};
	const struct request_context context = {
		.trace = *mail->trace ? arena_strdup(&arena, mail->trace) : "queue"};
	struct delivery *d = task_new(service_here()->loop, &arena, sizeof *d, task_then(gather),
				      task_done(), PATIENCE_MS, &context);

	d->mail = *mail;
	arena_defer(&d->task.arena, on_end, d); /* whatever happens, the queue hears of it */
}

static void ask_recipient(struct delivery *d)
{
	Causerie__GetRecipientsRequest ask = CAUSERIE__GET_RECIPIENTS_REQUEST__INIT;

	ask.ids = &d->mail.account_id;
	ask.n_ids = 1;
	RPC_CALL_WITHIN(ANSWER_MS, &d->task, &d->recipients, causerie__accounts__get_recipients,
			accounts, &ask);
}

static void ask_actor(struct delivery *d)
{
	Causerie__GetPeopleRequest ask = CAUSERIE__GET_PEOPLE_REQUEST__INIT;

	if (d->mail.actor_id == 0)
		return;
	ask.ids = &d->mail.actor_id;
	ask.n_ids = 1;
	RPC_CALL_WITHIN(ANSWER_MS, &d->task, &d->people, causerie__accounts__get_people, accounts,
			&ask);
}

/* As a visitor who is the recipient: what they may not see is not mailed. */
static void ask_topic(struct delivery *d)
{
	Causerie__GetTopicSummariesRequest ask = CAUSERIE__GET_TOPIC_SUMMARIES_REQUEST__INIT;

	d->task.context.viewer.account_id = d->mail.account_id;
	ask.ids = &d->mail.topic_id;
	ask.n_ids = 1;
	RPC_CALL_WITHIN(ANSWER_MS, &d->task, &d->topics, causerie__topics__get_topic_summaries,
			topics, &ask);
}

static void ask_comment(struct delivery *d)
{
	Causerie__GetCommentRequest ask = CAUSERIE__GET_COMMENT_REQUEST__INIT;

	if (d->mail.comment_id == 0)
		return;
	ask.id = d->mail.comment_id;
	RPC_CALL_WITHIN(ANSWER_MS, &d->task, &d->comment, causerie__comments__get_comment, comments,
			&ask);
}

static struct step skip(struct delivery *d, const char *why)
{
	d->state = "skipped";
	d->why = why;
	return record(&d->task);
}

static struct step later(struct delivery *d, const char *why)
{
	d->state = "deferred";
	d->why = why;
	d->unasked = true;
	return record(&d->task);
}

static struct step gather(struct task *task)
{
	struct delivery *d = (struct delivery *)task;

	if (d->mail.read)
		return skip(d, "read on the site");
	if (!d->mail.wanted)
		return skip(d, "not wanted any more");
	if (d->mail.reason == CAUSERIE__REASON__ACCOUNT) {
		Causerie__ComposeMailRequest ask = CAUSERIE__COMPOSE_MAIL_REQUEST__INIT;

		ask.mail_id = d->mail.mail_id;
		RPC_CALL_WITHIN(ANSWER_MS, task, &d->secret, causerie__accounts__compose_mail,
				accounts, &ask);
	} else {
		ask_recipient(d);
		ask_actor(d);
		ask_topic(d);
		ask_comment(d);
	}
	return task_then(write_letter);
}

/* Somebody did not answer: that is no reason to give a mail up. */
static bool unanswered(Causerie__Code code)
{
	return code != CAUSERIE__CODE__OK && code != CAUSERIE__CODE__NOT_FOUND &&
	       code != CAUSERIE__CODE__GONE;
}

static struct step write_account_letter(struct delivery *d)
{
	const Causerie__ComposeMailReply *secret = d->secret.reply;

	if (unanswered(d->secret.code))
		return later(d, "accounts did not answer");
	if (secret == NULL)
		return skip(d, "used, expired, or the address is another");
	write_account_mail(&d->task.arena, &d->mail, secret, &d->letter);
	return offer(&d->task);
}

static struct step write_activity_letter(struct delivery *d)
{
	const Causerie__Recipient *to;

	if (unanswered(d->recipients.code) || unanswered(d->topics.code) ||
	    (d->mail.actor_id != 0 && unanswered(d->people.code)) ||
	    (d->mail.comment_id != 0 && unanswered(d->comment.code)))
		return later(d, "a service did not answer");
	if (d->recipients.reply->n_recipients == 0)
		return skip(d, "no such account");
	to = d->recipients.reply->recipients[0];
	if (to->state != CAUSERIE__ACCOUNT_STATE__ACTIVE)
		return skip(d, "not a verified, active account");
	if (to->bouncing)
		return skip(d, "the address does not answer");
	if (d->topics.reply == NULL || d->topics.reply->n_topics == 0)
		return skip(d, "the topic is not to be seen");
	if (d->mail.comment_id != 0 &&
	    (d->comment.reply == NULL || *d->comment.reply->body == '\0' ||
	     d->comment.reply->state != CAUSERIE__COMMENT_STATE__VISIBLE))
		return skip(d, "the comment is not to be seen");

	write_activity_mail(
		&d->task.arena, &d->mail, to, d->topics.reply->topics[0], d->comment.reply,
		d->people.reply && d->people.reply->n_people ? d->people.reply->people[0] : NULL,
		&d->letter);
	return offer(&d->task);
}

static struct step write_letter(struct task *task)
{
	struct delivery *d = (struct delivery *)task;

	return d->mail.reason == CAUSERIE__REASON__ACCOUNT ? write_account_letter(d)
							   : write_activity_letter(d);
}

static struct step offer(struct task *task)
{
	struct delivery *d = (struct delivery *)task;

	d->bytes = compose(&task->arena, &d->letter, &d->length);
	if (d->bytes == NULL) {
		d->state = "failed";
		d->why = "a header value is not fit to be one";
		return record(task);
	}
	smtp_offer(
		task, &d->smtp, d->mail.reason == CAUSERIE__REASON__ACCOUNT ? account_smtp : smtp,
		return_path(&task->arena, d->mail.id), d->letter.to_address, d->bytes, d->length);
	return task_then(mark);
}

static struct step mark(struct task *task)
{
	struct delivery *d = (struct delivery *)task;

	if (d->smtp.state != SMTP_READY)
		return record(task);
	SQL_NAMED(task, &d->marked, service_here()->sql, &mark_data_sent_sql, NULL,
		  {"id", sql_id(d->mail.id)}, {"worker", sql_text(worker)},
		  {"message_id", sql_text(d->letter.message_id)});
	return task_then(commit);
}

/* No row: the lease ran out and somebody else has it. Without the dot nothing is sent. */
static struct step commit(struct task *task)
{
	struct delivery *d = (struct delivery *)task;

	if (d->marked.state != SQL_DONE || d->marked.rows == 0) {
		log_warn(task->context.trace, "mail.lease_lost", "delivery=%llu",
			 (unsigned long long)d->mail.id);
		return task_done();
	}
	smtp_commit(task, &d->smtp);
	return task_then(record);
}

/* 1, 5, 15, 30, 60, then every 120 minutes, a fifth of it at random; the first tries sooner for
 * what is urgent. */
static int64_t pause_ms(const struct delivery *d)
{
	static const int64_t minutes[] = {1, 5, 15, 30, 60, 120};
	const size_t last = sizeof minutes / sizeof *minutes - 1;
	const size_t n = d->mail.attempt > 0 ? (size_t)d->mail.attempt - 1 : 0;
	const int64_t pause = minutes[n < last ? n : last] * 60000;

	if (d->smtp.state == SMTP_UNKNOWN)
		return settings.unknown_ms << d->mail.unknowns;
	if (d->unasked)
		return SERVICE_PAUSE_MS;
	return pause - random() % (pause / 5);
}

/* Each try may be a copy, so a server that always hangs up after the dot is not asked for ever. */
static const char *unknown_or_failed(const struct delivery *d)
{
	return d->mail.unknowns + 1 < COPIES ? "unknown" : "failed";
}

static void judge(struct delivery *d)
{
	switch (d->smtp.state) {
	case SMTP_ACCEPTED:
		d->state = "sent";
		break;
	case SMTP_UNKNOWN:
		d->state = unknown_or_failed(d);
		d->why = "the connection ended after the final dot";
		break;
	case SMTP_AWAY:
		d->state = "turned away";
		d->why = d->smtp.error;
		break;
	case SMTP_REFUSED:
		d->state = d->smtp.code >= 500 ? "failed" : "deferred";
		d->why = arena_printf(&d->task.arena, "the server said %d", d->smtp.code);
		break;
	default:
		d->state = "deferred";
		d->why = d->smtp.error;
		break;
	}
	if (strcmp(d->state, "deferred") == 0 && d->mail.attempt >= TRIES)
		d->state = "failed";
}

/* It did not fail because somebody said no for good. */
static bool is_unsettled(const struct delivery *d)
{
	return d->smtp.state != SMTP_REFUSED || d->smtp.code < 500;
}

void mail_given_up(const char *trace, uint64_t id, const char *why, int attempt)
{
	metric_add(&given_up_total, 1);
	log_error(trace, "mail.given_up", "delivery=%llu why=%s attempt=%d do=%s",
		  (unsigned long long)id, why, attempt,
		  "look in the mail server's log for the Message-ID in deliveries");
}

static void tell(const struct delivery *d)
{
	const char *trace = d->task.context.trace;
	const unsigned long long id = d->mail.id;

	if (d->smtp.state == SMTP_ACCEPTED || d->smtp.state == SMTP_REFUSED)
		metric_set(&server_away, 0);
	if (strcmp(d->state, "sent") == 0) {
		metric_add(&sent_total, 1);
		log_info(trace, "mail.sent", "delivery=%llu reason=%s message_id=%s attempt=%d", id,
			 reason_name(d->mail.reason), d->letter.message_id, d->mail.attempt);
	} else if (strcmp(d->state, "skipped") == 0) {
		metric_add(&skipped_total, 1);
		log_info(trace, "mail.skipped", "delivery=%llu why=%s", id, d->why);
	} else if (d->smtp.state == SMTP_AWAY) {
		metric_set(&server_away, 1); /* one line for all: recorded() has it */
	} else {
		metric_add(&failed_total, 1);
		log_warn(trace, "mail.not_sent", "delivery=%llu state=%s why=%s attempt=%d", id,
			 d->state, d->why, d->mail.attempt);
		if (strcmp(d->state, "failed") == 0 && is_unsettled(d))
			mail_given_up(trace, d->mail.id, d->why, d->mail.attempt);
	}
}

static struct step record(struct task *task)
{
	struct delivery *d = (struct delivery *)task;
	struct sql *sql = service_here()->sql;

	if (d->state == NULL)
		judge(d);
	tell(d);
	if (strcmp(d->state, "sent") == 0)
		SQL_NAMED(task, &d->recorded, sql, &mark_sent_sql, NULL, {"id", sql_id(d->mail.id)},
			  {"worker", sql_text(worker)});
	else if (strcmp(d->state, "skipped") == 0)
		SQL_NAMED(task, &d->recorded, sql, &mark_skipped_sql, NULL,
			  {"id", sql_id(d->mail.id)}, {"worker", sql_text(worker)},
			  {"why", sql_text(d->why)});
	else if (d->smtp.state == SMTP_AWAY)
		SQL_NAMED(task, &d->recorded, sql, &mark_turned_away_sql, NULL,
			  {"id", sql_id(d->mail.id)}, {"worker", sql_text(worker)},
			  {"why", sql_text(d->why)});
	else
		SQL_NAMED(task, &d->recorded, sql, &mark_failed_sql, NULL,
			  {"id", sql_id(d->mail.id)}, {"worker", sql_text(worker)},
			  {"state", sql_text(d->state)}, {"why", sql_text(d->why)},
			  {"pause_ms", sql_integer(pause_ms(d))},
			  {"uncounted", sql_flag(d->unasked)},
			  {"unknown", sql_flag(d->smtp.state == SMTP_UNKNOWN)},
			  {"answered", sql_flag(d->smtp.state == SMTP_REFUSED)});
	return task_then(recorded);
}

/* By the server's reply: which of our settings it does not like. */
static const char *what_to_do(int code)
{
	switch (code) {
	case 530:
	case 534:
	case 535:
	case 538:
		return "correct CAUSERIE_SMTP_USER and CAUSERIE_SMTP_PASSWORD; no mail is lost";
	default:
		return code >= 400
			       ? "ask who runs the server why it refuses us: it sees our "
				 "address and CAUSERIE_MAIL_FROM; no mail is lost"
			       : "see that the server runs where CAUSERIE_SMTP_URL says and can "
				 "do what CAUSERIE_SMTP_TLS says; no mail is lost";
	}
}

static void tell_server_is_away(const struct delivery *d)
{
	log_error(NULL, "mail.server_away", "code=%d why=%s failures=%lld pause_s=%lld do=%s",
		  d->smtp.code, d->why, (long long)sql_get_integer(&d->recorded, 0, "failures"),
		  (long long)sql_get_integer(&d->recorded, 0, "pause_s"), what_to_do(d->smtp.code));
}

/* Not written down: the lease will end, and the row tells how far it came. */
static struct step recorded(struct task *task)
{
	struct delivery *d = (struct delivery *)task;

	if (d->recorded.state == SQL_DONE && d->smtp.state == SMTP_AWAY && d->recorded.rows > 0)
		tell_server_is_away(d);
	if (d->recorded.state != SQL_DONE)
		log_warn(task->context.trace, "mail.not_recorded", "delivery=%llu state=%s",
			 (unsigned long long)d->mail.id, d->state);
	return task_done();
}
