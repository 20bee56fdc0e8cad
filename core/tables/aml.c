/** AML terms and packages (ACPI 6.5, chapter 20). */
// SPDX-License-Identifier: MIT
#include "core/tables/aml.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/bytes.h"
#include "core/tables/aml_internal.h"

enum aml_op {
	OP_NAME = 0x08,
	OP_BYTE = 0x0a,
	OP_WORD = 0x0b,
	OP_DWORD = 0x0c,
	OP_STRING = 0x0d,
	OP_QWORD = 0x0e,
	OP_SCOPE = 0x10,
	OP_PACKAGE = 0x12,
	OP_VAR_PACKAGE = 0x13,
	OP_METHOD = 0x14,
	OP_DUAL_NAME = 0x2e,
	OP_MULTI_NAME = 0x2f,
	OP_EXT = 0x5b,
	OP_EXT_REGION = 0x80,
	OP_EXT_FIELD = 0x81,
	OP_EXT_DEVICE = 0x82,
	OP_IF = 0xa0
};

void mw_aml_fini(struct mw_aml *aml)
{
	free(aml->bytes);
	*aml = (struct mw_aml){ 0 };
}

/** Opens a gap of `count` bytes at `at`. */
static uint8_t *open_gap(struct mw_aml *aml, size_t at, size_t count)
{
	if (aml->length + count > aml->capacity) {
		aml->capacity = (aml->length + count) * 2 + 64;
		aml->bytes = mw_grow(aml->bytes, aml->capacity, 1);
	}
	memmove(aml->bytes + at + count, aml->bytes + at, aml->length - at);
	aml->length += count;
	return aml->bytes + at;
}

void mw_aml_byte(struct mw_aml *aml, uint8_t byte)
{
	*open_gap(aml, aml->length, 1) = byte;
}

void mw_aml_le(struct mw_aml *aml, unsigned size, uint64_t value)
{
	mw_put_le(open_gap(aml, aml->length, size), size, value);
}

/** Encodes an integer (20.2.3) into up to 9 bytes; returns how many. */
static size_t encode_integer(uint8_t out[9], uint64_t value)
{
	if (value <= 1) { /* ZeroOp and OneOp are their own values */
		out[0] = (uint8_t)value;
		return 1;
	}
	unsigned size = 1;
	while (size < 8 && value >> (8 * size))
		size *= 2;
	static const uint8_t prefix[9] = {
		[1] = OP_BYTE, [2] = OP_WORD, [4] = OP_DWORD, [8] = OP_QWORD
	};
	out[0] = prefix[size];
	mw_put_le(out + 1, size, value);
	return 1 + size;
}

void mw_aml_integer(struct mw_aml *aml, uint64_t value)
{
	uint8_t code[9];
	size_t count = encode_integer(code, value);
	memcpy(open_gap(aml, aml->length, count), code, count);
}

void mw_aml_string(struct mw_aml *aml, const char *text)
{
	size_t count = strlen(text) + 1;
	mw_aml_byte(aml, OP_STRING);
	memcpy(open_gap(aml, aml->length, count), text, count);
}

static const char *segment_end(const char *segment)
{
	return segment + strcspn(segment, ".");
}

static void put_segment(struct mw_aml *aml, const char *segment)
{
	size_t length = (size_t)(segment_end(segment) - segment);
	assert(length >= 1 && length <= 4 && "a NameSeg has one to four characters");
	for (size_t i = 0; i < 4; i++)
		mw_aml_byte(aml, i < length ? (uint8_t)segment[i] : '_');
}

void mw_aml_name_string(struct mw_aml *aml, const char *path)
{
	while (*path == '\\' || *path == '^')
		mw_aml_byte(aml, (uint8_t)*path++);
	if (!*path) {
		mw_aml_byte(aml, 0); /* NullName */
		return;
	}
	unsigned count = 1;
	for (const char *c = path; *c; c++)
		count += *c == '.';
	assert(count <= UINT8_MAX && "a path has at most 255 segments");
	if (count == 2)
		mw_aml_byte(aml, OP_DUAL_NAME);
	if (count > 2) {
		mw_aml_byte(aml, OP_MULTI_NAME);
		mw_aml_byte(aml, (uint8_t)count);
	}
	for (const char *segment = path;; segment = segment_end(segment) + 1) {
		put_segment(aml, segment);
		if (!*segment_end(segment))
			break;
	}
}

static unsigned hex_digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
}

void mw_aml_hid(struct mw_aml *aml, const char *id)
{
	bool eisa = strlen(id) == 7 && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= 3 &&
		    strspn(id + 3, "0123456789ABCDEF") == 4;
	if (!eisa) {
		mw_aml_string(aml, id);
		return;
	}
	unsigned letters = 0, digits = 0;
	for (unsigned i = 0; i < 3; i++)
		letters = letters << 5 | (unsigned)(id[i] - '@');
	for (unsigned i = 3; i < 7; i++)
		digits = digits << 4 | hex_digit(id[i]);
	/* 19.3.4: five bits a letter, big end first, inside a little-endian DWord */
	const uint8_t bytes[] = { (uint8_t)(letters >> 8), (uint8_t)letters, (uint8_t)(digits >> 8),
				  (uint8_t)digits };
	mw_aml_integer(aml, mw_get_le(bytes, 4));
}

