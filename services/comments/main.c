/*
 * main.c - causerie-comments: threads under topics, their history and their moderation.
 *
 * It listens to topics (who may still write where) and accounts (an erased
 * member's comments stay without a name, or go as well).
 */
#include "comments.h"

#include <string.h>

#include "accounts.pb-c.h"
#include "lib/config.h"
#include "lib/consumer.h"
#include "lib/sql_group.h"
#include "migrations.h"
#include "topics.pb-c.h"

struct comments_settings settings;
struct rpc_client *topics;
struct sql_group *posts;

static const struct setting table[] = {
	SETTING_INTEGER("CAUSERIE_COMMENTS_RATE", "10", &settings.rate, 1, 1000000000,
			"comments a member may post in a minute"),
	{0},
};

static Causerie__Comments_Service comments = CAUSERIE__COMMENTS__INIT(comments_);
static ProtobufCService *const services[] = {&comments.base, NULL};

static struct consumer *topics_seen, *accounts_seen;

static const struct sql_query *on_topic(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	if (strcmp(event->type, "topic.transitioned") == 0 &&
	    strcmp(event->to_state, "merged") == 0)
		return &merge_thread_sql;
	if (strcmp(event->type, "topic.created") == 0 || strcmp(event->type, "topic.edited") == 0 ||
	    strcmp(event->type, "topic.transitioned") == 0)
		return &follow_topic_sql;
	return NULL;
}

static const struct sql_query *on_account(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	if (strcmp(event->type, "account.erased") != 0)
		return NULL;
	return strcmp(event->to_state, "without_comments") == 0 ? &erase_comments_sql
								: &forget_account_sql;
}

static const char *start(const struct service_context *here)
{
	struct consumer_settings of_topics = {
		.name = here->name,
		.source = "topics",
		.owner = service_client("topics", &causerie__topics__descriptor),
		.peers = service_peers("topics"),
		.key = here->key,
		.sql = here->sql,
		.choose = on_topic,
	};
	struct consumer_settings of_accounts = of_topics;

	of_accounts.source = "accounts";
	of_accounts.owner = service_client("accounts", &causerie__accounts__descriptor);
	of_accounts.peers = service_peers("accounts");
	of_accounts.choose = on_account;

	posts = sql_group_new(here->loop, here->sql, &post_comments_sql);
	topics = of_topics.owner;
	topics_seen = consumer_new(here->loop, &of_topics);
	accounts_seen = consumer_new(here->loop, &of_accounts);
	return NULL;
}

static void stop(void)
{
	consumer_free(topics_seen);
	consumer_free(accounts_seen);
	sql_group_free(posts);
}

int main(int argc, char **argv)
{
	const struct service service = {
		.name = "comments",
		.description = "threads under topics, their history and their moderation",
		.settings = table,
		.queries = comments_queries,
		.migrations = comments_migrations,
		.n_migrations = comments_n_migrations,
		.rpc = services,
		.announces = true,
		.start = start,
		.stop = stop,
	};

	return service_main(argc, argv, &service);
}
