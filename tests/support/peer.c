/* The other end of a byte-stream backend under test. */
// SPDX-License-Identifier: MIT
#include "tests/support/peer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/machine_internal.h"

enum { LINK_BYTES = 65536, DRIBBLE = 700, IDLE_TURNS = 20, PATHS = 16 };

int place_make(void **state)
{
	struct place *place = mw_alloc(1, sizeof(*place));

	snprintf(place->folder, sizeof(place->folder), "/tmp/mw-peer-XXXXXX");
	if (!mkdtemp(place->folder))
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/path", place->folder);
	*state = place;
	return 0;
}

int place_remove(void **state)
{
	struct place *place = *state;
	DIR *folder = opendir(place->folder);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	int status = rmdir(place->folder);

	free(place);
	return status;
}

const char *place_path(const struct place *place, const char *name)
{
	static char paths[PATHS][64];
	static unsigned next;
	char *path = paths[next++ % PATHS];

	snprintf(path, sizeof(paths[0]), "%s/%s", place->folder, name);
	return path;
}

static int unix_socket(const char *path, int (*act)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_true(fd >= 0);
	if (act(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int peer_connect_unix(const char *path)
{
	return unix_socket(path, connect);
}

int peer_listen_unix(const char *path)
{
	int fd = unix_socket(path, bind);

	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

int peer_connect_tcp(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
		    errno == EINPROGRESS);
	return fd;
}

int peer_listen_tcp(unsigned *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)*port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

struct peer peer_accept(struct rig *rig, int listener)
{
	struct peer peer = { .fd = -1 };

	for (unsigned i = 0; i < PEER_TURNS && peer.fd < 0; i++) {
		rig_serve(rig, 1);
		peer.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	assert_true(peer.fd >= 0);
	return peer;
}

void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

static ssize_t get(struct peer *peer, void *bytes, size_t count)
{
	return peer->tls ? mw_tls_read(peer->tls, bytes, count) : read(peer->fd, bytes, count);
}

static ssize_t put(struct peer *peer, const void *bytes, size_t count)
{
	if (!count) /* TLS would send a record without bytes */
		return 0;
	return peer->tls ? mw_tls_write(peer->tls, bytes, count) : write(peer->fd, bytes, count);
}

enum mw_tls_step peer_secure(struct rig *rig, struct peer *peer, struct mw_tls *tls)
{
	enum mw_tls_step step = MW_TLS_WANTS_INPUT;

	peer->tls = tls;
	mw_tls_begin(tls, peer->fd);
	for (unsigned i = 0; i < PEER_TURNS && step != MW_TLS_DONE && step != MW_TLS_FAILED; i++) {
		step = mw_tls_handshake(tls);
		rig_serve(rig, 1);
	}
	return step;
}

/* Side 0 is the device's in every link. */
size_t peer_room(struct rig *rig)
{
	return LINK_BYTES - rig_machine(rig)->links[0].to[0].count;
}

void peer_expect(struct rig *rig, struct peer *peer, const char *wanted)
{
	char got[256] = { 0 };
	size_t count = 0;

	for (unsigned i = 0; i < PEER_TURNS && count < strlen(wanted); i++) {
		rig_serve(rig, 1);
		ssize_t more = get(peer, got + count, sizeof(got) - 1 - count);

		count += more > 0 ? (size_t)more : 0;
	}
	assert_string_equal(got, wanted);
}

void peer_send(struct rig *rig, struct peer *peer, const char *text)
{
	char got[256] = { 0 };
	size_t count = 0;

	assert_int_equal(put(peer, text, strlen(text)), strlen(text));
	for (unsigned i = 0; i < PEER_TURNS && count < strlen(text); i++) {
		rig_serve(rig, 1);
		count += rig_take(rig, "port", got + count, sizeof(got) - 1 - count);
	}
	assert_string_equal(got, text);
}

void peer_expect_end(struct rig *rig, struct peer *peer)
{
	char rest[4096];
	ssize_t count = -1;

	for (unsigned i = 0; i < PEER_TURNS; i++) {
		rig_serve(rig, 1);
		count = get(peer, rest, sizeof(rest));
		if (!count || (count < 0 && errno != EAGAIN))
			break;
	}
	assert_true(!count || errno != EAGAIN);
	peer_close(peer);
}

void peer_idle(struct rig *rig)
{
	for (unsigned i = 0; i < IDLE_TURNS; i++)
		rig_serve(rig, 1);
}

void peer_expect_log(struct rig *rig, const char *text)
{
	for (unsigned i = 0; i < PEER_TURNS && !strstr(rig_log(rig), text); i++)
		rig_serve(rig, 1);
	assert_non_null(strstr(rig_log(rig), text));
}

/** One way of an exchange. */
struct way {
	size_t total, sent, received;
	unsigned salt;
};

static uint8_t byte_at(const struct way *way, size_t index)
{
	return (uint8_t)((index * 31 >> 3) ^ index >> 13 ^ way->salt);
}

static size_t next_part(const struct way *way, size_t limit, uint8_t *bytes)
{
	size_t count = way->total - way->sent;

	if (count > limit)
		count = limit;
	for (size_t i = 0; i < count; i++)
		bytes[i] = byte_at(way, way->sent + i);
	return count;
}

static void compare(struct way *way, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != byte_at(way, way->received + i))
			fail_msg("byte %zu is 0x%02x", way->received + i, bytes[i]);
	way->received += count;
}

/* The device sends what goes, the peer takes a little. */
static void step_out(struct rig *rig, struct peer *peer, struct way *way, size_t dribble)
{
	uint8_t bytes[4096];
	size_t room = peer_room(rig), count = next_part(way, sizeof(bytes), bytes);

	if (count > room)
		count = room;
	rig_send(rig, "port", bytes, count);
	way->sent += count;
	ssize_t got = get(peer, bytes, dribble);

	if (got > 0)
		compare(way, bytes, (size_t)got);
}

/* The peer sends what goes, the device takes a little and nothing most of the time. */
static void step_in(struct rig *rig, struct peer *peer, struct way *way, size_t dribble)
{
	uint8_t bytes[4096];
	ssize_t sent = put(peer, bytes, next_part(way, sizeof(bytes), bytes));

	if (sent > 0)
		way->sent += (size_t)sent;
	rig_hold(rig, "port", dribble % 16 != 0);
	for (size_t got; (got = rig_take(rig, "port", bytes, sizeof(bytes))) != 0;)
		compare(way, bytes, got);
}

void peer_exchange(struct rig *rig, struct peer *peer, size_t bytes)
{
	struct way out = { .total = bytes, .salt = 0x55 }, in = { .total = bytes };
	size_t before = strlen(rig_log(rig));

	for (size_t i = 0; i < bytes && (out.received < bytes || in.received < bytes); i++) {
		step_out(rig, peer, &out, 1 + i * 7 % DRIBBLE);
		step_in(rig, peer, &in, i);
		rig_serve(rig, i % 64 ? 0 : 1);
	}
	rig_hold(rig, "port", false);
	assert_int_equal(out.received, bytes);
	assert_int_equal(in.received, bytes);
	assert_string_equal(rig_log(rig) + before, "");
}

unsigned peer_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

void peer_expect_refusal(const struct mw_device_type *type, const struct rig_setting *settings,
			 const char *why)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_false(
		rig_try(&rig, type, &(struct rig_options){ .settings = settings }, &diagnostics));
	assert_int_equal(diagnostics.errors, 1);
	if (!strstr(diagnostics.items[0]->message, why))
		fail_msg("`%s` is not `%s`", diagnostics.items[0]->message, why);
	mw_diagnostics_fini(&diagnostics);
}
