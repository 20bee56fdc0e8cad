/* The thread behind the control socket: one client at a time, and no wait that an end does not end. */
// SPDX-License-Identifier: MIT
#include "tools/control/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/descriptor.h"
#include "core/thread.h"
#include "tools/control/control_internal.h"

/* A pipe that is ready takes so much without waiting (POSIX, PIPE_BUF). */
enum {
	PIECE_BYTES = 4096,
	READ_BYTES = 65536,
	GRACE_MS = 1000,
	REST_MS = 100,
	RETRY_MS = 2,
	SLICE_MS = 20
};

void control_append(struct control_text *text, const char *bytes, size_t count)
{
	if (text->capacity - text->count < count) {
		text->capacity = (text->count + count) * 2;
		text->bytes = mw_grow(text->bytes, text->capacity, 1);
	}
	if (count)
		memcpy(text->bytes + text->count, bytes, count);
	text->count += count;
}

static void take_events(struct mw_control *control)
{
	pthread_mutex_lock(&control->mutex);
	if (control->negotiated)
		control_append(&control->answer, control->events.bytes, control->events.count);
	control->events.count = 0;
	pthread_mutex_unlock(&control->mutex);
}

void control_send(struct mw_control *control, json_t *message)
{
	char *text = json_dumps(message, 0);

	json_decref(message);
	take_events(control);
	if (!text)
		return;
	control_append(&control->answer, text, strlen(text));
	control_append(&control->answer, "\r\n", 2);
	free(text);
}

void control_wake(struct mw_control *control)
{
	const uint64_t one = 1;

	/* It fails only where it is full, and then it wakes as well. */
	if (write(control->wake, &one, sizeof(one)) < 0)
		return;
}

static void clear_wake(struct mw_control *control)
{
	uint64_t count;

	/* Nothing in it is no error worth a word. */
	if (read(control->wake, &count, sizeof(count)) < 0)
		return;
}

bool control_sleep(struct mw_control *control, unsigned ms)
{
	while (ms && !atomic_load(&control->ended)) {
		unsigned part = ms < SLICE_MS ? ms : SLICE_MS;
		struct timespec time = { 0, (long)part * 1000000 };

		nanosleep(&time, NULL);
		ms -= part;
	}
	return !atomic_load(&control->ended);
}

/* Before the machine runs it takes no jobs yet; that is a matter of milliseconds. */
bool control_on_main(struct mw_control *control,
		     void (*job)(void *context, struct mw_machine *machine), void *context)
{
	while (!atomic_load(&control->ended)) {
		if (mw_machine_call(control->machine, job, context))
			return true;
		if (!control_sleep(control, RETRY_MS))
			break;
	}
	return false;
}

/** Waits for the client; false: the thread is to end. */
static bool wait_for(struct mw_control *control, int fd, short events, bool *ready)
{
	struct pollfd polled[] = { { fd, events, 0 }, { control->wake, POLLIN, 0 } };

	*ready = false;
	if (atomic_load(&control->closing))
		return false;
	if (poll(polled, 2, -1) < 0)
		return true;
	if (polled[1].revents)
		clear_wake(control);
	*ready = polled[0].revents;
	return !atomic_load(&control->closing);
}

