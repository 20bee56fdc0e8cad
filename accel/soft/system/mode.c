/** The mode that blocks are decoded under and run in. References: SDM vol. 3, 3.4.5 (D/B and L), 20.1 (real
 * mode). */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"

/** Bits of soft_mode.key; a CS limit that cuts code off is in bits 32 to 63. */
enum mode_key {
	KEY_32 = 1 << 0,
	KEY_64 = 1 << 1,
	KEY_STACK_32 = 1 << 2,
	KEY_FLAT = 1 << 3,
	KEY_REAL = 1 << 4,
	KEY_USER = 1 << 5,
	KEY_LIMIT = 1 << 6
};

/** Bits of soft_cpu.jump_key: what KEY_ has, the generation, and which CS it is. */
enum { JUMP_MODE = 0x7f, JUMP_GENERATION_SHIFT = 7, JUMP_SEGMENT_SHIFT = 19 };

static bool is_flat(const struct mw_segment *segment)
{
	unsigned wanted = SOFT_SEG_P | SOFT_SEG_S | SOFT_SEG_WRITABLE;
	unsigned tested = wanted | SOFT_SEG_CODE | SOFT_SEG_DOWN;

	return segment->base == 0 && segment->limit == UINT32_MAX &&
	       (segment->attributes & tested) == wanted;
}

static uint64_t mode_key(const struct soft_cpu *cpu)
{
	const struct soft_mode *mode = &cpu->mode;
	uint32_t limit = cpu->segment[MW_CS].limit;
	uint64_t key = (mode->stack_32 ? KEY_STACK_32 : 0u) | (mode->flat ? KEY_FLAT : 0u) |
		       (mode->real ? KEY_REAL : 0u) | (cpu->cpl == 3 ? KEY_USER : 0u);

	if (mode->code_bits == 64)
		return key | KEY_64;
	if (mode->code_bits == 32)
		key |= KEY_32;
	if (limit != UINT32_MAX)
		key |= KEY_LIMIT | (uint64_t)limit << 32;
	return key;
}

/* The same RIP is elsewhere under another base. A product by an odd number keeps bases with the same limit
 * apart; 45 bits of it are left, which makes it unlikely enough that others meet. */
static uint64_t jump_key(const struct soft_cpu *cpu)
{
	const struct mw_segment *cs = &cpu->segment[MW_CS];
	uint64_t segment = cs->base << 32 | (uint32_t)~cs->limit, mixed = 0;

	if (cpu->mode.code_bits != 64)
		mixed = segment * UINT64_C(0x9e3779b97f4a7c15) >> JUMP_SEGMENT_SHIFT;
	return (cpu->mode.key & JUMP_MODE) | cpu->generation << JUMP_GENERATION_SHIFT |
	       mixed << JUMP_SEGMENT_SHIFT;
}

/* SDM vol. 3, 6.15, interrupt 17. */
static bool checks_alignment(const struct soft_cpu *cpu)
{
	return cpu->rflags & SOFT_AC && cpu->cr0 & SOFT_CR0_AM && cpu->cpl == 3;
}

void soft_mode_update(struct soft_cpu *cpu)
{
	const struct mw_segment *cs = &cpu->segment[MW_CS];
	struct soft_mode *mode = &cpu->mode;

	mode->real = !soft_protected(cpu);
	if (soft_is_wide(cpu, cs->attributes)) {
		mode->code_bits = 64;
		mode->stack_32 = false;
		mode->flat = true;
		cpu->rip_mask = UINT64_MAX;
	} else {
		mode->code_bits = cs->attributes & SOFT_SEG_DB ? 32 : 16;
		mode->stack_32 = cpu->segment[MW_SS].attributes & SOFT_SEG_DB;
		mode->flat = is_flat(&cpu->segment[MW_DS]) && is_flat(&cpu->segment[MW_ES]) &&
			     is_flat(&cpu->segment[MW_SS]);
		cpu->based_code |= cs->base != 0;
		cpu->rip_mask = mode->code_bits == 16 && cs->limit <= 0xffff ? 0xffff : UINT32_MAX;
	}
	mode->key = mode_key(cpu);
	cpu->jump_key = jump_key(cpu);
	cpu->tlb = cpu->tlbs[SOFT_UNLIKELY(checks_alignment(cpu)) ? 2 : cpu->cpl == 3];
}

void soft_segment_set(struct soft_cpu *cpu, enum mw_segment_name name, struct mw_segment value)
{
	cpu->segment[name] = value;
	if (name == MW_FS)
		cpu->gpr[SOFT_FS_BASE] = value.base;
	else if (name == MW_GS)
		cpu->gpr[SOFT_GS_BASE] = value.base;
	else if (name <= MW_DS)
		soft_mode_update(cpu);
}
