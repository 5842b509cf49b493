/*
 * feeds.h - what topics, comments and accounts announce, as the gateway hears it.
 *
 * Nothing is stored: the gateway starts at each owner's head, drops the kept pages
 * that an event changes, discards those that show what was taken back, forgets renamed
 * people, and passes on what the open streams wait for. A hint that is missed costs a
 * second: the owners are asked that often anyway.
 */
#ifndef GATEWAY_FEEDS_H
#define GATEWAY_FEEDS_H

#include <stdint.h>

void feeds_start(void);
void feeds_stop(void);

/* Since the quietest of these feeds (bits of enum page_feed) was heard of; INT64_MAX: never yet. */
int64_t feeds_silence_ms(unsigned feeds);

#endif
