/* Host files as the far end of a byte stream: one is written, another may be read. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/device.h"
#include "core/diagnostics.h"
#include "devices/backend/reader.h"
#include "devices/backend/writer.h"

enum { INPUT_BYTES = 1024 };

struct file {
	const char *path, *input;
	bool append;
	struct mw_stream *port;
	int output_fd, input_fd; /* + 1; 0: none */
	struct mw_reader reader;
	struct mw_writer writer;
};

static void on_input(void *self, unsigned events)
{
	struct file *file = self;
	uint8_t bytes[INPUT_BYTES];
	size_t count = mw_reader_read(&file->reader, bytes, sizeof(bytes));

	mw_stream_write(file->port, bytes, count);
}

static void on_output(void *self, unsigned events)
{
	mw_writer_flush(&((struct file *)self)->writer);
}

static void on_bytes(void *self, const uint8_t *bytes, size_t count)
{
	mw_writer_put(&((struct file *)self)->writer, bytes, count);
}

static void on_room(void *self)
{
	mw_reader_resume(&((struct file *)self)->reader);
}

/* O_NONBLOCK: a named pipe without a partner must not stop the machine. */
static bool open_path(const struct file *file, const char *path, int flags, int *fd,
		      struct mw_diagnostics *diagnostics)
{
	int opened = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);

	if (opened < 0) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "%s: cannot open %s: %s", mw_device_id(file), path,
				   strerror(errno));
		return false;
	}
	*fd = opened + 1;
	return true;
}

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct file *file = self;
	int flags = O_WRONLY | O_CREAT | (file->append ? O_APPEND : O_TRUNC);

	if (!open_path(file, file->path, flags, &file->output_fd, diagnostics))
		return false;
	if (file->input[0] && !open_path(file, file->input, O_RDONLY, &file->input_fd, diagnostics))
		return false;
	mw_writer_open(&file->writer, file, file->port, file->output_fd - 1, on_output);
	if (file->input_fd)
		mw_reader_open(&file->reader, file, file->port, file->input_fd - 1, on_input);
	return true;
}

static void after_reset(void *self)
{
	mw_writer_credit(&((struct file *)self)->writer);
}

static void start(void *self)
{
	mw_reader_resume(&((struct file *)self)->reader);
}

static void stop(void *self)
{
	struct file *file = self;

	mw_reader_pause(&file->reader);
	mw_writer_drain(&file->writer);
}

static void fini(void *self)
{
	struct file *file = self;

	mw_reader_close(&file->reader);
	mw_writer_close(&file->writer);
	if (file->output_fd)
		close(file->output_fd - 1);
	if (file->input_fd)
		close(file->input_fd - 1);
}

static const struct mw_property properties[] = {
	{ "path", "The file that is written.", MW_FIELD(struct file, path), .required = true,
	  .is_path = true, .is_written = true },
	{ "append", "Keeps what the file holds and goes on at its end.",
	  MW_FIELD(struct file, append) },
	{ "input", "A file whose bytes are sent to the device; none when empty.",
	  MW_FIELD(struct file, input), .is_path = true, .fallback_text = "" },
};
static const struct mw_wire wires[] = {
	{ "port", "The device whose bytes are written.", MW_FIELD(struct file, port),
	  .on_bytes = on_bytes, .on_room = on_room },
};

const struct mw_device_type file_type = {
	MW_DEVICE_TYPE,
	.name = "file",
	.summary = "a byte stream into a host file, and from another",
	.size = sizeof(struct file),
	.state_version = 1,
	.backend = "file",
	.main_property = "path",
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.ops = { .init = init,
		 .after_reset = after_reset,
		 .start = start,
		 .stop = stop,
		 .fini = fini },
};
