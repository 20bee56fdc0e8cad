/* A byte stream's peer that comes and goes: connecting, listening, back-pressure both ways. */
// SPDX-License-Identifier: MIT
#include "devices/backend/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/diagnostics.h"
#include "devices/backend/tls.h"

enum { INPUT_BYTES = 4096, PEERS_PER_TURN = 16, LAST_READS = 64 };
/* For a peer that takes nothing: at a stop the bytes stay, at the end they are lost. */
enum { STOP_PATIENCE_MS = 100, LAST_PATIENCE_MS = 1000 };

static void update(struct mw_connection *connection);
static void try_to_connect(struct mw_connection *connection);

bool mw_connection_fail(const void *self, struct mw_diagnostics *diagnostics, const char *format,
			...)
{
	char text[384];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "%s: %s",
			   mw_device_id(self), text);
	return false;
}

/* Host time: the peer is the host's, and guest time may stand still or jump. 0 disarms. */
static void arm(struct mw_connection *connection, uint32_t ms)
{
	struct itimerspec when = { .it_value = { ms / 1000, (long)(ms % 1000) * 1000000 } };

	timerfd_settime(connection->timer, 0, &when, NULL);
}

static uint32_t retry_ms(const struct mw_connection *connection)
{
	return connection->retry_ms ? connection->retry_ms : MW_CONNECTION_RETRY_MS;
}

static uint32_t handshake_ms(const struct mw_connection *connection)
{
	return connection->handshake_ms ? connection->handshake_ms : MW_CONNECTION_HANDSHAKE_MS;
}

static bool hears(const struct mw_connection *connection)
{
	return connection->state == MW_PEER_OPEN && !connection->deaf;
}

/* What is kept for a peer to come stays with core, whose snapshots hold it. */
static void credit(struct mw_connection *connection)
{
	bool kept = connection->wait && !hears(connection);

	mw_stream_credit(connection->port, kept ? 0 : MW_CONNECTION_BYTES - connection->count);
}

/* Whoever would take the bytes is gone. */
static void drop_output(struct mw_connection *connection)
{
	if (!connection->wait)
		connection->head = connection->count = 0;
	credit(connection);
}

/* What is unread when a socket is closed would reset it, and with it take what the peer has not read
 * yet. */
