/*
 * service.c - a daemon's life, from its arguments to exit 0.
 *
 *   arguments --> settings --> database --> start() --> listen --> loop
 *                                                                   |
 *        exit 0 <-- linger <-- wait for what is in flight <-- drain delay <-- SIGTERM
 *
 * Draining: first only /readyz changes, for CAUSERIE_DRAIN_TIME; then new calls
 * are refused and what is in flight has 20 s; then 200 ms pass, because
 * nanomsg's linger does nothing and the last replies need to leave. A second
 * signal, or the end of those 20 s, ends the process with 1 where it stands.
 */
#include "lib/service.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <sodium.h>
#include <systemd/sd-daemon.h>

#include "lib/admin.h"
#include "lib/bus.h"
#include "lib/clock.h"
#include "lib/dead_letters.h"
#include "lib/endpoint.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/outbox.h"
#include "lib/process.h"
#include "lib/queries.h"
#include "lib/rpc.h"
#include "lib/rpc_server.h"
#include "lib/run_dir.h"
#include "lib/settings.h"
#include "lib/sql.h"
#include "lib/task.h"

#define CLIENTS_LIMIT     32
#define SERVICES_LIMIT    8
#define DRAIN_LIMIT_MS    20000
#define LINGER_MS         200
#define POLL_MS           10
#define READY_POLL_MS     20
#define MIGRATE_RETRY_MS  500
#define MIGRATE_REMIND_MS 5000

struct client {
	char name[32];
	const ProtobufCServiceDescriptor *descriptor;
	struct rpc_client *client;
};

/* One daemon is one process, so its parts stand in one place. */
static struct {
	const struct service *service;
	struct common_settings settings;
	struct service_context context;
	char listen[ENDPOINT_SIZE]; /* of rpc; the bus is beside it */
	struct admin *admin;
	struct process_watch *watch;
	struct bus_publisher *bus;
	struct rpc_server *rpc;
	ProtobufCService *services[SERVICES_LIMIT + 2];
	struct client clients[CLIENTS_LIMIT];
	size_t n_clients;
	struct event *term, *interrupt, *timer;
	int64_t drain_until_ms;
	bool draining, rpc_idle, own_idle;
} here;

static double tasks_now(void)
{
	return tasks_alive();
}

static double dropped_lines(void)
{
	return (double)log_dropped();
}

static struct metric tasks_metric = {.name = "causerie_tasks",
				     .labels = "",
				     .help = "Tasks alive",
				     .kind = METRIC_IS_GAUGE,
				     .read = tasks_now};
static struct metric dropped_metric = {.name = "causerie_log_dropped_total",
				       .labels = "",
				       .help = "Log lines standard error did not take",
				       .kind = METRIC_IS_COUNTER,
				       .read = dropped_lines};

const struct service_context *service_here(void)
{
	return &here.context;
}

/* --- clients and keys --- */

const char *service_peers(const char *name)
{
	const char *peers = settings_peers(name);

	if (peers == NULL)
		log_fatal("there is no daemon called %s in this build", name);
	return peers;
}

static struct rpc_client *connect_client(const char *name,
					 const ProtobufCServiceDescriptor *descriptor)
{
	const struct rpc_settings settings = {
		.caller = here.service->name,
		.peers = service_peers(name),
		.key = here.context.key,
		.window = (unsigned)here.settings.rpc_window,
	};
	struct rpc_client *client;

	for (size_t i = 0; i < here.n_clients; i++)
		if (strcmp(here.clients[i].name, name) == 0)
			return rpc_client_also(here.clients[i].client, descriptor);
	client = rpc_client_new(here.context.loop, descriptor, &settings);
	if (client == NULL)
		log_fatal("cannot call %s at %s: %s", name, settings.peers, strerror(errno));
	return client;
}

struct rpc_client *service_client(const char *name, const ProtobufCServiceDescriptor *descriptor)
{
	struct client *client = here.clients;

	for (; client < here.clients + here.n_clients; client++)
		if (client->descriptor == descriptor && strcmp(client->name, name) == 0)
			return client->client;
	assert(here.n_clients < CLIENTS_LIMIT);
	client->client = connect_client(name, descriptor);
	client->descriptor = descriptor;
	snprintf(client->name, sizeof client->name, "%s", name);
	here.n_clients++;
	return client->client;
}

