/*
 * main.c - causerie-gateway: the public face of the site, pages and JSON.
 *
 * It owns nothing but what it keeps for a while. Behind it stand accounts, topics,
 * comments, notifications and related, beside it Redis; any of them may be away.
 */
#include <stdio.h>
#include <string.h>

#include "comments.pb-c.h"
#include "gateway/api/api.h"
#include "gateway/feeds.h"
#include "gateway/gateway.h"
#include "gateway/http/server.h"
#include "gateway/page_cache.h"
#include "gateway/pages/refusal.h"
#include "gateway/people.h"
#include "gateway/stream.h"
#include "lib/metrics.h"
#include "lib/service.h"
#include "notifications.pb-c.h"
#include "related.pb-c.h"
#include "topics.pb-c.h"

#define MEGABYTE (INT64_C(1) << 20)

static const char *http_listen, *redis_url, *site_language, *trusted_proxies;
static bool share_port;
static int64_t page_cache_mb, connections, connections_per_network;
static struct http_server *server;

static const char *check_language(const char *value)
{
	enum locale locale;

	return locale_parse(value, &locale) ? NULL : "is not a language of the site: fr or en";
}

static const struct setting settings[] = {
	SETTING_TEXT("CAUSERIE_HTTP_LISTEN", "127.0.0.1:8080", &http_listen,
		     "where browsers and programs connect, host:port", check_listen),
	SETTING_BOOLEAN("CAUSERIE_HTTP_SHARE_PORT", "0", &share_port,
			"other replicas listen there, too (SO_REUSEPORT)"),
	SETTING_TEXT("CAUSERIE_REDIS_URL", "redis://127.0.0.1:6379", &redis_url,
		     "sessions and limits", cache_check_url),
	SETTING_TEXT("CAUSERIE_SITE_NAME", "Causerie", &site.name, "name of the site", NULL),
	SETTING_TEXT("CAUSERIE_SITE_LANGUAGE", "fr", &site_language,
		     "language for whom neither account nor browser says, fr or en",
		     check_language),
	SETTING_TEXT("CAUSERIE_TRUSTED_PROXIES", NULL, &trusted_proxies,
		     "networks whose X-Forwarded-For counts, for example 127.0.0.1", NULL),
	SETTING_TEXT("CAUSERIE_DEV_MAILBOX", NULL, &site.mailbox,
		     "folder of the development mailbox, shown under /dev/mailbox to everybody; "
		     "none in production",
		     NULL),
	SETTING_INTEGER("CAUSERIE_PAGE_CACHE", "64", &page_cache_mb, 1, 65536,
			"megabytes of kept visitors' pages"),
	SETTING_INTEGER("CAUSERIE_HTTP_CONNECTIONS", "0", &connections, 0, 1000000,
			"open connections at most; 0: what the descriptor limit allows"),
	SETTING_INTEGER("CAUSERIE_HTTP_CONNECTIONS_PER_NETWORK", "50", &connections_per_network, 0,
			1000000, "of one IPv4 address or IPv6 /64; 0: any number"),
	SETTING_INTEGER("CAUSERIE_LIMIT_FACTOR", "1", &site.limit_factor, 1, 100000,
			"multiplies the limits of requests per network and account"),
	SETTING_BOOLEAN("CAUSERIE_ACCESS_LOG", "1", &site.access_log, "one line per request"),
	{.name = NULL},
};

/* --- fields of every answer ---------------------------------------------------------- */

static const struct http_field security_fields[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
	 "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
	 "media-src 'self'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "same-origin"},
	{"Permissions-Policy",
	 "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), "
	 "microphone=(), payment=(), usb=()"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"X-Frame-Options", "DENY"},
	{"Strict-Transport-Security", "max-age=63072000; includeSubDomains"}, /* https alone */
};

#define SECURITY_FIELDS (sizeof security_fields / sizeof *security_fields)

/* --- metrics ---------------------------------------------------------------------------- */

static double pages_bytes(void)
{
	return (double)page_cache_counters(site.pages)->bytes;
}

static double pages_hits(void)
{
	return (double)page_cache_counters(site.pages)->hits;
}

static double pages_misses(void)
{
	return (double)page_cache_counters(site.pages)->misses;
}

static double connections_open(void)
{
	return (double)http_server_counters(server)->open;
}