static void hang_up(struct mw_connection *connection)
{
	uint8_t rest[INPUT_BYTES];

	if (!connection->way->is_socket)
		return;
	shutdown(connection->peer, SHUT_WR);
	for (unsigned i = 0; i < LAST_READS; i++) {
		if (recv(connection->peer, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
			break;
	}
	/* The watch has a duplicate of the descriptor, which the loop closes later. */
	shutdown(connection->peer, SHUT_RDWR);
}

static void leave_peer(struct mw_connection *connection)
{
	if (connection->state == MW_PEER_NONE)
		return;
	if (connection->tls && connection->state == MW_PEER_OPEN)
		mw_tls_goodbye(connection->tls);
	mw_watch_close(connection->peer_watch);
	connection->peer_watch = NULL;
	hang_up(connection);
	close(connection->peer);
	connection->peer = -1;
	connection->state = MW_PEER_NONE;
	connection->held = connection->deaf = connection->rests = false;
	drop_output(connection);
	arm(connection, connection->way->connect && connection->running ? retry_ms(connection) : 0);
	update(connection);
}

/* Once, until it is reached again. */
static void tell_out_of_reach(struct mw_connection *connection, const char *why)
{
	if (connection->way->is_quiet || connection->is_out_of_reach)
		return;
	connection->is_out_of_reach = connection->way->connect;
	if (connection->way->connect)
		mw_guest_log(connection, "cannot connect, trying again: %s", why);
	else
		mw_guest_log(connection, "a peer is dropped: %s", why);
}

static ssize_t receive(struct mw_connection *connection, uint8_t *bytes, size_t count)
{
	if (connection->tls)
		return mw_tls_read(connection->tls, bytes, count);
	return read(connection->peer, bytes, count);
}

static ssize_t transmit(struct mw_connection *connection, const uint8_t *bytes, size_t count)
{
	if (connection->tls)
		return mw_tls_write(connection->tls, bytes, count);
	if (connection->way->is_socket)
		return send(connection->peer, bytes, count, MSG_NOSIGNAL);
	return write(connection->peer, bytes, count);
}

static bool may_come_later(int error)
{
	return error == EAGAIN || error == EINTR;
}

/* Reads until there is nothing more or no room: TLS may hold bytes that no descriptor tells of. */
static void take_input(struct mw_connection *connection)
{
	uint8_t bytes[INPUT_BYTES];

	connection->held = false;
	while (connection->state == MW_PEER_OPEN && connection->running) {
		size_t room = mw_stream_room(connection->port);

		connection->held = !room; /* having seen it, on_room follows */
		if (!room)
			return;
		ssize_t count = receive(connection, bytes, room < INPUT_BYTES ? room : INPUT_BYTES);

		if (count < 0 && may_come_later(errno))
			return;
		if (count < 0 && connection->tls)
			mw_guest_log(connection, "the connection is broken: %s",
				     mw_tls_why(connection->tls));
		if (count <= 0)
			leave_peer(connection);
		else
			mw_stream_write(connection->port, bytes, (size_t)count);
	}
}

/* False when nothing more goes now. */
static bool give_chunk(struct mw_connection *connection)
{
	size_t count = connection->count;

	if (count > MW_CONNECTION_BYTES - connection->head)
		count = MW_CONNECTION_BYTES - connection->head;
	ssize_t sent = transmit(connection, connection->bytes + connection->head, count);

	if (sent < 0 && may_come_later(errno))
		return errno == EINTR;
	if (sent < 0) { /* what it has sent before it left is still to be read */
		connection->deaf = true;
		drop_output(connection);
		return false;
	}
	connection->head = (connection->head + (size_t)sent) % MW_CONNECTION_BYTES;
	connection->count -= (size_t)sent;
	return sent > 0;
}

static void give_output(struct mw_connection *connection)
{
	/* Enough for all that is there; more may come meanwhile, but not within this turn. */
	while (hears(connection) && connection->count && give_chunk(connection))
		;
	credit(connection);
}

static unsigned wanted_events(const struct mw_connection *connection)
{
	unsigned events = 0;

	if (connection->state == MW_PEER_OPEN) {
		if (connection->running && !connection->held)
			events |= MW_READABLE;
		if (connection->count && !connection->deaf)
			events |= MW_WRITABLE;
	} else if (connection->running) {
		events = connection->state == MW_PEER_CONNECTING || connection->wants_to_send
				 ? MW_WRITABLE
				 : MW_READABLE;
	}
	return events;
}

static void update(struct mw_connection *connection)
{
	bool full = connection->way->in_a_line && connection->state != MW_PEER_NONE;
	bool listens = connection->running && !connection->rests && !full;

	if (connection->listener_watch)
		mw_watch_set(connection->listener_watch, listens ? MW_READABLE : 0);
	if (connection->peer_watch)
		mw_watch_set(connection->peer_watch, wanted_events(connection));
}

static void begin_to_talk(struct mw_connection *connection)
{
	connection->state = MW_PEER_OPEN;
	connection->rests = connection->is_out_of_reach = false;
	arm(connection, 0);
	give_output(connection);
	take_input(connection);
}

static void shake_hands(struct mw_connection *connection)
{
	switch (mw_tls_handshake(connection->tls)) {
	case MW_TLS_DONE: begin_to_talk(connection); return;
	case MW_TLS_WANTS_INPUT: connection->wants_to_send = false; return;
	case MW_TLS_WANTS_OUTPUT: connection->wants_to_send = true; return;
	case MW_TLS_FAILED:
		tell_out_of_reach(connection, mw_tls_why(connection->tls));
		leave_peer(connection);
	}
}

/* The descriptor is connected. */
static void meet_peer(struct mw_connection *connection)
{
	if (connection->way->greet && !connection->way->greet(connection, connection->peer)) {
		tell_out_of_reach(connection, strerror(errno));
		leave_peer(connection);
		return;
	}
	if (!connection->tls) {
		begin_to_talk(connection);
		return;
	}
	connection->state = MW_PEER_HANDSHAKE;
	arm(connection, handshake_ms(connection));
	if (mw_tls_begin(connection->tls, connection->peer)) {
		shake_hands(connection);
		return;
	}
	tell_out_of_reach(connection, mw_tls_why(connection->tls));
	leave_peer(connection);
}

static void finish_connecting(struct mw_connection *connection)
{
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(connection->peer, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!error) {
		meet_peer(connection);
		return;
	}
	tell_out_of_reach(connection, strerror(error));
	leave_peer(connection);
}

static void on_peer(void *self, unsigned events)
{
	struct mw_connection *connection = self;

	switch (connection->state) {
	case MW_PEER_CONNECTING: finish_connecting(connection); break;
	case MW_PEER_HANDSHAKE: shake_hands(connection); break;
	case MW_PEER_OPEN:
		if (events & MW_WRITABLE)
			give_output(connection);
		if (events & MW_READABLE)
			take_input(connection);
		break;
	case MW_PEER_NONE: break;
	}
	update(connection);
}

/* Takes the descriptor. */
static void take_peer(struct mw_connection *connection, int fd, bool pending)
{
	connection->peer = fd;
	connection->state = MW_PEER_CONNECTING;
	if (mw_watch_open(&connection->peer_watch, connection, fd, on_peer) != MW_STATUS_OK) {
		leave_peer(connection);
		return;
	}
	if (pending)
		arm(connection, handshake_ms(connection));
	else
		meet_peer(connection);
}

static void try_to_connect(struct mw_connection *connection)
{
	bool pending = false;
	int fd = connection->way->connect(connection, &pending);

	if (fd >= 0) {
		take_peer(connection, fd, pending);
		return;
	}
	tell_out_of_reach(connection, strerror(errno));
	arm(connection, retry_ms(connection));
}

/* Without descriptors or memory a server rests; its listener would stay ready all the time. */
static void rest(struct mw_connection *connection)
{
	connection->rests = true;
	if (connection->state == MW_PEER_NONE || connection->state == MW_PEER_OPEN)
		arm(connection, retry_ms(connection));
}

static void on_knock(void *self, unsigned events)
{
	struct mw_connection *connection = self;

	for (unsigned i = 0; i < PEERS_PER_TURN; i++) {
		take_input(connection); /* perhaps the one before has left */
		if (connection->way->in_a_line && connection->state != MW_PEER_NONE)
			break;
		int fd = accept4(connection->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (!may_come_later(errno) && errno != ECONNABORTED)
				rest(connection);
			break;
		}
		if (connection->state == MW_PEER_NONE) {
			take_peer(connection, fd, false);
		} else {
			close(fd);
			mw_guest_log(connection, "a second peer is refused");
		}
	}
	update(connection);
}

static void on_timer(void *self, unsigned events)
{
	struct mw_connection *connection = self;
	uint64_t times;

	if (read(connection->timer, &times, sizeof(times)) < 0 || !connection->running)
		return; /* armed anew meanwhile */
	connection->rests = false;
	if (connection->state == MW_PEER_NONE && connection->way->connect) {
		try_to_connect(connection);
	} else if (connection->state == MW_PEER_CONNECTING ||
		   connection->state == MW_PEER_HANDSHAKE) {
		tell_out_of_reach(connection, "the peer took too long");
		leave_peer(connection);
	}
	update(connection);
}

bool mw_connection_open(struct mw_connection *connection, const struct mw_connection_way *way,
			struct mw_tls *tls, int listener, struct mw_diagnostics *diagnostics)
{
	connection->way = way;
	connection->tls = tls;
	connection->listener = listener;
	connection->peer = -1;
	connection->opened = true;
	connection->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (connection->timer < 0 || mw_watch_open(&connection->timer_watch, connection,
						   connection->timer, on_timer) != MW_STATUS_OK)
		return mw_connection_fail(connection, diagnostics, "no timer: %s", strerror(errno));
	mw_watch_set(connection->timer_watch, MW_READABLE);
	if (listener >= 0 && mw_watch_open(&connection->listener_watch, connection, listener,
					   on_knock) != MW_STATUS_OK)
		return mw_connection_fail(connection, diagnostics, "no descriptor: %s",
					  strerror(errno));
	return true;
}

void mw_connection_after_reset(void *self)
{
	credit(self);
}

void mw_connection_start(void *self)
{
	struct mw_connection *connection = self;

	connection->running = true;
	connection->held = connection->rests = false;
	if (connection->state == MW_PEER_CONNECTING || connection->state == MW_PEER_HANDSHAKE)
		arm(connection, handshake_ms(connection));
	else if (connection->state == MW_PEER_OPEN)
		take_input(connection);
	else if (connection->way->connect)
		try_to_connect(connection);
	update(connection);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* However the peer dribbles, it ends. */
static void drain(struct mw_connection *connection, int64_t patience_ms)
{
	int64_t end = now_ms() + patience_ms, left = patience_ms;

	while (hears(connection) && connection->count && left > 0) {
		struct pollfd poll_fd = { .fd = connection->peer, .events = POLLOUT };

		if (!give_chunk(connection) && hears(connection) && connection->count)
			poll(&poll_fd, 1, (int)left);
		left = end - now_ms();
	}
	credit(connection);
}

void mw_connection_stop(void *self)
{
	struct mw_connection *connection = self;

	drain(connection, STOP_PATIENCE_MS);
	connection->running = false;
	arm(connection, 0);
	update(connection);
}

void mw_connection_fini(void *self)
{
	struct mw_connection *connection = self;

	if (!connection->opened)
		return;
	drain(connection, LAST_PATIENCE_MS);
	leave_peer(connection);
	mw_watch_close(connection->listener_watch);
	mw_watch_close(connection->timer_watch);
	connection->listener_watch = connection->timer_watch = NULL;
	if (connection->listener >= 0) {
		/* As hang_up: the duplicate must not go on to listen. */
		shutdown(connection->listener, SHUT_RDWR);
		close(connection->listener);
	}
	if (connection->timer >= 0)
		close(connection->timer);
	connection->opened = false;
}

void mw_connection_on_bytes(void *self, const uint8_t *bytes, size_t count)
{
	struct mw_connection *connection = self;

	if (connection->state == MW_PEER_NONE && connection->way->is_eager && connection->running)
		try_to_connect(connection);
	if (count > MW_CONNECTION_BYTES - connection->count)
		count = MW_CONNECTION_BYTES - connection->count;
	if (!hears(connection) && !connection->wait)
		count = 0;
	for (size_t i = 0; i < count; i++)
		connection->bytes[(connection->head + connection->count++) % MW_CONNECTION_BYTES] =
			bytes[i];
	credit(connection);
	update(connection);
}

void mw_connection_on_room(void *self)
{
	struct mw_connection *connection = self;

	take_input(connection);
	update(connection);
}
