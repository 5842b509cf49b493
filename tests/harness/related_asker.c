/*
 * related_asker.c - asks the recommender as the gateway does.
 *
 *     related_asker PEERS KEY_FILE TOPIC_ID                 ListRelated
 *     related_asker PEERS KEY_FILE title TEXT [EXPERTISE]   FindSimilar
 *
 * Prints the answer's code, whether the index is being rebuilt, and each topic with its
 * slug and its reasons: "1 0 7:slug:1=a,b:5 9:other:1=c". Code 9 means that nobody answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "lib/log.h"
#include "lib/rpc.h"
#include "lib/task.h"
#include "related.pb-c.h"

struct question {
	struct task task;
	char **arguments;
	RPC_SLOT(Causerie__ListRelatedReply) answer;
};

static struct rpc_client *related;

static task_step ask, print;

static void read_key(const char *path, unsigned char key[32])
{
	FILE *file = fopen(path, "r");
	unsigned byte = 0;

	if (file == NULL)
		log_fatal("no key at %s", path);
	for (int i = 0; i < 32; i++) {
		if (fscanf(file, "%2x", &byte) != 1)
			log_fatal("%s: not a key", path);
		key[i] = (unsigned char)byte;
	}
	fclose(file);
}

static struct step ask(struct task *task)
{
	struct question *q = (struct question *)task;
	Causerie__ListRelatedRequest about = CAUSERIE__LIST_RELATED_REQUEST__INIT;
	Causerie__FindSimilarRequest text = CAUSERIE__FIND_SIMILAR_REQUEST__INIT;

	if (strcmp(q->arguments[3], "title") == 0) {
		text.title = q->arguments[4];
		text.expertises = q->arguments + 5;
		text.n_expertises = q->arguments[5] != NULL;
		RPC_CALL(task, &q->answer, causerie__related__find_similar, related, &text);
	} else {
		about.topic_id = strtoull(q->arguments[3], NULL, 10);
		RPC_CALL(task, &q->answer, causerie__related__list_related, related, &about);
	}
	return task_then(print);
}

static void print_topic(const Causerie__RelatedTopic *topic)
{
	printf(" %llu:%s", (unsigned long long)topic->topic_id, topic->slug);
	for (size_t i = 0; i < topic->n_reasons; i++) {
		printf(":%d", (int)topic->reasons[i]->kind);
		for (size_t j = 0; j < topic->reasons[i]->n_words; j++)
			printf("%c%s", j == 0 ? '=' : ',', topic->reasons[i]->words[j]);
	}
}

static struct step print(struct task *task)
{
	struct question *q = (struct question *)task;
	const Causerie__ListRelatedReply *reply = q->answer.reply;

	printf("%d %d", (int)q->answer.code, reply != NULL && reply->rebuilding);
	for (size_t i = 0; reply != NULL && i < reply->n_topics; i++)
		print_topic(reply->topics[i]);
	putchar('\n');
	event_base_loopexit(task->loop, NULL);
	return task_done();
}

int main(int argc, char **argv)
{
	static const struct request_context context = {.trace = "asker"};
	static unsigned char key[32];
	struct event_base *loop = event_base_new();
	struct arena arena = {0};
	struct question *q = NULL;

	if (argc < 4 || argc > 6)
		log_fatal("usage: related_asker PEERS KEY_FILE TOPIC_ID | title TEXT [EXPERTISE]");
	read_key(argv[2], key);
	log_start("asker", LOG_WARN);
	related = rpc_client_new(
		loop, &causerie__related__descriptor,
		&(struct rpc_settings){.caller = "asker", .peers = argv[1], .key = key});
	if (related == NULL)
		log_fatal("cannot call %s", argv[1]);
	q = task_new(loop, &arena, sizeof *q, task_then(ask), task_then(print), 3000, &context);
	q->arguments = argv;
	event_base_dispatch(loop);
	rpc_client_free(related);
	event_base_free(loop);
	return 0;
}
