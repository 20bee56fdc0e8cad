/* A pseudo terminal (pty(7)) as a serial line's far end: who opens it is the peer. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/device.h"
#include "devices/backend/connection.h"

enum { LOOK_MS = 100 };
static const char terminals[] = "/dev/pts/";

struct pty {
	struct mw_connection connection; /* the first */
	const char *path;
	int master; /* + 1; 0: none */
	char name[64];
	bool linked, told;
};

/* While nobody has the other end open, the master is hung up, always ready, and useless. No event
 * tells of the next who opens it. */
static int look_for_peer(void *self, bool *pending)
{
	int master = ((struct pty *)self)->master - 1;
	struct pollfd poll_fd = { .fd = master, .events = POLLIN };

	if (poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLIN | POLLHUP)) == POLLHUP) {
		errno = EAGAIN;
		return -1;
	}
	return fcntl(master, F_DUPFD_CLOEXEC, 3);
}

static const struct mw_connection_way way = { .connect = look_for_peer,
					      .is_quiet = true,
					      .is_eager = true };

/* Having been open once is what makes it hung up from now on. */
static bool make_raw(struct pty *pty)
{
	struct termios settings;
	int fd = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	bool good = fd >= 0 && tcgetattr(fd, &settings) == 0;

	if (good) {
		cfmakeraw(&settings);
		good = tcsetattr(fd, TCSANOW, &settings) == 0;
	}
	if (fd >= 0)
		close(fd);
	return good;
}

static bool open_master(struct pty *pty)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), flags, error;

	if (master < 0)
		return false;
	pty->master = master + 1;
	flags = fcntl(master, F_GETFL);
	if (grantpt(master) < 0 || unlockpt(master) < 0 ||
	    fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0)
		return false;
	error = ptsname_r(master, pty->name, sizeof(pty->name));
	errno = error;
	return !error && make_raw(pty);
}

/* Whether the link leads to a terminal; `only` to that one. */
static bool leads_to_terminal(const char *path, const char *only)
{
	char target[64];
	ssize_t length = readlink(path, target, sizeof(target) - 1);

	if (length < 0)
		return false;
	target[length] = '\0';
	return only ? !strcmp(target, only) : !strncmp(target, terminals, sizeof(terminals) - 1);
}

/* What an earlier run has left is replaced, whatever else is there stays. */
static bool link_path(struct pty *pty, struct mw_diagnostics *diagnostics)
{
	struct stat status;

	/* One whose terminal is there may be another machine's. */
	if (leads_to_terminal(pty->path, NULL) && stat(pty->path, &status) < 0)
		unlink(pty->path);
	pty->linked = symlink(pty->name, pty->path) == 0;
	return pty->linked || mw_connection_fail(pty, diagnostics, "cannot make the link %s: %s",
						 pty->path, strerror(errno));
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct pty *pty = self;

	if (!open_master(pty))
		return mw_connection_fail(pty, diagnostics, "no pseudo terminal: %s",
					  strerror(errno));
	if (pty->path[0] && !link_path(pty, diagnostics))
		return false;
	pty->connection.retry_ms = LOOK_MS;
	return mw_connection_open(&pty->connection, &way, NULL, -1, diagnostics);
}

static void start(void *self)
{
	struct pty *pty = self;

	if (!pty->told)
		mw_guest_log(pty, "the terminal is %s", pty->name);
	pty->told = true;
	mw_connection_start(self);
}

static void fini(void *self)
{
	struct pty *pty = self;

	mw_connection_fini(self);
	if (pty->linked && leads_to_terminal(pty->path, pty->name))
		unlink(pty->path);
	if (pty->master)
		close(pty->master - 1);
}

static const struct mw_property properties[] = {
	{ "path", "A symbolic link to the terminal, for as long as the machine is there.",
	  MW_FIELD(struct pty, path), .is_path = true, .is_written = true, .fallback_text = "" },
	MW_CONNECTION_WAIT(struct pty),
};
static const struct mw_wire wires[] = { MW_CONNECTION_WIRE(struct pty) };

const struct mw_device_type pty_type = {
	MW_DEVICE_TYPE,
	.name = "pty",
	.summary = "a pseudo terminal for a terminal program to open",
	.size = sizeof(struct pty),
	.state_version = 1,
	.backend = "pty",
	.main_property = "path",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init,
		 .after_reset = mw_connection_after_reset,
		 .start = start,
		 .stop = mw_connection_stop,
		 .fini = fini },
};
