/*
 * metrics.h - counters, gauges and histograms in Prometheus text form (version 0.0.4).
 *
 * Metrics are static objects that register themselves at first use; labels are
 * part of the fixed text, so that hostile input cannot make new series.
 *
 *     static struct metric refused = METRIC_COUNTER("causerie_rpc_refused_total",
 *                                                   "reason=\"expired\"", "Requests not executed");
 *     metric_add(&refused, 1);
 */
#ifndef LIB_METRICS_H
#define LIB_METRICS_H

#include <stdbool.h>
#include <stdint.h>

struct evbuffer;

enum metric_kind { METRIC_IS_COUNTER, METRIC_IS_GAUGE, METRIC_IS_HISTOGRAM };

#define METRIC_BUCKETS 12 /* 0.5 1 2.5 5 10 25 50 100 250 500 1000 2500 ms, and +Inf */

struct metric {
	const char *name, *labels, *help; /* labels may be "" */
	enum metric_kind kind;
	double value; /* of counter and gauge; sum of a histogram */
	uint64_t count, buckets[METRIC_BUCKETS + 1];
	double (*read)(void); /* a gauge that is computed when asked, or NULL */
	const uint64_t *kept; /* a counter that somebody else keeps, or NULL */
	bool registered;
	struct metric *next;
};

#define METRIC_COUNTER(name_, labels_, help_)                                                      \
	{                                                                                          \
		.name = (name_), .labels = (labels_), .help = (help_), .kind = METRIC_IS_COUNTER   \
	}
#define METRIC_GAUGE(name_, labels_, help_)                                                        \
	{                                                                                          \
		.name = (name_), .labels = (labels_), .help = (help_), .kind = METRIC_IS_GAUGE     \
	}
#define METRIC_HISTOGRAM(name_, labels_, help_)                                                    \
	{                                                                                          \
		.name = (name_), .labels = (labels_), .help = (help_), .kind = METRIC_IS_HISTOGRAM \
	}

void metric_add(struct metric *, double);
void metric_set(struct metric *, double);
void metric_observe_ms(struct metric *, double ms);

/* Makes a metric appear before its first use (a zero is information, too). */
void metric_register(struct metric *);

/* Appends all registered metrics and the process's own (resident bytes, fds, CPU seconds). */
void metrics_print(struct evbuffer *);

#endif