static struct metric gauges[] = {
	{.name = "causerie_gateway_page_cache_bytes",
	 .labels = "",
	 .help = "Kept pages",
	 .kind = METRIC_IS_GAUGE,
	 .read = pages_bytes},
	{.name = "causerie_gateway_page_cache_hits",
	 .labels = "",
	 .help = "Pages answered as kept",
	 .kind = METRIC_IS_GAUGE,
	 .read = pages_hits},
	{.name = "causerie_gateway_page_cache_misses",
	 .labels = "",
	 .help = "Pages not kept",
	 .kind = METRIC_IS_GAUGE,
	 .read = pages_misses},
	{.name = "causerie_gateway_connections",
	 .labels = "",
	 .help = "Open connections",
	 .kind = METRIC_IS_GAUGE,
	 .read = connections_open},
};

/* One counter for each reason; the front keeps them. */
static struct metric refused[HTTP_REFUSALS];
static char refused_labels[HTTP_REFUSALS][40];

static void register_refusals(void)
{
	for (int i = HTTP_ACCEPTED + 1; i < HTTP_REFUSALS; i++) {
		snprintf(refused_labels[i], sizeof refused_labels[i], "reason=\"%s\"",
			 http_refusal_name((enum http_refusal)i));
		refused[i] = (struct metric)METRIC_COUNTER("causerie_gateway_refused_total",
							   refused_labels[i],
							   "Requests the front turned away");
		refused[i].kept = &http_server_counters(server)->refused[i];
		metric_register(&refused[i]);
	}
}

/* --- start and end ------------------------------------------------------------------------- */

static void connect_services(void)
{
	site.accounts = service_client("accounts", &causerie__accounts__descriptor);
	site.topics = service_client("topics", &causerie__topics__descriptor);
	site.comments = service_client("comments", &causerie__comments__descriptor);
	site.notifications = service_client("notifications", &causerie__notifications__descriptor);
	site.related = service_client("related", &causerie__related__descriptor);
	site.redis = cache_new(site.loop, redis_url, 0);
}

static const char *listen_to_browsers(void)
{
	struct http_options options = HTTP_OPTIONS_DEFAULT;
	static char problem[256];
	int result;

	options.limits.connections = (unsigned)connections;
	options.limits.per_network = (unsigned)connections_per_network;
	options.trusted_proxies = trusted_proxies;
	options.fields = security_fields;
	options.n_fields = site.https ? SECURITY_FIELDS : SECURITY_FIELDS - 1;
	options.handle = visit_begin;
	options.render = refusal_page;
	server = http_server_new(site.loop, &options);
	if (server == NULL)
		return "CAUSERIE_TRUSTED_PROXIES is not a list of addresses and networks";
	register_refusals();
	result = http_server_inherit(server);
	if (result == 0)
		result = http_server_listen(server, http_listen, share_port);
	if (result >= 0)
		return NULL;
	snprintf(problem, sizeof problem, "cannot listen on %s (CAUSERIE_HTTP_LISTEN): %s",
		 http_listen, strerror(-result));
	return problem;
}

static const char *start(const struct service_context *here)
{
	site.loop = here->loop;
	site.public_url = here->public_url;
	site.https = strncmp(here->public_url, "https://", 8) == 0;
	locale_parse(site_language, &site.locale);
	service_derive_key(site.csrf_key, "csrf");
	service_derive_key(site.limit_key, "limits");
	connect_services();
	if (site.redis == NULL)
		return "CAUSERIE_REDIS_URL cannot be understood";
	site.pages = page_cache_new((size_t)(page_cache_mb * MEGABYTE), feeds_silence_ms);
	feeds_start();
	streams_start();
	for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
		metric_register(&gauges[i]);
	return listen_to_browsers();
}

static void on_drained(void *nothing)
{
	(void)nothing;
	service_drained();
}

static void drain(void)
{
	http_server_drain(server, on_drained, NULL);
}

static void stop(void)
{
	http_server_free(server);
	streams_stop();
	feeds_stop();
	people_stop();
	openapi_stop();
	refusal_pages_stop();
	page_cache_free(site.pages);
	cache_free(site.redis);
}

int main(int argc, char **argv)
{
	static const struct service gateway = {
		.name = "gateway",
		.description = "the public face of Causerie: pages and JSON over HTTP",
		.settings = settings,
		.start = start,
		.drain = drain,
		.stop = stop,
	};

	return service_main(argc, argv, &gateway);
}
