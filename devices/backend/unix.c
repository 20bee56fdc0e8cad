/* A byte stream over a local socket (unix(7)), as its client or as its server. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "core/device.h"
#include "devices/backend/connection.h"
#include "devices/backend/socket.h"

struct local {
	struct mw_connection connection; /* the first */
	const char *path;
	bool server;
	struct sockaddr_un address;
	struct mw_socket_file file;
};

static int begin_to_connect(void *self, bool *pending)
{
	const struct local *local = self;

	return mw_socket_connect(&local->address, sizeof(local->address), pending);
}

static const struct mw_connection_way as_client = { .connect = begin_to_connect,
						    .is_socket = true };
static const struct mw_connection_way as_server = { .is_socket = true };

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct local *local = self;
	const char *why;
	int listener = -1;

	if (!mw_socket_unix_address(&local->address, local->path))
		return mw_connection_fail(self, diagnostics, "cannot use %s: %s", local->path,
					  strerror(errno));
	if (local->server) {
		listener = mw_socket_listen_unix(&local->file, local->path, &why);
		if (listener < 0)
			return mw_connection_fail(self, diagnostics, "cannot listen at %s: %s",
						  local->path, why);
	}
	return mw_connection_open(&local->connection, local->server ? &as_server : &as_client, NULL,
				  listener, diagnostics);
}

static void fini(void *self)
{
	mw_connection_fini(self);
	mw_socket_remove(&((struct local *)self)->file);
}

static const struct mw_property properties[] = {
	{ "path", "The socket's file.", MW_FIELD(struct local, path), .required = true,
	  .is_path = true },
	{ "server", "Makes the socket and listens, for one peer at a time; else connects to it.",
	  MW_FIELD(struct local, server) },
	MW_CONNECTION_WAIT(struct local),
	MW_CONNECTION_RETRY(struct local),
};
static const struct mw_wire wires[] = { MW_CONNECTION_WIRE(struct local) };

const struct mw_device_type unix_type = {
	MW_DEVICE_TYPE,
	.name = "unix",
	.summary = "a byte stream over a local socket, as client or server",
	.size = sizeof(struct local),
	.state_version = 1,
	.backend = "unix",
	.main_property = "path",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init,
		 .after_reset = mw_connection_after_reset,
		 .start = mw_connection_start,
		 .stop = mw_connection_stop,
		 .fini = fini },
};
