/*
 * desk_related.c - /bureau/sujets/{id}/connexes: why topics stand together, and the organizers'
 * word.
 *
 *   find --> name --> draw
 *   read_form --> was_said --> the sheet again
 *     +---------------+------> refused: find --> name --> draw with what was typed
 *
 * What is pinned and banned topics knows at once, the recommender a moment later: where they
 * differ the sheet follows topics, so that a button's effect shows on the page it leads to.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/json.h"
#include "gateway/pages/fill.h"
#include "gateway/pages/forms.h"
#include "gateway/pages/page.h"
#include "gateway/pages/pages.h"
#include "gateway/pages/show_topic.h"
#include "gateway_templates.h"
#include "related.pb-c.h"

#define OPTIONAL_MS 1500
#define CANDIDATES  20

struct desk_related {
	struct visit visit;
	uint64_t id, other;
	int status;
	struct form form;
	RPC_SLOT(Causerie__Topic) topic;
	RPC_SLOT(Causerie__ListPairsReply) pairs;
	RPC_SLOT(Causerie__ListRelatedReply) all, on_page;
	RPC_SLOT(Causerie__TopicSummaries) paired;
	RPC_SLOT(Causerie__RelatedPair) said;
	RPC_SLOT(Causerie__Empty) freed;
	struct terms terms;
	struct people people;
};

static task_step find, name_people, draw, read_form, was_said;

const struct handler desk_related_page = HANDLER(struct desk_related, find);
const struct handler desk_pair = HANDLER(struct desk_related, read_form);

/* --- asking ------------------------------------------------------------------------- */

static void ask_related(struct desk_related *d)
{
	Causerie__ListRelatedRequest ask = CAUSERIE__LIST_RELATED_REQUEST__INIT;
	struct task *task = &d->visit.task;

	ask.topic_id = d->id;
	RPC_CALL_WITHIN(OPTIONAL_MS, task, &d->on_page, causerie__related__list_related,
			site.related, &ask);
	ask.limit = CANDIDATES;
	ask.explain = ask.everything = true;
	RPC_CALL_WITHIN(OPTIONAL_MS, task, &d->all, causerie__related__list_related, site.related,
			&ask);
}

static struct step find(struct task *task)
{
	struct desk_related *d = (struct desk_related *)task;
	Causerie__GetTopicRequest topic = CAUSERIE__GET_TOPIC_REQUEST__INIT;

	d->id = topic.id = visit_id(&d->visit, "id");
	RPC_CALL(task, &d->topic, causerie__topics__get_topic, site.topics, &topic);
	RPC_CALL(task, &d->pairs, causerie__topics__list_pairs, site.topics, &topic);
	ask_related(d);
	terms_load(task, &d->terms);
	return task_then(name_people);
}

static struct step name_people(struct task *task)
{
	struct desk_related *d = (struct desk_related *)task;
	const Causerie__ListPairsReply *pairs = d->pairs.reply;
	Causerie__GetTopicSummariesRequest ask = CAUSERIE__GET_TOPIC_SUMMARIES_REQUEST__INIT;

	if (d->topic.code != CAUSERIE__CODE__OK)
		return visit_failed(&d->visit, &d->topic.answer);
	if (d->pairs.code != CAUSERIE__CODE__OK)
		return visit_failed(&d->visit, &d->pairs.answer);
	people_want(task, &d->people, d->topic.reply->summary->proposer_id);
	ask.ids = ARENA_ARRAY(&task->arena, uint64_t, pairs->n_pairs);
	for (size_t i = 0; i < pairs->n_pairs; i++) {
		people_want(task, &d->people, pairs->pairs[i]->actor_id);
		ask.ids[ask.n_ids++] = pairs->pairs[i]->other_id;
	}
	people_load(task, &d->people);
	if (ask.n_ids > 0)
		RPC_CALL(task, &d->paired, causerie__topics__get_topic_summaries, site.topics,
			 &ask);
	return task_then(draw);
}

/* --- what was said -------------------------------------------------------------------- */

static Causerie__Pairing pairing_of(const struct desk_related *d, uint64_t other)
{
	for (size_t i = 0; i < d->pairs.reply->n_pairs; i++)
		if (d->pairs.reply->pairs[i]->other_id == other)
			return d->pairs.reply->pairs[i]->pairing;
	return CAUSERIE__PAIRING__PAIRING_UNSPECIFIED;
}

