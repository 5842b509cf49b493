/*
 * test_rpc.c - calls between daemons over real sockets, and what happens when a side fails.
 *
 * Client and server share this process and its loop unless a test needs one that
 * can be stopped or killed: then this program runs itself with "--serve". The
 * service under test echoes; the request's consumer field tells it how.
 */
#include "lib/rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <nanomsg/reqrep.h>

#include "check.h"
#include "events.pb-c.h"
#include "lib/clock.h"
#include "lib/endpoint.h"
#include "lib/frame.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/nano.h"
#include "lib/replica.h"
#include "lib/rpc_server.h"
#include "lib/task.h"
#include "ports.h"

#define PATIENT 10000 /* ms that something may take which is going to happen */
#define TRIES   5     /* for what must be quick: a busy machine is late now and then, not always */

extern char **environ;

typedef Causerie__FetchEventsRequest Ask;
typedef Causerie__FetchEventsReply Reply;
typedef Causerie__FetchEventsReply_Closure Closure;

static const unsigned char key[32] = "a key that all daemons may share";
static struct event_base *loop;
static char folder[64];

/* --- the service --- */

struct echo_service {
	ProtobufCService base;
	void (*get)(struct echo_service *, const Ask *, Closure, void *);
	void (*write)(struct echo_service *, const Ask *, Closure, void *);
};

static const ProtobufCMethodDescriptor methods[] = {
	{"GetEcho", &causerie__fetch_events_request__descriptor,
	 &causerie__fetch_events_reply__descriptor},
	{"Write", &causerie__fetch_events_request__descriptor,
	 &causerie__fetch_events_reply__descriptor},
};
static const unsigned by_name[] = {0, 1};
static const ProtobufCServiceDescriptor echo_type = {
	PROTOBUF_C__SERVICE_DESCRIPTOR_MAGIC,
	"test.Echo",
	"Echo",
	"Test__Echo",
	"test",
	2,
	methods,
	by_name,
};

static void get_echo(ProtobufCService *service, const Ask *ask, Closure closure, void *data)
{
	service->invoke(service, 0, &ask->base, (ProtobufCClosure)closure, data);
}

static void write_echo(ProtobufCService *service, const Ask *ask, Closure closure, void *data)
{
	service->invoke(service, 1, &ask->base, (ProtobufCClosure)closure, data);
}

struct echo {
	struct task task;
	const Ask *ask;
};

static unsigned executed;
static int report_fd = -1; /* what was executed (ask->after), when served elsewhere */
static struct request_context seen;
static char seen_trace[65], seen_key[101];

static struct step echo_back(struct task *task)
{
	static const size_t large = 100 * 1000;
	const struct echo *e = (struct echo *)task;
	Causerie__Event event, *events[5] = {&event, &event, &event, &event, &event};
	Reply reply;

	causerie__fetch_events_reply__init(&reply);
	causerie__event__init(&event);
	reply.head = e->ask->after;
	if (strcmp(e->ask->consumer, "large") == 0 || strcmp(e->ask->consumer, "too large") == 0) {
		/* An unknown enough amount: ids packed, allowed by nothing but the encoder. */
		event.n_mentioned_ids = strcmp(e->ask->consumer, "large") == 0 ? 10 : large;
		event.mentioned_ids = ARENA_ARRAY(&task->arena, uint64_t, event.n_mentioned_ids);
		memset(event.mentioned_ids, 0x7f, event.n_mentioned_ids * sizeof(uint64_t));
		reply.n_events = 5;
		reply.events = events;
	}
	return rpc_reply(task, &reply.base);
}

static struct step echo_many(struct task *task)
{
	const struct echo *e = (struct echo *)task;
	Causerie__Event *events[500];
	Reply reply;

	causerie__fetch_events_reply__init(&reply);
	for (size_t i = 0; i < 500; i++) {
		events[i] = ARENA_NEW(&task->arena, Causerie__Event);
		causerie__event__init(events[i]);
		events[i]->type = arena_strdup(&task->arena, "topic.transitioned.and.so.on");
		events[i]->trace = arena_strdup(
			&task->arena, "0123456789012345678901234567890123456789012345678901234567");
	}
	reply.head = e->ask->after;
	reply.n_events = 500;
	reply.events = events;
	return rpc_reply(task, &reply.base);
}

static struct step stay_silent(struct task *task)
{
	task_sleep(task, 50);
	return task_then(stay_silent);
}

static struct step forget(struct task *task)
{
	(void)task;
	return task_done();
}

static struct step begin_echo(struct task *task)
{
	const struct echo *e = (struct echo *)task;
	const char *how = e->ask->consumer;

	if (strcmp(how, "not found") == 0)
		return rpc_fail(task, CAUSERIE__CODE__NOT_FOUND, "no such echo");
	if (strcmp(how, "invalid") == 0)
		return rpc_invalid(task, "consumer", "not_allowed");
	if (strcmp(how, "silent") == 0)
		return stay_silent(task);
	if (strcmp(how, "forget") == 0)
		return forget(task);
	if (strcmp(how, "many") == 0)
		return echo_many(task);
	if (strncmp(how, "sleep ", 6) == 0) {
		task_sleep(task, atoi(how + 6));
		return task_then(echo_back);
	}
	return echo_back(task);
}

static void take(struct echo_service *service, const Ask *ask, Closure closure, void *call)
{
	struct echo *e = rpc_task(call, sizeof *e, task_then(begin_echo));

	(void)service;
	(void)closure;
	e->ask = ask;
	executed++;
	seen = e->task.context;
	snprintf(seen_trace, sizeof seen_trace, "%s", seen.trace);
	snprintf(seen_key, sizeof seen_key, "%s",
		 seen.idempotency_key ? seen.idempotency_key : "none");
	if (report_fd >= 0 && write(report_fd, &ask->after, sizeof ask->after) < 0)
		abort();
}

static struct echo_service service = {
	{&echo_type, protobuf_c_service_invoke_internal, NULL}, take, take};
