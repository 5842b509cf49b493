/*
 * short_link.c - /s/{id}: the short address of a topic, for sharing.
 *
 * It leads to /sujets/{id}, which knows the slug.
 */
#include "gateway/pages/pages.h"

static task_step go;

const struct handler go_to_topic = HANDLER(struct visit, go);

static struct step go(struct task *task)
{
	struct visit *v = (struct visit *)task;

	return visit_redirect(
		v, 301,
		arena_printf(&task->arena, "/sujets/%llu", (unsigned long long)visit_id(v, "id")));
}
