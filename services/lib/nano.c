/*
 * nano.c - nanomsg's raw sockets with their sharp edges covered.
 */
#include "lib/nano.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <nanomsg/nn.h>
#include <nanomsg/pubsub.h>
#include <nanomsg/reqrep.h>

#define RECONNECT_MS     50
#define RECONNECT_MAX_MS 1000
/* What the kernel gives us of it (net.core.wmem_max) is enough for rpc_server.c's credit. */
#define BUFFER_BYTES (1 << 20)

/* Room for the routing header of a direct requester; longer ones are not for us. */
#define CONTROL_BYTES (NN_CMSG_SPACE(sizeof(size_t) + NANO_ROUTE))

static void set(int socket, int option, int value)
{
	int rc = nn_setsockopt(socket, NN_SOL_SOCKET, option, &value, sizeof value);

	assert(rc == 0);
}

int nano_socket(int protocol)
{
	const int domain = protocol == NN_REQ || protocol == NN_REP ? AF_SP_RAW : AF_SP;
	int s = nn_socket(domain, protocol);

	if (s < 0)
		return -errno;
	set(s, NN_RECONNECT_IVL, RECONNECT_MS);
	set(s, NN_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
	if (protocol != NN_SUB)
		set(s, NN_SNDBUF, BUFFER_BYTES);
	if (protocol != NN_PUB) {
		set(s, NN_RCVBUF, BUFFER_BYTES);
		set(s, NN_RCVMAXSIZE, (int)NANO_MESSAGE_LIMIT);
	}
	if (protocol == NN_SUB && nn_setsockopt(s, NN_SUB, NN_SUB_SUBSCRIBE, "", 0) < 0) {
		const int problem = errno;

		nano_close(&s);
		return -problem;
	}
	return s;
}

/* With IPv6 allowed, connecting to an IPv4 literal that refuses ends the process (1.1.5). */
static void choose_family(int s, const char *address)
{
	set(s, NN_IPV4ONLY, strncmp(address, "tcp://[", 7) != 0);
}

/* The socket file is ours alone from its first moment: whoever can open it can send. */
int nano_bind(int s, const char *address)
{
	mode_t before;
	int rc;

	choose_family(s, address);
	before = umask(0077);
	rc = nn_bind(s, address) < 0 ? -errno : 0;
	umask(before);
	return rc;
}

int nano_connect(int s, const char *address)
{
	int number;

	choose_family(s, address);
	number = nn_connect(s, address);
	return number < 0 ? -errno : number;
}

void nano_disconnect(int s, int number)
{
	const int rc = nn_shutdown(s, number);

	assert(rc == 0 || errno == EINTR);
}

static int descriptor(int s, int option)
{
	int fd = -1;
	size_t size = sizeof fd;

	return nn_getsockopt(s, NN_SOL_SOCKET, option, &fd, &size) < 0 ? -1 : fd;
}

int nano_receive_fd(int s)
{
	return descriptor(s, NN_RCVFD);
}

int nano_send_fd(int s)
{
	return descriptor(s, NN_SNDFD);
}

/* The SP header as ancillary data: its length as a size_t, then its bytes. */
static size_t put_route(void *control, const void *route, size_t size)
{
	struct nn_cmsghdr *header = control;
	unsigned char *data = NN_CMSG_DATA(header);

	header->cmsg_len = NN_CMSG_SPACE(sizeof size + size);
	header->cmsg_level = PROTO_SP;
	header->cmsg_type = SP_HDR;
	memcpy(data, &size, sizeof size);
	memcpy(data + sizeof size, route, size);
	return header->cmsg_len;
}

int nano_send(int s, const void *bytes, size_t size, const void *route, size_t route_size)
{
	_Alignas(struct nn_cmsghdr) unsigned char control[CONTROL_BYTES] = {0};
	union { /* nn_iovec wants no const */
		const void *in;
		void *out;
	} payload = {.in = bytes};
	struct nn_iovec iov = {payload.out, size};
	struct nn_msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	assert(size <= NANO_MESSAGE_LIMIT && route_size <= NANO_ROUTE);
	if (route != NULL) {
		message.msg_control = control;
		message.msg_controllen = put_route(control, route, route_size);
	}
	return nn_sendmsg(s, &message, NN_DONTWAIT) < 0 ? -errno : 0;
}

static void take_route(struct nano_message *message, const unsigned char *control)
{
	const struct nn_cmsghdr *header = (const void *)control;
	const unsigned char *data = control + sizeof *header;
	size_t size;

	memset(message->route, 0, sizeof message->route);
	message->route_size = 0;
	if (header->cmsg_len == 0) /* it did not fit: a longer way than ours */
		return;
	memcpy(&size, data, sizeof size);
	if (size > NANO_ROUTE)
		return;
	memcpy(message->route, data + sizeof size, size);
	message->route_size = size;
}

int nano_receive(int s, struct nano_message *message)
{
	_Alignas(struct nn_cmsghdr) unsigned char control[CONTROL_BYTES] = {0};
	void *bytes = NULL;
	struct nn_iovec iov = {&bytes, NN_MSG};
	struct nn_msghdr header = {.msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = sizeof control};
	const int size = nn_recvmsg(s, &header, NN_DONTWAIT);

	if (size < 0)
		return -errno;
	message->bytes = bytes;
	message->size = (size_t)size;
	take_route(message, control);
	return 0;
}

void nano_free(struct nano_message *message)
{
	if (message->bytes != NULL)
		nn_freemsg(message->bytes);
	message->bytes = NULL;
}

uint64_t nano_broken(int s)
{
	return nn_get_statistic(s, NN_STAT_BROKEN_CONNECTIONS);
}

uint64_t nano_established(int s)
{
	return nn_get_statistic(s, NN_STAT_ESTABLISHED_CONNECTIONS);
}

void nano_close(int *s)
{
	if (*s < 0)
		return;
	while (nn_close(*s) < 0 && errno == EINTR)
		continue;
	*s = -1;
}
