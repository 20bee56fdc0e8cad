/* A byte stream into the machine's log, line by line. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { LINE_BYTES = 200, FIRST_PRINTABLE = 0x20, DELETE = 0x7f };

struct log {
	struct mw_stream *port;
	size_t count;
	char line[LINE_BYTES + 1];
};

static void write_line(struct log *log)
{
	log->line[log->count] = '\0';
	if (log->count)
		mw_guest_log(log, "%s", log->line);
	log->count = 0;
}

/* A guest's control characters must not reach the reader's terminal. */
static void add(struct log *log, uint8_t byte)
{
	if (byte == '\n' || byte == '\r') {
		write_line(log);
		return;
	}
	if (log->count == LINE_BYTES)
		write_line(log);
	log->line[log->count++] =
		byte == '\t' || (byte >= FIRST_PRINTABLE && byte < DELETE) ? (char)byte : '.';
}

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(self, bytes[i]);
}

static void stop(void *self)
{
	write_line(self);
}

static const struct mw_wire wires[] = {
	{ "port", "The device whose lines are logged.", MW_FIELD(struct log, port),
	  .on_bytes = on_bytes },
};

const struct mw_device_type log_type = {
	MW_DEVICE_TYPE,
	.name = "log",
	.summary = "the machine's log, line by line and rate-limited",
	.size = sizeof(struct log),
	.state_version = 1,
	.backend = "log",
	.wires = MW_TABLE(wires),
	.ops = { .stop = stop },
};
