/* The MOO format: chunks of a four-letter name, a length and a body, nested (SingleStepTests). */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/moo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "core/alloc.h"

enum { MOST_BYTES = 8 << 20, RAM_ENTRY = 5 };

struct chunk {
	const uint8_t *name, *body;
	size_t length;
};

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static bool next_chunk(const uint8_t *bytes, size_t count, size_t *offset, struct chunk *chunk)
{
	if (count - *offset < 8)
		return false;
	chunk->name = bytes + *offset;
	chunk->length = word(bytes + *offset + 4);
	chunk->body = bytes + *offset + 8;
	if (chunk->length > count - *offset - 8)
		return false;
	*offset += 8 + chunk->length;
	return true;
}

static bool is(const struct chunk *chunk, const char *name)
{
	return memcmp(chunk->name, name, 4) == 0;
}

bool moo_open(struct moo_file *file, const char *path)
{
	gzFile in = gzopen(path, "rb");
	int got = -1;

	memset(file, 0, sizeof(*file));
	if (in) {
		file->bytes = mw_alloc(MOST_BYTES, 1);
		got = gzread(in, file->bytes, MOST_BYTES);
		gzclose(in);
	}
	if (got < 8 || memcmp(file->bytes, "MOO ", 4) != 0) {
		fprintf(stderr, "%s is no MOO file\n", path);
		moo_close(file);
		return false;
	}
	file->count = (size_t)got;
	return true;
}

void moo_close(struct moo_file *file)
{
	free(file->bytes);
	file->bytes = NULL;
}

static void read_registers(const struct chunk *chunk, struct moo_state *state)
{
	size_t offset = 2;

	if (chunk->length < 2)
		return;
	unsigned mask = chunk->body[0] | (unsigned)chunk->body[1] << 8;

	for (unsigned i = 0; i < MOO_REGISTERS && offset + 2 <= chunk->length; i++) {
		if (!(mask & 1u << i))
			continue;
		state->registers[i] =
			(uint16_t)(chunk->body[offset] | chunk->body[offset + 1] << 8);
		offset += 2;
	}
}

static void read_state(const struct chunk *outer, struct moo_state *state)
{
	struct chunk chunk;

	for (size_t at = 0; next_chunk(outer->body, outer->length, &at, &chunk);) {
		if (is(&chunk, "REGS"))
			read_registers(&chunk, state);
		if (!is(&chunk, "RAM ") || chunk.length < 4)
			continue;
		state->ram.bytes = chunk.body + 4;
		state->ram.count = word(chunk.body);
		if (state->ram.count > (chunk.length - 4) / RAM_ENTRY)
			state->ram.count = (chunk.length - 4) / RAM_ENTRY;
	}
}

static void read_part(const struct chunk *chunk, struct moo_case *test)
{
	if (is(chunk, "NAME") && chunk->length >= 4) {
		test->name = (const char *)chunk->body + 4;
		test->name_length = chunk->length - 4;
	} else if (is(chunk, "BYTS") && chunk->length >= 4) {
		test->code = chunk->body + 4;
		test->code_length = chunk->length - 4;
	} else if (is(chunk, "INIT")) {
		read_state(chunk, &test->before);
		memcpy(test->after.registers, test->before.registers,
		       sizeof(test->after.registers));
	} else if (is(chunk, "FINA")) {
		read_state(chunk, &test->after);
	} else if (is(chunk, "EXCP") && chunk->length >= 5) {
		test->excepts = true;
		test->vector = chunk->body[0];
	}
}

bool moo_next(struct moo_file *file, struct moo_case *test)
{
	struct chunk outer, part;

	while (next_chunk(file->bytes, file->count, &file->next, &outer)) {
		if (!is(&outer, "TEST") || outer.length < 4)
			continue;
		memset(test, 0, sizeof(*test));
		test->number = word(outer.body);
		for (size_t at = 4; next_chunk(outer.body, outer.length, &at, &part);)
			read_part(&part, test);
		return true;
	}
	return false;
}

uint32_t moo_ram_address(const struct moo_ram *ram, size_t index)
{
	return word(ram->bytes + index * RAM_ENTRY);
}

uint8_t moo_ram_byte(const struct moo_ram *ram, size_t index)
{
	return ram->bytes[index * RAM_ENTRY + 4];
}
