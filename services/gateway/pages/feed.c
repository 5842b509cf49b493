/*
 * feed.c - /feeds/sujets.atom: topics as they open (RFC 4287).
 *
 *   ask --> name --> write
 *
 * Ids are tag URIs (RFC 4151) of the site's host and the topic's number: they stay when a title,
 * an address or a scheme changes.
 */
#include <string.h>

#include "gateway/pages/document.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/pages.h"

#define ENTRIES  30
#define TAG_DATE "2026"

struct feed {
	struct visit visit;
	RPC_SLOT(Causerie__ListTopicsReply) list;
	struct people people;
};

static task_step ask, name_people, write_feed;

const struct handler topics_feed = HANDLER(struct feed, ask);

static struct step ask(struct task *task)
{
	struct feed *f = (struct feed *)task;
	Causerie__ListTopicsRequest wanted = CAUSERIE__LIST_TOPICS_REQUEST__INIT;

	wanted.order = CAUSERIE__TOPIC_ORDER__RECENT;
	wanted.limit = ENTRIES;
	RPC_CALL(task, &f->list, causerie__topics__list_topics, site.topics, &wanted);
	return task_then(name_people);
}

static struct step name_people(struct task *task)
{
	struct feed *f = (struct feed *)task;

	if (f->list.code != CAUSERIE__CODE__OK)
		return visit_failed(&f->visit, &f->list.answer);
	for (size_t i = 0; i < f->list.reply->n_topics; i++)
		people_want(task, &f->people, f->list.reply->topics[i]->proposer_id);
	people_load(task, &f->people);
	return task_then(write_feed);
}

/* "tag:causerie.example,2026:sujets/12" */
static const char *tag(struct arena *arena, const char *what)
{
	const char *host = strstr(site.public_url, "://");

	host = host != NULL ? host + 3 : site.public_url;
	return arena_printf(arena, "tag:%.*s," TAG_DATE ":%s", (int)strcspn(host, ":/"), host,
			    what);
}

static int64_t opened(const Causerie__TopicSummary *topic)
{
	return topic->opened_at != 0 ? topic->opened_at : topic->created_at;
}

static const char *written_time(struct arena *arena, int64_t us)
{
	char text[LOCALE_TEXT];

	locale_rfc3339((struct moment){us}, text);
	return arena_strdup(arena, text);
}

static void link_to(struct html_out *out, const char *relation, const char *url)
{
	html_markup(out, HTML("<link rel=\""));
	html_text(out, relation);
	html_markup(out, HTML("\" href=\""));
	html_url(out, url);
	html_markup(out, HTML("\"/>\n"));
}

static void write_entry(struct feed *f, struct html_out *out, const Causerie__TopicSummary *topic)
{
	struct arena *arena = &f->visit.task.arena;
	const struct person proposer = people_person(&f->people, topic->proposer_id);
	const char *at = written_time(arena, opened(topic));

	html_markup(out, HTML("<entry xml:lang=\""));
	html_text(out, topic->language);
	html_markup(out, HTML("\">\n"));
	document_element(
		out, "id",
		tag(arena, arena_printf(arena, "sujets/%llu", (unsigned long long)topic->id)));
	document_element(out, "title", topic->title);
	document_element(out, "summary", topic->lead);
	document_element(out, "published", at);
	document_element(out, "updated", at);
	html_markup(out, HTML("<author>"));
	document_element(out, "name",
			 proposer.name != NULL ? proposer.name
					       : tr(site.locale, "Membre supprimé"));
	html_markup(out, HTML("</author>\n"));
	link_to(out, "alternate",
		arena_printf(arena, "%s%s", site.public_url,
			     fill_topic_url(arena, topic->id, topic->slug)));
	html_markup(out, HTML("</entry>\n"));
}

static struct step write_feed(struct task *task)
{
	struct feed *f = (struct feed *)task;
	struct arena *arena = &task->arena;
	const Causerie__ListTopicsReply *list = f->list.reply;
	struct html_out out = {.locale = site.locale};

	html_markup(&out, HTML("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			       "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"));
	document_element(&out, "id", tag(arena, "sujets"));
	document_element(&out, "title",
			 arena_printf(arena, "%s · %s", tr(site.locale, "Les sujets"), site.name));
	document_element(&out, "updated",
			 written_time(arena, list->n_topics > 0 ? opened(list->topics[0]) : 0));
	link_to(&out, "self", arena_printf(arena, "%s/feeds/sujets.atom", site.public_url));
	link_to(&out, "alternate", arena_printf(arena, "%s/sujets", site.public_url));
	for (size_t i = 0; i < list->n_topics; i++)
		write_entry(f, &out, list->topics[i]);
	html_markup(&out, HTML("</feed>\n"));
	return document_send(&f->visit, "application/atom+xml; charset=utf-8", &out);
}
