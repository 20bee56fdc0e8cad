/* Commands of QEMU's qtest protocol (QEMU 7.2, docs/devel/qtest.rst): one line each, one line back. Where
 * QEMU ends on a wrong argument, the answer here is FAIL and a reason. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel/none/vm.h"
#include "core/clock.h"
#include "core/machine.h"

enum { MOST_WORDS = 6, ECHOED = 200, SETTLE_LIMIT = 1000 };

void none_refuse(struct none_vm *vm, const char *format, ...)
{
	char text[ECHOED + 100];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	none_say(vm, "FAIL %s\n", text);
}

bool none_number(const char *word, uint64_t *value)
{
	char *end;

	if (!*word || *word == ' ')
		return false;
	errno = 0;
	*value = strtoull(word, &end, 0);
	return !errno && !*end;
}

static bool number(struct none_vm *vm, const char *word, uint64_t *value)
{
	if (none_number(word, value))
		return true;
	none_refuse(vm, "`%.40s` is no number", word);
	return false;
}

static bool port_number(struct none_vm *vm, const char *word, uint64_t *port)
{
	if (!number(vm, word, port))
		return false;
	if (*port <= UINT16_MAX)
		return true;
	none_refuse(vm, "there is no port 0x%" PRIx64, *port);
	return false;
}

static uint64_t low_bytes(uint64_t value, unsigned size)
{
	return size == 8 ? value : value & ((UINT64_C(1) << (8 * size)) - 1);
}

/* One that never stops doing that must not keep the answer back. */
void none_settle(struct none_vm *vm)
{
	struct mw_clock *clock = mw_machine_clock(vm->machine);

	for (unsigned i = 0; i < SETTLE_LIMIT && !mw_machine_stopping(vm->machine); i++) {
		if (mw_clock_next(clock) > mw_clock_now(clock))
			return;
		mw_machine_step(vm->actor, mw_clock_now(clock));
	}
}

static void done(struct none_vm *vm)
{
	none_settle(vm);
	none_say(vm, "OK\n");
}

static void out(struct none_vm *vm, char **words, unsigned size)
{
	uint64_t port, value;

	if (!port_number(vm, words[1], &port) || !number(vm, words[2], &value))
		return;
	mw_port_write(vm->actor, (uint16_t)port, size, low_bytes(value, size));
	done(vm);
}

static void in(struct none_vm *vm, char **words, unsigned size)
{
	uint64_t port, value;

	if (!port_number(vm, words[1], &port))
		return;
	mw_port_read(vm->actor, (uint16_t)port, size, &value);
	none_settle(vm);
	none_say(vm, "OK 0x%04" PRIx64 "\n", value);
}

static void write_one(struct none_vm *vm, char **words, unsigned size)
{
	uint64_t address, value;

	if (!number(vm, words[1], &address) || !number(vm, words[2], &value))
		return;
	mw_memory_write(vm->actor, address, size, low_bytes(value, size));
	done(vm);
}

static void read_one(struct none_vm *vm, char **words, unsigned size)
{
	uint64_t address, value;

	if (!number(vm, words[1], &address))
		return;
	mw_memory_read(vm->actor, address, size, &value);
	none_settle(vm);
	none_say(vm, "OK 0x%016" PRIx64 "\n", value);
}

static void range(struct none_vm *vm, char **words, unsigned which)
{
	static void (*const commands[])(struct none_vm * vm, char **words) = {
		none_read, none_write, none_memset, none_b64read, none_b64write,
	};

	commands[which](vm, words);
}

/* Time. */

static uint64_t now(const struct none_vm *vm)
{
	return mw_clock_now(mw_machine_clock(vm->machine));
}

/* Between two timers the machine may be stopped, even reset: then what is left of the step is the new
 * machine's. */
static void go_to(struct none_vm *vm, uint64_t until_ns)
{
	while (mw_machine_step(vm->actor, until_ns) && none_look_around(vm))
		continue;
}

static void say_time(struct none_vm *vm)
{
	none_say(vm, "OK %" PRIu64 "\n", now(vm));
}

/* The protocol's times are signed, and time does not go back. */
static void clock_step(struct none_vm *vm, char **words, unsigned unused)
{
	uint64_t from = now(vm), step, until;

	if (!words[1]) {
		until = mw_clock_next(mw_machine_clock(vm->machine));
		if (until == UINT64_MAX)
			until = from;
	} else if (!number(vm, words[1], &step)) {
		return;
	} else {
		until = step > INT64_MAX ? from : from + step;
	}
	go_to(vm, until > INT64_MAX ? INT64_MAX : until);
	say_time(vm);
}

static void clock_set(struct none_vm *vm, char **words, unsigned unused)
{
	uint64_t until;

	if (!number(vm, words[1], &until))
		return;
	if (until <= INT64_MAX)
		go_to(vm, until > now(vm) ? until : now(vm));
	say_time(vm);
}

/* The rest. */

static void endianness(struct none_vm *vm, char **words, unsigned unused)
{
	none_say(vm, "OK little\n");
}

static void intercept(struct none_vm *vm, char **words, unsigned outputs)
{
	none_intercept(vm, words, outputs);
}

static void set_irq_in(struct none_vm *vm, char **words, unsigned unused)
{
	none_set_irq_in(vm, words);
}

static void module_load(struct none_vm *vm, char **words, unsigned unused)
{
	none_say(vm, "FAIL\n");
}

static const struct command {
	const char *name;
	unsigned needed; /* arguments */
	unsigned parameter;
	void (*run)(struct none_vm *vm, char **words, unsigned parameter);
} commands[] = {
	{ "outb", 2, 1, out },
	{ "outw", 2, 2, out },
	{ "outl", 2, 4, out },
	{ "inb", 1, 1, in },
	{ "inw", 1, 2, in },
	{ "inl", 1, 4, in },
	{ "writeb", 2, 1, write_one },
	{ "writew", 2, 2, write_one },
	{ "writel", 2, 4, write_one },
	{ "writeq", 2, 8, write_one },
	{ "readb", 1, 1, read_one },
	{ "readw", 1, 2, read_one },
	{ "readl", 1, 4, read_one },
	{ "readq", 1, 8, read_one },
	{ "read", 2, 0, range },
	{ "write", 3, 1, range },
	{ "memset", 3, 2, range },
	{ "b64read", 2, 3, range },
	{ "b64write", 3, 4, range },
	{ "clock_step", 0, 0, clock_step },
	{ "clock_set", 1, 0, clock_set },
	{ "endianness", 0, 0, endianness },
	{ "irq_intercept_in", 1, false, intercept },
	{ "irq_intercept_out", 1, true, intercept },
	{ "set_irq_in", 4, 0, set_irq_in },
	{ "module_load", 2, 0, module_load },
};

/* Every single space ends a word, as in QEMU; what is too much is not looked at. */
static unsigned split(char *line, char **words)
{
	unsigned count = 0;

	for (char *rest = line; rest && count < MOST_WORDS; count++)
		words[count] = strsep(&rest, " ");
	return count;
}

void none_command(struct none_vm *vm, char *line)
{
	char *words[MOST_WORDS + 1] = { 0 };
	unsigned arguments = split(line, words) - 1;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];

		/* The line now ends behind its first word. */
		if (strcmp(line, command->name) != 0)
			continue;
		if (arguments < command->needed) {
			none_refuse(vm, "%s needs %u arguments", command->name, command->needed);
			return;
		}
		command->run(vm, words, command->parameter);
		return;
	}
	none_refuse(vm, "Unknown command '%.*s'", ECHOED, line);
}
