/* Commands on ranges of memory, in accesses as wide as their alignment allows. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "accel/none/vm.h"
#include "core/alloc.h"

enum { WIDEST = 8, ACCESSES_BETWEEN_LOOKS = 512 };

struct range {
	uint64_t address;
	size_t count;
};

static bool range_of(struct none_vm *vm, char **words, struct range *range)
{
	uint64_t count;

	if (!none_number(words[1], &range->address) || !none_number(words[2], &count)) {
		none_refuse(vm, "an address and a number of bytes are numbers");
		return false;
	}
	if (count > NONE_MOST_BYTES) {
		none_refuse(vm, "more than 64 MiB at once");
		return false;
	}
	if (count && range->address + count - 1 < range->address) {
		none_refuse(vm, "the range goes beyond the last address");
		return false;
	}
	range->count = (size_t)count;
	return true;
}

static unsigned width_at(uint64_t address, size_t left)
{
	unsigned width = WIDEST;

	while (address & (width - 1) || width > left)
		width /= 2;
	return width;
}

/* Devices among it may move lines, and somebody may want the machine to stop. */
static bool goes_on(struct none_vm *vm, unsigned accesses)
{
	return accesses % ACCESSES_BETWEEN_LOOKS || none_look_around(vm);
}

static void read_device(struct none_vm *vm, uint64_t address, unsigned width, uint8_t *bytes)
{
	uint64_t value;

	mw_memory_read(vm->actor, address, width, &value);
	for (unsigned b = 0; b < width; b++)
		bytes[b] = (uint8_t)(value >> (8 * b));
}

static void write_device(struct none_vm *vm, uint64_t address, unsigned width, const uint8_t *bytes)
{
	uint64_t value = 0;

	for (unsigned b = 0; b < width; b++)
		value |= (uint64_t)bytes[b] << (8 * b);
	mw_memory_write(vm->actor, address, width, value);
}

static void move_range(struct none_vm *vm, struct range range, uint8_t *bytes, bool write)
{
	unsigned accesses = 0;

	for (size_t i = 0; i < range.count && goes_on(vm, ++accesses);) {
		uint64_t address = range.address + i;
		unsigned width = width_at(address, range.count - i);
		size_t copied =
			mw_memory_copy(vm->actor, address, bytes + i, range.count - i, write);

		i += copied ? copied : width;
		if (!copied && write)
			write_device(vm, address, width, bytes + i - width);
		else if (!copied)
			read_device(vm, address, width, bytes + i - width);
	}
	none_settle(vm);
}

static void write_range(struct none_vm *vm, struct range range, uint8_t *bytes)
{
	move_range(vm, range, bytes, true);
	none_say(vm, "OK\n");
}

static void refuse_size(struct none_vm *vm)
{
	none_say(vm, "ERR invalid argument size\n");
}

void none_read(struct none_vm *vm, char **words)
{
	static const char digits[] = "0123456789abcdef";
	struct range range;
	uint8_t *bytes;
	char *text;

	if (!range_of(vm, words, &range))
		return;
	if (!range.count) {
		none_refuse(vm, "a read is of 1 byte or more");
		return;
	}
	bytes = mw_alloc(range.count, 1);
	text = mw_alloc(range.count, 2);
	move_range(vm, range, bytes, false);
	for (size_t i = 0; i < range.count; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	none_say(vm, "OK 0x");
	none_append(&vm->answer, text, 2 * range.count);
	none_append(&vm->answer, "\n", 1);
	free(text);
	free(bytes);
}

static int nibble(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* What stands for `0x` is not looked at, and bytes without two digits are 0, as in QEMU. */
static bool parse_hex(const char *text, uint8_t *bytes, size_t count)
{
	size_t given = (strlen(text) - 2) / 2;

	for (size_t i = 0; i < count && i < given; i++) {
		int high = nibble(text[2 + 2 * i]), low = nibble(text[3 + 2 * i]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void none_write(struct none_vm *vm, char **words)
{
	struct range range;
	uint8_t *bytes;

	if (!range_of(vm, words, &range))
		return;
	if (strlen(words[3]) < 3) {
		refuse_size(vm);
		return;
	}
	bytes = mw_alloc(range.count + 1, 1);
	if (parse_hex(words[3], bytes, range.count))
		write_range(vm, range, bytes);
	else
		none_refuse(vm, "data is hex digits");
	free(bytes);
}

void none_memset(struct none_vm *vm, char **words)
{
	struct range range;
	uint64_t pattern;
	uint8_t *bytes;

	if (!range_of(vm, words, &range))
		return;
	if (!none_number(words[3], &pattern)) {
		none_refuse(vm, "a pattern is a number");
		return;
	}
	bytes = mw_alloc(range.count + 1, 1);
	memset(bytes, (uint8_t)pattern, range.count);
	write_range(vm, range, bytes);
	free(bytes);
}

void none_b64read(struct none_vm *vm, char **words)
{
	struct range range;
	uint8_t *bytes;
	char *text;

	if (!range_of(vm, words, &range))
		return;
	bytes = mw_alloc(range.count + 1, 1);
	text = mw_alloc(range.count / 3 + 1, 4);
	move_range(vm, range, bytes, false);
	none_say(vm, "OK ");
	none_append(&vm->answer, text, none_base64_encode(bytes, range.count, text));
	none_append(&vm->answer, "\n", 1);
	free(text);
	free(bytes);
}

void none_b64write(struct none_vm *vm, char **words)
{
	size_t length = strlen(words[3]), count;
	struct range range;
	uint8_t *bytes;

	if (!range_of(vm, words, &range))
		return;
	bytes = mw_alloc(length / 4 + 1, 3);
	if (none_base64_decode(words[3], length, bytes, &count) && count >= range.count)
		write_range(vm, range, bytes);
	else
		refuse_size(vm);
	free(bytes);
}