void service_derive_key(unsigned char out[32], const char *purpose)
{
	const int failed =
		crypto_generichash(out, 32, (const unsigned char *)purpose, strlen(purpose),
				   here.settings.key, sizeof here.settings.key);

	assert(!failed);
}

/* --- draining --- */

static struct event *new_event(int signal_or_none, short events, event_callback_fn callback)
{
	struct event *event = event_new(here.context.loop, signal_or_none, events, callback, NULL);

	if (event == NULL)
		abort();
	return event;
}

static void in_ms(event_callback_fn callback, int64_t ms)
{
	const struct timeval later = {ms / 1000, ms % 1000 * 1000};

	event_del(here.timer);
	event_assign(here.timer, here.context.loop, -1, 0, callback, NULL);
	event_add(here.timer, &later);
}

/* Background work (a consumer's next look) may have begun meanwhile; its memory is its own. */
static void on_lingered(evutil_socket_t nothing, short events, void *none)
{
	(void)nothing;
	(void)events;
	(void)none;
	if (tasks_alive() > 0 && clock_ms() < here.drain_until_ms)
		in_ms(on_lingered, POLL_MS);
	else
		event_base_loopbreak(here.context.loop);
}

/* Leaves what is stuck where it stands: freeing it under its feet would be worse. */
static _Noreturn void give_up(const char *event)
{
	log_error(NULL, event, "tasks=%u rpc_idle=%d own_idle=%d", tasks_alive(), here.rpc_idle,
		  here.own_idle);
	run_dir_remove_admin(here.settings.run_dir, here.service->name);
	_exit(1);
}

static void on_drain_poll(evutil_socket_t nothing, short events, void *none)
{
	(void)nothing;
	(void)events;
	(void)none;
	if (here.rpc_idle && here.own_idle && tasks_alive() == 0) {
		log_info(NULL, "service.drained", "");
		in_ms(on_lingered, LINGER_MS);
	} else if (clock_ms() > here.drain_until_ms) {
		give_up("service.drain_took_too_long");
	} else {
		in_ms(on_drain_poll, POLL_MS);
	}
}

static void on_rpc_idle(void *nothing)
{
	(void)nothing;
	here.rpc_idle = true;
}

void service_drained(void)
{
	here.own_idle = true;
}

static void on_drain_delay_over(evutil_socket_t nothing, short events, void *none)
{
	(void)nothing;
	(void)events;
	(void)none;
	here.drain_until_ms = clock_ms() + DRAIN_LIMIT_MS;
	if (here.rpc != NULL)
		rpc_server_drain(here.rpc, on_rpc_idle, NULL);
	else
		here.rpc_idle = true;
	if (here.service->drain != NULL)
		here.service->drain();
	else
		here.own_idle = true;
	in_ms(on_drain_poll, 0);
}

static void on_signal(evutil_socket_t number, short events, void *none)
{
	(void)events;
	(void)none;
	if (here.draining)
		give_up("service.told_twice_to_end");
	here.draining = true;
	log_info(NULL, "service.draining", "signal=%d delay_ms=%lld", (int)number,
		 (long long)here.settings.drain_ms);
	sd_notify(0, "STOPPING=1");
	in_ms(on_drain_delay_over, here.settings.drain_ms);
}

/* --- readiness --- */

static const char *why_not_ready(void)
{
	if (here.draining)
		return "draining";
	if (here.context.sql != NULL && !sql_ready(here.context.sql))
		return "the database is not to be reached";
	return here.service->ready ? here.service->ready() : NULL;
}

/* systemd and the log hear once when it can serve; /readyz goes on answering as things change. */
static void on_ready_poll(evutil_socket_t nothing, short events, void *none)
{
	(void)nothing;
	(void)events;
	(void)none;
	if (why_not_ready() != NULL) {
		in_ms(on_ready_poll, READY_POLL_MS);
		return;
	}
	log_info(NULL, "service.ready", "admin=%s", admin_address(here.admin));
	sd_notify(0, "READY=1");
}

/* --- start --- */

