/* Addresses of TCP (RFC 9293), by getaddrinfo(3). */
// SPDX-License-Identifier: MIT
#include "devices/backend/inet.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/device.h"
#include "devices/backend/socket.h"

enum { LARGEST_PORT = 65535 };
enum { IDLE_S = 60, PROBE_S = 10, PROBES = 6 };

bool mw_inet_split(struct mw_inet *inet, const char *text, bool server)
{
	const char *host = text, *colon = strrchr(host, ':');
	char *end;

	if (!colon || colon == host)
		return false;
	size_t length = (size_t)(colon - host);
	unsigned long port = strtoul(colon + 1, &end, 10);

	if (colon[1] < '0' || colon[1] > '9' || *end || port > LARGEST_PORT || (!port && !server))
		return false;
	bool brackets = host[0] == '[' && host[length - 1] == ']';

	if (brackets) {
		host++;
		length -= 2;
	} else if (memchr(host, ':', length)) {
		return false;
	}
	if (!length || length >= MW_INET_HOST_BYTES)
		return false;
	memcpy(inet->host, host, length);
	inet->host[length] = '\0';
	snprintf(inet->port, sizeof(inet->port), "%lu", port);
	return true;
}

static bool add_addresses(struct mw_inet *inet, const char *host, int flags, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = flags | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	int error = getaddrinfo(host, inet->port, &hints, &list);

	if (error) {
		*why = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
		return false;
	}
	for (struct addrinfo *item = list; item && inet->count < MW_INET_ADDRESSES;
	     item = item->ai_next) {
		struct mw_inet_address *address = &inet->addresses[inet->count++];

		memcpy(&address->socket, item->ai_addr, item->ai_addrlen);
		address->size = item->ai_addrlen;
	}
	freeaddrinfo(list);
	return true;
}

/* `localhost` needs no look-up. */
bool mw_inet_resolve(struct mw_inet *inet, const char **why)
{
	if (!strcmp(inet->host, "localhost"))
		return add_addresses(inet, "127.0.0.1", AI_NUMERICHOST, why) &&
		       add_addresses(inet, "::1", AI_NUMERICHOST, why);
	return add_addresses(inet, inet->host, 0, why);
}

static bool is_loopback(const struct sockaddr_storage *socket)
{
	const struct sockaddr_in *four = (const void *)socket;
	const struct sockaddr_in6 *six = (const void *)socket;

	if (socket->ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return socket->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

bool mw_inet_is_loopback(const struct mw_inet *inet)
{
	for (size_t i = 0; i < inet->count; i++) {
		if (!is_loopback(&inet->addresses[i].socket))
			return false;
	}
	return inet->count;
}

/* Where the port of the first is taken, another would surprise clients. */
int mw_inet_listen(const struct mw_inet *inet)
{
	int listener = -1;

	for (size_t i = 0; i < inet->count && listener < 0; i++) {
		listener = mw_socket_listen(&inet->addresses[i].socket, inet->addresses[i].size);
		if (listener < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
			break;
	}
	return listener;
}

void mw_inet_tell(void *self, int listener)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);
	char host[INET6_ADDRSTRLEN + 16], port[8];

	if (getsockname(listener, (struct sockaddr *)&address, &size) < 0 ||
	    getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	mw_guest_log(self,
		     address.ss_family == AF_INET6 ? "listens at [%s]:%s" : "listens at %s:%s",
		     host, port);
}

static void set_option(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

void mw_inet_greet(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
}