static const Causerie__TopicSummary *summary_of(const struct desk_related *d, uint64_t id)
{
	const Causerie__TopicSummaries *topics = d->paired.reply;

	for (size_t i = 0; topics != NULL && i < topics->n_topics; i++)
		if (topics->topics[i]->id == id)
			return topics->topics[i];
	return NULL;
}

static struct pair_row pair_row(struct desk_related *d, const Causerie__RelatedPair *pair)
{
	struct arena *arena = &d->visit.task.arena;
	const Causerie__TopicSummary *topic = summary_of(d, pair->other_id);
	struct pair_row row = {
		.id = pair->other_id,
		.is_pinned = pair->pairing == CAUSERIE__PAIRING__PAIRING_PINNED,
		.is_hidden = pair->hidden,
		.by = people_person(&d->people, pair->actor_id),
		.at = fill_moment(pair->at),
		.free_key = random_token(arena),
		.url = arena_printf(arena, "/sujets/%llu", (unsigned long long)pair->other_id),
		.title = arena_printf(arena, "%s %llu", tr(d->visit.locale, "Sujet"),
				      (unsigned long long)pair->other_id),
		.language = d->visit.locale,
	};

	if (topic != NULL) {
		row.url = fill_topic_url(arena, topic->id, topic->slug);
		row.title = topic->title;
		row.language = fill_locale(topic->language, site.locale);
	}
	return row;
}

static void fill_pairs(struct desk_related *d, struct desk_related_view *view)
{
	const Causerie__ListPairsReply *pairs = d->pairs.reply;
	struct pair_row *rows = ARENA_ARRAY(&d->visit.task.arena, struct pair_row, pairs->n_pairs);

	for (size_t i = 0; i < pairs->n_pairs; i++)
		rows[i] = pair_row(d, pairs->pairs[i]);
	view->pairs = rows;
	view->n_pairs = pairs->n_pairs;
}

/* --- what the recommender finds --------------------------------------------------------- */

/* "0,62", with a minus sign and the comma of the page's language. */
static const char *decimal(struct visit *v, double value)
{
	const long hundredths = lround(fabs(value) * 100);

	return arena_printf(&v->task.arena, "%s%ld%c%02ld", value < 0 && hundredths > 0 ? "−" : "",
			    hundredths / 100, v->locale == LOCALE_FR ? ',' : '.', hundredths % 100);
}

static const char *part_word(enum locale locale, Causerie__RelatedReasonKind kind)
{
	static const char *const words[] = {
		[CAUSERIE__RELATED_REASON_KIND__COMMON_EXPERTISES] = TR("Expertises communes"),
		[CAUSERIE__RELATED_REASON_KIND__COMMON_WORDS] = TR("Mots communs"),
		[CAUSERIE__RELATED_REASON_KIND__CITED] = TR("Liens vers lui"),
		[CAUSERIE__RELATED_REASON_KIND__COMMON_PARTICIPANTS] = TR("Participants communs"),
		[CAUSERIE__RELATED_REASON_KIND__SAME_PERIOD] = TR("Proximité dans le temps"),
		[CAUSERIE__RELATED_REASON_KIND__SAME_AUTHOR] =
			TR("L’auteur de ce sujet y a pris part"),
		[CAUSERIE__RELATED_REASON_KIND__RECENT_IN_EXPERTISE] =
			TR("Récent dans la même expertise"),
		[CAUSERIE__RELATED_REASON_KIND__PINNED] = TR("Épinglé par les organisateurs"),
		[CAUSERIE__RELATED_REASON_KIND__MUCH_DISCUSSED] = TR("Activité de la discussion"),
		[CAUSERIE__RELATED_REASON_KIND__SAME_LANGUAGE] = TR("Même langue"),
	};

	if (kind >= sizeof words / sizeof *words || words[kind] == NULL)
		return tr(locale, "Autre chose");
	return tr(locale, words[kind]);
}

