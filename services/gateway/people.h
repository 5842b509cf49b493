/*
 * people.h - the names of accounts, asked for in batches and kept.
 *
 * The last ten thousand names are kept in memory and forgotten when accounts
 * announces a change. Whoever draws names loads the set it needs first; accounts
 * away means names that are not kept are unknown, which people_missing() says.
 */
#ifndef GATEWAY_PEOPLE_H
#define GATEWAY_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/views.h"

struct task;

struct known_person {
	uint64_t id;
	const char *name, *organisation, *bio; /* NULL: erased, or not known; "" where empty */
	uint32_t roles;
	bool erased, unknown;
};

/* A set of people: ids noted, then loaded, then looked up. All zero is empty. */
struct people {
	struct known_person *list; /* in order of id once loaded */
	size_t n, capacity;
	bool missing; /* accounts did not answer for some of them */
};

#define PEOPLE_SET_MAX 2000 /* a page names fewer; beyond it ids are not noted */

/* Notes an id; 0 is nobody. The set grows in the task's arena. */
void people_want(struct task *, struct people *, uint64_t id);

/* An operation of the task: fills in what is not kept by asking accounts, at most 500 a call. */
void people_load(struct task *, struct people *);

/* NULL for 0 and for an id that was not wanted. */
const struct known_person *people_find(const struct people *, uint64_t id);

/* As templates take it: a NULL name is "Membre supprimé". */
struct person people_person(const struct people *, uint64_t id);

/* Accounts announced a change. */
void people_forget(uint64_t id);
void people_forget_all(void);
void people_stop(void);

#endif
