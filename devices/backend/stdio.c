/* Standard input and output as the far end of a serial line. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/device.h"
#include "devices/backend/reader.h"
#include "devices/backend/terminal.h"
#include "devices/backend/writer.h"

enum { ESCAPE = 0x01 /* Ctrl-A */, INPUT_BYTES = 1024 };

struct stdio {
	struct mw_stream *port;
	struct mw_power *power;
	bool terminal; /* the input is one: commands are understood, the settings are ours */
	bool escaped;  /* the last key was Ctrl-A */
	struct mw_reader reader;
	struct mw_writer writer;
};

static const char help[] = "\r\n"
			   "Ctrl-A x       leave, as if the plug were pulled\r\n"
			   "Ctrl-A Ctrl-A  send one Ctrl-A\r\n"
			   "Ctrl-A ?       this help\r\n"
			   "All other keys go to the guest, Ctrl-C too.\r\n";

static void command(struct stdio *stdio, uint8_t key)
{
	switch (key) {
	case 'x':
	case 'X': mw_power_request(stdio->power, MW_POWER_EXIT, EXIT_SUCCESS); break;
	case ESCAPE: mw_stream_put(stdio->port, ESCAPE); break;
	default: mw_writer_put(&stdio->writer, (const uint8_t *)help, strlen(help)); break;
	}
}

static void key_pressed(struct stdio *stdio, uint8_t key)
{
	if (stdio->escaped) {
		stdio->escaped = false;
		command(stdio, key);
	} else if (key == ESCAPE) {
		stdio->escaped = true;
	} else {
		mw_stream_put(stdio->port, key);
	}
}

static void on_input(void *self, unsigned events)
{
	struct stdio *stdio = self;
	uint8_t bytes[INPUT_BYTES];
	size_t count;

	/* In the foreground again, after a shell had the terminal. */
	if (stdio->terminal)
		mw_terminal_raw(STDIN_FILENO);
	count = mw_reader_read(&stdio->reader, bytes, sizeof(bytes));
	if (!stdio->terminal)
		mw_stream_write(stdio->port, bytes, count);
	for (size_t i = 0; i < count && stdio->terminal; i++)
		key_pressed(stdio, bytes[i]);
}

static void on_output(void *self, unsigned events)
{
	mw_writer_flush(&((struct stdio *)self)->writer);
}

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
	mw_writer_put(&((struct stdio *)self)->writer, bytes, count);
}

static void on_room(void *self)
{
	mw_reader_resume(&((struct stdio *)self)->reader);
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct stdio *stdio = self;

	stdio->terminal = isatty(STDIN_FILENO);
	mw_reader_open(&stdio->reader, stdio, stdio->port, STDIN_FILENO, on_input);
	mw_writer_open(&stdio->writer, stdio, stdio->port, STDOUT_FILENO, on_output);
	return true;
}

static void after_reset(void *self)
{
	mw_writer_credit(&((struct stdio *)self)->writer);
}

static void start(void *self)
{
	struct stdio *stdio = self;

	if (stdio->terminal)
		mw_terminal_raw(STDIN_FILENO);
	mw_reader_resume(&stdio->reader);
}

static void stop(void *self)
{
	struct stdio *stdio = self;

	mw_reader_pause(&stdio->reader);
	mw_writer_drain(&stdio->writer);
	if (stdio->terminal)
		mw_terminal_restore();
}

static void fini(void *self)
{
	struct stdio *stdio = self;

	mw_reader_close(&stdio->reader);
	mw_writer_close(&stdio->writer);
	if (stdio->terminal)
		mw_terminal_restore();
}

static const struct mw_wire wires[] = {
	{ "port", "The device whose bytes are shown and that hears the keys.",
	  MW_FIELD(struct stdio, port), .on_bytes = on_bytes, .on_room = on_room },
	{ "power", "Ctrl-A x leaves.", MW_FIELD(struct stdio, power) },
};

const struct mw_device_type stdio_type = {
	MW_DEVICE_TYPE,
	.name = "stdio",
	.summary = "this process's standard input and output; Ctrl-A ? helps",
	.size = sizeof(struct stdio),
	.state_version = 1,
	.backend = "stdio",
	.exclusive = true,
	.wires = MW_TABLE(wires),
	.ops = { .init = init,
		 .after_reset = after_reset,
		 .start = start,
		 .stop = stop,
		 .fini = fini },
};
