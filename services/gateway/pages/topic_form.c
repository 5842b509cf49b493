/*
 * topic_form.c - the form of a topic, read and drawn.
 */
#include "gateway/pages/topic_form.h"

#include <string.h>

#include "gateway/pages/expertises.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway_templates.h"
#include "lib/markdown.h"

#define SUGGESTED 40

struct topic_text topic_text_typed(struct visit *v)
{
	return (struct topic_text){
		.title = form_line(v, "title"),
		.lead = form_line(v, "lead"),
		.article = form_body(v, "article"),
		.format = form_line(v, "format"),
		.treatment = form_line(v, "treatment"),
		.place = form_line(v, "place"),
		.expertises = form_line(v, "expertises"),
		.reason = form_line(v, "reason"),
		.language = form_language(v),
	};
}

struct topic_text topic_text_saved(struct visit *v, const Causerie__Topic *topic,
				   const Causerie__Taxonomies *known)
{
	const Causerie__TopicSummary *summary = topic->summary;

	return (struct topic_text){
		.title = summary->title,
		.lead = summary->lead,
		.article = topic->article,
		.format = summary->format,
		.treatment = summary->treatment,
		.place = topic->place,
		.expertises = expertises_as_text(&v->task.arena, known, summary->expertises,
						 summary->n_expertises, v->locale),
		.reason = "",
		.language = fill_locale(summary->language, site.locale),
	};
}

enum topic_form_action topic_form_action(const struct visit *v)
{
	const char *action = form_field(v, "action");

	if (strcmp(action, "preview") == 0)
		return FORM_PREVIEW;
	return strcmp(action, "draft") == 0 ? FORM_DRAFT : FORM_SUBMIT;
}

char **topic_text_expertises(struct visit *v, const struct topic_text *text,
			     const Causerie__Taxonomies *known, size_t *n)
{
	char **words = expertises_typed(&v->task.arena, text->expertises, n);

	expertises_as_slugs(&v->task.arena, known, words, *n);
	return words;
}

static struct labels choices(struct visit *v, Causerie__Term *const *terms, size_t n,
			     const char *chosen)
{
	struct label *labels = ARENA_ARRAY(&v->task.arena, struct label, n);

	for (size_t i = 0; i < n; i++)
		labels[i] = (struct label){
			.value = arena_strdup(&v->task.arena, terms[i]->slug),
			.text = arena_strdup(&v->task.arena, v->locale == LOCALE_FR
								     ? terms[i]->label_fr
								     : terms[i]->label_en),
			.selected = strcmp(terms[i]->slug, chosen) == 0,
		};
	return (struct labels){labels, n};
}

/* The ones most topics have. */
static struct labels suggestions(struct visit *v, const Causerie__Taxonomies *known)
{
	struct label *labels = ARENA_ARRAY(&v->task.arena, struct label, SUGGESTED);
	size_t n = 0;

	for (size_t i = 0; i < known->n_expertises; i++) {
		const Causerie__Term *term = known->expertises[i];
		size_t at = n < SUGGESTED ? n++ : SUGGESTED - 1;

		if (at == SUGGESTED - 1 && labels[at].text != NULL &&
		    labels[at].count >= term->topics)
			continue;
		for (; at > 0 && labels[at - 1].count < term->topics; at--)
			labels[at] = labels[at - 1];
		labels[at] = (struct label){
			.text = arena_strdup(&v->task.arena, v->locale == LOCALE_FR
								     ? term->label_fr
								     : term->label_en),
			.count = term->topics,
		};
	}
	return (struct labels){labels, n};
}

void topic_text_show(struct visit *v, const struct topic_text *text,
		     const Causerie__Taxonomies *known, struct topic_form_view *view)
{
	view->title = text->title;
	view->lead = text->lead;
	view->article = text->article;
	view->place = text->place;
	view->expertises_text = text->expertises;
	view->reason = text->reason;
	view->language = text->language;
	view->formats = choices(v, known->formats, known->n_formats, text->format);
	view->treatments = choices(v, known->treatments, known->n_treatments, text->treatment);
	view->expertises = suggestions(v, known);
}

struct form topic_form_refused(struct visit *v, const struct rpc_answer *answer)
{
	struct form form = form_refused(v, answer, NULL);
	struct form_error *errors;

	if (answer->n_errors != 1 || strcmp(answer->errors[0]->field, "expertises") != 0 ||
	    strcmp(answer->errors[0]->reason, "not_allowed") != 0)
		return form;
	errors = ARENA_NEW(&v->task.arena, struct form_error);
	errors->field = "expertises";
	errors->reason = tr(v->locale, "L’une de ces expertises n’est pas dans la liste du site.");
	form.errors = errors;
	return form;
}

struct step topic_form_draw(struct visit *v, struct topic_form_view *view, const char *title,
			    bool previews, int status)
{
	struct html_out out = page_out(v);

	page_begin(v, &view->page);
	view->page.title = title;
	view->page.section = SECTION_PROPOSE;
	if (view->form.key == NULL)
		view->form.key = random_token(&v->task.arena);
	if (previews)
		view->preview = markdown_html(&v->task.arena, view->article, MARKDOWN_ARTICLE);
	render_topic_form_page(&out, view);
	return visit_page(v, status, &out);
}
