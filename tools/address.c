/* Standard streams and UNIX sockets (unix(7)) by the words of a command line. */
// SPDX-License-Identifier: MIT
#include "tools/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool fail(char *why, size_t capacity, const char *what, const char *detail)
{
	snprintf(why, capacity, "%s: %s", what, detail);
	return false;
}

/** One word behind a comma; QEMU's that say how it waits are taken and mean nothing here. */
static bool take_word(struct mw_address *address, const char *word, size_t length)
{
	static const struct {
		const char *text;
		enum { LISTENS, CONNECTS, NOTHING } what;
	} words[] = {
		{ "server", LISTENS },  { "server=on", LISTENS }, { "server=off", CONNECTS },
		{ "wait=on", NOTHING }, { "wait=off", NOTHING },  { "wait", NOTHING },
		{ "nowait", NOTHING },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].text) != length || strncmp(words[i].text, word, length) != 0)
			continue;
		if (words[i].what != NOTHING)
			address->listens = words[i].what == LISTENS;
		return true;
	}
	return false;
}

bool mw_address_parse(struct mw_address *address, const char *text, bool listens, char *why,
		      size_t capacity)
{
	const char *path = strncmp(text, "unix:", 5) == 0 ? text + 5 : text;
	size_t length = strcspn(path, ",");

	*address = (struct mw_address){ .listens = listens };
	if (strcmp(text, "stdio") == 0) {
		address->is_stdio = true;
		address->listens = false;
		return true;
	}
	if (!length)
		return fail(why, capacity, text, "an address is stdio or a socket's path");
	if (length >= sizeof(address->path))
		return fail(why, capacity, text, "the path is longer than a socket's can be");
	memcpy(address->path, path, length);
	for (const char *word = path + length; *word;) {
		size_t letters = strcspn(++word, ",");

		if (!take_word(address, word, letters))
			return fail(why, capacity, text, "only `,server` may follow the path");
		word += letters;
	}
	return true;
}

static struct sockaddr_un socket_name(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	return name;
}

int mw_address_connect(const char *path)
{
	struct sockaddr_un name = socket_name(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (strlen(path) >= sizeof(name.sun_path)) {
		close(fd);
		errno = ENAMETOOLONG;
		return -1;
	}
	if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

/** Made while the process has one thread: the mask of modes is the whole process's. */
static int bind_private(int fd, const struct sockaddr_un *name)
{
	mode_t before = umask(0077);
	int error = bind(fd, (const struct sockaddr *)name, sizeof(*name)) < 0 ? errno : 0;

	umask(before);
	return error;
}

/** Whether the name is of a socket that nobody serves any more. */
static bool is_left_over(const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return false;
	int fd = mw_address_connect(path);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == ECONNREFUSED;
}

static int listen_at(const char *path, int *out)
{
	struct sockaddr_un name = socket_name(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return errno;
	error = bind_private(fd, &name);
	if (error == EADDRINUSE && is_left_over(path) && unlink(path) == 0)
		error = bind_private(fd, &name);
	if (!error && listen(fd, 4) < 0) {
		error = errno;
		unlink(path);
	}
	if (error)
		close(fd);
	else
		*out = fd;
	return error;
}

static void note_name(const struct mw_address *address, struct mw_endpoint *endpoint)
{
	struct stat status;

	if (lstat(address->path, &status) < 0)
		return;
	endpoint->device = status.st_dev;
	endpoint->inode = status.st_ino;
	endpoint->made = status.st_ctim;
}

bool mw_address_open(const struct mw_address *address, struct mw_endpoint *endpoint, char *why,
		     size_t capacity)
{
	int error = 0;

	*endpoint = (struct mw_endpoint){ .in = -1, .out = -1, .listener = -1 };
	if (address->is_stdio) {
		endpoint->in = STDIN_FILENO;
		endpoint->out = STDOUT_FILENO;
	} else if (address->listens) {
		error = listen_at(address->path, &endpoint->listener);
		note_name(address, endpoint);
	} else {
		endpoint->in = endpoint->out = mw_address_connect(address->path);
		error = endpoint->in < 0 ? errno : 0;
	}
	return !error || fail(why, capacity, address->path, strerror(error));
}

void mw_address_remove(const struct mw_address *address, const struct mw_endpoint *endpoint)
{
	struct stat status;

	if (address->listens && address->path[0] && lstat(address->path, &status) == 0 &&
	    status.st_dev == endpoint->device && status.st_ino == endpoint->inode &&
	    status.st_ctim.tv_sec == endpoint->made.tv_sec &&
	    status.st_ctim.tv_nsec == endpoint->made.tv_nsec)
		unlink(address->path);
}
