/*
 * shapes.c - where an answer says more, or less, than the message it comes from.
 */
#include <stdio.h>

#include "accounts.pb-c.h"
#include "comments.pb-c.h"
#include "gateway/api/api.h"
#include "lib/markdown.h"
#include "notifications.pb-c.h"
#include "related.pb-c.h"
#include "topics.pb-c.h"

static void set_text(json_t *object, const char *name, const char *text)
{
	json_object_set_new(object, name, json_string(text));
}

static void set_markdown(json_t *object, const char *name, const char *source, struct arena *arena,
			 enum markdown_kind kind)
{
	struct html html = markdown_html(arena, source, kind);

	json_object_set_new(object, name, json_stringn(html.bytes, html.size));
}

static void add_to_summary(json_t *object, const ProtobufCMessage *message, struct arena *arena)
{
	const Causerie__TopicSummary *topic = (const Causerie__TopicSummary *)message;

	set_text(object, "url",
		 arena_printf(arena, "%s/sujets/%llu-%s", site.public_url,
			      (unsigned long long)topic->id, topic->slug));
	json_object_set_new(object, "counts",
			    json_pack("{s:I, s:I}", "opinions", (json_int_t)topic->opinions,
				      "comments", (json_int_t)topic->comments));
}

static void add_to_topic(json_t *object, const ProtobufCMessage *message, struct arena *arena)
{
	const Causerie__Topic *topic = (const Causerie__Topic *)message;

	set_markdown(object, "article_html", topic->article, arena, MARKDOWN_ARTICLE);
}

static void add_to_comment(json_t *object, const ProtobufCMessage *message, struct arena *arena)
{
	const Causerie__Comment *comment = (const Causerie__Comment *)message;

	set_markdown(object, "html", comment->body, arena, MARKDOWN_COMMENT);
	set_text(object, "url",
		 arena_printf(arena, "%s/sujets/%llu#c%llu", site.public_url,
			      (unsigned long long)comment->topic_id,
			      (unsigned long long)comment->id));
}

#define FOR_ORGANIZERS "parts confidence needed unsure"

/* Who is not told the parts of a score is not told that there are any. */
static void take_out_parts(json_t *object, struct arena *arena)
{
	const char *names = FOR_ORGANIZERS;
	struct json_allowed name;

	while ((names = json_next_allowed(names, &name)) != NULL)
		json_object_del(object, arena_strndup(arena, name.name, name.name_length));
}

static void add_to_related(json_t *object, const ProtobufCMessage *message, struct arena *arena)
{
	const Causerie__RelatedTopic *related = (const Causerie__RelatedTopic *)message;
	const char *url = arena_printf(arena, "%s/sujets/%llu-%s", site.public_url,
				       (unsigned long long)related->topic_id, related->slug);
	const char *id = arena_printf(arena, "%llu", (unsigned long long)related->topic_id);

	json_object_set_new(object, "topic",
			    json_pack("{s:s, s:s, s:s, s:s}", "id", id, "title", related->title,
				      "url", url, "language", related->language));
	if (related->n_parts == 0)
		take_out_parts(object, arena);
}

const struct json_shape api_shapes[] = {
	{&causerie__topic_summary__descriptor, "opinions comments headline excerpt seen_by",
	 add_to_summary, "url counts", NULL},
	{&causerie__topic__descriptor, NULL, add_to_topic, "article_html", NULL},
	{&causerie__comment__descriptor, NULL, add_to_comment, "html url", NULL},
	{&causerie__related_topic__descriptor, "topic_id title slug language", add_to_related,
	 "topic", FOR_ORGANIZERS},
	{&causerie__session__descriptor,
	 "account_id roles state display_name language time_zone bouncing", NULL, NULL, NULL},
	{NULL, NULL, NULL, NULL, NULL},
};
