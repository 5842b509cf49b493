/*
 * feeds.h - what topics, comments and accounts announce, as the gateway hears it.
 *
 * Nothing is stored: the gateway starts at each owner's head, drops the kept pages
 * that an event changes, forgets renamed people, and passes on what the open
 * streams wait for.
 */
#ifndef GATEWAY_FEEDS_H
#define GATEWAY_FEEDS_H

#include <stdbool.h>

void feeds_start(void);
void feeds_stop(void);

/* One of these feeds (bits of enum page_feed) has not been heard of for two seconds. */
bool feeds_are_stale(unsigned feeds);

#endif