static const char *upper_name(void)
{
	static char name[32];

	for (size_t i = 0; here.service->name[i] != '\0' && i < sizeof name - 1; i++)
		name[i] = (char)(here.service->name[i] & ~0x20);
	return name;
}

static void wait_ms(int ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&pause, NULL);
}

/* Signals still have their default action here: nothing is in progress. */
static void migrate_or_wait(void)
{
	const int64_t start = clock_ms();
	int64_t reminded = start - MIGRATE_REMIND_MS;
	int result;

	while ((result = sql_migrate(here.settings.database_url, here.service->migrations,
				     here.service->n_migrations)) == -EAGAIN) {
		if (clock_ms() - start >= here.settings.start_timeout_ms)
			log_fatal("the database did not answer within %lld s: start PostgreSQL, or "
				  "correct CAUSERIE_%s_DATABASE_URL",
				  (long long)here.settings.start_timeout_ms / 1000, upper_name());
		if (clock_ms() - reminded >= MIGRATE_REMIND_MS) {
			reminded = clock_ms();
			log_warn(NULL, "service.waits_for_database", "waited_s=%lld",
				 (long long)(reminded - start) / 1000);
		}
		wait_ms(MIGRATE_RETRY_MS);
	}
	if (result < 0)
		log_fatal("a migration failed, see the line above; the database is as it was "
			  "before that migration");
}

static void open_database(void)
{
	static struct sql_settings settings;

	if (here.service->queries == NULL)
		return;
	migrate_or_wait();
	settings = (struct sql_settings){
		.url = here.settings.database_url,
		.name = here.service->name,
		.connections = (unsigned)here.settings.database_connections,
		.in_flight = (unsigned)here.settings.database_in_flight,
		.queries = here.service->queries,
	};
	here.context.sql = sql_new(here.context.loop, &settings);
}

static void open_outbox(void)
{
	if (!here.service->announces)
		return;
	here.bus = bus_publisher_new(here.context.loop, here.listen, here.context.key);
	if (here.bus == NULL)
		log_fatal("cannot publish beside %s: %s", here.listen, strerror(errno));
	here.context.outbox = outbox_new(here.context.loop, here.context.sql, here.bus);
}

static void open_rpc(void)
{
	const struct rpc_server_settings settings = {
		.name = here.service->name,
		.listen = here.listen,
		.key = here.context.key,
		.limit = (unsigned)here.settings.rpc_limit,
	};
	size_t n = 0;

	if (here.service->rpc == NULL)
		return;
	for (; here.service->rpc[n] != NULL; n++) {
		assert(n < SERVICES_LIMIT);
		here.services[n] = here.service->rpc[n];
	}
	if (here.context.outbox != NULL)
		here.services[n] = outbox_service(here.context.outbox);
	here.rpc = rpc_server_new(here.context.loop, here.services, &settings);
	if (here.rpc == NULL)
		log_fatal("cannot listen on %s: %s; is another daemon there?", here.listen,
			  strerror(errno));
}

static void open_admin(void)
{
	const char *run_dir = here.settings.run_dir;
	int result;

	here.admin = admin_new(here.context.loop, here.settings.admin_listen, why_not_ready);
	if (here.admin == NULL)
		log_fatal("cannot listen on %s (CAUSERIE_%s_ADMIN_LISTEN): %s",
			  here.settings.admin_listen, upper_name(), strerror(errno));
	result = run_dir_write_admin(run_dir, here.service->name, admin_address(here.admin));
	if (result < 0)
		log_fatal("cannot write to %s: %s", run_dir, strerror(-result));
	metric_register(&tasks_metric);
	metric_register(&dropped_metric);
}

static void open_run_dir(void)
{
	const int result = run_dir_make(here.settings.run_dir);

	if (result < 0)
		log_fatal("cannot use the folder %s (CAUSERIE_RUN_DIR): %s", here.settings.run_dir,
			  strerror(-result));
	run_dir_sweep(here.settings.run_dir, here.service->name);
}

static void open_context(void)
{
	here.context.name = here.service->name;
	here.context.key = here.settings.key;
	here.context.public_url = here.settings.public_url;
	here.context.loop = event_base_new();
	if (here.context.loop == NULL)
		log_fatal("cannot make an event loop: %s", strerror(errno));
	here.timer = new_event(-1, 0, on_ready_poll);
	here.term = new_event(SIGTERM, EV_SIGNAL | EV_PERSIST, on_signal);
	here.interrupt = new_event(SIGINT, EV_SIGNAL | EV_PERSIST, on_signal);
}

