/*
 * words.h - the French names of states and kinds, marked for translation.
 *
 * Show them with tr(): tr(out->locale, topic_state_word(row->state)). The
 * matching *_class() is for style sheets and is never shown. Nothing here
 * returns NULL; a value out of range is "inconnu".
 */
#ifndef GATEWAY_WORDS_H
#define GATEWAY_WORDS_H

#include "gateway/views.h"

const char *topic_state_word(enum topic_state);  /* "présélectionné" */
const char *topic_state_class(enum topic_state); /* "shortlisted", as in the JSON API */

/* Why a topic is where it is, one sentence: "Les organisateurs l’ont retenu." */
const char *topic_state_meaning(enum topic_state);

const char *transition_verb(enum topic_state to); /* "Ouvrir à la discussion" */
const char *opinion_word(enum opinion);           /* "passionnant" */
const char *candidacy_state_word(enum candidacy_state);
const char *candidacy_state_class(enum candidacy_state);
const char *offer_state_word(enum offer_state);
const char *follow_level_word(enum follow_level);
const char *follow_level_value(enum follow_level); /* "all", "replies", "milestones", "mute" */
const char *rhythm_word(enum rhythm);
const char *rhythm_value(enum rhythm); /* "now", "hourly", "daily", "weekly", "never" */
const char *section_name(enum section);
const char *theme_value(enum theme);                         /* "auto", "light", "dark" */
const char *unsubscribe_scope_value(enum unsubscribe_scope); /* "topic", "kind", "all" */

/* What people call an input, by its name; NULL for one that has no label of its own. */
const char *input_word(const char *name);

/* The usual sentence for a status, and its title. */
const char *error_title(int status);
const char *error_sentence(int status);

/* What does not work while a part is away; missing is one bit of enum missing. */
const char *missing_sentence(unsigned missing);

/* The six steps a topic takes, from proposed to published; STEPS of them. */
#define STEPS 6
extern const enum topic_state topic_steps[STEPS];

/* The index of the step a state stands at or stopped after, 0 to STEPS - 1; -1 for a draft. */
int topic_step(enum topic_state);

/* Declined, withdrawn, merged, cancelled: the road ends before its last step. */
bool topic_is_stopped(enum topic_state);

#endif
