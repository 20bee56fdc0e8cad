/* The log: whole lines, and the guest's share of it rate-limited per node. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "core/machine_internal.h"

/* A node may write this many lines in a window; the rest is counted. */
enum { WINDOW_LINES = 10 };
static const uint64_t window_ns = UINT64_C(5000000000);

static void write_line(struct mw_machine *machine, const char *who, const char *text)
{
	pthread_mutex_lock(&machine->log_mutex);
	FILE *out = machine->log ? machine->log : stderr;

	fprintf(out, "millwright: %s%s%s\n", who, who[0] ? ": " : "", text);
	fflush(out);
	pthread_mutex_unlock(&machine->log_mutex);
}

void mw_log_line(struct mw_machine *machine, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	write_line(machine, "", text);
}

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Counts a line; false when it must not be written. The limit counts host time: it protects the
 * host. Guarded by the node's lock. */
static bool within_limit(struct mw_node *node)
{
	uint64_t now = host_ns();

	if (!node->log.window_start_ns || now - node->log.window_start_ns > window_ns) {
		unsigned suppressed = node->log.suppressed;

		node->log.window_start_ns = now;
		node->log.lines = 0;
		node->log.suppressed = 0;
		if (suppressed)
			mw_log_line(node->machine, "guest: %s: %u more lines like these",
				    node->plan->id, suppressed);
	}
	if (node->log.lines == WINDOW_LINES) {
		node->log.suppressed++;
		return false;
	}
	node->log.lines++;
	return true;
}

void mw_guest_log(void *self, const char *format, ...)
{
	struct mw_node *node = mw_node_of(self);
	char text[384], line[512];
	va_list arguments;

	if (!within_limit(node))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(line, sizeof(line), "%s: %s", node->plan->id, text);
	write_line(node->machine, "guest", line);
}

const char *mw_device_id(const void *self)
{
	return mw_node_of(self)->plan->id;
}
