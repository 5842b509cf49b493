/* address.c - addresses as sixteen bytes, networks as prefixes of them. */
#include "gateway/http/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const struct address *address)
{
	return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

static struct address from_ipv4(const void *four_bytes)
{
	struct address address = {0};

	memcpy(address.bytes, mapped, sizeof mapped);
	memcpy(address.bytes + 12, four_bytes, 4);
	return address;
}

struct address address_of(const struct sockaddr *peer)
{
	struct address address = {0};
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;

	switch (peer->sa_family) {
	case AF_INET:
		memcpy(&ipv4, peer, sizeof ipv4);
		return from_ipv4(&ipv4.sin_addr);
	case AF_INET6:
		memcpy(&ipv6, peer, sizeof ipv6);
		memcpy(address.bytes, &ipv6.sin6_addr, 16);
		return address;
	default:
		address.local = true;
		return address;
	}
}

bool address_parse(const char *text, size_t length, struct address *address)
{
	char copy[ADDRESS_TEXT_SIZE];
	struct in_addr ipv4;

	if (length >= sizeof copy || memchr(text, '\0', length) != NULL)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';

	*address = (struct address){0};
	if (inet_pton(AF_INET, copy, &ipv4) == 1) {
		*address = from_ipv4(&ipv4);
		return true;
	}
	return inet_pton(AF_INET6, copy, address->bytes) == 1;
}

void address_print(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
	if (address->local)
		strcpy(text, "unix");
	else if (is_ipv4(address))
		inet_ntop(AF_INET, address->bytes + 12, text, ADDRESS_TEXT_SIZE);
	else
		inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
}

uint64_t address_network(const struct address *address)
{
	uint64_t high, low;

	memcpy(&high, address->bytes, 8);
	memcpy(&low, address->bytes + 8, 8);
	return is_ipv4(address) ? low : high;
}

/* --- a list of networks ------------------------------------------------------- */

struct network {
	struct address address;
	unsigned bits;
};

struct networks {
	size_t count;
	struct network items[];
};

/* The number behind the slash, at most `most`; 0 is not a network but a mistake. */
static bool read_bits(const char *text, const char *end, unsigned most, unsigned *bits)
{
	*bits = 0;
	if (text == end || end - text > 3)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		*bits = *bits * 10 + (unsigned)(*text - '0');
	}
	return *bits > 0 && *bits <= most;
}

static bool read_network(const char *text, size_t length, struct network *network)
{
	const char *slash = memchr(text, '/', length), *end = text + length;
	unsigned width;

	if (length == 4 && memcmp(text, "unix", 4) == 0) {
		*network = (struct network){.address.local = true};
		return true;
	}
	if (!address_parse(text, slash != NULL ? (size_t)(slash - text) : length,
			   &network->address))
		return false;

	width = is_ipv4(&network->address) ? 32 : 128;
	network->bits = width;
	if (slash != NULL && !read_bits(slash + 1, end, width, &network->bits))
		return false;
	network->bits += 128 - width;
	return true;
}

struct networks *networks_new(const char *list)
{
	size_t most = list != NULL ? strlen(list) / 2 + 1 : 0;
	struct networks *networks = calloc(1, sizeof *networks + most * sizeof(struct network));

	if (networks == NULL)
		abort();
	while (list != NULL && *(list += strspn(list, ", \t")) != '\0') {
		size_t length = strcspn(list, ", \t");

		assert(networks->count < most);
		if (!read_network(list, length, &networks->items[networks->count++])) {
			free(networks);
			return NULL;
		}
		list += length;
	}
	return networks;
}

void networks_free(struct networks *networks)
{
	free(networks);
}

static bool holds(const struct network *network, const struct address *address)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;
	unsigned mask = 0xffu << (8 - rest) & 0xffu;

	if (network->address.local || address->local)
		return network->address.local && address->local;
	if (memcmp(network->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

bool networks_hold(const struct networks *networks, const struct address *address)
{
	for (size_t i = 0; i < networks->count; i++)
		if (holds(&networks->items[i], address))
			return true;
	return false;
}
