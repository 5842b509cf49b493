/*
 * metrics.c - keeps metrics sorted by name, so that a family's lines stand together.
 *
 * The text form demands that all series of one name follow each other under one
 * HELP and TYPE. Registration inserts in order of name and labels; printing is a
 * walk. For the main thread only, like the loop.
 */
#include "lib/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/buffer.h>

static const char *const bounds_text[METRIC_BUCKETS] = {"0.5", "1",   "2.5", "5",   "10",   "25",
							"50",  "100", "250", "500", "1000", "2500"};
static const double bounds[METRIC_BUCKETS] = {0.5, 1,   2.5, 5,   10,   25,
					      50,  100, 250, 500, 1000, 2500};

static struct metric *first;

static int compare(const struct metric *a, const struct metric *b)
{
	const int by_name = strcmp(a->name, b->name);

	return by_name ? by_name : strcmp(a->labels, b->labels);
}

void metric_register(struct metric *metric)
{
	struct metric **at = &first;

	if (metric->registered)
		return;
	metric->registered = true;
	while (*at != NULL && compare(*at, metric) < 0)
		at = &(*at)->next;
	metric->next = *at;
	*at = metric;
}

void metric_add(struct metric *metric, double value)
{
	metric_register(metric);
	metric->value += value;
}

void metric_set(struct metric *metric, double value)
{
	metric_register(metric);
	metric->value = value;
}

void metric_observe_ms(struct metric *metric, double ms)
{
	unsigned bucket = 0;

	metric_register(metric);
	while (bucket < METRIC_BUCKETS && ms > bounds[bucket])
		bucket++;
	metric->buckets[bucket]++;
	metric->count++;
	metric->value += ms;
}

static void print_number(struct evbuffer *out, double value)
{
	if (value > -1e15 && value < 1e15 && value == (double)(long long)value)
		evbuffer_add_printf(out, " %lld\n", (long long)value);
	else
		evbuffer_add_printf(out, " %.9g\n", value);
}

static void print_series(struct evbuffer *out, const char *name, const char *labels, double value)
{
	if (labels[0] != '\0')
		evbuffer_add_printf(out, "%s{%s}", name, labels);
	else
		evbuffer_add_printf(out, "%s", name);
	print_number(out, value);
}

static void print_histogram(struct evbuffer *out, const struct metric *metric)
{
	const char *comma = metric->labels[0] ? "," : "";
	char name[128];
	uint64_t below = 0;

	for (unsigned i = 0; i <= METRIC_BUCKETS; i++) {
		below += metric->buckets[i];
		evbuffer_add_printf(out, "%s_bucket{%s%sle=\"%s\"}", metric->name, metric->labels,
				    comma, i < METRIC_BUCKETS ? bounds_text[i] : "+Inf");
		print_number(out, (double)below);
	}
	snprintf(name, sizeof name, "%s_sum", metric->name);
	print_series(out, name, metric->labels, metric->value);
	snprintf(name, sizeof name, "%s_count", metric->name);
	print_series(out, name, metric->labels, (double)metric->count);
}

static void print_head(struct evbuffer *out, const char *name, const char *kind, const char *help)
{
	evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static double current(const struct metric *metric)
{
	if (metric->kept != NULL)
		return (double)*metric->kept;
	return metric->read != NULL ? metric->read() : metric->value;
}

static void print_metric(struct evbuffer *out, const struct metric *metric)
{
	if (metric->kind == METRIC_IS_HISTOGRAM)
		print_histogram(out, metric);
	else
		print_series(out, metric->name, metric->labels, current(metric));
}

static void print_one(struct evbuffer *out, const char *name, const char *kind, const char *help,
		      double value)
{
	print_head(out, name, kind, help);
	print_series(out, name, "", value);
}

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Without ".", ".." and the one that is open for looking. */
static double open_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int n = 0;

	if (folder == NULL)
		return 0;
	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n > 3 ? n - 3 : 0;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double fd_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (double)limit.rlim_cur : 0;
}

static void print_process(struct evbuffer *out)
{
	print_one(out, "process_cpu_seconds_total", "counter", "User and system time",
		  cpu_seconds());
	print_one(out, "process_max_fds", "gauge", "Limit of open file descriptors", fd_limit());
	print_one(out, "process_open_fds", "gauge", "Open file descriptors", open_fds());
	print_one(out, "process_resident_memory_bytes", "gauge", "Resident memory",
		  resident_bytes());
}

void metrics_print(struct evbuffer *out)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	const char *family = "";

	for (const struct metric *metric = first; metric != NULL; metric = metric->next) {
		if (strcmp(metric->name, family) != 0)
			print_head(out, metric->name, kinds[metric->kind], metric->help);
		family = metric->name;
		print_metric(out, metric);
	}
	print_process(out);
}
