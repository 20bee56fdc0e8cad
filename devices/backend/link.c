/* A null-modem cable between two machines of one user on one host, by name. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/device.h"
#include "devices/backend/connection.h"
#include "devices/backend/socket.h"

enum { LONGEST_NAME = 40, RETRY_MS = 250, LOCK_TRIES = 10 };

/** A cable has two ends, and a lock file for each. Who holds the first listens, who holds the second
 * connects, for as long as he lives: the kernel drops the locks of the dead, and nobody ever changes
 * sides. */
struct cable {
	struct mw_connection connection; /* the first */
	const char *name;
	char folder[64], lock_path[128], socket_path[128];
	int lock; /* + 1; 0: none */
	struct sockaddr_un address;
	struct mw_socket_file file;
};

static int begin_to_connect(void *self, bool *pending)
{
	const struct cable *cable = self;

	return mw_socket_connect(&cable->address, sizeof(cable->address), pending);
}

static const struct mw_connection_way as_second = { .connect = begin_to_connect,
						    .is_socket = true,
						    .is_quiet = true };
/* The next partner may be here before the last one is seen to have left. */
static const struct mw_connection_way as_first = { .is_socket = true, .in_a_line = true };

static bool is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-.";

	return name[0] != '.' && strlen(name) <= LONGEST_NAME && !name[strspn(name, allowed)];
}

/* Nobody but us may put anything into it. */
static bool make_folder(struct cable *cable, const char **why)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat status;
	int length;

	if (runtime && runtime[0] == '/')
		length = snprintf(cable->folder, sizeof(cable->folder), "%s/millwright", runtime);
	else
		length = snprintf(cable->folder, sizeof(cable->folder), "/tmp/millwright-%u",
				  geteuid());
	if (length < 0 || (size_t)length >= sizeof(cable->folder)) {
		*why = "its name is too long";
		return false;
	}
	if ((mkdir(cable->folder, 0700) < 0 && errno != EEXIST) ||
	    lstat(cable->folder, &status) < 0) {
		*why = strerror(errno);
		return false;
	}
	*why = "it is not a folder of ours alone (mode 0700)";
	return S_ISDIR(status.st_mode) && status.st_uid == geteuid() && !(status.st_mode & 077);
}

/* Without a name, the two ends are in this process. */
static bool make_path(struct cable *cable, const char *end, char *path, size_t bytes)
{
	int length =
		cable->name[0]
			? snprintf(path, bytes, "%s/%s.%s", cable->folder, cable->name, end)
			: snprintf(path, bytes, "%s/.%ld.%s", cable->folder, (long)getpid(), end);

	return length > 0 && (size_t)length < bytes;
}

/* A file that was locked may have been removed meanwhile, by its former holder. */
static bool is_in_place(int fd, const char *path)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && lstat(path, &there) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

/* False with errno, EWOULDBLOCK where the end is taken. */
static bool take_end(struct cable *cable, const char *end)
{
	if (!make_path(cable, end, cable->lock_path, sizeof(cable->lock_path))) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		int fd = open(cable->lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return false;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			int error = errno;

			close(fd);
			errno = error;
			return false;
		}
		if (is_in_place(fd, cable->lock_path)) {
			cable->lock = fd + 1;
			return true;
		}
		close(fd);
	}
	errno = EBUSY;
	return false;
}

static bool plug_in(struct cable *cable, bool *first, struct mw_diagnostics *diagnostics)
{
	*first = take_end(cable, "first");
	if (*first || (errno == EWOULDBLOCK && take_end(cable, "second")))
		return true;
	if (errno == EWOULDBLOCK && !cable->name[0])
		return mw_connection_fail(cable, diagnostics,
					  "two ports of this machine are joined already; give the "
					  "second cable a name");
	if (errno == EWOULDBLOCK)
		return mw_connection_fail(cable, diagnostics, "`%s` already joins two machines",
					  cable->name);
	return mw_connection_fail(cable, diagnostics, "cannot use %s: %s", cable->lock_path,
				  strerror(errno));
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct cable *cable = self;
	const char *why;
	bool first;
	int listener = -1;

	if (!is_name(cable->name))
		return mw_connection_fail(
			cable, diagnostics,
			"a link's name has at most %d letters, digits, -, _ and .", LONGEST_NAME);
	if (!make_folder(cable, &why))
		return mw_connection_fail(cable, diagnostics, "cannot use %s: %s", cable->folder,
					  why);
	if (!make_path(cable, "socket", cable->socket_path, sizeof(cable->socket_path)) ||
	    !mw_socket_unix_address(&cable->address, cable->socket_path))
		return mw_connection_fail(cable, diagnostics, "%s is too long a name for sockets",
					  cable->folder);
	if (!plug_in(cable, &first, diagnostics))
		return false;
	if (first) {
		listener = mw_socket_listen_unix(&cable->file, cable->socket_path, &why);
		if (listener < 0)
			return mw_connection_fail(cable, diagnostics, "cannot listen at %s: %s",
						  cable->socket_path, why);
	}
	cable->connection.retry_ms = RETRY_MS;
	return mw_connection_open(&cable->connection, first ? &as_first : &as_second, NULL,
				  listener, diagnostics);
}

static void fini(void *self)
{
	struct cable *cable = self;

	mw_connection_fini(self);
	mw_socket_remove(&cable->file);
	if (!cable->lock)
		return;
	unlink(cable->lock_path);
	close(cable->lock - 1);
}

static const struct mw_property properties[] = {
	{ "name", "Two machines with this name are joined; without one, two ports of this machine.",
	  MW_FIELD(struct cable, name), .fallback_text = "" },
	MW_CONNECTION_WAIT(struct cable),
};
static const struct mw_wire wires[] = { MW_CONNECTION_WIRE(struct cable) };

const struct mw_device_type link_type = {
	MW_DEVICE_TYPE,
	.name = "link",
	.summary = "a cable to another machine on this host, by name",
	.size = sizeof(struct cable),
	.state_version = 1,
	.backend = "link",
	.main_property = "name",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init,
		 .after_reset = mw_connection_after_reset,
		 .start = mw_connection_start,
		 .stop = mw_connection_stop,
		 .fini = fini },
};