/** False: the client is gone. What is left when the thread is to end waits for send_last. */
static bool flush(struct mw_control *control)
{
	while (control->sent < control->answer.count) {
		ssize_t count;
		bool ready;

		if (!mw_descriptor_takes(control->end.out)) {
			if (!wait_for(control, control->end.out, POLLOUT, &ready))
				return true;
			continue;
		}
		count = mw_descriptor_send(control->end.out, control->answer.bytes + control->sent,
					   control->answer.count - control->sent);
		if (count < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		control->sent += count > 0 ? (size_t)count : 0;
	}
	control->answer.count = control->sent = 0;
	return true;
}

/** False: there is no more to come. */
static bool read_some(struct mw_control *control)
{
	char bytes[READ_BYTES];
	ssize_t count = read(control->end.in, bytes, sizeof(bytes));

	if (count < 0)
		return errno == EAGAIN || errno == EINTR;
	control_take(control, bytes, (size_t)count);
	return count && flush(control) && !control->leaving;
}

static void begin_client(struct mw_control *control)
{
	control->negotiated = control->leaving = false;
	control->answer.count = control->sent = 0;
	control_send(control, control_greeting());
}

static void close_client(struct mw_control *control)
{
	struct mw_endpoint *end = &control->end;

	if (end->in > STDERR_FILENO)
		close(end->in);
	if (end->out > STDERR_FILENO && end->out != end->in)
		close(end->out);
	end->in = end->out = -1;
	control_frame_fini(&control->frame);
}

static void serve_client(struct mw_control *control)
{
	bool ready, there;

	begin_client(control);
	there = flush(control);
	while (there && wait_for(control, control->end.in, POLLIN, &ready)) {
		take_events(control);
		there = flush(control) && (!ready || read_some(control));
	}
	/* At the end it stays for a last word. */
	if (!there)
		close_client(control);
}

static void accept_client(struct mw_control *control)
{
	bool ready = false;

	if (wait_for(control, control->end.listener, POLLIN, &ready) && ready)
		control->end.in = control->end.out =
			accept4(control->end.listener, NULL, NULL, SOCK_CLOEXEC);
	if (ready && control->end.in < 0) /* without descriptors the listener stays ready */
		control_sleep(control, REST_MS);
}

static void *control_thread(void *context)
{
	struct mw_control *control = context;

	while (!atomic_load(&control->closing)) {
		if (control->end.in >= 0)
			serve_client(control);
		else
			accept_client(control);
	}
	return NULL;
}

static void release(struct mw_control *control)
{
	close_client(control);
	if (control->end.listener >= 0)
		close(control->end.listener);
	close(control->wake);
	free(control->answer.bytes);
	free(control->events.bytes);
	pthread_mutex_destroy(&control->mutex);
	free(control);
}

int mw_control_open(struct mw_control **out, struct mw_machine *machine,
		    const struct mw_endpoint *endpoint)
{
	struct mw_control *control = mw_alloc(1, sizeof(*control));
	int error;

	*out = NULL;
	control->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (control->wake < 0) {
		error = errno;
		free(control);
		return error;
	}
	control->machine = machine;
	control->end = *endpoint;
	pthread_mutex_init(&control->mutex, NULL);
	mw_machine_observe(machine, (struct mw_machine_observer){ control_on_event, control });
	error = mw_thread_create(&control->thread, control_thread, control);
	if (!error) {
		*out = control;
		return 0;
	}
	mw_machine_observe(machine, (struct mw_machine_observer){ 0 });
	control->end = (struct mw_endpoint){ -1, -1, -1 };
	release(control);
	return error;
}

/* The last answer and the SHUTDOWN event, to a client that takes them in time. */
static void send_last(struct mw_control *control)
{
	if (control->end.out < 0)
		return;
	take_events(control);
	while (control->sent < control->answer.count) {
		struct pollfd polled = { control->end.out, POLLOUT, 0 };

		if (poll(&polled, 1, GRACE_MS) <= 0)
			return;
		ssize_t count =
			mw_descriptor_send(control->end.out, control->answer.bytes + control->sent,
					   control->answer.count - control->sent);
		if (count <= 0)
			return;
		control->sent += (size_t)count;
	}
}

void mw_control_close(struct mw_control *control)
{
	if (!control)
		return;
	atomic_store(&control->ended, true);
	atomic_store(&control->closing, true);
	control_wake(control);
	pthread_join(control->thread, NULL);
	mw_machine_observe(control->machine, (struct mw_machine_observer){ 0 });
	send_last(control);
	release(control);
}