static ProtobufCService *const services[] = {&service.base, NULL};

static struct rpc_server *serve_with(const char *address, unsigned limit)
{
	const struct rpc_server_settings settings = {
		.name = "echo", .listen = address, .key = key, .limit = limit};
	struct rpc_server *server = rpc_server_new(loop, services, &settings);

	if (server == NULL)
		fail_msg("%s: %s", address, strerror(errno));
	return server;
}

static struct rpc_server *serve(const char *address)
{
	return serve_with(address, 0);
}

/* This program again, as a server of its own; it reports to its standard output. */
static int serve_forever(const char *address)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
	loop = event_base_new();
	report_fd = STDOUT_FILENO;
	serve(address);
	return event_base_dispatch(loop);
}

static pid_t spawn(const char *address, int *reports)
{
	char program[] = "/proc/self/exe", flag[] = "--serve", listen[ENDPOINT_SIZE];
	char *const arguments[] = {program, flag, listen, NULL};
	posix_spawn_file_actions_t actions;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	snprintf(listen, sizeof listen, "%s", address);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	assert_int_equal(posix_spawn(&pid, program, &actions, NULL, arguments, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	*reports = ends[0];
	return pid;
}

static void kill_and_wait(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Adds what was executed meanwhile to times[after]; times may be NULL. Returns how many. */
static unsigned read_reports(int reports, unsigned *times)
{
	unsigned count = 0;
	uint64_t after;

	while (read(reports, &after, sizeof after) == sizeof after) {
		count++;
		if (times != NULL)
			times[after]++;
	}
	return count;
}

static unsigned count_reports(int reports)
{
	return read_reports(reports, NULL);
}

/* --- the caller --- */

struct outcome {
	bool over;
	Causerie__Code code;
	uint64_t head;
	size_t n_errors, n_events;
	char field[64], reason[64];
	int64_t ms;
};

struct errand {
	struct task task;
	RPC_SLOT(Reply) echo;
	struct outcome *outcome;
};

static unsigned over; /* errands that have ended */

static struct step look(struct task *task)
{
	const struct errand *e = (struct errand *)task;
	struct outcome *outcome = e->outcome;

	over++;
	outcome->over = true;
	outcome->code = e->echo.code;
	outcome->head = e->echo.reply ? e->echo.reply->head : 0;
	outcome->n_events = e->echo.reply ? e->echo.reply->n_events : 0;
	outcome->n_errors = e->echo.n_errors;
	if (e->echo.n_errors > 0) {
		snprintf(outcome->field, sizeof outcome->field, "%s", e->echo.errors[0]->field);
		snprintf(outcome->reason, sizeof outcome->reason, "%s", e->echo.errors[0]->reason);
	}
	outcome->ms = clock_ms() - task->started_ms;
	assert_int_equal(e->echo.code == CAUSERIE__CODE__OK, e->echo.reply != NULL);
	return task_done();
}

static struct step be_late(struct task *task)
{
	(void)task;
	over++;
	return task_done();
}

struct how {
	bool writes;
	const char *consumer;
	uint64_t after;
	uint32_t limit;
	int deadline, within;
};

struct start {
	struct errand errand;
	struct how how;
	struct rpc_client *client;
};

static struct step begin(struct task *task)
{
	struct start *s = (struct start *)task;
	struct errand *e = &s->errand;
	Ask ask;

	causerie__fetch_events_request__init(&ask);
	ask.limit = s->how.limit ? s->how.limit : 1;
	ask.after = s->how.after;
	ask.consumer = arena_strdup(&task->arena, s->how.consumer ? s->how.consumer : "plain");
	if (s->how.within)
		RPC_CALL_WITHIN(s->how.within, task, &e->echo, get_echo, s->client, &ask);
	else if (s->how.writes)
		RPC_CALL(task, &e->echo, write_echo, s->client, &ask);
	else
		RPC_CALL(task, &e->echo, get_echo, s->client, &ask);
	return task_then(look);
}

static struct request_context context = {.trace = "trace-1"};

static struct task *call(struct rpc_client *client, struct outcome *outcome, struct how how)
{
	struct arena arena = {0};
	struct start *s = task_new(loop, &arena, sizeof *s, task_then(begin), task_then(be_late),
				   how.deadline ? how.deadline : 3000, &context);

	*outcome = (struct outcome){0};
	s->how = how;
	s->client = client;
	s->errand.outcome = outcome;
	return &s->errand.task;
}

static struct rpc_client *connect_with(const char *peers, unsigned window)
{
	const struct rpc_settings settings = {
		.caller = "test", .peers = peers, .key = key, .window = window};
	struct rpc_client *client = rpc_client_new(loop, &echo_type, &settings);

	assert_non_null(client);
	return client;
}

static struct rpc_client *connect_to(const char *peers)
{
	return connect_with(peers, 0);
}

static void turn(int ms)
{
	const struct timeval pause = {0, ms * 1000};

	event_base_loopexit(loop, &pause);
	event_base_dispatch(loop);
}

#define UNTIL(condition)                                                                           \
	do {                                                                                       \
		const int64_t until_ = clock_ms() + PATIENT;                                       \
                                                                                                   \
		while (!(condition)) {                                                             \
			if (clock_ms() > until_)                                                   \
				fail_msg("%s:%d: never: %s", __FILE__, __LINE__, #condition);      \
			turn(5);                                                                   \
		}                                                                                  \
	} while (0)

static void run_until_over(unsigned count)
{
	UNTIL(over >= count);
	assert_int_equal(over, count);
}

static void run_until_up(const struct rpc_client *client)
{
	UNTIL(rpc_client_up(client));
}

static void call_and_wait(struct rpc_client *client, struct outcome *outcome, struct how how)
{
	over = 0;
	call(client, outcome, how);
	run_until_over(1);
}

static void run_until_executed(int reports)
{
	unsigned count = 0;

	UNTIL((count += count_reports(reports)) > 0);
	assert_int_equal(count, 1);
}

/* Which of both executes the only call that is under way. */
static int which_executes(const int reports[2])
{
	unsigned counts[2] = {0};

	UNTIL((counts[0] += count_reports(reports[0])) + (counts[1] += count_reports(reports[1])) >
	      0);
	assert_int_equal(counts[0] + counts[1], 1);
	return counts[1] > 0;
}

/* Calls, one at a time, until both have had one: a client does not say how many it knows. */
static void run_until_both_up(struct rpc_client *client, const int reports[2])
{
	const int64_t until = clock_ms() + PATIENT;
	bool up[2] = {false};
	struct outcome outcome;

	while (!up[0] || !up[1]) {
		if (clock_ms() > until)
			fail_msg("only %d of both replicas came up", up[0] + up[1]);
		call_and_wait(client, &outcome, (struct how){0});
		for (int i = 0; i < 2; i++)
			up[i] |= count_reports(reports[i]) > 0;
	}
	over = 0;
}

static double metric_value(const char *series)
{
	struct evbuffer *out = evbuffer_new();
	double value = -1;
	const char *text;

	metrics_print(out);
	evbuffer_add(out, "", 1);
	text = (const char *)evbuffer_pullup(out, -1);
	for (const char *at = text; (at = strstr(at, series)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && at[strlen(series)] == ' ')
			value = strtod(at + strlen(series), NULL);
	evbuffer_free(out);
	return value;
}

static const char *path(const char *name)
{
	static char paths[8][ENDPOINT_SIZE];
	static unsigned next;
	char *text = paths[next++ % 8];

	snprintf(text, ENDPOINT_SIZE, "ipc://%s/%s", folder, name);
	return text;
}

static int setup(void **state)
{
	(void)state;
	loop = event_base_new();
	snprintf(folder, sizeof folder, "/tmp/causerie-rpc-XXXXXX");
	over = executed = 0;
	context = (struct request_context){.trace = "trace-1"};
	return loop == NULL || mkdtemp(folder) == NULL;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	UNTIL(tasks_alive() == 0);
	event_base_free(loop);
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

/* --- the plain case --- */

static void a_call_is_answered(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;

	(void)state;
	call_and_wait(client, &outcome, (struct how){.after = 42});
	assert_int_equal(outcome.code, CAUSERIE__CODE__OK);
	assert_int_equal(outcome.head, 42);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void a_call_over_tcp_is_answered(void **state)
{
	const int port = free_port();
	char address[ENDPOINT_SIZE], peer[ENDPOINT_SIZE];
	struct rpc_server *server;
	struct rpc_client *client;
	struct outcome outcome;

	(void)state;
	snprintf(address, sizeof address, "tcp://127.0.0.1:%d", port);
	snprintf(peer, sizeof peer, "tcp://localhost:%d", port);
	server = serve(address);
	client = connect_to(peer);
	call_and_wait(client, &outcome, (struct how){.after = 43});
	assert_int_equal(outcome.code, CAUSERIE__CODE__OK);
	assert_int_equal(outcome.head, 43);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void who_asks_travels_with_the_call(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;

	(void)state;
	context.viewer = (struct viewer){7, 3, true};
	context.idempotency_key = "once";
	call_and_wait(client, &outcome, (struct how){.writes = true});
	assert_int_equal(outcome.code, CAUSERIE__CODE__OK);
	assert_int_equal(seen.viewer.account_id, 7);
	assert_int_equal(seen.viewer.roles, 3);
	assert_true(seen.viewer.verified);
	assert_string_equal(seen_key, "once");
	assert_string_equal(seen_trace, "trace-1");
	rpc_client_free(client);
	rpc_server_free(server);
}

static void a_thousand_calls_at_once_are_answered_in_the_window(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_with(path("a.rpc"), 16);
	struct outcome outcomes[32];

	(void)state;
	run_until_up(client);
	for (unsigned round = 0; round < 32; round++) {
		over = 0;
		for (unsigned i = 0; i < 32; i++)
			call(client, &outcomes[i], (struct how){.after = i + 1});
		run_until_over(32);
		for (unsigned i = 0; i < 32; i++) {
			assert_int_equal(outcomes[i].code, CAUSERIE__CODE__OK);
			assert_int_equal(outcomes[i].head, i + 1);
		}
	}
	rpc_client_free(client);
	rpc_server_free(server);
}

static void more_calls_than_may_wait_are_unavailable_at_once(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_with(path("a.rpc"), 2);
	struct outcome outcomes[10];
	unsigned answered = 0, unavailable = 0;

	(void)state;
	run_until_up(client);
	for (unsigned i = 0; i < 10; i++)
		call(client, &outcomes[i], (struct how){.consumer = "sleep 50"});
	run_until_over(10);
	for (unsigned i = 0; i < 10; i++) {
		answered += outcomes[i].code == CAUSERIE__CODE__OK;
		unavailable += outcomes[i].code == CAUSERIE__CODE__UNAVAILABLE;
	}
	assert_int_equal(answered + unavailable, 10);
	assert_in_range(unavailable, 1, 8);
	rpc_client_free(client);
	rpc_server_free(server);
}

/* Raw REP drops what does not fit: without credit most of these would be lost. */
static void large_replies_all_arrive_at_a_caller_that_reads_slowly(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_with(path("a.rpc"), 64);
	struct outcome outcomes[128];

	(void)state;
	run_until_up(client);
	for (unsigned i = 0; i < 128; i++)
		call(client, &outcomes[i],
		     (struct how){.after = i, .consumer = "many", .deadline = 9000});
	for (unsigned i = 0; i < 10; i++) {
		turn(1);
		usleep(20000); /* the caller is busy elsewhere */
	}
	run_until_over(128);
	for (unsigned i = 0; i < 128; i++) {
		assert_int_equal(outcomes[i].code, CAUSERIE__CODE__OK);
		assert_int_equal(outcomes[i].n_events, 500);
	}
	rpc_client_free(client);
	rpc_server_free(server);
}

/* --- refusals --- */

static void a_code_reaches_the_caller(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;

	(void)state;
	call_and_wait(client, &outcome, (struct how){.consumer = "not found"});
	assert_int_equal(outcome.code, CAUSERIE__CODE__NOT_FOUND);
	call_and_wait(client, &outcome, (struct how){.consumer = "invalid"});
	assert_int_equal(outcome.code, CAUSERIE__CODE__INVALID);
	assert_int_equal(outcome.n_errors, 1);
	assert_string_equal(outcome.field, "consumer");
	assert_string_equal(outcome.reason, "not_allowed");
	rpc_client_free(client);
	rpc_server_free(server);
}

static void a_request_beyond_its_limits_never_reaches_the_handler(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;

	(void)state;
	call_and_wait(client, &outcome, (struct how){.limit = 501});
	assert_int_equal(outcome.code, CAUSERIE__CODE__INVALID);
	assert_string_equal(outcome.field, "limit");
	assert_string_equal(outcome.reason, "out_of_range");
	assert_int_equal(executed, 0);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void a_reply_that_is_too_large_is_a_defect(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;

	(void)state;
	call_and_wait(client, &outcome, (struct how){.consumer = "too large"});
	assert_int_equal(outcome.code, CAUSERIE__CODE__INTERNAL);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void a_handler_that_forgets_to_reply_is_a_defect(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;

	(void)state;
	call_and_wait(client, &outcome, (struct how){.consumer = "forget"});
	assert_int_equal(outcome.code, CAUSERIE__CODE__INTERNAL);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void beyond_its_limit_a_server_is_overloaded(void **state)
{
	struct rpc_server *server = serve_with(path("a.rpc"), 2);
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcomes[4];
	unsigned overloaded = 0;

	(void)state;
	run_until_up(client);
	for (unsigned i = 0; i < 4; i++)
		call(client, &outcomes[i], (struct how){.consumer = "sleep 50"});
	run_until_over(4);
	for (unsigned i = 0; i < 4; i++)
		overloaded += outcomes[i].code == CAUSERIE__CODE__OVERLOADED;
	assert_int_equal(overloaded, 2);
	assert_int_equal(executed, 2);
	rpc_client_free(client);
	rpc_server_free(server);
}

/* --- time --- */

static void a_call_times_out_before_its_task(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome = {0};

	(void)state;
	run_until_up(client);
	for (int i = 0; i < TRIES && !outcome.over; i++)
		call_and_wait(client, &outcome,
			      (struct how){.consumer = "silent", .deadline = 1000});
	assert_true(outcome.over); /* not the late step */
	assert_int_equal(outcome.code, CAUSERIE__CODE__TIMED_OUT);
	assert_true(outcome.ms >= 850);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void a_call_within_a_time_leaves_the_rest_to_the_task(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;

	(void)state;
	run_until_up(client);
	call_and_wait(client, &outcome,
		      (struct how){.consumer = "sleep 300", .deadline = 3000, .within = 60});
	assert_int_equal(outcome.code, CAUSERIE__CODE__TIMED_OUT);
	assert_in_range(outcome.ms, 50, 2500);
	/* Its late answer is dropped. */
	turn(350);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void an_abandoned_task_is_freed_when_its_call_is_over(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;
	struct task *task;

	(void)state;
	run_until_up(client);
	task = call(client, &outcome, (struct how){.consumer = "sleep 200"});
	UNTIL(executed == 1);
	task_abandon(task);
	UNTIL(tasks_alive() == 0);
	assert_false(outcome.over);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void without_a_replica_calls_wait_a_moment_and_then_fail_at_once(void **state)
{
	const int64_t start = clock_ms();
	struct rpc_client *client = connect_to(path("nobody.*.rpc"));
	struct outcome outcome;

	(void)state;
	call_and_wait(client, &outcome, (struct how){0});
	assert_int_equal(outcome.code, CAUSERIE__CODE__UNAVAILABLE);
	assert_in_range(clock_ms() - start, 500, 2500); /* the call's own end is at 2900 */
	call(client, &outcome, (struct how){0});
	event_base_loop(loop, EVLOOP_NONBLOCK);
	assert_true(outcome.over); /* in this very turn */
	assert_int_equal(outcome.code, CAUSERIE__CODE__UNAVAILABLE);
	rpc_client_free(client);
}

static void a_call_made_before_the_server_starts_is_answered(void **state)
{
	struct rpc_client *client = connect_to(path("a.*.rpc"));
	struct rpc_server *server;
	struct outcome outcome;

	(void)state;
	call(client, &outcome, (struct how){0});
	turn(50);
	assert_int_equal(over, 0);
	server = serve(path("a.%d.rpc"));
	run_until_over(1);
	assert_int_equal(outcome.code, CAUSERIE__CODE__OK);
	rpc_client_free(client);
	rpc_server_free(server);
}

/* --- ends --- */

static void a_client_that_goes_ends_its_calls(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct rpc_client *other = rpc_client_also(client, &echo_type);
	struct outcome outcomes[2];

	(void)state;
	run_until_up(client);
	call(client, &outcomes[0], (struct how){.consumer = "sleep 500"});
	call(other, &outcomes[1], (struct how){.consumer = "sleep 500"});
	UNTIL(executed == 2);
	rpc_client_free(client);
	run_until_over(2);
	assert_int_equal(outcomes[0].code, CAUSERIE__CODE__TIMED_OUT);
	assert_int_equal(outcomes[1].code, CAUSERIE__CODE__OK);
	rpc_client_free(other);
	rpc_server_free(server);
}

static void a_server_that_goes_leaves_its_tasks_unheard(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;

	(void)state;
	run_until_up(client);
	call(client, &outcome, (struct how){.consumer = "sleep 500", .writes = true});
	UNTIL(executed == 1);
	rpc_server_free(server);
	run_until_over(1);
	assert_int_equal(outcome.code, CAUSERIE__CODE__TIMED_OUT);
	rpc_client_free(client);
}

static void note_idle(void *idle)
{
	*(bool *)idle = true;
}

static void draining_finishes_what_runs_and_moves_the_rest(void **state)
{
	struct rpc_server *leaving = serve(path("a.1.rpc")), *staying = NULL;
	struct rpc_client *client = connect_to(path("a.*.rpc"));
	struct outcome outcomes[11];
	bool idle = false;

	(void)state;
	run_until_up(client);
	call(client, &outcomes[0], (struct how){.consumer = "sleep 100"});
	UNTIL(executed == 1);
	rpc_server_drain(leaving, note_idle, &idle);
	for (unsigned i = 1; i < 11; i++)
		call(client, &outcomes[i], (struct how){.writes = true});
	staying = serve(path("a.2.rpc"));
	run_until_over(11);
	for (unsigned i = 0; i < 11; i++)
		assert_int_equal(outcomes[i].code, CAUSERIE__CODE__OK);
	assert_int_equal(executed, 11);
	UNTIL(idle);
	rpc_client_free(client);
	rpc_server_free(leaving);
	rpc_server_free(staying);
}

static void an_idle_server_drains_at_once(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	bool idle = false;

	(void)state;
	rpc_server_drain(server, note_idle, &idle);
	turn(260);
	assert_true(idle);
	rpc_server_free(server);
}

/* --- replicas that fail --- */

/* How many milliseconds after its replica's end a write ends. */
static int64_t end_of_a_write(void)
{
	struct rpc_client *client = connect_to(path("a.rpc"));
	struct outcome outcome;
	int64_t killed;
	int reports;
	pid_t pid = spawn(path("a.rpc"), &reports);

	run_until_up(client);
	over = 0;
	call(client, &outcome, (struct how){.writes = true, .consumer = "silent"});
	run_until_executed(reports);
	kill_and_wait(pid);
	killed = clock_ms();
	run_until_over(1);
	assert_int_equal(outcome.code, CAUSERIE__CODE__TIMED_OUT); /* it may have been executed */
	rpc_client_free(client);
	close(reports);
	return clock_ms() - killed;
}

/* That it is silent would be noticed, too, but after 600 ms at the earliest. */
static void a_write_in_flight_to_a_killed_replica_ends_at_once(void **state)
{
	int64_t ms = INT64_MAX;

	(void)state;
	for (int i = 0; i < TRIES && ms >= 500; i++)
		ms = end_of_a_write();
	assert_true(ms < 500);
}

static void a_read_in_flight_to_a_killed_replica_is_asked_of_another(void **state)
{
	struct rpc_client *client = connect_to(path("a.*.rpc"));
	struct outcome outcome;
	int reports[2], asked;
	pid_t pids[2] = {spawn(path("a.%d.rpc"), &reports[0]),
			 spawn(path("a.%d.rpc"), &reports[1])};

	(void)state;
	run_until_both_up(client, reports);
	call(client, &outcome, (struct how){.consumer = "sleep 400"});
	asked = which_executes(reports);
	kill_and_wait(pids[asked]);
	run_until_over(1);
	assert_int_equal(outcome.code, CAUSERIE__CODE__OK);
	assert_int_equal(count_reports(reports[!asked]), 1);
	kill_and_wait(pids[!asked]);
	rpc_client_free(client);
	close(reports[0]);
	close(reports[1]);
}

static void the_only_replica_is_killed_and_comes_back(void **state)
{
	struct rpc_client *client = connect_to(path("a.*.rpc"));
	struct outcome outcome;
	int reports;
	pid_t pid = spawn(path("a.%d.rpc"), &reports);

	(void)state;
	run_until_up(client);
	kill_and_wait(pid);
	close(reports);
	call_and_wait(client, &outcome, (struct how){0});
	assert_int_equal(outcome.code, CAUSERIE__CODE__UNAVAILABLE);
	assert_in_range(outcome.ms, 0, 2500); /* the call's own end is at 2900 */
	pid = spawn(path("a.%d.rpc"), &reports);
	run_until_up(client);
	call_and_wait(client, &outcome, (struct how){0});
	assert_int_equal(outcome.code, CAUSERIE__CODE__OK);
	kill_and_wait(pid);
	rpc_client_free(client);
	close(reports);
}

/* One of two is stopped: how long the slowest of the calls that come then takes. */
static int64_t cost_of_a_stopped_replica(void)
{
	struct rpc_client *client = connect_to(path("a.*.rpc"));
	struct outcome outcomes[20];
	int64_t slowest = 0;
	int reports[2];
	pid_t pids[2] = {spawn(path("a.%d.rpc"), &reports[0]),
			 spawn(path("a.%d.rpc"), &reports[1])};

	run_until_both_up(client, reports);
	kill(pids[0], SIGSTOP);
	for (unsigned i = 0; i < 20; i++)
		call(client, &outcomes[i], (struct how){.deadline = 5000});
	run_until_over(20);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(outcomes[i].code, CAUSERIE__CODE__OK);
		slowest = outcomes[i].ms > slowest ? outcomes[i].ms : slowest;
	}
	call_and_wait(client, &outcomes[0], (struct how){0});
	assert_in_range(outcomes[0].ms, 0, 700); /* the one that is stopped would cost 850 */
	assert_int_equal(count_reports(reports[1]), 21);
	kill_and_wait(pids[0]);
	kill_and_wait(pids[1]);
	rpc_client_free(client);
	close(reports[0]);
	close(reports[1]);
	return slowest;
}

static void a_stopped_replica_is_left_within_a_second(void **state)
{
	int64_t ms = INT64_MAX;

	(void)state;
	for (int i = 0; i < TRIES && ms > 1200; i++)
		ms = cost_of_a_stopped_replica();
	assert_true(ms <= 1200);
}

#define TIMED_OUT "causerie_rpc_calls_total{result=\"timed_out\"}"

static void a_replica_that_wakes_up_executes_nothing_that_has_expired(void **state)
{
	struct rpc_client *client = connect_to(path("a.rpc"));
	const double before = metric_value(TIMED_OUT);
	struct outcome outcomes[40];
	int reports;
	pid_t pid = spawn(path("a.rpc"), &reports);

	(void)state;
	run_until_up(client);
	call_and_wait(client, &outcomes[0], (struct how){0});
	assert_int_equal(count_reports(reports), 1);
	kill(pid, SIGSTOP);
	over = 0;
	for (unsigned i = 0; i < 40; i++)
		call(client, &outcomes[i], (struct how){.writes = true, .deadline = 800});
	run_until_over(40);
	UNTIL(metric_value(TIMED_OUT) == before + 40); /* whether or not their tasks saw it */
	for (unsigned i = 0; i < 40; i++)
		assert_int_not_equal(outcomes[i].code, CAUSERIE__CODE__OK);
	kill(pid, SIGCONT);
	turn(800);
	assert_int_equal(count_reports(reports), 0);
	run_until_up(client);
	call_and_wait(client, &outcomes[0], (struct how){0}); /* and it is well again */
	assert_int_equal(outcomes[0].code, CAUSERIE__CODE__OK);
	assert_int_equal(count_reports(reports), 1);
	kill_and_wait(pid);
	rpc_client_free(client);
	close(reports);
}

static void a_socket_file_without_a_process_is_ignored(void **state)
{
	struct rpc_client *client;
	struct outcome outcome;
	int reports;
	pid_t pid = spawn(path("a.0.rpc"), &reports);
	struct rpc_server *server;

	(void)state;
	UNTIL(access(path("a.0.rpc") + 6, F_OK) == 0);
	kill_and_wait(pid);
	close(reports);
	assert_int_equal(access(path("a.0.rpc") + 6, F_OK), 0);
	server = serve(path("a.1.rpc"));
	client = connect_to(path("a.*.rpc"));
	for (unsigned i = 0; i < 20; i++) {
		call_and_wait(client, &outcome, (struct how){.writes = true});
		assert_int_equal(outcome.code, CAUSERIE__CODE__OK);
	}
	rpc_client_free(client);
	rpc_server_free(server);
}

static void load_is_shared(void **state)
{
	struct rpc_client *client = connect_to(path("a.*.rpc"));
	struct outcome outcomes[40];
	unsigned first, second;
	int reports[2];
	pid_t pids[2] = {spawn(path("a.%d.rpc"), &reports[0]),
			 spawn(path("a.%d.rpc"), &reports[1])};

	(void)state;
	run_until_both_up(client, reports);
	for (unsigned i = 0; i < 40; i++)
		call(client, &outcomes[i], (struct how){0});
	run_until_over(40);
	first = count_reports(reports[0]);
	second = count_reports(reports[1]);
	assert_int_equal(first + second, 40);
	assert_in_range(first, 15, 25);
	kill_and_wait(pids[0]);
	kill_and_wait(pids[1]);
	rpc_client_free(client);
	close(reports[0]);
	close(reports[1]);
}

#define STORM_CALLS    1000
#define STORM_REPLICAS 3

struct replica_process {
	pid_t pid;
	int reports;
	bool stopped;
};

static void restart(struct replica_process *replica, unsigned *times)
{
	if (replica->pid != 0) {
		kill_and_wait(replica->pid);
		read_reports(replica->reports, times);
		close(replica->reports);
	}
	replica->pid = spawn(path("a.%d.rpc"), &replica->reports);
	replica->stopped = false;
}

static void strike(struct replica_process *replica, unsigned *times, unsigned chance)
{
	if (replica->stopped || chance % 3 == 0) {
		restart(replica, times);
	} else if (chance % 3 == 1) {
		kill(replica->pid, SIGSTOP);
		replica->stopped = true;
	} else {
		kill(replica->pid, SIGSTOP);
		turn(30);
		kill(replica->pid, SIGCONT);
	}
}

/* Writes, so that whatever was executed twice or answered without having been is a defect. */
static void in_a_storm_of_faults_no_call_is_executed_twice(void **state)
{
	static struct outcome outcomes[STORM_CALLS];
	static unsigned times[STORM_CALLS];
	struct replica_process replicas[STORM_REPLICAS] = {{0}};
	struct rpc_client *client = connect_to(path("a.*.rpc"));
	unsigned seed = 4711, answered = 0;

	(void)state;
	for (unsigned i = 0; i < STORM_REPLICAS; i++)
		restart(&replicas[i], times);
	run_until_up(client);
	for (unsigned i = 0; i < STORM_CALLS; i++) {
		call(client, &outcomes[i],
		     (struct how){
			     .writes = true, .after = i, .deadline = 1500, .consumer = "sleep 20"});
		if (i % 5 == 0)
			turn(20);
		seed = seed * 1103515245 + 12345;
		if (i % 30 == 0)
			strike(&replicas[(seed >> 16) % STORM_REPLICAS], times, seed >> 20);
	}
	for (unsigned i = 0; i < STORM_REPLICAS; i++)
		if (replicas[i].stopped)
			kill(replicas[i].pid, SIGCONT);
	run_until_over(STORM_CALLS);
	turn(500);
	for (unsigned i = 0; i < STORM_REPLICAS; i++) {
		read_reports(replicas[i].reports, times);
		kill_and_wait(replicas[i].pid);
		close(replicas[i].reports);
	}
	for (unsigned i = 0; i < STORM_CALLS; i++) {
		const bool ok = outcomes[i].code == CAUSERIE__CODE__OK;

		answered += ok;
		assert_in_range(times[i], ok ? 1 : 0, 1);
		if (outcomes[i].code == CAUSERIE__CODE__UNAVAILABLE)
			assert_int_equal(times[i], 0);
	}
	assert_in_range(answered, STORM_CALLS / 2, STORM_CALLS);
	rpc_client_free(client);
}

/* --- attackers --- */

#define FORGED    "causerie_rpc_frames_refused_total{reason=\"forged\"}"
#define MALFORMED "causerie_rpc_frames_refused_total{reason=\"malformed\"}"
#define REPLAYED  "causerie_rpc_frames_refused_total{reason=\"replayed\"}"
#define STALE     "causerie_rpc_requests_refused_total{reason=\"stale\"}"
#define REFUSED   "causerie_rpc_requests_refused_total{reason=\"invalid\"}"

static const unsigned char request_id[4] = {0x80, 0, 0, 1};

static int attacker(const char *address)
{
	int s = nano_socket(NN_REQ);

	assert_true(s >= 0);
	assert_true(nano_connect(s, address) >= 0);
	return s;
}

static void attack(int s, const void *bytes, size_t size)
{
	UNTIL(nano_send(s, bytes, size, request_id, 4) == 0);
}

static void assert_no_answer(int s)
{
	struct nano_message message;

	for (int i = 0; i < 20; i++) {
		assert_true(nano_receive(s, &message) < 0);
		turn(5);
	}
}

static uint32_t shake_hands(int s, const struct frame_key *mac)
{
	struct frame_buffer frame = {0};
	struct frame_head head = {.kind = FRAME_PING, .position = 1};
	struct frame_cursor cursor;
	struct nano_message pong;

	memcpy(frame_add(&frame, 0, 8), "12345678", 8);
	frame_seal(&frame, mac, &head);
	attack(s, frame.bytes, frame.size);
	frame_free(&frame);
	UNTIL(nano_receive(s, &pong) == 0);
	assert_int_equal(frame_read(mac, pong.bytes, pong.size, &head, &cursor), 0);
	assert_int_equal(head.kind, FRAME_PONG);
	nano_free(&pong);
	return head.connection;
}

/* A frame of one call with that body, as a daemon would send it. */
static void seal_call(struct frame_buffer *frame, const struct frame_key *mac, uint32_t connection,
		      uint64_t position, const void *body, size_t size)
{
	const struct frame_head head = {.kind = FRAME_CALLS,
					.connection = connection,
					.position = position,
					.time = clock_ms()};
	char method[] = "test.Echo/Write";
	Causerie__Request request;
	unsigned char *packed = malloc(size + 200);
	size_t packed_size;

	causerie__request__init(&request);
	request.version = 1;
	request.method = method;
	request.remaining_ms = 60000;
	request.body = (ProtobufCBinaryData){size, packed + 200};
	memcpy(packed + 200, body, size);
	frame_clear(frame);
	packed_size = protobuf_c_message_get_packed_size(&request.base);
	protobuf_c_message_pack(&request.base, frame_add(frame, 5, packed_size));
	frame_seal(frame, mac, &head);
	free(packed);
}

static void forged_frames_are_counted_and_nothing_else(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct frame_buffer frame = {0};
	struct frame_key mac, wrong;
	const double before = metric_value(FORGED);
	unsigned char other[32] = "not the key that daemons share";
	int s = attacker(path("a.rpc"));
	uint32_t connection;

	(void)state;
	frame_key_init(&mac, key);
	frame_key_init(&wrong, other);
	connection = shake_hands(s, &mac);
	seal_call(&frame, &wrong, connection, 2, "\x18\x01", 2);
	attack(s, frame.bytes, frame.size);
	seal_call(&frame, &mac, connection, 2, "\x18\x01", 2);
	frame.bytes[frame.size - 1] ^= 1;
	attack(s, frame.bytes, frame.size);
	frame.bytes[frame.size - 1] ^= 1;
	attack(s, frame.bytes, frame.size - 1);
	UNTIL(metric_value(FORGED) == before + 3);
	assert_no_answer(s);
	assert_int_equal(executed, 0);
	frame_free(&frame);
	nano_close(&s);
	rpc_server_free(server);
}

static void broken_frames_of_every_length_are_survived(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct rpc_client *client = connect_to(path("a.rpc"));
	const double before = metric_value(MALFORMED) + metric_value(FORGED);
	unsigned char garbage[2000];
	struct outcome outcome;
	int s = attacker(path("a.rpc"));

	(void)state;
	for (size_t i = 0; i < sizeof garbage; i++)
		garbage[i] = (unsigned char)(i * 131 + 17);
	for (size_t size = 0; size < 70; size++)
		attack(s, garbage, size < 66 ? size : size * 20);
	UNTIL(metric_value(MALFORMED) + metric_value(FORGED) == before + 70);
	call_and_wait(client, &outcome, (struct how){0});
	assert_int_equal(outcome.code, CAUSERIE__CODE__OK);
	nano_close(&s);
	rpc_client_free(client);
	rpc_server_free(server);
}

static void a_repeated_frame_is_executed_once(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct frame_buffer frame = {0};
	struct frame_key mac;
	const double before = metric_value(REPLAYED);
	int s = attacker(path("a.rpc"));

	(void)state;
	frame_key_init(&mac, key);
	seal_call(&frame, &mac, shake_hands(s, &mac), 2, "\x18\x01\x22\x01x", 5);
	for (int i = 0; i < 3; i++)
		attack(s, frame.bytes, frame.size);
	UNTIL(metric_value(REPLAYED) == before + 2);
	turn(10);
	assert_int_equal(executed, 1);
	frame_free(&frame);
	nano_close(&s);
	rpc_server_free(server);
}

static void a_frame_recorded_on_one_connection_is_worthless_on_another(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct frame_buffer frame = {0};
	struct frame_key mac;
	struct nano_message refusal;
	const double before = metric_value(STALE);
	int s = attacker(path("a.rpc")), another = attacker(path("a.rpc"));

	(void)state;
	frame_key_init(&mac, key);
	seal_call(&frame, &mac, shake_hands(s, &mac), 2, "\x18\x01\x22\x01x", 5);
	attack(another, frame.bytes, frame.size); /* without a handshake */
	UNTIL(nano_receive(another, &refusal) == 0);
	nano_free(&refusal);
	shake_hands(another, &mac);
	attack(another, frame.bytes, frame.size); /* and with its own */
	UNTIL(metric_value(STALE) == before + 2);
	turn(10);
	assert_int_equal(executed, 0);
	frame_free(&frame);
	nano_close(&s);
	nano_close(&another);
	rpc_server_free(server);
}

static void a_deeply_nested_body_is_refused(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct frame_buffer frame = {0};
	struct frame_key mac;
	const double before = metric_value(REFUSED);
	unsigned char nested[34000];
	int s = attacker(path("a.rpc"));

	(void)state;
	memset(nested, 0x0b, sizeof nested); /* groups all the way down */
	frame_key_init(&mac, key);
	seal_call(&frame, &mac, shake_hands(s, &mac), 2, nested, sizeof nested);
	attack(s, frame.bytes, frame.size);
	UNTIL(metric_value(REFUSED) == before + 1);
	turn(10);
	assert_int_equal(executed, 0);
	frame_free(&frame);
	nano_close(&s);
	rpc_server_free(server);
}

static void a_client_with_another_key_is_not_served(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	const unsigned char other[32] = "somebody else's key";
	const struct rpc_settings settings = {
		.caller = "test", .peers = path("a.rpc"), .key = other};
	struct rpc_client *client = rpc_client_new(loop, &echo_type, &settings);
	struct outcome outcome;

	(void)state;
	call_and_wait(client, &outcome, (struct how){0});
	assert_int_equal(outcome.code, CAUSERIE__CODE__UNAVAILABLE);
	assert_int_equal(executed, 0);
	rpc_client_free(client);
	rpc_server_free(server);
}

/* The client's own frames, thrown back at it; and mutilated. */
static void throw_back(int s)
{
	struct nano_message message;

	while (nano_receive(s, &message) == 0) {
		nano_send(s, message.bytes, message.size, message.route, 8);
		message.bytes[40] ^= 1;
		nano_send(s, message.bytes, message.size, message.route, 8);
		nano_send(s, message.bytes, 31, message.route, 8);
		nano_free(&message);
	}
}

/* A server of the attacker's: it has the key's frames on record, but not the key. */
static void answers_that_are_forged_or_repeated_are_refused(void **state)
{
	struct rpc_client *client;
	struct outcome outcome;
	const double before = metric_value("causerie_rpc_answers_refused_total");
	int s = nano_socket(NN_REP);

	(void)state;
	assert_int_equal(nano_bind(s, path("a.rpc")), 0);
	client = connect_to(path("a.rpc"));
	over = 0;
	call(client, &outcome, (struct how){0});
	UNTIL((throw_back(s), over == 1) &&
	      metric_value("causerie_rpc_answers_refused_total") > before + 3);
	assert_int_equal(outcome.code, CAUSERIE__CODE__UNAVAILABLE);
	rpc_client_free(client);
	nano_close(&s);
}

static void the_socket_file_is_ours_alone(void **state)
{
	struct rpc_server *server = serve(path("a.rpc"));
	struct stat status;

	(void)state;
	assert_int_equal(stat(path("a.rpc") + 6, &status), 0);
	assert_int_equal(status.st_mode & 077, 0);
	rpc_server_free(server);
}

static void an_address_in_use_is_an_error(void **state)
{
	const struct rpc_server_settings settings = {
		.name = "echo", .listen = path("a.rpc"), .key = key};
	struct rpc_server *server = serve(path("a.rpc"));

	(void)state;
	assert_null(rpc_server_new(loop, services, &settings));
	assert_int_equal(errno, EADDRINUSE);
	rpc_server_free(server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_is_answered),
		TEST(a_call_over_tcp_is_answered),
		TEST(who_asks_travels_with_the_call),
		TEST(a_thousand_calls_at_once_are_answered_in_the_window),
		TEST(more_calls_than_may_wait_are_unavailable_at_once),
		TEST(large_replies_all_arrive_at_a_caller_that_reads_slowly),
		TEST(a_code_reaches_the_caller),
		TEST(a_request_beyond_its_limits_never_reaches_the_handler),
		TEST(a_reply_that_is_too_large_is_a_defect),
		TEST(a_handler_that_forgets_to_reply_is_a_defect),
		TEST(beyond_its_limit_a_server_is_overloaded),
		TEST(a_call_times_out_before_its_task),
		TEST(a_call_within_a_time_leaves_the_rest_to_the_task),
		TEST(an_abandoned_task_is_freed_when_its_call_is_over),
		TEST(without_a_replica_calls_wait_a_moment_and_then_fail_at_once),
		TEST(a_call_made_before_the_server_starts_is_answered),
		TEST(a_client_that_goes_ends_its_calls),
		TEST(a_server_that_goes_leaves_its_tasks_unheard),
		TEST(draining_finishes_what_runs_and_moves_the_rest),
		TEST(an_idle_server_drains_at_once),
		TEST(a_write_in_flight_to_a_killed_replica_ends_at_once),
		TEST(a_read_in_flight_to_a_killed_replica_is_asked_of_another),
		TEST(the_only_replica_is_killed_and_comes_back),
		TEST(a_stopped_replica_is_left_within_a_second),
		TEST(a_replica_that_wakes_up_executes_nothing_that_has_expired),
		TEST(a_socket_file_without_a_process_is_ignored),
		TEST(load_is_shared),
		TEST(in_a_storm_of_faults_no_call_is_executed_twice),
		TEST(forged_frames_are_counted_and_nothing_else),
		TEST(broken_frames_of_every_length_are_survived),
		TEST(a_repeated_frame_is_executed_once),
		TEST(a_frame_recorded_on_one_connection_is_worthless_on_another),
		TEST(a_deeply_nested_body_is_refused),
		TEST(a_client_with_another_key_is_not_served),
		TEST(answers_that_are_forged_or_repeated_are_refused),
		TEST(the_socket_file_is_ours_alone),
		TEST(an_address_in_use_is_an_error),
	};

	log_start("test", LOG_ERROR);
	if (argc == 3 && strcmp(argv[1], "--serve") == 0)
		return serve_forever(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
