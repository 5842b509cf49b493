/*
 * people.c - the names that were asked for lately, and the asking.
 *
 *   people_load:  kept? -> all known: nothing to wait for
 *                       -> ask accounts, 500 ids a call -> take
 *
 * An answer that was on its way while accounts announced a change is used once and
 * not kept.
 */
#include "gateway/people.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "gateway/gateway.h"

#define KEPT_MAX 10000
#define BUCKETS  4096
#define BATCH    500

struct kept_person {
	LIST_ENTRY(kept_person) chain;
	TAILQ_ENTRY(kept_person) use;
	uint64_t id;
	uint32_t roles;
	bool erased;
	char *organisation, *bio; /* behind the name */
	char name[];
};

LIST_HEAD(person_chain, kept_person);
TAILQ_HEAD(person_list, kept_person);

static struct person_chain buckets[BUCKETS];
static struct person_list by_use = TAILQ_HEAD_INITIALIZER(by_use); /* the latest first */
static size_t kept;
static uint64_t changes; /* announced so far */

/* --- what is kept --------------------------------------------------------------------- */

static struct kept_person *find_kept(uint64_t id)
{
	struct kept_person *person;

	LIST_FOREACH(person, &buckets[id % BUCKETS], chain)
	if (person->id == id)
		return person;
	return NULL;
}

static void drop(struct kept_person *person)
{
	LIST_REMOVE(person, chain);
	TAILQ_REMOVE(&by_use, person, use);
	kept--;
	free(person);
}

void people_forget(uint64_t id)
{
	struct kept_person *person = find_kept(id);

	changes++;
	if (person != NULL)
		drop(person);
}

void people_forget_all(void)
{
	changes++;
	while (!TAILQ_EMPTY(&by_use))
		drop(TAILQ_FIRST(&by_use));
}

void people_stop(void)
{
	people_forget_all();
}

static void keep(const Causerie__Person *person)
{
	const size_t name = strlen(person->display_name) + 1;
	const size_t organisation = strlen(person->organisation) + 1, bio = strlen(person->bio) + 1;
	struct kept_person *new;

	if (find_kept(person->id) != NULL)
		drop(find_kept(person->id));
	if (kept == KEPT_MAX)
		drop(TAILQ_LAST(&by_use, person_list));
	new = malloc(sizeof *new + name + organisation + bio);
	if (new == NULL)
		abort();
	new->id = person->id;
	new->roles = person->roles;
	new->erased = person->state == CAUSERIE__ACCOUNT_STATE__ERASED;
	new->organisation = new->name + name;
	new->bio = new->organisation + organisation;
	memcpy(new->name, person->display_name, name);
	memcpy(new->organisation, person->organisation, organisation);
	memcpy(new->bio, person->bio, bio);
	LIST_INSERT_HEAD(&buckets[new->id % BUCKETS], new, chain);
	TAILQ_INSERT_HEAD(&by_use, new, use);
	kept++;
}

/* --- sets ------------------------------------------------------------------------------- */

void people_want(struct task *task, struct people *people, uint64_t id)
{
	struct known_person *larger;

	if (id == 0 || people->n == PEOPLE_SET_MAX)
		return;
	for (size_t i = 0; i < people->n; i++)
		if (people->list[i].id == id)
			return;
	if (people->n == people->capacity) {
		people->capacity = people->capacity ? people->capacity * 2 : 16;
		larger = ARENA_ARRAY(&task->arena, struct known_person, people->capacity);
		if (people->n > 0)
			memcpy(larger, people->list, people->n * sizeof *larger);
		people->list = larger;
	}
	people->list[people->n++] = (struct known_person){.id = id, .unknown = true};
}

