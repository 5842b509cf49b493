/*
 * evaluate.h - the recommender judged from outside, on files.
 *
 *   causerie-related --evaluate CORPUS.jsonl QUERIES.jsonl > RUN
 *
 * Builds an index from a corpus with the engine of the daemon, answers each query
 * with 20 lines of a TREC run (qid Q0 docid rank score causerie), and prints one
 * line of JSON with figures on standard error ("refused": comments and opinions beyond what
 * one topic may have).
 *
 * Corpus line: {"id", "title", "lead", "article", "expertises": [], "language",
 * "author", "created_at", "comments": [{"author", "body", "created_at"}],
 * "opinions": [{"author", "value"}], "links": ["id", ...]}; what is missing is empty.
 * Times are RFC 3339 or seconds since 1970.
 *
 * Query line: {"qid", "id"}, with "as_new": true as on the topic's first day; or
 * {"qid", "title", ...} with what a corpus line may have, for a topic that the corpus does not
 * have; with "candidates": ["id", ...] only these are ranked, by their scores; with
 * "text_only": true no time, people, links or languages count.
 */
#ifndef RELATED_EVALUATE_H
#define RELATED_EVALUATE_H

#include <stdio.h>

/* 0, or 1 after a line on errors that says which file and line is broken. */
int evaluate(const char *corpus, const char *queries, FILE *run, FILE *errors);

#endif