static const char *counted(enum locale locale, const Causerie__RelatedReason *part)
{
	switch (part->kind) {
	case CAUSERIE__RELATED_REASON_KIND__COMMON_PARTICIPANTS:
		return tr_plural(locale, "personne", "personnes", part->count);
	case CAUSERIE__RELATED_REASON_KIND__SAME_PERIOD:
		return tr_plural(locale, "jour d’écart", "jours d’écart", part->count);
	default:
		return tr_plural(locale, "sujet", "sujets", part->count);
	}
}

static const char *part_detail(struct visit *v, const Causerie__RelatedReason *part,
			       const Causerie__Taxonomies *known)
{
	if (part->n_words > 0)
		return related_words(v, part, known);
	if (part->count == 0)
		return NULL;
	return arena_printf(&v->task.arena, "%u %s", part->count, counted(v->locale, part));
}

static double largest_part(const Causerie__RelatedTopic *topic)
{
	double largest = 0;

	for (size_t i = 0; i < topic->n_parts; i++)
		largest = fmax(largest, topic->parts[i]->part);
	return largest;
}

static void fill_parts(struct visit *v, const Causerie__RelatedTopic *topic,
		       const Causerie__Taxonomies *known, struct relation_row *row)
{
	const double largest = largest_part(topic);
	struct score_part *parts = ARENA_ARRAY(&v->task.arena, struct score_part, topic->n_parts);

	for (size_t i = 0; i < topic->n_parts; i++) {
		const Causerie__RelatedReason *part = topic->parts[i];

		parts[i] = (struct score_part){
			.word = part_word(v->locale, part->kind),
			.detail = part_detail(v, part, known),
			.value = decimal(v, part->part),
			.percent = part->part > 0 ? (unsigned)(100 * part->part / largest) : 0,
		};
	}
	row->parts = parts;
	row->n_parts = topic->n_parts;
}

static bool is_on_page(const struct desk_related *d, uint64_t id)
{
	const Causerie__ListRelatedReply *list = d->on_page.reply;

	for (size_t i = 0; list != NULL && i < list->n_topics; i++)
		if (list->topics[i]->topic_id == id)
			return true;
	return false;
}

static struct relation_row relation_row(struct desk_related *d, const Causerie__RelatedTopic *topic,
					const Causerie__Taxonomies *known)
{
	struct visit *v = &d->visit;
	struct relation_row row = {
		.id = topic->topic_id,
		.url = fill_topic_url(&v->task.arena, topic->topic_id, topic->slug),
		.title = topic->title,
		.language = fill_locale(topic->language, site.locale),
		.is_pinned = pairing_of(d, topic->topic_id) == CAUSERIE__PAIRING__PAIRING_PINNED,
		.is_on_page = is_on_page(d, topic->topic_id),
		.confidence = (unsigned)(topic->confidence * 100),
		.needed = (unsigned)lround(topic->needed * 100),
		.score = decimal(v, topic->score),
		.pin_key = random_token(&v->task.arena),
		.ban_key = random_token(&v->task.arena),
	};

	row.is_unsure = topic->unsure && !row.is_pinned;
	row.is_untold = row.is_unsure && topic->confidence >= topic->needed;
	fill_parts(v, topic, known, &row);
	return row;
}

static void fill_relations(struct desk_related *d, const Causerie__Taxonomies *known,
			   struct desk_related_view *view)
{
	const Causerie__ListRelatedReply *list = d->all.reply;
	struct relation_row *rows;

	view->is_missing = list == NULL && d->all.code != CAUSERIE__CODE__NOT_FOUND;
	if (list == NULL)
		return;
	view->is_rebuilding = list->rebuilding;
	rows = ARENA_ARRAY(&d->visit.task.arena, struct relation_row, list->n_topics);
	for (size_t i = 0; i < list->n_topics; i++)
		if (pairing_of(d, list->topics[i]->topic_id) != CAUSERIE__PAIRING__PAIRING_BANNED)
			rows[view->n_relations++] = relation_row(d, list->topics[i], known);
	view->relations = rows;
}

static struct step draw(struct task *task)
{
	struct desk_related *d = (struct desk_related *)task;
	const Causerie__Taxonomies *known = terms_take(&d->terms);
	struct desk_related_view *view = ARENA_NEW(&task->arena, struct desk_related_view);
	struct html_out out = page_out(&d->visit);
	struct topic_row row;

