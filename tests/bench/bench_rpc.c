/*
 * bench_rpc.c - goal P6: our calls against bare nanomsg, in one interleaved run.
 *
 * Both sides of each pair encode and decode a protobuf message of about 200
 * bytes; 256 calls are outstanding. "bare" is one raw REQ/REP message per call and
 * nothing else: no HMAC, deadline, limits or task. The server runs on processor
 * 0, the client on 1. Prints a line per round and the ratio of the medians.
 *
 *     bench_rpc [rounds] [seconds]
 */
#include <assert.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <nanomsg/reqrep.h>

#include "events.pb-c.h"
#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/nano.h"
#include "lib/rpc.h"
#include "lib/rpc_server.h"
#include "lib/task.h"

#define OUTSTANDING 256
#define ROUNDS_MAX  32
#define BARE_BATCH  64

typedef Causerie__FetchEventsRequest Ask;
typedef Causerie__FetchEventsReply Reply;

static const unsigned char key[32] = "a key that all daemons may share";
static struct event_base *loop;
static char folder[] = "/tmp/causerie-bench-XXXXXX";
static char address[128];
static uint64_t completed;
static bool running;

static void pin(size_t processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof set, &set); /* where there is only one, it stays there */
}

/* About 200 bytes with what protobuf adds. */
static void fill_reply(Reply *reply, Causerie__Event *event, Causerie__Event **list, uint64_t head)
{
	static char type[] = "topic.transitioned", state[] = "open";
	static char trace[] = "0123456789abcdef0123456789abcdef";
	static uint64_t ids[10] = {1, 22, 333, 4444, 55555, 666666, 7777777, 88888888, 9, 10};

	causerie__event__init(event);
	event->seq = head;
	event->type = type;
	event->aggregate_id = 12345678;
	event->aggregate_version = 17;
	event->at = 1795000000000000;
	event->trace = trace;
	event->actor_id = 987654321;
	event->from_state = state;
	event->to_state = state;
	event->mentioned_ids = ids;
	event->n_mentioned_ids = 10;
	*list = event;
	causerie__fetch_events_reply__init(reply);
	reply->head = head;
	reply->n_events = 1;
	reply->events = list;
}

static void fill_ask(Ask *ask, uint64_t after)
{
	static char consumer[] =
		"a consumer whose name is as long as it may be: 64 bytes in all...";

	causerie__fetch_events_request__init(ask);
	ask->after = after;
	ask->limit = 200;
	consumer[63] = '\0';
	ask->consumer = consumer;
}

/* --- bare nanomsg --- */

static void bare_serve(evutil_socket_t nothing, short events, void *argument)
{
	const int s = *(int *)argument;
	struct nano_message message;

	(void)nothing;
	(void)events;
	for (int i = 0; i < BARE_BATCH && nano_receive(s, &message) == 0; i++) {
		Ask *ask =
			causerie__fetch_events_request__unpack(NULL, message.size, message.bytes);
		Causerie__Event event, *list;
		unsigned char packed[512];
		Reply reply;

		fill_reply(&reply, &event, &list, ask->after);
		nano_send(s, packed, causerie__fetch_events_reply__pack(&reply, packed),
			  message.route, sizeof message.route);
		causerie__fetch_events_request__free_unpacked(ask, NULL);
		nano_free(&message);
	}
}

static uint64_t bare_waiting; /* calls nanomsg would not take yet */

static void bare_ask(int s)
{
	const unsigned char route[4] = {0x80, 0, 0, 1};
	unsigned char packed[512];
	Ask ask;

	fill_ask(&ask, completed);
	if (nano_send(s, packed, causerie__fetch_events_request__pack(&ask, packed), route,
		      sizeof route) < 0)
		bare_waiting++;
}

static void bare_receive(evutil_socket_t nothing, short events, void *argument)
{
	const int s = *(int *)argument;
	struct nano_message message;
	uint64_t again = bare_waiting;

	(void)nothing;
	(void)events;
	bare_waiting = 0;
	while (again-- > 0)
		bare_ask(s);
	for (int i = 0; i < BARE_BATCH && nano_receive(s, &message) == 0; i++) {
		Reply *reply =
			causerie__fetch_events_reply__unpack(NULL, message.size, message.bytes);

		causerie__fetch_events_reply__free_unpacked(reply, NULL);
		nano_free(&message);
		completed++;
		if (running)
			bare_ask(s);
	}
}

/* --- ours --- */

struct fetch {
	struct task task;
	const Ask *ask;
};

static struct step answer(struct task *task)
{
	const struct fetch *f = (struct fetch *)task;
	Causerie__Event event, *list;
	Reply reply;

	fill_reply(&reply, &event, &list, f->ask->after);
	return rpc_reply(task, &reply.base);
}

static void events_fetch(Causerie__Events_Service *service, const Ask *ask,
			 Causerie__FetchEventsReply_Closure closure, void *call)
{
	struct fetch *f = rpc_task(call, sizeof *f, task_then(answer));

	(void)service;
	(void)closure;
	f->ask = ask;
}

static Causerie__Events_Service service = CAUSERIE__EVENTS__INIT(events_);

struct errand {
	struct task task;
	struct rpc_client *client;
	RPC_SLOT(Reply) answer;
};

static void call(struct rpc_client *);

static struct step look(struct task *task)
{
	struct errand *e = (struct errand *)task;

	if (e->answer.reply != NULL)
		completed++;
	if (running)
		call(e->client);
	return task_done();
}

static struct step ask_ours(struct task *task)
{
	struct errand *e = (struct errand *)task;
	Ask ask;

