/*
 * explain.h - why a topic is in the list: reasons whose parts add up to its score.
 */
#ifndef RELATED_EXPLAIN_H
#define RELATED_EXPLAIN_H

#include <stdbool.h>

struct arena;
struct ranked;
struct ranker;
struct related;
struct topic;

/* Fills what identifies and shows the topic. */
void explain_topic(const struct topic *, struct arena *, struct related *);

/* That, and score, confidence and reasons. Words are copied into the arena. */
void explain(const struct ranker *, const struct ranked *, struct arena *, struct related *);

/*
 * Whether its reasons give a reader one at all. Two people in both are not told, a number in
 * common tells nothing, and closeness in time or a lively discussion are no relation.
 */
bool explain_may_be_told(const struct related *);

#endif
