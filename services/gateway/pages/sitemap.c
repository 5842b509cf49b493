/*
 * sitemap.c - /sitemap.xml, /robots.txt and /favicon.ico: what crawlers ask for.
 *
 *   ask --> take --> (next page) ask … --> answer
 *
 * The list of all public topics takes a call for each hundred, so it is made at
 * most once in five minutes. It holds the latest ten thousand, a fifth of what the protocol
 * allows in one file.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/pages/document.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/pages.h"
#include "gateway_static.h"
#include "lib/clock.h"

#define PAGE       100
#define TOPICS_MAX 10000
#define KEPT_MS    (5 * 60 * 1000)

struct sitemap {
	struct visit visit;
	struct html_out out;
	size_t n;
	RPC_SLOT(Causerie__ListTopicsReply) list;
};

static task_step begin, take, say_rules, go_to_icon;

const struct handler sitemap = HANDLER(struct sitemap, begin);
const struct handler robots = HANDLER(struct visit, say_rules);
const struct handler favicon = HANDLER(struct visit, go_to_icon);

static struct {
	char *text;
	size_t size;
	int64_t made_ms;
} kept;

static struct step answer_kept(struct sitemap *s)
{
	struct html_out out = {0};

	html_raw(&out, kept.text, kept.size);
	return document_send(&s->visit, "application/xml; charset=utf-8", &out);
}

static void write_url(struct html_out *out, const char *path)
{
	html_markup(out, HTML("<url><loc>"));
	html_text(out, site.public_url);
	html_text(out, path);
	html_markup(out, HTML("</loc></url>\n"));
}

static void release(void *out)
{
	html_out_free(out);
}

static void ask(struct sitemap *s, const char *cursor)
{
	Causerie__ListTopicsRequest wanted = CAUSERIE__LIST_TOPICS_REQUEST__INIT;

	wanted.order = CAUSERIE__TOPIC_ORDER__RECENT;
	wanted.limit = PAGE;
	wanted.cursor = arena_strdup(&s->visit.task.arena, cursor);
	RPC_CALL(&s->visit.task, &s->list, causerie__topics__list_topics, site.topics, &wanted);
}

static struct step begin(struct task *task)
{
	static const char *const pages[] = {"/", "/sujets", "/aide"};
	struct sitemap *s = (struct sitemap *)task;

	if (kept.text != NULL && clock_ms() - kept.made_ms < KEPT_MS)
		return answer_kept(s);
	arena_defer(&task->arena, release, &s->out);
	html_markup(&s->out,
		    HTML("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			 "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n"));
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
		write_url(&s->out, pages[i]);
	ask(s, "");
	return task_then(take);
}

static struct step keep(struct sitemap *s)
{
	html_markup(&s->out, HTML("</urlset>\n"));
	free(kept.text);
	kept.text = html_out_take(&s->out, &kept.size);
	kept.made_ms = clock_ms();
	return kept.text != NULL ? answer_kept(s) : visit_fail(&s->visit, 500, NULL);
}

static struct step take(struct task *task)
{
	struct sitemap *s = (struct sitemap *)task;
	const Causerie__ListTopicsReply *list = s->list.reply;

	if (s->list.code != CAUSERIE__CODE__OK)
		return visit_failed(&s->visit, &s->list.answer);
	for (size_t i = 0; i < list->n_topics; i++)
		write_url(&s->out,
			  fill_topic_url(&task->arena, list->topics[i]->id, list->topics[i]->slug));
	s->n += list->n_topics;
	if (*list->next_cursor == '\0' || s->n >= TOPICS_MAX)
		return keep(s);
	ask(s, list->next_cursor);
	return task_then(take);
}

/* --- what crawlers may ask for ------------------------------------------------------- */

static struct step say_rules(struct task *task)
{
	static const char *const not_for_them[] = {
		"/api/", "/bureau",      "/commentaires/", "/compte",       "/connexion",
		"/dev/", "/inscription", "/moderation",    "/mot-de-passe", "/notifications",
		"/u/",   "/verification"};
	struct html_out out = {0};

	html_markup(&out, HTML("User-agent: *\n"));
	for (size_t i = 0; i < sizeof not_for_them / sizeof *not_for_them; i++) {
		html_markup(&out, HTML("Disallow: "));
		plain_text(&out, not_for_them[i]);
		html_markup(&out, HTML("\n"));
	}
	html_markup(&out, HTML("Sitemap: "));
	plain_text(&out, site.public_url);
	html_markup(&out, HTML("/sitemap.xml\n"));
	return document_send((struct visit *)task, "text/plain; charset=utf-8", &out);
}

static struct step go_to_icon(struct task *task)
{
	struct visit *v = (struct visit *)task;

	visit_field(v, "Cache-Control", "public, max-age=86400");
	return visit_redirect(v, 302, STATIC_ICON_SVG);
}
