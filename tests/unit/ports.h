/*
 * ports.h - a port for a server of a test's own.
 */
#ifndef UNIT_PORTS_H
#define UNIT_PORTS_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below the ports that connections are given, one of which may be taken before the server has it.
 */
static inline int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	int found = 10240 + getpid() % 20000;

	do
		address.sin_port = htons((uint16_t)++found);
	while (bind(fd, (struct sockaddr *)&address, sizeof address) < 0);
	close(fd);
	return found;
}

#endif
