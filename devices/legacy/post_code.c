/* Port 0x80, where firmware tells how far it has come: each new code is a line of text. Reference: IBM PC/AT
 * Technical Reference (1984), "I/O address map": the manufacturing test port. It is the first page register of
 * the 8237s as well, which no channel uses, so this may lie on top of them and reads back as they do. */
// SPDX-License-Identifier: MIT
#include "core/device.h"

enum { LINE_BYTES = 10, HIGH_DIGIT = 7 };

struct post_code {
	struct mw_stream *port;
	/* Guest-visible state. */
	uint8_t code;
	bool told; /* `code` has been told; before the first one it has not */
};

static uint8_t digit(unsigned value)
{
	return (uint8_t) "0123456789abcdef"[value & 15];
}

/* Systems write here to wait for a moment, thousands of times a second; only what is new is told. A reader
 * who is slower than that misses codes. */
static void write_code(void *self, uint64_t value)
{
	struct post_code *post = self;
	uint8_t line[LINE_BYTES] = "POST 0x00\n";

	if (post->told && post->code == value)
		return;
	post->code = (uint8_t)value;
	post->told = true;
	line[HIGH_DIGIT] = digit(post->code >> 4);
	line[HIGH_DIGIT + 1] = digit(post->code);
	if (mw_stream_room(post->port) >= sizeof(line))
		mw_stream_write(post->port, line, sizeof(line));
}

static uint64_t read_code(void *self)
{
	return ((struct post_code *)self)->code;
}

static const struct mw_wire wires[] = {
	{ "port", "Where the codes go, a line each: `POST 0x1b`.",
	  MW_FIELD(struct post_code, port) },
};
static const struct mw_register bank[] = {
	{ "CODE", 0, .get = read_code, .set = write_code },
};
static const struct mw_region regions[] = {
	{ "code", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(bank) },
};
static const struct mw_state state[] = {
	{ "code", MW_FIELD(struct post_code, code), .since = 1 },
	{ "told", MW_FIELD(struct post_code, told), .since = 1 },
};
static const char *const buses[] = { "sys", "isa", NULL };

const struct mw_device_type post_code_type = {
	MW_DEVICE_TYPE,
	.name = "post-code",
	.summary = "port 0x80: each new POST code is a line of text",
	.size = sizeof(struct post_code),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
};