	fill_ask(&ask, completed);
	RPC_CALL(task, &e->answer, causerie__events__fetch, e->client, &ask);
	return task_then(look);
}

static void call(struct rpc_client *client)
{
	static const struct request_context context = {.trace = "0123456789abcdef"};
	struct arena arena = {0};
	struct errand *e =
		task_new(loop, &arena, sizeof *e, task_then(ask_ours), task_done(), 5000, &context);

	e->client = client;
}

/* --- a measurement --- */

static pid_t start_server(bool bare)
{
	const pid_t pid = fork(); /* before any nanomsg of ours */
	ProtobufCService *const services[] = {&service.base, NULL};
	const struct rpc_server_settings settings = {
		.name = "bench", .listen = address, .key = key, .limit = 2 * OUTSTANDING};
	static int s;

	if (pid != 0)
		return pid;
	pin(0);
	loop = event_base_new();
	if (bare) {
		s = nano_socket(NN_REP);
		if (nano_bind(s, address) < 0)
			_exit(1);
		event_add(event_new(loop, nano_receive_fd(s), EV_READ | EV_PERSIST, bare_serve, &s),
			  NULL);
	} else if (rpc_server_new(loop, services, &settings) == NULL) {
		_exit(1);
	}
	event_base_dispatch(loop);
	_exit(0);
}

static void turn(int ms)
{
	const struct timeval pause = {ms / 1000, ms % 1000 * 1000};

	event_base_loopexit(loop, &pause);
	event_base_dispatch(loop);
}

static double own_cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct result {
	double rate, client_us, server_us;
};

/* A client process of its own, so that each starts from nothing; the result comes over a pipe. */
static void run_client(bool bare, double seconds, int to)
{
	const struct rpc_settings settings = {
		.caller = "bench", .peers = address, .key = key, .window = OUTSTANDING};
	struct rpc_client *client = NULL;
	struct result result = {0};
	static int s;
	int64_t before;
	uint64_t from;
	double cpu;

	pin(1);
	loop = event_base_new();
	running = true;
	if (bare) {
		s = nano_socket(NN_REQ);
		nano_connect(s, address);
		event_add(
			event_new(loop, nano_receive_fd(s), EV_READ | EV_PERSIST, bare_receive, &s),
			NULL);
		event_add(event_new(loop, nano_send_fd(s), EV_READ, bare_receive, &s), NULL);
		usleep(200000);
	} else {
		client = rpc_client_new(loop, &causerie__events__descriptor, &settings);
		while (!rpc_client_up(client))
			turn(10);
	}
	for (int i = 0; i < OUTSTANDING; i++)
		bare ? bare_ask(s) : call(client);
	turn(200);
	before = clock_ms();
	from = completed;
	cpu = own_cpu();
	turn((int)(seconds * 1000));
	result.rate = (double)(completed - from) * 1000 / (double)(clock_ms() - before);
	result.client_us = (own_cpu() - cpu) * 1e6 / (double)(completed - from);
	if (write(to, &result, sizeof result) != sizeof result)
		_exit(1);
	_exit(0);
}

static struct result measure(bool bare, double seconds)
{
	struct rusage before, after;
	struct result result;
	pid_t server, client;
	int ends[2];

	snprintf(address, sizeof address, "ipc://%s/%s.rpc", folder, bare ? "bare" : "ours");
	server = start_server(bare);
	usleep(100000);
	if (pipe(ends) < 0)
		abort();
	client = fork();
	if (client == 0)
		run_client(bare, seconds, ends[1]);
	if (read(ends[0], &result, sizeof result) != sizeof result)
		abort();
	waitpid(client, NULL, 0);
	getrusage(RUSAGE_CHILDREN, &before);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	getrusage(RUSAGE_CHILDREN, &after);
	/* The server worked for the warming up as well. */
	result.server_us = ((double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec +
				     after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
				    1e6 +
			    (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
				     after.ru_stime.tv_usec - before.ru_stime.tv_usec)) /
			   (result.rate * (seconds + 0.2));
	close(ends[0]);
	close(ends[1]);
	return result;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof *values, compare);
	return values[count / 2];
}

static void print(const char *what, const struct result *result)
{
	printf("%-5s %8.0f calls/s   client %5.1f us   server %5.1f us\n", what, result->rate,
	       result->client_us, result->server_us);
	fflush(stdout);
}

/* The servers were killed and left their sockets. */
static void remove_folder(void)
{
	static const char *const names[] = {"bare", "ours"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(address, sizeof address, "%s/%s.rpc", folder, names[i]);
		unlink(address);
	}
	rmdir(folder);
}

int main(int argc, char **argv)
{
	const int rounds = argc > 1 ? atoi(argv[1]) : 5;
	const double seconds = argc > 2 ? atof(argv[2]) : 2;
	double bare[ROUNDS_MAX], ours[ROUNDS_MAX];
	double ratio;

	assert(rounds > 0 && rounds <= ROUNDS_MAX);
	log_start("bench", LOG_WARN);
	if (mkdtemp(folder) == NULL)
		return 1;
	for (int i = 0; i < rounds; i++) {
		struct result result = measure(true, seconds);

		print("bare", &result);
		bare[i] = result.rate;
		result = measure(false, seconds);
		print("ours", &result);
		ours[i] = result.rate;
	}
	ratio = median(ours, rounds) / median(bare, rounds);
	printf("P6 ratio %.2f (goal 0.90)\n", ratio);
	remove_folder();
	return ratio >= 0.9 ? 0 : 1;
}
