/* The client's descriptors: lines in, answers out, and never a wait that a stop does not end. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accel/none/vm.h"
#include "core/alloc.h"
#include "core/descriptor.h"

/* A pipe that is ready takes so much without waiting (POSIX, PIPE_BUF). */
enum { READ_BYTES = 65536, KEPT_BYTES = 1 << 20, REST_MS = 100 };

void none_append(struct none_buffer *buffer, const char *bytes, size_t count)
{
	if (buffer->capacity - buffer->count < count) {
		buffer->capacity = (buffer->count + count) * 2;
		buffer->bytes = mw_grow(buffer->bytes, buffer->capacity, 1);
	}
	if (count)
		memcpy(buffer->bytes + buffer->count, bytes, count);
	buffer->count += count;
}

/* What one long line has needed is not kept for ever. */
static void drop(struct none_buffer *buffer, size_t count)
{
	buffer->count -= count;
	if (buffer->count)
		memmove(buffer->bytes, buffer->bytes + count, buffer->count);
	if (buffer->count || buffer->capacity <= KEPT_BYTES)
		return;
	free(buffer->bytes);
	*buffer = (struct none_buffer){ 0 };
}

void none_say(struct none_vm *vm, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	none_take_events(vm);
	if (length > 0)
		none_append(&vm->answer, text,
			    (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

static void clear_wake(struct none_vm *vm)
{
	uint64_t count;

	/* Nothing in it is no error worth a word. */
	if (read(vm->wake, &count, sizeof(count)) < 0)
		return;
}

enum found { READY, WOKEN, ENDED };

/** Waits until the descriptor is ready, a line has moved (WOKEN), or the thread is to end. */
static enum found wait_for(struct none_vm *vm, int fd, short events)
{
	for (;;) {
		struct pollfd polled[] = { { fd, events, 0 }, { vm->wake, POLLIN, 0 } };

		if (!none_may_run(vm))
			return ENDED;
		if (poll(polled, 2, -1) < 0)
			continue;
		if (polled[1].revents)
			clear_wake(vm);
		/* A machine that has been stopped meanwhile is seen first. */
		if (!none_may_run(vm))
			return ENDED;
		if (polled[0].revents)
			return READY;
		if (polled[1].revents)
			return WOKEN;
	}
}

/* What a client that reads can be told at once is told before a stop is heard of: the machine may be over
 * then. */
bool none_flush(struct none_vm *vm)
{
	size_t sent = 0;

	while (sent < vm->answer.count && vm->out >= 0) {
		ssize_t count;

		if (!mw_descriptor_takes(vm->out)) {
			if (wait_for(vm, vm->out, POLLOUT) == ENDED)
				return false;
			continue;
		}
		count = mw_descriptor_send(vm->out, vm->answer.bytes + sent,
					   vm->answer.count - sent);
		if (count < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		sent += count > 0 ? (size_t)count : 0;
	}
	drop(&vm->answer, vm->answer.count);
	return true;
}

bool none_look_around(struct none_vm *vm)
{
	none_take_events(vm);
	return none_may_run(vm) && (vm->answer.count < READ_BYTES || none_flush(vm));
}

/** Answers every whole line; false: the client is gone. */
static bool take_lines(struct none_vm *vm, size_t old)
{
	size_t begin = 0;
	char *end;

	while ((end = memchr(vm->line.bytes + old, '\n', vm->line.count - old))) {
		*end = '\0';
		if (!none_may_run(vm))
			return false;
		if (!vm->skipping)
			none_command(vm, vm->line.bytes + begin);
		vm->skipping = false;
		if (!none_flush(vm))
			return false;
		begin = old = (size_t)(end - vm->line.bytes) + 1;
	}
	drop(&vm->line, begin);
	if (vm->line.count <= NONE_MOST_LINE)
		return true;
	if (!vm->skipping)
		none_refuse(vm, "a line is too long");
	vm->skipping = true;
	drop(&vm->line, vm->line.count);
	return none_flush(vm);
}

/** False: there is no more to come. */
static bool read_some(struct none_vm *vm)
{
	size_t old = vm->line.count;

	if (vm->line.capacity - old < READ_BYTES) {
		vm->line.capacity = (old + READ_BYTES) * 2;
		vm->line.bytes = mw_grow(vm->line.bytes, vm->line.capacity, 1);
	}
	ssize_t count = read(vm->in, vm->line.bytes + old, READ_BYTES);

	if (count < 0)
		return errno == EAGAIN || errno == EINTR;
	vm->line.count += (size_t)count;
	return count && take_lines(vm, old);
}

static void close_client(struct none_vm *vm)
{
	if (vm->in > STDERR_FILENO)
		close(vm->in);
	if (vm->out > STDERR_FILENO && vm->out != vm->in)
		close(vm->out);
	vm->in = vm->out = -1;
	drop(&vm->line, vm->line.count);
	drop(&vm->answer, vm->answer.count);
	vm->skipping = false;
}

static void serve_client(struct none_vm *vm)
{
	enum found found;

	while ((found = wait_for(vm, vm->in, POLLIN)) != ENDED) {
		none_take_events(vm);
		if (!none_flush(vm) || (found == READY && !read_some(vm)))
			break;
	}
	if (found == ENDED)
		return;
	close_client(vm);
	/* Without a client that could come back nothing can ever happen again. */
	if (vm->listener < 0)
		mw_machine_power(vm->machine, MW_POWER_EXIT, 0);
}

static void rest(const struct none_vm *vm)
{
	struct pollfd polled = { vm->wake, POLLIN, 0 };

	poll(&polled, 1, REST_MS);
}

void none_serve(struct none_vm *vm)
{
	if (vm->in >= 0) {
		serve_client(vm);
		return;
	}
	if (wait_for(vm, vm->listener, POLLIN) != READY)
		return;
	vm->in = vm->out = accept4(vm->listener, NULL, NULL, SOCK_CLOEXEC);
	if (vm->in < 0) /* without descriptors the listener stays ready */
		rest(vm);
	none_intercept_forget(vm);
}

void none_channel_close(struct none_vm *vm)
{
	close_client(vm);
	if (vm->listener >= 0)
		close(vm->listener);
	vm->listener = -1;
	free(vm->line.bytes);
	free(vm->answer.bytes);
}
