/*
 * main.c - causerie-notifications: who is told what, and the mails that go out.
 *
 * It listens to topics, comments and accounts; each event takes effect in one
 * statement that also moves the cursor, so nobody is told twice or never.
 */
#include "notifications.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <gmime/gmime.h>
#include <sodium.h>

#include "accounts.pb-c.h"
#include "comments.pb-c.h"
#include "lib/config.h"
#include "lib/consumer.h"
#include "migrations.h"
#include "smtp.h"
#include "topics.pb-c.h"

struct notifications_settings settings;
struct rpc_client *accounts, *topics, *comments;
struct smtp *smtp, *account_smtp;
char worker[80];

static struct consumer *seen[3];

static const char *check_smtp(const char *url)
{
	return strncmp(url, "smtp://", 7) == 0 || strncmp(url, "smtps://", 8) == 0
		       ? NULL
		       : "is not smtp://host:port or smtps://host:port";
}

static const char *check_from(const char *address)
{
	const char *at = strchr(address, '@');

	return at != NULL && at != address && at[1] != '\0' && strpbrk(address, " \t<>\"") == NULL
		       ? NULL
		       : "is not an address such as notifications@example.org";
}

static const char *check_tls(const char *value)
{
	return strcmp(value, "none") == 0 || strcmp(value, "try") == 0 ||
			       strcmp(value, "require") == 0
		       ? NULL
		       : "is not none, try or require";
}

static const char *check_unknown(const char *value)
{
	return strcmp(value, "resend") == 0 || strcmp(value, "hold") == 0 ? NULL
									  : "is not resend or hold";
}

static const struct setting table[] = {
	SETTING_TEXT("CAUSERIE_SITE_NAME", "Causerie", &settings.site_name,
		     "the site's name in mails", NULL),
	SETTING_TEXT("CAUSERIE_MAIL_FROM", "notifications@causerie.example", &settings.from,
		     "address that mails come from; its domain is in Message-IDs and bounces",
		     check_from),
	SETTING_TEXT("CAUSERIE_SMTP_URL", "smtp://127.0.0.1:1025", &settings.smtp_url,
		     "server that takes our mail", check_smtp),
	SETTING_TEXT("CAUSERIE_SMTP_TLS", "none", &settings.smtp_tls,
		     "STARTTLS with smtp://: none, try or require", check_tls),
	SETTING_TEXT("CAUSERIE_SMTP_USER", NULL, &settings.smtp_user, "name for SMTP AUTH", NULL),
	SETTING_SECRET("CAUSERIE_SMTP_PASSWORD", NULL, &settings.smtp_password,
		       "password for SMTP AUTH", NULL),
	SETTING_INTEGER("CAUSERIE_SMTP_CONNECTIONS", "2", &settings.connections, 1, 16,
			"connections to the server, at most; and as many for mails of accounts"),
	SETTING_DURATION(
		"CAUSERIE_SMTP_TIMEOUT", "10m", &settings.smtp_timeout_ms, 1000, 600000,
		"for an answer of the server; RFC 5321 asks for 10 minutes after the final dot"),
	SETTING_DURATION("CAUSERIE_MAIL_DELAY", "90s", &settings.delay_ms, 0, 900000,
			 "before a mail about a comment goes, so that edits and deletions count"),
	SETTING_DURATION("CAUSERIE_MAIL_LEASE", "60s", &settings.lease_ms, 1000, 900000,
			 "after which another replica takes over the mails of one that died"),
	SETTING_DURATION("CAUSERIE_MAIL_UNKNOWN_PAUSE", "15m", &settings.unknown_ms, 1000, 86400000,
			 "before a mail that may have been sent is sent again"),
	SETTING_TEXT("CAUSERIE_MAIL_ON_UNKNOWN", "resend", &settings.on_unknown,
		     "what to do with a mail that may have been sent: resend or hold",
		     check_unknown),
	{0},
};

static Causerie__Notifications_Service notifications =
	CAUSERIE__NOTIFICATIONS__INIT(notifications_);
static ProtobufCService *const services[] = {&notifications.base, NULL};

/* Which statement an event means for us; the rest is passed over. */
static const struct {
	const char *type;
	const struct sql_query *statement;
} effects[] = {
	{"comment.posted", &comments_posted_sql},
	{"comment.deleted", &comment_gone_or_back_sql},
	{"comment.hidden", &comment_gone_or_back_sql},
	{"comment.restored", &comment_gone_or_back_sql},
	{"topic.created", &topic_created_sql},
	{"topic.transitioned", &topic_transitioned_sql},
	{"account.mail_wanted", &account_mail_wanted_sql},
	{"account.erased", &account_erased_sql},
};

static const struct sql_query *on_event(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
		if (strcmp(event->type, effects[i].type) == 0)
			return effects[i].statement;
	return NULL;
}

static struct consumer *listen_to(const char *source, struct rpc_client *owner)
{
	const struct service_context *here = service_here();
	const struct consumer_settings wanted = {
		.name = here->name,
		.source = source,
		.owner = owner,
		.peers = service_peers(source),
		.key = here->key,
		.sql = here->sql,
		.choose = on_event,
	};

	return consumer_new(here->loop, &wanted);
}

/* In a container host and pid are the same at every start, so a random word makes the name one
 * process's own. */
static void name_worker(void)
{
	char host[40] = "";

	gethostname(host, sizeof host - 1);
	snprintf(worker, sizeof worker, "%s:%d:%08" PRIx32, host, (int)getpid(),
		 randombytes_random());
}

static const char *start(const struct service_context *here)
{
	const struct smtp_settings server = {
		.url = settings.smtp_url,
		.user = settings.smtp_user,
		.password = settings.smtp_password,
		.tls = settings.smtp_tls,
		.connections = (int)settings.connections,
		.timeout_ms = (int)settings.smtp_timeout_ms,
	};

	name_worker();
	g_mime_init();
	smtp = smtp_new(here->loop, &server);
	account_smtp = smtp_new(here->loop, &server);
	accounts = service_client("accounts", &causerie__accounts__descriptor);
	topics = service_client("topics", &causerie__topics__descriptor);
	comments = service_client("comments", &causerie__comments__descriptor);
	seen[0] = listen_to("accounts", accounts);
	seen[1] = listen_to("topics", topics);
	seen[2] = listen_to("comments", comments);
	queue_start(here->loop);
	housekeep_start(here->loop);
	return NULL;
}

static void stop(void)
{
	queue_stop();
	housekeep_stop();
	for (size_t i = 0; i < sizeof seen / sizeof *seen; i++)
		consumer_free(seen[i]);
	smtp_free(smtp);
	smtp_free(account_smtp);
	g_mime_shutdown();
}

int main(int argc, char **argv)
{
	const struct service service = {
		.name = "notifications",
		.description = "who follows what, who is told what, and the mails that go out",
		.settings = table,
		.queries = notifications_queries,
		.migrations = notifications_migrations,
		.n_migrations = notifications_n_migrations,
		.rpc = services,
		.start = start,
		.drain = queue_drain,
		.stop = stop,
	};

	return service_main(argc, argv, &service);
}
