/* The log: whole lines, and the guest's share of it rate-limited per node. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <termios.h>
#include <time.h>

#include "core/machine_internal.h"

/* In a window a node may have this many lines written, and all of them together; the rest is
 * counted. The limit counts host time: it protects the host. */
enum { NODE_LINES = 10, GUEST_LINES = 100 };
static const uint64_t window_ns = UINT64_C(5000000000);

/* A terminal that is raw for the guest's console does not go back to the margin by itself. */
static const char *line_end(FILE *out)
{
	struct termios settings;
	bool raw = tcgetattr(fileno(out), &settings) == 0 && !(settings.c_oflag & OPOST);

	return raw ? "\r\n" : "\n";
}

/* With the mutex held. */
static void write_locked(struct mw_machine *machine, const char *who, const char *text)
{
	FILE *out = machine->log ? machine->log : stderr;

	fprintf(out, "millwright: %s%s%s%s", who, who[0] ? ": " : "", text, line_end(out));
	fflush(out);
}

void mw_log_line(struct mw_machine *machine, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	pthread_mutex_lock(&machine->log_mutex);
	write_locked(machine, "", text);
	pthread_mutex_unlock(&machine->log_mutex);
}

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Counts a line; false when it must not be written. *left_out receives what the window before this
 * one has left out. */
static bool within(struct mw_log_limit *limit, unsigned most, unsigned *left_out)
{
	uint64_t now = host_ns();

	*left_out = 0;
	if (!limit->window_start_ns || now - limit->window_start_ns > window_ns) {
		*left_out = limit->suppressed;
		*limit = (struct mw_log_limit){ .window_start_ns = now };
	}
	if (limit->lines == most) {
		limit->suppressed++;
		return false;
	}
	limit->lines++;
	return true;
}

/* A guest's text must not steer the terminal that shows it. */
static void clean(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
	}
}

static void guest_line(struct mw_machine *machine, const char *who, unsigned left_out,
		       const char *text)
{
	char line[512];
	unsigned all_left_out;

	pthread_mutex_lock(&machine->log_mutex);
	if (within(&machine->guest_log, GUEST_LINES, &all_left_out)) {
		if (all_left_out) {
			snprintf(line, sizeof(line), "%u more lines of all nodes", all_left_out);
			write_locked(machine, "guest", line);
		}
		if (left_out) {
			snprintf(line, sizeof(line), "%s: %u more lines like these", who, left_out);
			write_locked(machine, "guest", line);
		}
		snprintf(line, sizeof(line), "%s: %s", who, text);
		clean(line);
		write_locked(machine, "guest", line);
	}
	pthread_mutex_unlock(&machine->log_mutex);
}

void mw_guest_log(void *self, const char *format, ...)
{
	struct mw_node *node = mw_node_of(self);
	char text[384];
	unsigned left_out;
	va_list arguments;

	if (!within(&node->log, NODE_LINES, &left_out))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	guest_line(node->machine, node->plan->id, left_out, text);
}

void mw_actor_log(struct mw_actor *actor, const char *format, ...)
{
	char text[384];
	unsigned left_out;
	va_list arguments;

	if (!within(&actor->log, NODE_LINES, &left_out))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	guest_line(actor->machine, actor->name, left_out, text);
}

void mw_log_rest(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->node_count; i++) {
		struct mw_node *node = machine->nodes[i];

		if (node && node->log.suppressed)
			mw_log_line(machine, "guest: %s: %u more lines like these", node->plan->id,
				    node->log.suppressed);
	}
	if (machine->guest_log.suppressed)
		mw_log_line(machine, "guest: %u more lines of all nodes",
			    machine->guest_log.suppressed);
}

const char *mw_device_id(const void *self)
{
	return mw_node_of(self)->plan->id;
}
