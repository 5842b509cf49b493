/*
 * stream.h - what happens on a topic, as Server-Sent Events (WHATWG HTML 9.2).
 *
 *     event: comment            event: state
 *     data: {"id":"345","change":"posted"}     data: {"from":"open","to":"shortlisted"}
 *
 * An event is a hint that names what to fetch, so missing some loses nothing and
 * Last-Event-ID needs no memory: whoever comes back fetches the page anew. Who gave
 * which opinion is nobody's business, so an opinion has no more than its name.
 */
#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "events.pb-c.h"

struct handler;

/* GET /sujets/{topic}/stream and /api/v1/topics/{topic_id}/stream. */
extern const struct handler topic_stream;

void stream_publish(const char *name, uint64_t topic_id, const Causerie__Event *);

void streams_start(void);
void streams_stop(void);
size_t streams_open(void);

#endif