static int by_id(const void *left, const void *right)
{
	const struct known_person *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

const struct known_person *people_find(const struct people *people, uint64_t id)
{
	const struct known_person key = {.id = id};

	if (id == 0 || people->n == 0)
		return NULL;
	return bsearch(&key, people->list, people->n, sizeof key, by_id);
}

struct person people_person(const struct people *people, uint64_t id)
{
	const struct known_person *known = people_find(people, id);

	if (known == NULL)
		return (struct person){.id = id};
	if (known->unknown && !known->erased) /* accounts is away; the page says so */
		return (struct person){.id = id, .name = "…"};
	return (struct person){
		.id = id,
		.name = known->erased ? NULL : known->name,
		.organisation = known->organisation != NULL && *known->organisation
					? known->organisation
					: NULL,
		.bio = known->bio != NULL && *known->bio ? known->bio : NULL,
	};
}

static void know(struct arena *arena, struct known_person *person, const char *name,
		 const char *organisation, const char *bio, uint32_t roles, bool erased)
{
	person->unknown = false;
	person->erased = erased || *name == '\0';
	person->roles = roles;
	if (person->erased)
		return;
	person->name = arena_strdup(arena, name);
	person->organisation = arena_strdup(arena, organisation);
	person->bio = arena_strdup(arena, bio);
}

static size_t take_kept(struct task *task, struct people *people)
{
	size_t unknown = 0;

	for (size_t i = 0; i < people->n; i++) {
		struct known_person *wanted = &people->list[i];
		struct kept_person *person = find_kept(wanted->id);

		if (person == NULL) {
			unknown++;
			continue;
		}
		TAILQ_REMOVE(&by_use, person, use);
		TAILQ_INSERT_HEAD(&by_use, person, use);
		know(&task->arena, wanted, person->name, person->organisation, person->bio,
		     person->roles, person->erased);
	}
	return unknown;
}

/* --- asking --------------------------------------------------------------------------------- */

struct load_people {
	struct task task;
	struct people *people;
	uint64_t since; /* changes */
	RPC_SLOT(Causerie__GetPeopleReply) replies[PEOPLE_SET_MAX / BATCH];
	unsigned calls;
};

static task_step ask, take;

void people_load(struct task *task, struct people *people)
{
	struct load_people *l;

	if (people->n == 0)
		return;
	qsort(people->list, people->n, sizeof *people->list, by_id);
	if (take_kept(task, people) == 0)
		return;
	l = task_call(task, sizeof *l, task_then(ask));
	l->people = people;
}

static void ask_for(struct load_people *l, uint64_t *ids, size_t n)
{
	Causerie__GetPeopleRequest request = CAUSERIE__GET_PEOPLE_REQUEST__INIT;

	request.ids = ids;
	request.n_ids = n;
	RPC_CALL(&l->task, &l->replies[l->calls], causerie__accounts__get_people, site.accounts,
		 &request);
	l->calls++;
}

static struct step ask(struct task *task)
{
	struct load_people *l = (struct load_people *)task;
	uint64_t ids[BATCH];
	size_t n = 0;

	l->since = changes;
	for (size_t i = 0; i < l->people->n; i++) {
		if (l->people->list[i].unknown)
			ids[n++] = l->people->list[i].id;
		if (n == BATCH || (n > 0 && i + 1 == l->people->n)) {
			ask_for(l, ids, n);
			n = 0;
		}
	}
	return task_then(take);
}

static void take_person(struct load_people *l, const Causerie__Person *person)
{
	const struct known_person key = {.id = person->id};
	struct known_person *wanted =
		bsearch(&key, l->people->list, l->people->n, sizeof key, by_id);

	if (wanted == NULL)
		return;
	know(&l->task.arena, wanted, person->display_name, person->organisation, person->bio,
	     person->roles, person->state == CAUSERIE__ACCOUNT_STATE__ERASED);
	if (l->since == changes)
		keep(person);
}

static struct step take(struct task *task)
{
	struct load_people *l = (struct load_people *)task;
	bool all_answered = true;

	for (unsigned i = 0; i < l->calls; i++) {
		if (l->replies[i].code != CAUSERIE__CODE__OK) {
			all_answered = false;
			continue;
		}
		for (size_t j = 0; j < l->replies[i].reply->n_people; j++)
			take_person(l, l->replies[i].reply->people[j]);
	}
	l->people->missing = !all_answered;
	for (size_t i = 0; all_answered && i < l->people->n; i++)
		if (l->people->list[i].unknown) /* accounts knows all there are */
			l->people->list[i].erased = true;
	return task_done();
}
