/* What keeps strangers from a screen: passwords, certificates, and addresses that they cannot reach. */
// SPDX-License-Identifier: MIT
#include "devices/backend/vnc_door.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/diagnostics.h"
#include "devices/backend/connection.h"

enum { PASSWORD_FILE_BYTES = 64 };

/** What opening it is about. */
struct parts {
	void *self;
	struct mw_vnc_door *door;
	struct mw_rfb_screen *screen;
};

static bool read_password(struct parts *parts, struct mw_diagnostics *diagnostics)
{
	char text[PASSWORD_FILE_BYTES + 1] = "";
	int fd;

	if (!parts->door->password_file[0])
		return true;
	fd = open(parts->door->password_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t count = fd < 0 ? -1 : read(fd, text, PASSWORD_FILE_BYTES);
	int error = errno;

	if (fd >= 0)
		close(fd);
	if (count < 0)
		return mw_connection_fail(parts->self, diagnostics, "cannot read %s: %s",
					  parts->door->password_file, strerror(error));
	text[strcspn(text, "\r\n")] = '\0';
	if (!text[0])
		return mw_connection_fail(parts->self, diagnostics, "there is no password in %s",
					  parts->door->password_file);
	memcpy(parts->door->password, text, strnlen(text, MW_RFB_PASSWORD));
	parts->screen->password = parts->door->password;
	return true;
}

/* The first peer's TLS says whether its files are good, while somebody is there to read it. */
static bool check_tls(struct parts *parts, struct mw_diagnostics *diagnostics)
{
	const struct mw_tls_options *options = &parts->door->options;
	struct mw_tls tls = { 0 };

	parts->door->options.server = true;
	parts->door->options.name = "";
	parts->screen->secured = parts->door->encrypted;
	if (!parts->door->encrypted)
		return !(options->cert[0] || options->key[0] || options->ca[0]) ||
		       mw_connection_fail(parts->self, diagnostics,
					  "`cert`, `key` and `ca` need `tls: true`");
	bool good = mw_tls_init(&tls, options) ||
		    mw_connection_fail(parts->self, diagnostics, "%s", mw_tls_why(&tls));

	mw_tls_fini(&tls);
	return good;
}

/* TLS hides what is said, and says nothing about who may say it. */
static bool is_guarded(const struct parts *parts)
{
	return parts->screen->password || (parts->door->encrypted && parts->door->options.ca[0]);
}

static bool listen_inet(struct parts *parts, struct mw_diagnostics *diagnostics)
{
	const char *why;

	if (!mw_inet_split(&parts->door->inet, parts->door->address, true))
		return mw_connection_fail(parts->self, diagnostics,
					  "`%s` is not HOST:PORT, such as localhost:5900 or "
					  "[::1]:5900, nor unix:PATH",
					  parts->door->address);
	if (!mw_inet_resolve(&parts->door->inet, &why))
		return mw_connection_fail(parts->self, diagnostics, "cannot find %s: %s",
					  parts->door->inet.host, why);
	if (!mw_inet_is_loopback(&parts->door->inet) && !is_guarded(parts))
		return mw_connection_fail(
			parts->self, diagnostics,
			"%s can be reached from other hosts, and whoever comes would have the "
			"keyboard: give `password_file`, or `tls: true` with the `ca` of those who "
			"may; or listen at localhost or at a `path`",
			parts->door->address);
	parts->door->listener = mw_inet_listen(&parts->door->inet);
	return parts->door->listener >= 0 ||
	       mw_connection_fail(parts->self, diagnostics, "cannot listen at %s: %s",
				  parts->door->address, strerror(errno));
}

static bool listen_somewhere(struct parts *parts, struct mw_diagnostics *diagnostics)
{
	static const char scheme[] = "unix:";
	const char *path = parts->door->path, *why;

	if (!path[0] && !strncmp(parts->door->address, scheme, sizeof(scheme) - 1))
		path = parts->door->address + sizeof(scheme) - 1;
	else if (!path[0])
		return listen_inet(parts, diagnostics);
	parts->door->listener = mw_socket_listen_unix(&parts->door->file, path, &why);
	return parts->door->listener >= 0 ||
	       mw_connection_fail(parts->self, diagnostics, "cannot listen at %s: %s", path, why);
}

bool mw_vnc_door_open(void *self, struct mw_vnc_door *door, struct mw_rfb_screen *screen,
		      struct mw_diagnostics *diagnostics)
{
	struct parts parts = { self, door, screen };

	door->listener = -1;
	return read_password(&parts, diagnostics) && check_tls(&parts, diagnostics) &&
	       listen_somewhere(&parts, diagnostics);
}

void mw_vnc_door_close(struct mw_vnc_door *door)
{
	if (door->listener >= 0) {
		/* A watch has a duplicate, which must not go on to listen. */
		shutdown(door->listener, SHUT_RDWR);
		close(door->listener);
	}
	mw_socket_remove(&door->file);
	door->listener = -1;
}
