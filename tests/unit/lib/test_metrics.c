/*
 * test_metrics.c - what Prometheus reads: families together, histograms cumulative.
 */
#include "lib/metrics.h"

#include <string.h>

#include <event2/buffer.h>

#include "check.h"

static struct metric late = METRIC_COUNTER("b_total", "reason=\"late\"", "Things refused");
static struct metric early = METRIC_COUNTER("b_total", "reason=\"early\"", "Things refused");
static struct metric size = METRIC_GAUGE("c_size", "", "A size");
static struct metric took = METRIC_HISTOGRAM("a_ms", "", "Time taken");
static struct metric took_labelled = METRIC_HISTOGRAM("d_ms", "kind=\"x\"", "Time taken");
static struct metric untouched = METRIC_COUNTER("e_total", "", "Never used");

static double seven(void)
{
	return 7;
}

static struct metric asked = {
	.name = "f_now", .labels = "", .help = "h", .kind = METRIC_IS_GAUGE, .read = seven};

/* The page as text; lives until the next call. */
static const char *print(void)
{
	static char text[65536];
	struct evbuffer *out = evbuffer_new();
	const size_t length = (metrics_print(out), evbuffer_get_length(out));

	assert_true(length < sizeof text);
	evbuffer_remove(out, text, length);
	text[length] = '\0';
	evbuffer_free(out);
	return text;
}

static void assert_has(const char *lines)
{
	if (strstr(print(), lines) == NULL)
		fail_msg("no \"%s\" in\n%s", lines, print());
}

static void a_familys_series_stand_together_under_one_head(void **state)
{
	(void)state;
	metric_add(&late, 2);
	metric_set(&size, 1);
	metric_add(&early, 1);
	metric_add(&late, 0.5);
	assert_has("# HELP b_total Things refused\n# TYPE b_total counter\n"
		   "b_total{reason=\"early\"} 1\nb_total{reason=\"late\"} 2.5\n");
}

static void a_gauge_has_its_last_value(void **state)
{
	(void)state;
	metric_set(&size, 3e9);
	metric_set(&size, -4.25);
	assert_has("# TYPE c_size gauge\nc_size -4.25\n");
	metric_set(&size, 123456789012.0);
	assert_has("c_size 123456789012\n");
}

static void a_histogram_counts_cumulatively_up_to_infinity(void **state)
{
	(void)state;
	metric_observe_ms(&took, 0.5);
	metric_observe_ms(&took, 0.6);
	metric_observe_ms(&took, 40);
	metric_observe_ms(&took, 1e6);
	assert_has("# TYPE a_ms histogram\na_ms_bucket{le=\"0.5\"} 1\na_ms_bucket{le=\"1\"} 2\n");
	assert_has("a_ms_bucket{le=\"25\"} 2\na_ms_bucket{le=\"50\"} 3\n");
	assert_has("a_ms_bucket{le=\"2500\"} 3\na_ms_bucket{le=\"+Inf\"} 4\na_ms_sum 1000041.1\n"
		   "a_ms_count 4\n");
}

static void a_histograms_labels_join_its_bound(void **state)
{
	(void)state;
	metric_observe_ms(&took_labelled, 3);
	assert_has("d_ms_bucket{kind=\"x\",le=\"5\"} 1\n");
	assert_has("d_ms_sum{kind=\"x\"} 3\nd_ms_count{kind=\"x\"} 1\n");
}

static void a_registered_metric_shows_its_zero(void **state)
{
	(void)state;
	assert_null(strstr(print(), "e_total"));
	metric_register(&untouched);
	metric_register(&untouched);
	assert_has("e_total 0\n");
}

static void a_computed_gauge_is_asked_when_printed(void **state)
{
	(void)state;
	metric_register(&asked);
	assert_has("f_now 7\n");
}

static void the_process_describes_itself(void **state)
{
	const char *bytes = strstr(print(), "\nprocess_resident_memory_bytes ");

	(void)state;
	assert_non_null(bytes);
	assert_true(strtod(strchr(bytes + 1, ' '), NULL) > 100000);
	assert_has("\nprocess_open_fds ");
	assert_has("\nprocess_cpu_seconds_total ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_familys_series_stand_together_under_one_head),
		cmocka_unit_test(a_gauge_has_its_last_value),
		cmocka_unit_test(a_histogram_counts_cumulatively_up_to_infinity),
		cmocka_unit_test(a_histograms_labels_join_its_bound),
		cmocka_unit_test(a_registered_metric_shows_its_zero),
		cmocka_unit_test(a_computed_gauge_is_asked_when_printed),
		cmocka_unit_test(the_process_describes_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
