/** A CPU's state as a hostile snapshot has it, row by row, for the software CPU, which then runs with it:
 * nothing may crash, hang or reach past guest RAM, and what it shows afterwards it takes again. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "accel/soft/run.h"
#include "accel/soft/system/system.h"
#include "core/state_rows.h"
#include "tests/support/soft_rig.h"

enum { MOST_INSTRUCTIONS = 500, CODE = 0x10000, TABLES = 0x1000, GDT = 0x8000 };
enum { STATE_BYTES = 16384, LONGEST_EDIT = 9 };
enum { ROOT = 0x003, LARGE = 0x083 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static struct mw_row_set rows(void)
{
	return (struct mw_row_set){ mw_cpu_rows, mw_cpu_row_count, 1 };
}

static void put(struct soft_rig *rig, uint64_t at, uint64_t value)
{
	memcpy(rig->ram + at, &value, sizeof(value));
}

/* Flat segments with protection, 32-bit paging, or four levels of it. */
static void enter_mode(struct soft_rig *rig, struct mw_cpu_state *state, unsigned mode)
{
	static const uint64_t cr0[] = { 0x10, 0x11, 0x80000011, 0x80000011 };
	unsigned code = mode == 3 ? 0xa09b : 0xc09b;

	state->rip = mode ? CODE : CODE & 0xffff;
	state->segment[MW_CS] = soft_rig_segment(0xf000, CODE, 0xffff, 0x9b);
	state->cr0 = cr0[mode];
	if (!mode)
		return;
	for (unsigned i = 0; i < 6; i++) {
		state->segment[i] = soft_rig_segment(8, 0, UINT32_MAX, 0x93);
		state->segment[i].attributes = i == MW_CS ? (uint16_t)code : 0xc093;
	}
	state->cr3 = TABLES;
	state->cr4 = mode == 3 ? 0x620 : 0x610; /* OSFXSR, OSXMMEXCPT and PAE or PSE */
	state->efer = mode == 3 ? 0x500 : 0;
	put(rig, TABLES, mode == 3 ? (TABLES + 0x1000) | ROOT : LARGE);
	put(rig, TABLES + 0x1000, (TABLES + 0x2000) | ROOT);
	for (unsigned i = 0; i < 2; i++)
		put(rig, TABLES + 0x2000 + 8 * i, (uint64_t)i << 21 | LARGE);
	state->gdt = (struct mw_table_register){ GDT, 0x7f };
	for (unsigned i = 1; i < 16; i++)
		put(rig, GDT + 8 * i, 0xcf93000000ffff);
}

/* False: a value that its row cannot have, which a snapshot's loader refuses. */
static bool edit(struct mw_cpu_state *state, const uint8_t **bytes, size_t *count)
{
	static uint8_t form[STATE_BYTES];
	size_t length = mw_rows_save(rows(), state, form, sizeof(form));

	if (length > sizeof(form))
		abort();
	while (*count > 3) {
		size_t at = (*bytes)[0] | (size_t)(*bytes)[1] << 8,
		       run = (*bytes)[2] % LONGEST_EDIT;

		*bytes += 3;
		*count -= 3;
		if (!run)
			break;
		for (; run && *count; run--, at++, ++*bytes, --*count)
			form[at % length] = **bytes;
	}
	if (mw_rows_check(rows(), form))
		return false;
	mw_rows_load(rows(), state, form);
	return state->run <= MW_CPU_UNINITIALISED;
}

static void run(struct soft_rig *rig)
{
	int64_t left = MOST_INSTRUCTIONS;

	/* What is left after an event counts as one, so that this ends. */
	while (left > 0 && soft_cpu_runnable(rig->cpu))
		left -= 1 + soft_run_cpu(rig->cpu, left);
	if (left < -2 * MOST_INSTRUCTIONS)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct soft_rig rig;
	struct mw_cpu_state state, again;

	if (!rig.machine)
		soft_rig_create(&rig);
	if (count < 4)
		return 0;
	memset(rig.ram, 0, 4 * CODE);
	soft_blocks_flush(rig.vm);
	soft_cpu_reset(rig.cpu, true);
	state = rig.reset_state;
	enter_mode(&rig, &state, bytes[0] & 3);
	bytes++, count--;
	if (!edit(&state, &bytes, &count))
		return 0;
	memcpy(rig.ram + CODE, bytes, count < 0x1000 ? count : 0x1000);
	soft_rig_set(&rig, &state);
	soft_rig_get(&rig, &state);
	soft_rig_set(&rig, &state);
	soft_rig_get(&rig, &again);
	if (state.cr0 != again.cr0 || state.efer != again.efer || state.rflags != again.rflags)
		abort();
	run(&rig);
	soft_rig_get(&rig, &state);
	soft_rig_set(&rig, &state);
	run(&rig);
	return 0;
}
