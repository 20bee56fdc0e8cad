/* A byte stream over TCP (RFC 9293), as client or server, and with TLS if wanted. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/device.h"
#include "devices/backend/connection.h"
#include "devices/backend/socket.h"
#include "devices/backend/tls.h"

enum { ADDRESSES = 4, HOST_BYTES = 256, LARGEST_PORT = 65535 };
/* A peer whose host is gone is given up after two minutes of silence. */
enum { IDLE_S = 60, PROBE_S = 10, PROBES = 6 };

struct address {
	struct sockaddr_storage socket;
	socklen_t size;
};

struct tcp {
	struct mw_connection connection; /* the first */
	const char *address;
	bool server, encrypted;
	struct mw_tls_options options;
	char host[HOST_BYTES], port[8];
	struct address addresses[ADDRESSES]; /* a client tries one after the other */
	size_t count, next;
	struct mw_tls tls;
	int listener; /* the connection's; its address is told once */
	bool told;
};

/* `HOST:PORT`, `[::1]:PORT`. */
static bool split(struct tcp *tcp)
{
	const char *host = tcp->address, *colon = strrchr(host, ':');
	char *end;

	if (!colon || colon == host)
		return false;
	size_t length = (size_t)(colon - host);
	unsigned long port = strtoul(colon + 1, &end, 10);

	if (colon[1] < '0' || colon[1] > '9' || *end || port > LARGEST_PORT ||
	    (!port && !tcp->server))
		return false;
	bool brackets = host[0] == '[' && host[length - 1] == ']';

	if (brackets) {
		host++;
		length -= 2;
	} else if (memchr(host, ':', length)) {
		return false;
	}
	if (!length || length >= HOST_BYTES)
		return false;
	memcpy(tcp->host, host, length);
	snprintf(tcp->port, sizeof(tcp->port), "%lu", port);
	return true;
}

static bool add_addresses(struct tcp *tcp, const char *host, int flags, const char **why)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = flags | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	int error = getaddrinfo(host, tcp->port, &hints, &list);

	if (error) {
		*why = error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
		return false;
	}
	for (struct addrinfo *item = list; item && tcp->count < ADDRESSES; item = item->ai_next) {
		struct address *address = &tcp->addresses[tcp->count++];

		memcpy(&address->socket, item->ai_addr, item->ai_addrlen);
		address->size = item->ai_addrlen;
	}
	freeaddrinfo(list);
	return true;
}

/* The only time that a name is looked up, since that may take long. `localhost` needs no look-up. */
static bool resolve(struct tcp *tcp, const char **why)
{
	if (!strcmp(tcp->host, "localhost"))
		return add_addresses(tcp, "127.0.0.1", AI_NUMERICHOST, why) &&
		       add_addresses(tcp, "::1", AI_NUMERICHOST, why);
	return add_addresses(tcp, tcp->host, 0, why);
}

static int begin_to_connect(void *self, bool *pending)
{
	struct tcp *tcp = self;
	const struct address *address = &tcp->addresses[tcp->next];

	tcp->next = (tcp->next + 1) % tcp->count;
	return mw_socket_connect(&address->socket, address->size, pending);
}

/* Where nobody listens on a port of those that the kernel lends to clients, it may lend that very one,
 * and TCP connects the socket to itself. */
static bool is_own(int fd)
{
	struct sockaddr_storage here = { 0 }, there = { 0 };
	socklen_t here_size = sizeof(here), there_size = sizeof(there);

	return getsockname(fd, (struct sockaddr *)&here, &here_size) == 0 &&
	       getpeername(fd, (struct sockaddr *)&there, &there_size) == 0 &&
	       here_size == there_size && !memcmp(&here, &there, here_size);
}

static void set_option(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

static bool greet(void *self, int fd)
{
	if (is_own(fd)) {
		errno = ECONNREFUSED;
		return false;
	}
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, PROBE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES);
	return true;
}

static const struct mw_connection_way as_client = { .connect = begin_to_connect,
						    .greet = greet,
						    .is_socket = true };
static const struct mw_connection_way as_server = { .greet = greet, .is_socket = true };

static bool set_up_tls(struct tcp *tcp, struct mw_diagnostics *diagnostics)
{
	const struct mw_tls_options *options = &tcp->options;
	bool given = options->cert[0] || options->key[0] || options->ca[0] || options->name[0];

	if (!tcp->encrypted)
		return !given ||
		       mw_connection_fail(tcp, diagnostics,
					  "`cert`, `key`, `ca` and `name` need `tls: true`");
	tcp->options.server = tcp->server;
	if (!options->name[0])
		tcp->options.name = tcp->host;
	return mw_tls_init(&tcp->tls, options) ||
	       mw_connection_fail(tcp, diagnostics, "%s", mw_tls_why(&tcp->tls));
}