/** PkgLength (20.2.4) of `length`, whose own bytes are already counted if they have to be. */
static void encode_package_length(uint8_t *out, unsigned bytes, size_t length)
{
	if (bytes == 1) {
		out[0] = (uint8_t)length;
		return;
	}
	out[0] = (uint8_t)((bytes - 1) << 6 | (length & 0xf));
	mw_put_le(out + 1, bytes - 1, length >> 4);
}

/** How many bytes PkgLength takes for `content` bytes; `inclusive`: it counts itself. */
static unsigned package_length_bytes(size_t content, bool inclusive)
{
	for (unsigned bytes = 1; bytes <= 4; bytes++) {
		size_t limit = bytes == 1 ? 0x40 : (size_t)1 << (8 * bytes - 4);
		if (content + (inclusive ? bytes : 0) < limit)
			return bytes;
	}
	assert(false && "a package is shorter than 256 MiB");
	return 4;
}

void mw_aml_package_open(struct mw_aml *aml)
{
	assert(aml->depth < sizeof(aml->open) / sizeof(aml->open[0]) && "packages nest 16 deep");
	aml->open[aml->depth++] = aml->length;
}

void mw_aml_end(struct mw_aml *aml)
{
	assert(aml->depth && "an end needs a begin");
	size_t start = aml->open[--aml->depth], content = aml->length - start;
	unsigned bytes = package_length_bytes(content, true);
	encode_package_length(open_gap(aml, start, bytes), bytes, content + bytes);
}

void mw_aml_insert_integer(struct mw_aml *aml, size_t at, uint64_t value)
{
	uint8_t code[9];
	size_t count = encode_integer(code, value);
	memcpy(open_gap(aml, at, count), code, count);
}

void mw_aml_name(struct mw_aml *aml, const char *path)
{
	mw_aml_byte(aml, OP_NAME);
	mw_aml_name_string(aml, path);
}

void mw_aml_scope_begin(struct mw_aml *aml, const char *path)
{
	mw_aml_byte(aml, OP_SCOPE);
	mw_aml_package_open(aml);
	mw_aml_name_string(aml, path);
}

void mw_aml_device_begin(struct mw_aml *aml, const char *path)
{
	mw_aml_byte(aml, OP_EXT);
	mw_aml_byte(aml, OP_EXT_DEVICE);
	mw_aml_package_open(aml);
	mw_aml_name_string(aml, path);
}

void mw_aml_method_begin(struct mw_aml *aml, const char *path, unsigned arguments, bool serialized)
{
	assert(arguments <= 7 && "a method takes at most seven arguments");
	mw_aml_byte(aml, OP_METHOD);
	mw_aml_package_open(aml);
	mw_aml_name_string(aml, path);
	mw_aml_byte(aml, (uint8_t)(arguments | (serialized ? 8u : 0)));
}

void mw_aml_package_begin(struct mw_aml *aml, unsigned elements)
{
	bool small = elements <= UINT8_MAX;
	mw_aml_byte(aml, small ? OP_PACKAGE : OP_VAR_PACKAGE);
	mw_aml_package_open(aml);
	if (small)
		mw_aml_byte(aml, (uint8_t)elements);
	else
		mw_aml_integer(aml, elements);
}

void mw_aml_if_begin(struct mw_aml *aml)
{
	mw_aml_byte(aml, OP_IF);
	mw_aml_package_open(aml);
}

void mw_aml_op(struct mw_aml *aml, enum mw_aml_operator op)
{
	mw_aml_byte(aml, (uint8_t)op);
}

void mw_aml_operation_region(struct mw_aml *aml, const char *path, bool memory, uint64_t base,
			     uint64_t length)
{
	mw_aml_operation_region_in(aml, path, memory ? 0 : 1, base, length);
}

void mw_aml_operation_region_in(struct mw_aml *aml, const char *path, unsigned space, uint64_t base,
				uint64_t length)
{
	mw_aml_byte(aml, OP_EXT);
	mw_aml_byte(aml, OP_EXT_REGION);
	mw_aml_name_string(aml, path);
	mw_aml_byte(aml, (uint8_t)space);
	mw_aml_integer(aml, base);
	mw_aml_integer(aml, length);
}

void mw_aml_field(struct mw_aml *aml, const char *region, unsigned access_bytes,
		  const char *const *names, const unsigned *bits, size_t count)
{
	/* FieldFlags (20.2.5.2): access type; NoLock and Preserve are zeroes */
	static const uint8_t access_type[9] = { [1] = 1, [2] = 2, [4] = 3, [8] = 4 };
	assert(access_bytes <= 8);
	mw_aml_byte(aml, OP_EXT);
	mw_aml_byte(aml, OP_EXT_FIELD);
	mw_aml_package_open(aml);
	mw_aml_name_string(aml, region);
	mw_aml_byte(aml, access_type[access_bytes]);
	for (size_t i = 0; i < count; i++) {
		put_segment(aml, names[i]);
		unsigned bytes = package_length_bytes(bits[i], false);
		encode_package_length(open_gap(aml, aml->length, bytes), bytes, bits[i]);
	}
	mw_aml_end(aml);
}
