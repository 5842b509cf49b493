/*
 * lookup.c - getaddrinfo() on a thread that tells the loop through a socket pair.
 *
 * The thread owns its half: it writes the answer into its end of the pair and
 * closes it. The loop reads its own end. So neither waits for the other, nothing
 * is shared, and a cancelled lookup is one whose answer nobody reads.
 */
#include "lib/lookup.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

struct lookup {
	struct event *answered;
	int fd;
	lookup_done *done;
	void *argument;
};

struct question {
	int fd;
	char host[NI_MAXHOST];
};

static void write_answer(int fd, const struct addrinfo *found)
{
	char literal[NI_MAXHOST];

	if (getnameinfo(found->ai_addr, found->ai_addrlen, literal, sizeof literal, NULL, 0,
			NI_NUMERICHOST) == 0)
		send(fd, literal, strlen(literal), MSG_NOSIGNAL);
}

static void *ask(void *argument)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct question *question = argument;
	struct addrinfo *found;

	if (getaddrinfo(question->host, NULL, &hints, &found) == 0) {
		write_answer(question->fd, found);
		freeaddrinfo(found);
	}
	close(question->fd);
	free(question);
	return NULL;
}

/* Signals stay with the loop's thread. */
static bool start_thread(struct question *question)
{
	pthread_attr_t detached;
	sigset_t all, before;
	pthread_t thread;
	int failed;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&thread, &detached, ask, question);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&detached);
	return !failed;
}

static void on_answered(evutil_socket_t fd, short events, void *argument)
{
	struct lookup *lookup = argument;
	lookup_done *done = lookup->done;
	void *whose = lookup->argument;
	char literal[NI_MAXHOST];
	const ssize_t length = recv(fd, literal, sizeof literal - 1, 0);

	(void)events;
	lookup_cancel(lookup);
	literal[length > 0 ? length : 0] = '\0';
	done(whose, length > 0 ? literal : NULL);
}

struct lookup *lookup_start(struct event_base *loop, const char *host, lookup_done *done,
			    void *argument)
{
	struct lookup *lookup;
	struct question *question;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return NULL;
	lookup = calloc(1, sizeof *lookup);
	question = calloc(1, sizeof *question);
	if (lookup == NULL || question == NULL)
		abort();
	lookup->fd = pair[0];
	lookup->done = done;
	lookup->argument = argument;
	lookup->answered = event_new(loop, lookup->fd, EV_READ, on_answered, lookup);
	if (lookup->answered == NULL)
		abort();
	event_add(lookup->answered, NULL);
	question->fd = pair[1];
	strncpy(question->host, host, sizeof question->host - 1);
	if (!start_thread(question)) { /* the loop then reads the end, and reports no address */
		close(question->fd);
		free(question);
	}
	return lookup;
}

void lookup_cancel(struct lookup *lookup)
{
	if (lookup == NULL)
		return;
	event_free(lookup->answered);
	close(lookup->fd);
	free(lookup);
}
