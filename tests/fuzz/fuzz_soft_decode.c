/** Bytes as instructions of the software CPU: first the mode, then code. One by one as far as they go, then as
 * blocks of a page, up to and over its end. Nothing may crash, and a length must be what the bytes say. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "tests/support/soft_rig.h"

enum { MOST_BYTES = 15, MOST_CODE = 4096, CODE = 0x10000, TABLES = 0x1000, MODES = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* A copy of exactly this size lets ASan see reads beyond it. */
static int decode(const struct soft_mode *mode, const uint8_t *bytes, unsigned count)
{
	struct soft_insn insn;
	uint8_t *exact = mw_alloc(count ? count : 1, 1);

	memcpy(exact, bytes, count);
	int length = soft_decode_insn(&insn, mode, exact, count);

	free(exact);
	if (length < -1 || length > (int)count)
		abort();
	return length;
}

/* Returns its length, 1 where it has none. */
static unsigned check_instruction(const struct soft_mode *mode, const uint8_t *bytes, size_t rest)
{
	unsigned count = rest < MOST_BYTES ? (unsigned)rest : MOST_BYTES;
	int length = decode(mode, bytes, count);

	if (length <= 0)
		return 1;
	/* It depends on no byte behind it, and on each of its own. */
	if (decode(mode, bytes, (unsigned)length) != length ||
	    decode(mode, bytes, (unsigned)length - 1) != 0)
		abort();
	return (unsigned)length;
}

static void make_tables(struct soft_rig *rig)
{
	const uint64_t present = 7, large = 0x87;
	uint64_t entries[] = { TABLES + 0x1000 + present, TABLES + 0x2000 + present, large };

	for (size_t i = 0; i < 3; i++)
		memcpy(rig->ram + TABLES + 0x1000 * i, &entries[i], sizeof(entries[i]));
}

static void set_mode(struct soft_rig *rig, unsigned mode, uint16_t rip)
{
	static const uint16_t attributes[MODES] = { 0x9b, 0xc09b, 0xa09b };
	struct mw_cpu_state state = rig->reset_state;

	state.segment[MW_CS] = soft_rig_segment(8, mode == 2 ? 0 : CODE,
						mode == 0 ? 0xffff : 0xffffffff, attributes[mode]);
	state.rip = mode == 2 ? CODE + (uint64_t)rip : rip;
	if (mode)
		state.cr0 |= SOFT_CR0_PE;
	if (mode == 2) {
		state.cr0 |= SOFT_CR0_PG;
		state.cr3 = TABLES;
		state.cr4 = SOFT_CR4_PAE;
		state.efer = SOFT_EFER_LME | SOFT_EFER_LMA;
	}
	soft_rig_set(rig, &state);
}

static void check_block(struct soft_rig *rig, uint16_t rip)
{
	const struct soft_block *block = soft_block_find(rig->cpu);

	if (!block) {
		if (!rig->cpu->fault.raised)
			abort();
		return;
	}
	if (!block->instructions || block->instructions > SOFT_BLOCK_INSTRUCTIONS ||
	    !block->op_count || block->op_count > SOFT_BLOCK_OPS ||
	    block->bytes > SOFT_PAGE_BYTES + MOST_BYTES ||
	    (block->physical & 0xfff) != (rip & 0xfffu))
		abort();
}

static void check_blocks(struct soft_rig *rig, unsigned mode, const uint8_t *code, size_t count)
{
	/* Once at the beginning of a page and once so that it runs over the end. */
	const uint16_t places[] = { 0,
				    (uint16_t)(SOFT_PAGE_BYTES - (count < 20 ? count : 20) / 2) };

	for (size_t i = 0; i < 2; i++) {
		soft_blocks_flush(rig->vm);
		memset(rig->ram + CODE, 0x90, 2 * (size_t)SOFT_PAGE_BYTES);
		memcpy(rig->ram + CODE + places[i], code, count);
		set_mode(rig, mode, places[i]);
		check_block(rig, places[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct soft_rig rig;
	static const unsigned bits[MODES] = { 16, 32, 64 };

	if (count < 2)
		return 0;
	if (!rig.machine) {
		soft_rig_create(&rig);
		make_tables(&rig);
	}
	const unsigned mode = bytes[0] % MODES;
	const uint8_t *code = bytes + 1;
	struct soft_mode flat = { .code_bits = bits[mode], .stack_32 = true, .flat = true };

	count = count - 1 < MOST_CODE ? count - 1 : MOST_CODE;
	for (size_t at = 0; at < count;)
		at += check_instruction(&flat, code + at, count - at);
	check_blocks(&rig, mode, code, count);
	return 0;
}