static void start_service(void)
{
	const char *wrong = here.service->start ? here.service->start(&here.context) : NULL;

	if (wrong != NULL)
		log_fatal("%s", wrong);
}

static void close_all(void)
{
	if (here.service->stop != NULL)
		here.service->stop();
	run_dir_remove_admin(here.settings.run_dir, here.service->name);
	admin_free(here.admin);
	rpc_server_free(here.rpc);
	outbox_free(here.context.outbox);
	bus_publisher_free(here.bus);
	while (here.n_clients > 0)
		rpc_client_free(here.clients[--here.n_clients].client);
	sql_free(here.context.sql);
	process_watch_free(here.watch);
	event_free(here.timer);
	event_free(here.term);
	event_free(here.interrupt);
	event_base_free(here.context.loop);
	libevent_global_shutdown();
}

static int run(void)
{
	open_run_dir();
	open_context();
	if (here.settings.listen != NULL && endpoint_own(here.settings.listen, here.listen) < 0)
		log_fatal("CAUSERIE_%s_LISTEN is too long", upper_name());
	open_database();
	open_outbox();
	event_add(here.term, NULL);
	event_add(here.interrupt, NULL);
	start_service();
	open_rpc();
	open_admin();
	here.watch = process_watch_new(here.context.loop);
	in_ms(on_ready_poll, 0);
	log_info(NULL, "service.started", "version=%s pid=%d", CAUSERIE_VERSION, (int)getpid());
	event_base_dispatch(here.context.loop);
	close_all();
	return 0;
}

/* --- arguments --- */

/* Stores the effects of others' events, so some may have been parked. */
static bool consumes(const struct service *service)
{
	for (size_t i = 0; service->queries != NULL && service->queries[i] != NULL; i++)
		if (service->queries[i] == &cursor_read_sql)
			return true;
	return false;
}

static int help(void)
{
	printf("causerie-%s %s - %s\n\n", here.service->name, CAUSERIE_VERSION,
	       here.service->description);
	printf("usage: causerie-%s [--check | --help | --version]\n\n", here.service->name);
	if (consumes(here.service))
		printf("  --dead-letters [retry|drop SOURCE SEQ|all]\n"
		       "             events that failed too often: list, try again, forget\n");
	printf("  --check    read and check the settings, start nothing\n");
	printf("  --help     print this\n");
	printf("  --version  print the version\n\n");
	printf("Settings are environment variables; each is shown with its default.\n\n");
	settings_print(here.service);
	return 0;
}

static int refuse_argument(const char *argument)
{
	fprintf(stderr, "causerie-%s: unknown argument %s; --help prints what there is\n",
		here.service->name, argument);
	return 2;
}

static void read_settings(void)
{
	struct config_problem problem;

	if (settings_read(here.service, &here.settings, &problem) < 0)
		log_fatal("%s", problem.text);
	log_start(here.service->name, here.settings.log_level);
}

int service_main(int argc, char **argv, const struct service *service)
{
	const char *argument = argc > 1 ? argv[1] : NULL;
	int status;

	here.service = service;
	log_start(service->name, LOG_INFO);
	process_prepare();
	if (argc == 2 && strcmp(argument, "--help") == 0)
		return help();
	if (argc == 2 && strcmp(argument, "--version") == 0) {
		printf("causerie-%s %s\n", service->name, CAUSERIE_VERSION);
		return 0;
	}
	if (argc == 2 && strcmp(argument, "--check") == 0) {
		read_settings();
		printf("causerie-%s: the settings are valid\n", service->name);
		return 0;
	}
	if (argc > 1 && service->command == NULL && !consumes(service))
		return refuse_argument(argument);
	read_settings();
	if (argc > 1 && consumes(service) && strcmp(argument, "--dead-letters") == 0)
		return dead_letters_command(service->name, here.settings.database_url, argc - 2,
					    argv + 2);
	if (argc > 1)
		return service->command != NULL && service->command(argc, argv, &status)
			       ? status
			       : refuse_argument(argument);
	return run();
}
