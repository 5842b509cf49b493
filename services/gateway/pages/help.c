/*
 * help.c - /aide: how a topic becomes a show.
 */
#include "gateway/page_cache.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway_templates.h"

static task_step draw;

const struct handler help_page = HANDLER(struct visit, draw);

static struct step draw(struct task *task)
{
	static const struct page_tags never_stale;
	struct visit *v = (struct visit *)task;
	struct html_out out = page_out(v);
	struct help_view view = {.language = v->locale};

	page_begin(v, &view.page);
	view.page.title = tr(v->locale, "Web-TV, mode d’emploi");
	view.page.description = tr(v->locale, "Comment un sujet devient une émission, étape par "
					      "étape, et les quelques règles de la maison.");
	view.page.canonical = arena_printf(&task->arena, "%s/aide", site.public_url);
	view.page.section = SECTION_HELP;
	render_help_page(&out, &view);
	return visit_page_kept(v, 200, &out, &never_stale);
}