/* The first address that this host has; where its port is taken, another would surprise clients. */
static bool listen_somewhere(struct tcp *tcp, struct mw_diagnostics *diagnostics)
{
	for (size_t i = 0; i < tcp->count && tcp->listener < 0; i++) {
		tcp->listener = mw_socket_listen(&tcp->addresses[i].socket, tcp->addresses[i].size);
		if (tcp->listener < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
			break;
	}
	return tcp->listener >= 0 || mw_connection_fail(tcp, diagnostics, "cannot listen at %s: %s",
							tcp->address, strerror(errno));
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct tcp *tcp = self;
	const char *why;

	tcp->listener = -1;
	if (!split(tcp))
		return mw_connection_fail(
			tcp, diagnostics,
			"`%s` is not HOST:PORT, such as localhost:4555 or [::1]:4555",
			tcp->address);
	if (!set_up_tls(tcp, diagnostics))
		return false;
	if (!resolve(tcp, &why))
		return mw_connection_fail(tcp, diagnostics, "cannot find %s: %s", tcp->host, why);
	if (tcp->server && !listen_somewhere(tcp, diagnostics))
		return false;
	return mw_connection_open(&tcp->connection, tcp->server ? &as_server : &as_client,
				  tcp->encrypted ? &tcp->tls : NULL, tcp->listener, diagnostics);
}

/* Who asks for port 0 wants to know which it is. */
static void tell_address(struct tcp *tcp)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);
	char host[INET6_ADDRSTRLEN + 16], port[8];

	tcp->told = true;
	if (getsockname(tcp->listener, (struct sockaddr *)&address, &size) < 0 ||
	    getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	mw_guest_log(tcp, address.ss_family == AF_INET6 ? "listens at [%s]:%s" : "listens at %s:%s",
		     host, port);
}

static void start(void *self)
{
	struct tcp *tcp = self;

	if (tcp->server && !tcp->told)
		tell_address(tcp);
	mw_connection_start(self);
}

static void fini(void *self)
{
	struct tcp *tcp = self;

	mw_connection_fini(self);
	mw_tls_fini(&tcp->tls);
}

static const struct mw_property properties[] = {
	{ "address",
	  "HOST:PORT, with an IPv6 address in brackets; a server may have port 0 chosen.",
	  MW_FIELD(struct tcp, address), .fallback_text = "localhost:4555" },
	{ "server", "Listens, for one peer at a time; else connects.",
	  MW_FIELD(struct tcp, server) },
	{ "tls", "Encrypts; a client always verifies its server.",
	  MW_FIELD(struct tcp, encrypted) },
	{ "cert", "Certificates in PEM, our own first; a TLS server needs one.",
	  MW_FIELD(struct tcp, options.cert), .is_path = true, .fallback_text = "" },
	{ "key", "The certificate's private key, in PEM.", MW_FIELD(struct tcp, options.key),
	  .is_path = true, .is_secret = true, .fallback_text = "" },
	{ "ca",
	  "Certificates in PEM of those who sign for peers. A TLS client needs it; a server that "
	  "has "
	  "it accepts clients with such a certificate only.",
	  MW_FIELD(struct tcp, options.ca), .is_path = true, .fallback_text = "" },
	{ "name", "The DNS name in the server's certificate; that of the address when empty.",
	  MW_FIELD(struct tcp, options.name), .fallback_text = "" },
	{ "handshake_ms", "Drops a peer that takes longer to connect.",
	  MW_FIELD(struct tcp, connection.handshake_ms), .fallback = MW_CONNECTION_HANDSHAKE_MS,
	  .min = 10, .max = 600000 },
	MW_CONNECTION_WAIT(struct tcp),
	MW_CONNECTION_RETRY(struct tcp),
};
static const struct mw_wire wires[] = { MW_CONNECTION_WIRE(struct tcp) };

const struct mw_device_type tcp_type = {
	MW_DEVICE_TYPE,
	.name = "tcp",
	.summary = "a byte stream over TCP, as client or server, with TLS if wanted",
	.size = sizeof(struct tcp),
	.state_version = 1,
	.backend = "tcp",
	.main_property = "address",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init,
		 .after_reset = mw_connection_after_reset,
		 .start = start,
		 .stop = mw_connection_stop,
		 .fini = fini },
};
