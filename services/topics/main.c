/*
 * main.c - causerie-topics: topics from proposal to video, and what members say about them.
 *
 * It listens to comments (how many a topic has) and accounts (an erased member's
 * opinions and offers go, and that they went is announced).
 */
#include "topics.h"

#include <string.h>

#include "accounts.pb-c.h"
#include "comments.pb-c.h"
#include "lib/consumer.h"
#include "migrations.h"

static Causerie__Topics_Service topics = CAUSERIE__TOPICS__INIT(topics_);
static ProtobufCService *const services[] = {&topics.base, NULL};

static struct consumer *comments_seen, *accounts_seen;

static const struct sql_query *on_comment(void *nothing, const Causerie__Event *event)
{
	static const char *const counted[] = {"comment.posted", "comment.restored",
					      "comment.hidden", "comment.deleted"};

	(void)nothing;
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
		if (strcmp(event->type, counted[i]) == 0)
			return &count_comments_sql;
	return strcmp(event->type, "thread.merged") == 0 ? &merge_discussions_sql : NULL;
}

static const struct sql_query *on_account(void *nothing, const Causerie__Event *event)
{
	(void)nothing;
	return strcmp(event->type, "account.erased") == 0 ? &forget_account_sql : NULL;
}

static struct consumer *follow(const char *source, const ProtobufCServiceDescriptor *descriptor,
			       const struct sql_query *(*choose)(void *, const Causerie__Event *))
{
	const struct service_context *here = service_here();
	const struct consumer_settings settings = {
		.name = here->name,
		.source = source,
		.owner = service_client(source, descriptor),
		.peers = service_peers(source),
		.key = here->key,
		.sql = here->sql,
		.choose = choose,
	};

	return consumer_new(here->loop, &settings);
}

static const char *start(const struct service_context *here)
{
	(void)here;
	comments_seen = follow("comments", &causerie__comments__descriptor, on_comment);
	accounts_seen = follow("accounts", &causerie__accounts__descriptor, on_account);
	return NULL;
}

static void stop(void)
{
	consumer_free(comments_seen);
	consumer_free(accounts_seen);
}

int main(int argc, char **argv)
{
	const struct service service = {
		.name = "topics",
		.description = "topics from proposal to video, opinions, offers and seats",
		.queries = topics_queries,
		.migrations = topics_migrations,
		.n_migrations = topics_n_migrations,
		.rpc = services,
		.announces = true,
		.start = start,
		.stop = stop,
	};

	return service_main(argc, argv, &service);
}
