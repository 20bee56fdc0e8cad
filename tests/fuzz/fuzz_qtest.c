/** Bytes as lines of the qtest protocol, on a machine with a real UART, an I/O APIC and RAM: every line is
 * answered by one line, and nothing crashes or takes long. */
// SPDX-License-Identifier: MIT
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel/none/none.h"
#include "accel/none/vm.h"
#include "core/alloc.h"
#include "core/diagnostics.h"
#include "core/machine.h"
#include "devices/registry.h"
#include "resolver/resolver.h"
#include "tests/fuzz/check.h"

enum { MOST_LINES = 64 };

static struct mw_registry registry;
static struct mw_plan *plan;
static FILE *sink;

static void set_up(void)
{
	static const char *const search[] = { "." };
	struct mw_diagnostics diagnostics = { 0 };

	CHECK(mw_builtin_devices(&registry, &diagnostics));
	CHECK(mw_resolve(&plan,
			 &(struct mw_resolve_options){ .profile = "tests/fuzz/qtest.yaml",
						       .search = search,
						       .search_count = 1,
						       .registry = &registry },
			 &diagnostics));
	mw_diagnostics_fini(&diagnostics);
	sink = fopen("/dev/null", "w");
	CHECK(sink);
}

/* One answer, whatever lines moved before it; words of the line may be part of it, but no line end. */
static void check_answer(const struct none_buffer *answer)
{
	const char *at = answer->bytes, *end = at + answer->count;
	unsigned answers = 0;

	CHECK(answer->count && end[-1] == '\n');
	for (; at < end; at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1)
		answers += strncmp(at, "IRQ ", 4) != 0;
	CHECK(answers == 1);
}

static void run_line(struct none_vm *vm, const uint8_t *bytes, size_t count)
{
	char *line = mw_alloc(count + 1, 1);

	memcpy(line, bytes, count);
	vm->answer.count = 0;
	none_command(vm, line);
	check_answer(&vm->answer);
	free(line);
}

static void run_lines(struct none_vm *vm, const uint8_t *bytes, size_t count)
{
	for (unsigned i = 0; i < MOST_LINES && count; i++) {
		const uint8_t *end = memchr(bytes, '\n', count);
		size_t length = end ? (size_t)(end - bytes) : count;

		run_line(vm, bytes, length);
		if (mw_machine_stopping(vm->machine))
			return; /* it would wait for a start */
		length += end != NULL;
		bytes += length;
		count -= length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_machine *machine;
	struct mw_accel *accel;

	if (!plan)
		set_up();
	CHECK(mw_machine_build(&machine, plan, &diagnostics));
	mw_machine_set_log(machine, sink);
	CHECK(mw_accel_none.create(&accel, machine, &diagnostics));
	CHECK(mw_machine_reset(machine, &diagnostics));
	struct none_vm *vm = (struct none_vm *)accel;

	/* Its own thread rests, and this one takes its place. */
	atomic_store(&vm->halting, false);
	run_lines(vm, bytes, count);
	atomic_store(&vm->halting, true);
	mw_accel_none.destroy(accel);
	mw_machine_destroy(machine);
	mw_diagnostics_fini(&diagnostics);
	return 0;
}