	if (d->people.missing)
		d->visit.missing |= MISSING_ACCOUNTS;
	fill_topic_row(&d->visit, d->topic.reply->summary, known, &d->people, &row);
	view->topic = &row;
	view->form = d->form;
	if (d->status != 0)
		view->other = form_line(&d->visit, "other");
	if (view->form.key == NULL)
		view->form.key = random_token(&task->arena);
	fill_pairs(d, view);
	fill_relations(d, known, view);
	page_begin(&d->visit, &view->page);
	page_say_done(&d->visit, &view->page);
	view->page.title = tr(d->visit.locale, "Sujets connexes");
	view->page.section = SECTION_DESK;
	render_desk_related_page(&out, view);
	return visit_page(&d->visit, d->status ? d->status : 200, &out);
}

/* --- the word --------------------------------------------------------------------------- */

static struct step refuse(struct desk_related *d, const char *field, const char *reason)
{
	d->form = form_wrong(&d->visit, field, reason);
	d->status = 422;
	return find(&d->visit.task);
}

static void pair(struct desk_related *d, Causerie__Pairing pairing)
{
	Causerie__PairTopicsRequest ask = CAUSERIE__PAIR_TOPICS_REQUEST__INIT;

	ask.topic_id = d->id;
	ask.other_id = d->other;
	ask.pairing = pairing;
	RPC_CALL(&d->visit.task, &d->said, causerie__topics__pair_topics, site.topics, &ask);
}

static void unpair(struct desk_related *d)
{
	Causerie__UnpairTopicsRequest ask = CAUSERIE__UNPAIR_TOPICS_REQUEST__INIT;

	ask.topic_id = d->id;
	ask.other_id = d->other;
	RPC_CALL(&d->visit.task, &d->freed, causerie__topics__unpair_topics, site.topics, &ask);
}

static struct step read_form(struct task *task)
{
	struct desk_related *d = (struct desk_related *)task;
	const char *word = form_field(&d->visit, "pairing");

	d->id = visit_id(&d->visit, "id");
	if (!json_id_read(form_line(&d->visit, "other"), &d->other))
		return refuse(d, "other", tr(d->visit.locale, "Cela n’a pas la bonne forme."));
	if (strcmp(word, "pinned") == 0)
		pair(d, CAUSERIE__PAIRING__PAIRING_PINNED);
	else if (strcmp(word, "banned") == 0)
		pair(d, CAUSERIE__PAIRING__PAIRING_BANNED);
	else if (strcmp(word, "free") == 0)
		unpair(d);
	else
		return visit_fail(&d->visit, 400, "no such word on two topics");
	return task_then(was_said);
}

static bool is_refused_for(const struct rpc_answer *answer, const char *field)
{
	return answer->code == CAUSERIE__CODE__INVALID && answer->n_errors > 0 &&
	       strcmp(answer->errors[0]->field, field) == 0;
}

static struct step was_said(struct task *task)
{
	struct desk_related *d = (struct desk_related *)task;
	const enum locale locale = d->visit.locale;
	const struct rpc_answer *answer = strcmp(form_field(&d->visit, "pairing"), "free") == 0
						  ? &d->freed.answer
						  : &d->said.answer;

	if (answer->code == CAUSERIE__CODE__OK)
		return visit_redirect(&d->visit, 303,
				      arena_printf(&task->arena,
						   "/bureau/sujets/%llu/connexes?fait=connexe",
						   (unsigned long long)d->id));
	if (answer->code == CAUSERIE__CODE__NOT_FOUND)
		return refuse(d, "other", tr(locale, "Aucun sujet ne porte ce numéro."));
	if (is_refused_for(answer, "other_id"))
		return refuse(d, "other", tr(locale, "C’est le numéro de ce sujet."));
	if (is_refused_for(answer, "pairing"))
		return refuse(d, NULL,
			      tr(locale, "Un des deux sujets en a déjà autant qu’il peut : "
					 "libérez-en un d’abord."));
	if (!form_comes_again(answer))
		return visit_failed(&d->visit, answer);
	d->form = form_refused(&d->visit, answer, NULL);
	d->status = form_status(answer);
	return find(task);
}
