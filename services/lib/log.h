/*
 * log.h - one event, one line of JSON on standard error.
 *
 *     log_info(trace, "comment.posted", "comment=%" PRIu64 " author=%" PRIu64, id, author);
 *     {"time":"2026-11-23T01:28:09.123456Z","level":"info","service":"comments","trace":"4f1c…",
 *      "event":"comment.posted","comment":7,"author":3}
 *
 * The format is a list of name=conversion separated by single spaces, so that
 * the compiler checks the values and every value keeps its name and type: %s is
 * a JSON string (NULL is null; invalid UTF-8 is replaced), the number formats
 * (%d %u %ld %lu %lld %llu %zu %f and PRI macros) are JSON numbers. A word
 * without = is a bug. A line never blocks: what standard error does not take at
 * once is dropped and counted. Secrets are never logged.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* name is shown in every line; lines below level are not written. */
void log_start(const char *service, enum log_level level);

void log_write(enum log_level, const char *trace, const char *event, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* trace NULL: the line belongs to no request. format "" : no fields. */
#define log_debug(trace, event, ...) log_write(LOG_DEBUG, (trace), (event), __VA_ARGS__)
#define log_info(trace, event, ...)  log_write(LOG_INFO, (trace), (event), __VA_ARGS__)
#define log_warn(trace, event, ...)  log_write(LOG_WARN, (trace), (event), __VA_ARGS__)
#define log_error(trace, event, ...) log_write(LOG_ERROR, (trace), (event), __VA_ARGS__)

/* A broken environment: one plain line "causerie-topics: …" for a person, then exit 1. */
_Noreturn void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Lines that could not be written, for metrics. */
uint64_t log_dropped(void);

#endif
