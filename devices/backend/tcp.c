/* A byte stream over TCP (RFC 9293), as client or server, and with TLS if wanted. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "core/device.h"
#include "devices/backend/connection.h"
#include "devices/backend/inet.h"
#include "devices/backend/socket.h"
#include "devices/backend/tls.h"

struct tcp {
	struct mw_connection connection; /* the first */
	const char *address;
	bool server, encrypted;
	struct mw_tls_options options;
	struct mw_inet inet; /* a client tries one address after the other */
	size_t next;
	struct mw_tls tls;
	int listener; /* the connection's; its address is told once */
	bool told;
};

static int begin_to_connect(void *self, bool *pending)
{
	struct tcp *tcp = self;
	const struct mw_inet_address *address = &tcp->inet.addresses[tcp->next];

	tcp->next = (tcp->next + 1) % tcp->inet.count;
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

static bool greet(void *self, int fd)
{
	if (is_own(fd)) {
		errno = ECONNREFUSED;
		return false;
	}
	mw_inet_greet(fd);
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
		tcp->options.name = tcp->inet.host;
	return mw_tls_init(&tcp->tls, options) ||
	       mw_connection_fail(tcp, diagnostics, "%s", mw_tls_why(&tcp->tls));
}

static bool listen_somewhere(struct tcp *tcp, struct mw_diagnostics *diagnostics)
{
	tcp->listener = mw_inet_listen(&tcp->inet);
	return tcp->listener >= 0 || mw_connection_fail(tcp, diagnostics, "cannot listen at %s: %s",
							tcp->address, strerror(errno));
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct tcp *tcp = self;
	const char *why;

	tcp->listener = -1;
	if (!mw_inet_split(&tcp->inet, tcp->address, tcp->server))
		return mw_connection_fail(
			tcp, diagnostics,
			"`%s` is not HOST:PORT, such as localhost:4555 or [::1]:4555",
			tcp->address);
	if (!set_up_tls(tcp, diagnostics))
		return false;
	if (!mw_inet_resolve(&tcp->inet, &why))
		return mw_connection_fail(tcp, diagnostics, "cannot find %s: %s", tcp->inet.host,
					  why);
	if (tcp->server && !listen_somewhere(tcp, diagnostics))
		return false;
	return mw_connection_open(&tcp->connection, tcp->server ? &as_server : &as_client,
				  tcp->encrypted ? &tcp->tls : NULL, tcp->listener, diagnostics);
}

static void start(void *self)
{
	struct tcp *tcp = self;

	if (tcp->server && !tcp->told)
		mw_inet_tell(tcp, tcp->listener);
	tcp->told = true;
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
